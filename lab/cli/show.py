"""`lab show`: all that is remembered of a step or a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.named import add_words, take_labfile, the_step
from lab.cli.recorded import Recorded, recorded
from lab.cli.show_facts import facts_json, facts_of
from lab.cli.show_page import write_page
from lab.cli.show_run import run_facts, run_text, show_run_json
from lab.cli.show_step import step_text
from lab.cli.show_sweep import as_of, sweep_facts, wants_sweep
from lab.cli.show_sweep_data import sweep_csv, sweep_json
from lab.cli.show_sweep_text import sweep_text
from lab.cli.terminal import colourful, width
from lab.report.value_text import json_line

ABOUT = """All that is remembered of a step, or of a run.

  lab show train                    a step: how it stands, why it ran, its outputs, artifacts, metrics and inputs
  lab show sweep                    a sweep: the best, and each trial with its parameters, metrics and curve
  lab show sweep --html trials.html the same as a page with pictures, which needs no network
  lab show run 3                    a run: what it did to each step"""


def main(words: Sequence[str]) -> int:
    """Prints a step, or with `run N` a run."""
    parser = arguments.parser("show", ABOUT)
    add_words(parser, "STEP | run N", "a step or one instance of it; or `run` and its number")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="for machines")
    how.add_argument("--csv", action="store_true", help="a sweep's trials, a line each")
    how.add_argument(
        "--html", metavar="FILE", help="a sweep as a page of its own, written to FILE (overwritten)"
    )
    parser.add_argument(
        "--run", metavar="N", help="a sweep as it was when run N ended; without it as it is now"
    )
    arguments.add_commands(parser)
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    with recorded(args) as lab:
        match rest:
            case ["run", number] if not (args.csv or args.html or args.run):
                return _run(lab, number, as_json=args.json)
            case [word]:
                return _step(lab, word, args)
            case _:
                raise arguments.usage(
                    "`lab show` wants one step, or `run` and a number",
                    "for example: lab show train, or lab show run 3",
                )


def _step(lab: Recorded, word: str, args: argparse.Namespace) -> int:
    run = None
    if args.run is not None:
        lab, run = as_of(lab, args.run)
    address = the_step(lab, word, "show")
    record = lab.record(address)
    for option, given in (("--csv", args.csv), ("--html", args.html), ("--run", args.run)):
        if given:
            wants_sweep(record, address, option)
    if record is not None and record.kind == "sweep":
        return _sweep(lab, address, run, args)
    facts = facts_of(lab, address)
    if args.json:
        print(json_line(facts_json(facts)))
    else:
        print(step_text(facts, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0


def _sweep(lab: Recorded, address: str, run: int | None, args: argparse.Namespace) -> int:
    sweep = sweep_facts(lab, address)
    if args.csv:
        print(sweep_csv(sweep), end="")
        return 0
    facts = facts_of(lab, address, run)
    if args.html:
        write_page(lab.key, sweep_json(facts, sweep), args.html)
    elif args.json:
        print(json_line(sweep_json(facts, sweep)))
    else:
        print(sweep_text(facts, sweep, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0


def _run(lab: Recorded, word: str, *, as_json: bool) -> int:
    facts = run_facts(lab, word)
    if as_json:
        print(json_line(show_run_json(facts)))
    else:
        print(run_text(facts, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0
