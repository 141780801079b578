"""`lab drift`: looks at all that was made, and says what is not as it was made any more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from lab.cli import arguments
from lab.cli.complain import show
from lab.cli.session import Session, Survey, unseen
from lab.cli.terminal import colourful
from lab.model.address import owner
from lab.model.drift import Drift
from lab.planning.decide import UNSEEN, NotAsked
from lab.planning.drift import differs, drift_of
from lab.planning.select import Selection, left_out
from lab.report.drift_text import drift_text
from lab.report.plan_json import change_json
from lab.report.value_text import json_line

ABOUT = """Ask every step that can be observed what is there, in parallel, and say what is not as it was made,
where that changes what `lab apply` would do. Runs no step and changes nothing."""

EXIT_BLIND, EXIT_DRIFTED = 1, 5


def main(words: Sequence[str]) -> int:
    """Prints the drift; with --check the exit code tells of it."""
    parser = arguments.parser("drift", ABOUT)
    arguments.add_labfile(parser)
    arguments.add_commands(parser)
    arguments.add_selection(parser, replace=False)
    arguments.add_output(parser)
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit 5 if anything drifted, 1 if something could not be looked at",
    )
    args = arguments.parse(parser, words)
    session = Session.open(args, write=False, allow_commands=args.allow_commands)
    try:
        selection = arguments.selection(args)
        found = session.survey(selection=selection)
        drift = Drift()
        if any(map(differs, found.seen.values())):
            before = session.plan(selection, Survey({}), commands=False).plan
            now = session.plan(selection, found, commands=False).plan
            records = session.state.records
            drift = drift_of(before, now, found.seen, records, session.files.digest)
        looked = _looked(session, selection, found)
    finally:
        session.close()
    if not args.quiet:
        show(unseen(found, "It is taken to be as it was recorded."))
    if args.json:
        print(json_line(_json(session, found, drift, looked)))
    elif not args.quiet:
        text = _sentence(looked)
        print(drift_text(drift, text, colour=colourful(sys.stdout), verbose=args.verbose > 0))
    return _code(drift, found) if args.check else 0


def _code(drift: Drift, found: Survey) -> int:
    if drift.steps:
        return EXIT_DRIFTED
    return EXIT_BLIND if found.blind else 0


def _looked(session: Session, selection: Selection, found: Survey) -> dict[str, int]:
    """At how many steps was looked, and how."""
    records = session.state.records
    gone = [address for address in records if owner(address) not in session.graph.steps]
    excluded = left_out(session.graph, selection, gone)
    counts = {"asked": 0, "by_artifacts": 0, "not_observable": 0, "failed": len(found.blind)}
    blind = {each.address for each in found.blind}
    for address, record in records.items():
        if record.done is None or address in excluded or address in blind:
            continue
        if not isinstance(found.seen.get(address, UNSEEN).observation, NotAsked):
            counts["asked"] += 1
        elif record.done.artifacts:
            counts["by_artifacts"] += 1
        else:
            counts["not_observable"] += 1
    return counts


def _sentence(looked: dict[str, int]) -> str:
    whole = sum(looked.values())
    if not whole:
        return "nothing that could drift was made"
    words = {
        "asked": "asked",
        "by_artifacts": "known by their artifacts",
        "not_observable": "leave nothing that could be looked at",
        "failed": "could not be looked at",
    }
    parts = ", ".join(f"{looked[name]} {text}" for name, text in words.items() if looked[name])
    return f"{whole} step{'s' if whole != 1 else ''}: {parts}"


def _json(session: Session, found: Survey, drift: Drift, looked: dict[str, int]) -> dict[str, Any]:
    return {
        "format": 1,
        "labfile": session.read.shown,
        "drift": [
            {
                "step": each.action.address,
                "kind": each.action.kind,
                "target": each.action.target,
                "sort": each.sort.value,
                "action": each.action.verb.word,
                "cause": each.action.cause,
                "changes": [change_json(change) for change in each.changes],
            }
            for each in drift.steps
        ],
        "following": [action.address for action in drift.following],
        "without_effect": list(drift.idle),
        "not_looked_at": [{"step": b.address, "reason": b.reason} for b in found.blind],
        "looked": looked,
    }
