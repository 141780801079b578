"""Gathers what is remembered of a sweep: its objective, and each trial with what came of it."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lab.cli.curves import read_curve
from lab.cli.named import unknown_step
from lab.cli.recorded import NotYetError, Recorded
from lab.cli.standing import Holding, Standing, holding, standing
from lab.cli.trained import run_number
from lab.kinds.sweep_value import GOAL, STOPPED, counted, strategy_of
from lab.model.address import child_key, owner
from lab.model.diagnostic import Diagnostic
from lab.model.event import StepFailed
from lab.model.fold import fold
from lab.model.frozen import dataclass
from lab.model.layout import curve_path, step_dir
from lab.model.state import Record, State

OUTCOMES = ("done", "early stopped", "stopped at the goal", "failed", "interrupted", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What the sweep is after, as it is remembered."""

    metric: str
    type: str
    goal: float | None
    additional: tuple[str, ...]
    strategies: Mapping[str, str]

    def strategy(self, metric: str) -> str:
        return strategy_of(metric, self.metric, self.type, self.strategies)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFacts:
    """One trial. ``outcome`` is a word of OUTCOMES; ``curves`` go as far as it came."""

    number: int
    address: str
    outcome: str
    reason: str
    run: int | None
    started: float | None
    seconds: float | None
    log: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    curves: Mapping[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFacts:
    """A sweep's trials in order of number. ``objective`` is None if it never began."""

    objective: Objective | None
    most: int | None
    trials: tuple[TrialFacts, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many trials came to what; only what there is."""
        found = Counter(each.outcome for each in self.trials)
        return {outcome: found[outcome] for outcome in OUTCOMES if found[outcome]}

    @property
    def best(self) -> TrialFacts | None:
        """The ended trial with the best objective; of equals the first."""
        if self.objective is None:
            return None
        name, sign = self.objective.metric, 1 if self.objective.type == "maximize" else -1
        valued = [
            each for each in self.trials if name in each.metrics and each.outcome in OUTCOMES[:3]
        ]
        return max(valued, key=lambda each: sign * each.metrics[name], default=None)

    @property
    def shown_metrics(self) -> list[str]:
        """The objective and the additional metrics that any trial reported."""
        if self.objective is None:
            return []
        names = dict.fromkeys((self.objective.metric, *self.objective.additional))
        return [n for n in names if any(n in each.metrics for each in self.trials)]


def as_of(lab: Recorded, word: str) -> tuple[Recorded, int]:
    """The state as it was at the end of the run that *word* names, and that run.

    Raises:
        LabError: there was no such run.
    """
    run, records = run_number(lab, word), dict[str, Record]()
    for event in lab.lab.events():
        if event.run <= run:
            fold(records, event)
    return replace(lab, state=State(records=records, run=run, key=lab.state.key)), run


def sweep_facts(lab: Recorded, address: str) -> SweepFacts:
    """All trials of the sweep at *address*.

    Raises:
        LabError: nothing is remembered of it.
    """
    record = lab.record(address)
    if record is None:
        raise unknown_step(lab, address)
    objective = objective_of(record)
    held = holding(lab.lab)
    own = (
        (child_key(each), lab.state.records[each])
        for each in lab.state.records
        if each != address == owner(each)
    )
    trials = [_trial(lab, int(key), each, objective, held) for key, each in own if key.isdecimal()]
    return SweepFacts(
        objective=objective,
        most=_most(record),
        trials=tuple(sorted(trials, key=lambda each: each.number)),
    )


def wants_sweep(record: Record | None, address: str, option: str) -> None:
    """Refuses *option* where the step is no sweep.

    Raises:
        LabError: it is none.
    """
    if record is None or record.kind != "sweep":
        raise NotYetError(
            Diagnostic(
                summary=f"`{option}` is for sweeps, and `{address}` is none",
                help="`lab show run N` says what a run did, `lab compare` sets runs side by side",
            )
        )


def objective_of(record: Record) -> Objective | None:
    """The objective: of the newest attempt as its memory has it, else of the finished sweep."""
    memory = record.memory if isinstance(record.memory, Mapping) else {}
    found = memory.get("objective") or (record.done and record.done.identity.get("objective"))
    if not isinstance(found, Mapping) or not isinstance(found.get("metric"), str):
        return None
    goal, additional = found.get("goal"), found.get("additional_metrics")
    strategies = found.get("metric_strategies")
    return Objective(
        metric=str(found["metric"]),
        type=str(found.get("type")),
        goal=float(goal) if isinstance(goal, (int, float)) else None,
        additional=tuple(map(str, additional)) if isinstance(additional, list) else (),
        strategies={str(k): str(v) for k, v in strategies.items()}
        if isinstance(strategies, Mapping)
        else {},
    )


def _most(record: Record) -> int | None:
    memory = record.memory if isinstance(record.memory, Mapping) else {}
    trials = record.done.identity.get("trials") if record.done else None
    found = memory.get("max") or (trials.get("max") if isinstance(trials, Mapping) else None)
    return found if isinstance(found, int) else None


def _trial(
    lab: Recorded, number: int, record: Record, objective: Objective | None, held: Holding | None
) -> TrialFacts:
    newest, done = record.tried or record.done, record.done if record.tried is None else None
    curves = _curves(lab, record)
    metrics = dict(_metrics(record, objective, curves))
    outcome, reason = _outcome(record, standing(record, held), objective, metrics)
    started = newest.started if newest else None
    seconds: float | None = None
    if done is not None:
        seconds = done.seconds
    elif outcome == "running" and started is not None:
        seconds = max(0.0, time.time() - started)
    else:
        seconds = _until_failed(lab, record)
    return TrialFacts(
        number=number,
        address=record.address,
        outcome=outcome,
        reason=reason,
        run=newest.run if newest else None,
        started=started,
        seconds=seconds,
        log=newest.log if newest else "",
        parameters=dict(record.parameters),
        metrics=metrics,
        curves=curves,
    )


def _until_failed(lab: Recorded, record: Record) -> float | None:
    """How long the newest attempt took until it failed or was stopped; None where that was not seen."""
    ends = [e for e in lab.lab.events(address=record.address) if isinstance(e, StepFailed)]
    tried = record.tried
    return ends[-1].seconds if ends and tried and ends[-1].run == tried.run else None


def _curves(lab: Recorded, record: Record) -> dict[str, list[float]]:
    """The curves that were kept of the attempt's run; of one that runs, or was killed, its own file's."""
    row, newest = lab.lab.row, record.tried or record.done
    if newest is None:
        return {}
    kept = curve_path(lab.root, row.name, row.overlay, newest.run, record.address)
    live = f"{step_dir(lab.root, row.name, row.overlay, record.address)}/curve.jsonl"
    return read_curve(kept if os.path.exists(kept) or record.tried is None else live)


def _metrics(
    record: Record, objective: Objective | None, curves: Mapping[str, list[float]]
) -> Iterator[tuple[str, float]]:
    outputs = record.done.outputs if record.done and record.tried is None else {}
    last = outputs.get("metrics")
    latest = dict(last) if isinstance(last, Mapping) else {n: v[-1] for n, v in curves.items()}
    for name, value in latest.items():
        strategy = objective.strategy(name) if objective else "latest"
        found = counted(value, curves.get(name, ()), strategy)
        if found is not None:
            yield name, found


def _outcome(
    record: Record, about: Standing, objective: Objective | None, metrics: Mapping[str, float]
) -> tuple[str, str]:
    match about:
        case Standing.RUNNING:
            return "running", ""
        case Standing.FAILED:
            return "failed", record.tried.error if record.tried else ""
        case Standing.INTERRUPTED | Standing.NEVER:
            return "interrupted", ""
        case Standing.DONE:
            pass
    stopped = str(record.done.outputs.get(STOPPED, "")) if record.done else ""
    if stopped:
        return ("stopped at the goal" if stopped == GOAL else "early stopped"), stopped
    if objective is not None and objective.metric not in metrics:
        return "failed", f"it ended well but reported no finite `{objective.metric}`"
    return "done", ""
