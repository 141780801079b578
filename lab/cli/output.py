"""`lab output`: the Labfile's outputs, over what is recorded."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.named import add_words, not_known, take_labfile
from lab.cli.outputs import Evaluated, evaluated
from lab.cli.recorded import NotYetError
from lab.cli.session import Session
from lab.cli.terminal import colourful
from lab.model.diagnostic import Diagnostic
from lab.planning.outcome import Known, Outcome, Skipped
from lab.planning.plan import skip_reason
from lab.report.tables import Cell, Column, table
from lab.report.value_text import brief, exact, json_line

ABOUT = """Print the Labfile's outputs, as the steps last gave them; nothing is run or looked at.

  lab output             all of them, for people
  lab output accuracy    one value, bare: x=$(lab output accuracy)
  lab output --json      all of them as one JSON object"""


def main(words: Sequence[str]) -> int:
    """Prints one output, or all."""
    parser = arguments.parser("output", ABOUT)
    add_words(parser, "NAME", "one output", least=0)
    arguments.add_commands(parser)
    parser.add_argument("--json", action="store_true", help="for machines")
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    if len(rest) > 1:
        raise arguments.usage("`lab output` wants one name, or none for all outputs")
    session = Session.open(args, write=False, allow_commands=args.allow_commands)
    try:
        found = evaluated(session, recorded_outcomes(session))
        if rest:
            print(_one(found, rest[0], as_json=args.json))
        else:
            _all(found, as_json=args.json)
    finally:
        session.close()
    return 0


def recorded_outcomes(session: Session) -> dict[str, Outcome]:
    """What each step gave when it was last done; steps that are skipped now have null outputs."""
    outcomes: dict[str, Outcome] = {}
    for address, step in session.graph.steps.items():
        reason = skip_reason(session.graph, step, outcomes, session.work.step_dir(address))
        record = session.state.records.get(address)
        if isinstance(reason, str):
            outcomes[address] = Skipped(reason)
        elif record is not None and record.done is not None:
            outcomes[address] = Known(record.done.outputs)
    return outcomes


def _one(found: Evaluated, name: str, *, as_json: bool) -> str:
    if name in found.values:
        value = found.values[name]
        return json_line(value) if as_json else exact(value)
    if name not in found.missing:
        raise not_known("output", name, [*found.values, *found.missing])
    raise NotYetError(
        Diagnostic(
            summary=f"the output `{name}` has no value yet",
            detail=found.missing[name],
            help="`lab apply` makes what it comes from; `lab status` says how the steps stand",
        )
    )


def _all(found: Evaluated, *, as_json: bool) -> None:
    if as_json:
        print(json_line(found.shown))
    elif found.values:
        rows = [[Cell(name, "bold"), Cell(brief(value))] for name, value in found.values.items()]
        print(table((Column(), Column()), rows, colour=colourful(sys.stdout)))
    elif not found.missing:
        print("This Labfile declares no `outputs`; `lab show STEP` shows those of a step.")
    sys.stdout.flush()
    for name, reason in found.missing.items():
        print(f"{name}: no value yet ({reason})", file=sys.stderr)
