"""What `lab show SWEEP` prints for people: the best, what came of the trials, and each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from lab.cli.show_facts import Facts
from lab.cli.show_step import artifact_cells, fact, head
from lab.cli.show_sweep import SweepFacts, TrialFacts
from lab.model.diagnostic import printable
from lab.report.sparkline import sparkline
from lab.report.tables import Cell, Column, table
from lab.report.value_text import brief
from lab.report.words import duration, number, paint

WIDEST = 16  # points of a curve
SIGNS = {
    "done": ("✓", "green"),
    "early stopped": ("◦", "dim"),
    "stopped at the goal": ("◦", "dim"),
    "failed": ("✗", "red"),
    "interrupted": ("■", "yellow"),
    "running": ("▶", "cyan"),
}
_ARTIFACTS = (Column(), Column(right=True), Column(), Column(), Column())


def sweep_text(facts: Facts, sweep: SweepFacts, *, colour: bool, width: int | None) -> str:
    """All of it; a trial without a value has a dash."""
    kind, target = ("sweep", facts.record.target if facts.record else "")
    lines = [f"{paint(printable(facts.address), 'bold', colour)}  {kind} on {target}", ""]
    rows = [*head(facts), *_about(sweep)]
    lines.append(table((Column(), Column()), rows, colour=colour, indent="  "))
    if facts.made:
        made = [artifact_cells(each) for each in facts.made]
        lines += ["", paint("Artifacts of the best trial", "bold", colour)]
        lines.append(table(_ARTIFACTS, made, colour=colour, width=width, indent="  "))
    if sweep.trials:
        lines += ["", paint("Trials", "bold", colour)]
        lines.append(_trials(sweep, colour, width))
    return "\n".join(lines)


def _about(sweep: SweepFacts) -> Iterator[list[Cell]]:
    objective, best = sweep.objective, sweep.best
    if objective is not None:
        goal = "" if objective.goal is None else f", {_goal(sweep)}"
        yield fact("objective", f"{objective.type} {objective.metric}{goal}")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sweep.counts.items())
    most = f" of {sweep.most}" if sweep.most is not None else ""
    yield fact("trials", f"{len(sweep.trials)}{most}" + (f": {counts}" if counts else ""))
    if best is not None and objective is not None:
        value = number(best.metrics[objective.metric])
        yield fact("best", f"{objective.metric}={value} in trial #{best.number}", "green")
        given = " ".join(f"{name}={brief(value)}" for name, value in best.parameters.items())
        yield fact("", given, "bold")


def _goal(sweep: SweepFacts) -> str:
    objective, best = sweep.objective, sweep.best
    assert objective is not None and objective.goal is not None
    there = False
    if best is not None:
        value = best.metrics[objective.metric]
        there = value >= objective.goal if objective.type == "maximize" else value <= objective.goal
    return f"goal {number(objective.goal)} {'reached' if there else 'not reached'}"


def _trials(sweep: SweepFacts, colour: bool, width: int | None) -> str:
    parameters = list(dict.fromkeys(name for each in sweep.trials for name in each.parameters))
    metrics = sweep.shown_metrics
    columns = (
        Column(sign=True),
        Column(title="#", right=True),
        *(Column(title=name, right=True, gives=True) for name in parameters),
        *(Column(title=name, right=True) for name in metrics),
        Column(),
        Column(title="steps", right=True),
        Column(title="took", right=True),
        Column(gives=True),
    )
    bounds, best = _bounds(sweep), sweep.best
    rows = [
        _row(sweep, each, parameters, metrics, bounds, is_best=each is best)
        for each in sweep.trials
    ]
    return table(columns, rows, colour=colour, width=width, indent="  ")


def _row(
    sweep: SweepFacts,
    trial: TrialFacts,
    parameters: list[str],
    metrics: list[str],
    bounds: tuple[float, float] | None,
    *,
    is_best: bool,
) -> list[Cell]:
    sign, style = ("★", "green") if is_best else SIGNS[trial.outcome]
    strong = "green" if is_best else ""
    curve = trial.curves.get(sweep.objective.metric, []) if sweep.objective else []
    drawn = sparkline(curve, WIDEST, bounds) if len(curve) > 1 else ""
    note = "best" if is_best else "" if trial.outcome == "done" else trial.outcome
    if trial.reason and trial.outcome in ("failed", "early stopped"):
        note = f"{note}: {trial.reason.splitlines()[0]}"
    return [
        Cell(sign, style),
        Cell(str(trial.number), "bold"),
        *(_value(trial.parameters.get(name), brief, "") for name in parameters),
        *(_value(trial.metrics.get(name), number, strong) for name in metrics),
        Cell(drawn, "cyan"),
        Cell(str(len(curve)) if curve else ""),
        Cell("" if trial.seconds is None else duration(trial.seconds), "dim"),
        Cell(note, style),
    ]


def _value(value: Any, shown: Callable[[Any], str], style: str) -> Cell:
    if value is None:
        return Cell("–", "dim")
    return Cell(shown(value), style)


def _bounds(sweep: SweepFacts) -> tuple[float, float] | None:
    """One scale for all curves, so that they can be compared at a glance."""
    if sweep.objective is None:
        return None
    name = sweep.objective.metric
    values = [v for each in sweep.trials for v in each.curves.get(name, ()) if math.isfinite(v)]
    return (min(values), max(values)) if values else None
