"""`lab compare`: trainings of several runs side by side."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lab.cli import arguments
from lab.cli.compare_text import compare_text
from lab.cli.named import add_words, take_labfile
from lab.cli.recorded import Recorded, recorded
from lab.cli.terminal import colourful, width
from lab.cli.trained import Trained, record_of, trained_in
from lab.report.value_text import json_line

ABOUT = """Trainings of past runs side by side: parameters, metrics, times, curves, and which inputs differ.

  lab compare 3 7            all that runs 3 and 7 trained
  lab compare 3:train 7      of run 3 only the step `train` (a pattern: `train*`)
  lab compare 'sweep[#3]' 'sweep[#7]'    two trials of a sweep, as they were last done"""


def main(words: Sequence[str]) -> int:
    """Prints a table and the curves."""
    parser = arguments.parser("compare", ABOUT)
    add_words(
        parser,
        "RUN…",
        "a run's number; RUN:STEP, one of its steps or a pattern; or a STEP, when last done",
    )
    arguments.add_commands(parser)
    parser.add_argument(
        "--json", action="store_true", help="for machines: every point of each curve"
    )
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    if not rest:
        raise arguments.usage("`lab compare` wants runs or steps", "for example: lab compare 3 7")
    with recorded(args) as lab:
        found = [each for word in rest for each in trained_in(lab, word)]
        found = list({(each.run, each.address): each for each in found}.values())
        if args.json:
            print(json_line([_json(lab, each) for each in found]))
        else:
            print(compare_text(found, colour=colourful(sys.stdout), width=width(sys.stdout)))
    return 0


def _json(lab: Recorded, each: Trained) -> dict[str, Any]:
    record = record_of(lab, each.run) or {}
    git, machine = record.get("git"), record.get("machine")
    return {
        "run": each.run,
        "step": each.address,
        "started": each.done.started,
        "seconds": round(each.done.seconds, 3),
        "parameters": each.parameters,
        "metrics": each.metrics,
        "curves": {name: list(values) for name, values in each.curves.items()},
        "inputs": each.inputs,
        "commit": git.get("commit") if isinstance(git, Mapping) else None,
        "dirty": git.get("dirty") if isinstance(git, Mapping) else None,
        "host": machine.get("host") if isinstance(machine, Mapping) else None,
    }
