"""`lab import`: takes over what is written in another tool's words."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence

from lab.cli import arguments
from lab.cli.verbs import Verbs, run
from lab.model.diagnostic import Diagnostic, LabfileError
from lab.model.document import Layer
from lab.reading.katib_import import Imported, imported
from lab.reading.katib_old import Unfit
from lab.reading.parse import parse
from lab.reading.write import document_text

ABOUT = """Write the Labfile for a Katib Experiment: a sweep in the same words.

Experiments of v1beta1 and of v1alpha3, its Go templates included, are read. What has no meaning
outside of a cluster (an image, a sidecar, a volume) is told, and stands in the Labfile's first lines.
Nothing is overwritten."""

BIGGEST = 16 * 1024 * 1024  # bytes
LABFILE = "Labfile.yaml"


def _katib(words: Sequence[str]) -> int:
    parser = arguments.parser("import katib", ABOUT)
    parser.add_argument("file", metavar="FILE", help="the Experiment; - reads standard input")
    parser.add_argument(
        "-o", "--out", metavar="FILE", default=LABFILE, help=f"default: {LABFILE}; - prints it"
    )
    args = arguments.parse(parser, words)
    layer = parse("standard input" if args.file == "-" else args.file, _bytes(args.file))
    try:
        found = imported(layer.tree)
    except Unfit as unfit:
        raise LabfileError(_diagnostic(layer, unfit)) from None
    text = labfile_text(found, layer.name)
    if args.out == "-":
        print(text, end="")
        return 0
    _write(args.out, text)
    step = next(iter(found.tree["steps"]))
    print(f"Wrote {args.out}: the sweep {step}.")
    for note in found.notes:
        print(textwrap.fill(note, 96, initial_indent="  - ", subsequent_indent="    "))
    print(f"\nNext: `lab validate {args.out}`, then `lab plan {args.out}`.")
    return 0


VERBS: Verbs = {"katib": (_katib, "a Katib Experiment (v1beta1, v1alpha3)")}


def main(words: Sequence[str]) -> int:
    """Runs one of the verbs."""
    return run("import", VERBS, words, usage="WHAT FILE [-o Labfile.yaml]")


def labfile_text(found: Imported, origin: str) -> str:
    """The Labfile, with what its reader should know in front."""
    return "".join(f"{line}\n" for line in _head(found, origin)) + document_text(found.tree)


def _head(found: Imported, origin: str) -> Iterator[str]:
    yield "# yaml-language-server: $schema=./labfile.schema.json"
    yield f"# Made by `lab import katib` from {os.path.basename(origin)}; it is yours now."
    for note in found.notes:
        yield from textwrap.wrap(note, 96, initial_indent="# - ", subsequent_indent="#   ")


def _diagnostic(layer: Layer, unfit: Unfit) -> Diagnostic:
    return Diagnostic(
        summary=unfit.summary, help=unfit.help, span=layer.span_of(unfit.path, key=False)
    )


def _bytes(path: str) -> bytes:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(BIGGEST + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(BIGGEST + 1)
    except OSError as error:
        raise arguments.usage(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > BIGGEST:
        raise arguments.usage(f"{path} is larger than {BIGGEST // 2**20} MiB: it is no Experiment")
    return data


def _write(path: str, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise arguments.usage(
            f"there is a {path} already, and nothing is overwritten",
            "`-o OTHER.yaml` writes another one, `-o -` prints it",
        ) from None
    except OSError as error:
        raise arguments.usage(f"{path} cannot be written: {error.strerror}") from None
