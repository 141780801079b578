"""`lab explain`: why a step would run or not, and what counts for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from lab.cli import arguments
from lab.cli.explain_facts import Explained, explained
from lab.cli.explain_text import explain_text
from lab.cli.named import add_words, not_known, several, take_labfile
from lab.cli.session import Session
from lab.cli.standing import standing
from lab.cli.terminal import colourful, width
from lab.model.address import matches, owner
from lab.report.plan_json import change_json, known_json
from lab.report.value_text import json_line

ABOUT = """Why a step would run or not: what `lab apply` would do with it, all that counts in its identity,
which files it reads, whom it waits for, what does not count, and where its time went."""


def main(words: Sequence[str]) -> int:
    """Prints what is known of one step; nothing is run."""
    parser = arguments.parser("explain", ABOUT)
    add_words(parser, "STEP", "a step, or one instance of it")
    arguments.add_commands(parser)
    arguments.add_refresh(parser)
    parser.add_argument("--json", action="store_true", help="for machines")
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    if len(rest) != 1:
        raise arguments.usage("`lab explain` wants one step", "for example: lab explain train")
    session = Session.open(args, write=False, allow_commands=args.allow_commands)
    try:
        told = explained(session, _address(session, rest[0]), refresh=args.refresh)
    finally:
        session.close()
    if args.json:
        print(json_line(_json(told)))
    else:
        print(explain_text(told, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0


def _address(session: Session, word: str) -> str:
    """The one step that *word* names, of the Labfile or only remembered."""
    records = session.state.records
    known = [*session.graph.steps, *(a for a in records if owner(a) == a)]
    if word in known:
        return word
    found = list(dict.fromkeys(address for address in known if matches(address, word)))
    if not found:
        raise not_known("step", word, known)
    if len(found) > 1:
        raise several(word, found, "explain")
    return found[0]


def _json(told: Explained) -> dict[str, Any]:
    action = told.action
    return {
        "step": told.address,
        "kind": action.kind,
        "target": action.target,
        "action": action.verb.word,
        "cause": action.cause,
        "changes": [change_json(change) for change in action.changes],
        "status": standing(told.record, told.held).name.lower(),
        "cache": told.step.options.cache if told.step else None,
        "digest": told.digest or None,
        "recorded_digest": told.record.done.digest if told.record and told.record.done else None,
        "counts": {each.path: known_json(each.value) for each in told.counted},
        "inputs": [
            {"path": each.path, "digest": known_json(each.digest), "found": each.found}
            for each in told.inputs
        ],
        "needs": dict(told.needs),
        "needed_by": list(told.needed_by),
        "does_not_count": known_json(dict(told.ignored)),
        "starts": told.starts or None,
        "warnings": list(told.warnings),
        "runs": [
            {
                "run": each.run,
                "started": each.started,
                "waited": each.waited,
                "waited_for": each.waited_for or None,
                "queued": each.queued,
                "seconds": each.seconds,
                "attempts": each.attempts,
                "result": each.result or None,
            }
            for each in told.times
        ],
    }
