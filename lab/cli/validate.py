"""`lab validate`: reads a Labfile, checks it, and says everything that is wrong at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from lab.cli import arguments
from lab.cli.complain import show
from lab.cli.labfile import Read, read_labfile
from lab.model.diagnostic import Diagnostic, LabfileError
from lab.report.diagnostic_json import diagnostic_json

ABOUT = "Check a Labfile, every fault at once. Nothing is run, and nothing but the Labfile is looked at."


def main(words: Sequence[str]) -> int:
    """Prints what is wrong and exits 2, or says in a line that all is right."""
    parser = arguments.parser("validate", ABOUT)
    arguments.add_labfile(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON list of faults")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what is wrong")
    args = arguments.parse(parser, words)
    try:
        read = read_labfile(args)
    except LabfileError as error:
        if not args.json:
            raise
        _print_json(error.diagnostics)
        return error.exit_code
    if args.json:
        _print_json(read.graph.warnings)
        return 0
    show(read.graph.warnings)
    if not args.quiet:
        print(f"{read.shown} is right: {_counts(read)}")
    return 0


def _print_json(diagnostics: Iterable[Diagnostic]) -> None:
    print(json.dumps([diagnostic_json(each) for each in diagnostics], ensure_ascii=False))


def _counts(read: Read) -> str:
    steps = read.graph.steps.values()
    counts = [
        (len(steps), "step"),
        (len({step.kind for step in steps}), "kind"),
        (len(read.graph.warnings), "warning"),
    ]
    return ", ".join(
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in counts
        if count or word == "step"
    )
