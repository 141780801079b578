"""`lab runs`: the runs so far."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from lab.cli import arguments
from lab.cli.recorded import recorded
from lab.cli.standing import OUTCOME_STYLES, Holding, holding, outcome_of
from lab.cli.terminal import colourful, width
from lab.edge.journal import Run
from lab.report.moments import moment
from lab.report.tables import Cell, Column, table
from lab.report.value_text import json_line
from lab.report.words import duration

COLUMNS = (
    Column(title="run", right=True),
    Column(title="started"),
    Column(title="command", gives=True),
    Column(title="outcome"),
    Column(title="took", right=True),
    Column(title="steps", gives=True),
)
SHOWN = 20


def main(words: Sequence[str]) -> int:
    """Prints a table of runs, the newest last."""
    parser = arguments.parser(
        "runs", "The runs so far, the newest last. `lab show run N` says more."
    )
    arguments.add_labfile(parser)
    arguments.add_commands(parser)
    parser.add_argument(
        "-n", type=_count, metavar="N", help=f"how many (default: {SHOWN}; 0 is all of them)"
    )
    parser.add_argument("--json", action="store_true", help="for machines: all, unless -n is given")
    args = arguments.parse(parser, words)
    with recorded(args) as lab:
        every = lab.lab.runs()
        held = holding(lab.lab) if any(run.finished is None for run in every) else None
    most = args.n if args.n is not None else 0 if args.json else SHOWN
    shown = every[-most:] if most else every
    if args.json:
        print(json_line([run_json(run, held) for run in shown]))
        return 0
    if not every:
        print(f"No runs of {lab.key} yet: `lab apply` is the first.")
        return 0
    now, colour = time.time(), colourful(sys.stdout)
    rows = [_row(run, held, now) for run in shown]
    print(table(COLUMNS, rows, colour=colour, width=width(sys.stdout)))
    if len(shown) < len(every):
        print(f"{len(every) - len(shown)} older runs are not shown; `-n 0` shows all.")
    return 0


def run_json(run: Run, held: Holding | None) -> dict[str, Any]:
    """A run as `lab runs --json` and `lab show run --json` print it."""
    return {
        "run": run.run,
        "started": run.started,
        "finished": run.finished,
        "seconds": None if run.finished is None else round(run.finished - run.started, 3),
        "command": run.command,
        "outcome": outcome_of(run, held),
        "counts": run.counts,
    }


def counts_text(counts: Mapping[str, int]) -> str:
    """`2 created, 3 kept`."""
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _row(run: Run, held: Holding | None, now: float) -> list[Cell]:
    outcome = outcome_of(run, held)
    ended = run.finished if run.finished is not None else now
    known = run.finished is not None or outcome == "running"
    return [
        Cell(str(run.run), "bold"),
        Cell(moment(run.started)),
        Cell(run.command),
        Cell(outcome, OUTCOME_STYLES.get(outcome, "")),
        Cell(duration(max(0.0, ended - run.started)) if known else ""),
        Cell(counts_text(run.counts), "dim"),
    ]


def _count(text: str) -> int:
    return 0 if text == "0" else arguments.positive(text)
