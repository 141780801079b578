"""`lab status`: how each step stands, without looking at the world."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lab.cli import arguments
from lab.cli.complain import show
from lab.cli.labfile import checked
from lab.cli.recorded import Recorded, recorded
from lab.cli.runs import run_json
from lab.cli.standing import Holding, Standing, holding, outcome_of
from lab.cli.status_rows import Row, Seen, folded, rows_of
from lab.cli.terminal import colourful, width
from lab.edge.journal import Run
from lab.model.diagnostic import Diagnostic, LabfileError
from lab.model.labfile import Step
from lab.report.moments import since
from lab.report.tables import Cell, Column, table
from lab.report.value_text import json_line
from lab.report.words import duration, paint

ABOUT = """How each step stands, from what is remembered; nothing is looked at and nobody is waited for.

`lab plan` looks whether what was made is still there, and says what would change."""

COLUMNS = (
    Column(sign=True),
    Column(gives=True),
    Column(),
    Column(),
    Column(right=True),
    Column(gives=True),
)


def main(words: Sequence[str]) -> int:
    """Prints a line for each step, and what it comes to."""
    parser = arguments.parser("status", ABOUT)
    arguments.add_labfile(parser)
    arguments.add_commands(parser)
    parser.add_argument("--json", action="store_true", help="for machines; it has all trials")
    arguments.add_trials(parser)
    args = arguments.parse(parser, words)
    with recorded(args) as lab:
        steps, faults = _steps(lab, args)
        held = holding(lab.lab)
        rows = rows_of(Seen(lab=lab.lab, state=lab.state, held=held, steps=steps))
        last = next(iter(lab.lab.runs(newest=1)), None)
    if args.json:
        print(json_line(_json(lab, rows, held, last)))
    else:
        _print(lab, rows if args.trials else folded(rows), held, last)
    if faults:
        sys.stdout.flush()
        show(faults)
        return LabfileError.exit_code
    return 0


def _steps(
    lab: Recorded, args: argparse.Namespace
) -> tuple[Mapping[str, Step] | None, tuple[Diagnostic, ...]]:
    """The Labfile's steps; what is remembered can be told even where the Labfile is wrong."""
    if lab.source is None:
        return None, lab.faults
    try:
        return checked(lab.source, args).graph.steps, ()
    except LabfileError as error:
        return None, error.diagnostics


def _print(lab: Recorded, rows: list[Row], held: Holding | None, last: Run | None) -> None:
    colour, now = colourful(sys.stdout), time.time()
    for line in _headlines(lab, held, last, now):
        print(paint(line, "cyan", colour))
    if rows:
        cells = [_cells(row, now) for row in rows]
        print(table(COLUMNS, cells, colour=colour, width=width(sys.stdout), indent="  "))
        print()
    print(_summary(rows, held, last, now))


def _headlines(lab: Recorded, held: Holding | None, last: Run | None, now: float) -> list[str]:
    """Who is at work now."""
    if held is None:
        return []
    what = (
        f"run {last.run} of {lab.key} is" if last and held.began(last.started) else f"{lab.key} is"
    )
    about = held.holder
    sure = "" if held.alive else " (whether it still runs cannot be seen from here)"
    who = f"`{about.command}` by {about.user} on {about.host}, process {about.pid}"
    return [f"{what} going on for {duration(max(0.0, now - about.since))}: {who}{sure}", ""]


def _cells(row: Row, now: float) -> list[Cell]:
    style = row.standing.style
    note, note_style = _note(row)
    when = since(row.ended, now) if row.ended is not None else ""
    took = duration(row.seconds) if row.seconds is not None else ""
    if row.standing is Standing.RUNNING and row.record and row.record.tried:
        took = duration(max(0.0, now - row.record.tried.started))
    return [
        Cell(row.standing.sign, style),
        Cell(row.address, "bold"),
        Cell(row.standing.word, style),
        Cell(when, "dim"),
        Cell(took, "dim"),
        Cell(note, note_style),
    ]


def _note(row: Row) -> tuple[str, str]:
    """The most important thing to know besides, and its style."""
    if not row.declared:
        return "no longer in the Labfile", "yellow"
    if row.trials and not row.error:
        return row.trials, "dim"
    if row.error:
        return row.error.splitlines()[0], "red"
    if row.skipped:
        return f"skipped: {row.skipped}", "dim"
    if row.record and row.record.done and row.standing is not Standing.DONE:
        return f"last done in run {row.record.done.run}", "dim"
    return "", ""


def _summary(rows: list[Row], held: Holding | None, last: Run | None, now: float) -> str:
    counts = Counter(row.standing for row in rows)
    parts = [f"{counts[each]} {each.word}" for each in Standing if counts[each]]
    total = ", ".join(parts) or "No steps"
    if last is None:
        return f"{total}. No runs yet."
    outcome = outcome_of(last, held)
    ended = last.finished if last.finished is not None else last.started
    when = f" {since(ended, now)}" if outcome != "running" else ""
    return f"{total}. Run {last.run} (`{last.command}`): {outcome}{when}."


def _json(lab: Recorded, rows: list[Row], held: Holding | None, last: Run | None) -> dict[str, Any]:
    return {
        "format": 1,
        "labfile": lab.source.shown if lab.source else None,
        "name": lab.lab.row.name,
        "overlay": lab.lab.row.overlay,
        "lock": held.as_json() if held else None,
        "run": run_json(last, held) if last else None,
        "steps": [row_json(row) for row in rows],
        "summary": dict(Counter(row.standing.name.lower() for row in rows)),
    }


def row_json(row: Row) -> dict[str, Any]:
    """A step as `lab status --json` and `lab state list --json` print it."""
    record = row.record
    done, tried = (record.done, record.tried) if record else (None, None)
    newest = tried or done
    return {
        "step": row.address,
        "kind": row.kind,
        "target": row.target,
        "status": row.standing.name.lower(),
        "declared": row.declared,
        "run": newest.run if newest else None,
        "started": newest.started if newest else None,
        "finished": row.ended,
        "seconds": None if row.seconds is None else round(row.seconds, 3),
        "done_in_run": done.run if done else None,
        "error": row.error or None,
        "skipped": row.skipped or None,
        "protect": record.protect if record else False,
    }
