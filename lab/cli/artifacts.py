"""`lab artifacts`: what runs made, and how it is had back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from lab.cli import arguments
from lab.cli.named import add_words, take_labfile
from lab.cli.recorded import NotYetError, Recorded, recorded
from lab.cli.terminal import colourful, width
from lab.cli.trained import run_number
from lab.edge.files import Files
from lab.edge.objects import Objects
from lab.model.address import matches
from lab.model.diagnostic import Diagnostic, printable
from lab.model.event import StepFinished
from lab.model.frozen import dataclass
from lab.model.values import Artifact
from lab.report.moments import moment
from lab.report.tables import Cell, Column, table
from lab.report.value_text import json_line
from lab.report.words import size

COLUMNS = (
    Column(title="run", right=True),
    Column(title="made"),
    Column(title="artifact", gives=True),
    Column(title="size", right=True),
    Column(title="content"),
    Column(title="kept"),
)
HASH_SHOWN = len("sha256:") + 12
ABOUT = """Labs that train keep a copy of each artifact that a step declares, by content.

  lab artifacts list [STEP]               what each run made, and whether there is a copy of it
  lab artifacts get RUN STEP.NAME TO      that artifact as it was, written to TO, where nothing may be"""


@dataclass(frozen=True, slots=True)
class Once:
    """An artifact as a run made it: ``name`` is STEP.NAME."""

    run: int
    time: float
    name: str
    artifact: Artifact
    kept: bool


def main(words: Sequence[str]) -> int:
    """Lists artifacts, or writes one."""
    parser = arguments.parser("artifacts", ABOUT)
    add_words(parser, "list [STEP] | get RUN STEP.NAME TO", "what to do")
    arguments.add_commands(parser)
    parser.add_argument("--json", action="store_true", help="for machines")
    args = arguments.parse(parser, words)
    match take_labfile(args):
        case ["list", *pattern] if len(pattern) <= 1:
            with recorded(args) as lab:
                return _list(lab, pattern, as_json=args.json)
        case ["get", run, name, to]:
            with recorded(args) as lab:
                return _get(lab, run, name, to)
        case _:
            raise arguments.usage(
                "`lab artifacts` wants `list`, or `get` with a run, an artifact and a place",
                "for example: lab artifacts get 3 train.model old-model.keras",
            )


def _list(lab: Recorded, pattern: Sequence[str], *, as_json: bool) -> int:
    found = [each for each in _all(lab) if not pattern or _is_of(each, pattern[0])]
    if as_json:
        print(json_line([_json(each) for each in found]))
    elif not found:
        print("No run has made an artifact" + (f" of `{pattern[0]}`." if pattern else " yet."))
    else:
        rows = [_row(each) for each in found]
        print(table(COLUMNS, rows, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0


def _get(lab: Recorded, run: str, name: str, to: str) -> int:
    number = run_number(lab, run)
    made = [each for each in _all(lab) if each.run == number]
    which = [each for each in made if each.name == name]
    if not which:
        shown = ", ".join(f"`{each.name}`" for each in made) or "none"
        raise arguments.usage(f"run {number} made no `{name}`", f"it made: {shown}")
    if os.path.lexists(to):
        raise arguments.usage(f"there is something at {to} already", "name another place")
    restore(lab.root, which[0].artifact, to)
    print(f"{printable(name)} of run {number}: {printable(to)} ({size(which[0].artifact.size)})")
    return 0


def restore(root: str, artifact: Artifact, to: str) -> None:
    """Writes a copy of what was kept to *to*.

    Raises:
        LabError: it was not kept, cannot be written, or is not what it was.
    """
    try:
        Objects(root).restore(artifact.digest, to)
    except FileNotFoundError:
        raise NotYetError(
            Diagnostic(
                summary=f"there is no copy of {artifact.digest[:HASH_SHOWN]}",
                detail="It was too large to copy, or `lab gc` deleted it with its run.",
                help="`lab reproduce RUN` makes it again",
            )
        ) from None
    except OSError as error:
        summary = f"{to} cannot be written: {error.strerror or error}"
        raise NotYetError(Diagnostic(summary=summary)) from None
    files = Files(os.path.dirname(os.path.abspath(to)))
    try:
        whole = files.digest(os.path.abspath(to)) == artifact.digest
    finally:
        files.close()
    if not whole:
        raise NotYetError(
            Diagnostic(
                summary=f"the copy of {artifact.digest[:HASH_SHOWN]} is damaged",
                detail=f"What is at {to} now is not what the run made.",
            )
        )


def _all(lab: Recorded) -> Iterator[Once]:
    objects = Objects(lab.root)
    for event in lab.lab.events():
        if isinstance(event, StepFinished):
            for name, value in event.done.outputs.items():
                if isinstance(value, Artifact) and value.digest.startswith("sha256:"):
                    kept = objects.has(value.digest)
                    yield Once(event.run, event.time, f"{event.address}.{name}", value, kept)


def _is_of(each: Once, pattern: str) -> bool:
    address = each.name.rpartition(".")[0]
    return pattern in (address, each.name) or matches(address, pattern)


def _row(each: Once) -> list[Cell]:
    return [
        Cell(str(each.run), "bold"),
        Cell(moment(each.time), "dim"),
        Cell(each.name),
        Cell(size(each.artifact.size)),
        Cell(each.artifact.digest[:HASH_SHOWN], "dim"),
        Cell("yes", "green") if each.kept else Cell("no", "dim"),
    ]


def _json(each: Once) -> dict[str, object]:
    return {
        "run": each.run,
        "time": each.time,
        "artifact": each.name,
        "size": each.artifact.size,
        "digest": each.artifact.digest,
        "path": each.artifact.path,
        "kept": each.kept,
    }
