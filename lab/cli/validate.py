"""`lab validate`: reads a Labfile, checks it, and says everything that is wrong at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from lab.cli import arguments
from lab.cli.complain import show
from lab.cli.labfile import Read, read_labfile
from lab.model.diagnostic import Diagnostic, LabfileError, PlanError
from lab.model.layout import step_dir
from lab.model.values import Artifact
from lab.planning.digest import World
from lab.planning.plan import make_plan
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
        _render_what_can_be(read)
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


class _NoFiles:
    """Implements ports.Files where nothing but the Labfile is looked at."""

    def exists(self, path: str) -> bool:
        return False

    def is_dir(self, path: str) -> bool:
        return False

    def is_file(self, path: str) -> bool:
        return False

    def read_text(self, path: str) -> str | None:
        return None

    def digest(self, path: str) -> str | None:
        return None

    def artifact(self, path: str) -> Artifact | None:
        return None

    def glob(self, pattern: str) -> Sequence[str]:
        return ()


def _render_what_can_be(read: Read) -> None:
    """Plans from nothing, so that an expression that fails on values known now is told now."""
    labfile = read.graph.labfile
    world = World(
        graph=read.graph,
        files=_NoFiles(),
        specs=read.catalog.specs,
        fingerprint=lambda name: None,
    )
    try:
        make_plan(
            world,
            directory=lambda a: step_dir(labfile.root, labfile.name, labfile.overlay, a),
        )
    except PlanError as error:  # here it is the Labfile that is wrong, whatever is recorded
        raise LabfileError(*error.diagnostics) from None


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
