"""`lab show`: all that is remembered of a step or a run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.named import add_words, take_labfile, the_step
from lab.cli.recorded import Recorded, recorded
from lab.cli.show_facts import facts_json, facts_of
from lab.cli.show_run import run_facts, run_text, show_run_json
from lab.cli.show_step import step_text
from lab.cli.terminal import colourful, width
from lab.report.value_text import json_line

ABOUT = """All that is remembered of a step, or of a run.

  lab show train     a step: how it stands, why it ran, its outputs, artifacts, metrics and inputs
  lab show run 3     a run: what it did to each step"""


def main(words: Sequence[str]) -> int:
    """Prints a step, or with `run N` a run."""
    parser = arguments.parser("show", ABOUT)
    add_words(parser, "STEP | run N", "a step or one instance of it; or `run` and its number")
    arguments.add_commands(parser)
    parser.add_argument("--json", action="store_true", help="for machines")
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    with recorded(args) as lab:
        match rest:
            case ["run", number]:
                return _run(lab, number, as_json=args.json)
            case [word]:
                return _step(lab, word, as_json=args.json)
            case _:
                raise arguments.usage(
                    "`lab show` wants one step, or `run` and a number",
                    "for example: lab show train, or lab show run 3",
                )


def _step(lab: Recorded, word: str, *, as_json: bool) -> int:
    facts = facts_of(lab, the_step(lab, word, "show"))
    if as_json:
        print(json_line(facts_json(facts)))
    else:
        print(step_text(facts, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0


def _run(lab: Recorded, word: str, *, as_json: bool) -> int:
    facts = run_facts(lab, word)
    if as_json:
        print(json_line(show_run_json(facts)))
    else:
        print(run_text(facts, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0
