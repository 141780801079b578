"""What a sweep knows of its trials: read from their records, never kept twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from lab.kinds.sweep import Sweep
from lab.kinds.sweep_value import GOAL, STOPPED, counted, strategy_of
from lab.model.frozen import dataclass
from lab.provider import Child, Json, Value

from ._curve import read_curve
from ._stopping import Series
from ._trials import Trial


@dataclass(slots=True)
class Study:
    """Mutable: it follows the trials. ``live`` has the metrics that running trials reported, by number."""

    spec: Sweep
    trials: dict[int, Child] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    live: dict[int, dict[str, dict[int, float]]] = field(default_factory=dict)

    @property
    def maximize(self) -> bool:
        return self.spec.objective.type == "maximize"

    def told(self, number: int, metrics: Mapping[str, float], step: int) -> None:
        """Takes what a running trial reported."""
        for name, value in metrics.items():
            self.live.setdefault(number, {}).setdefault(name, {})[step] = value

    def value(self, number: int) -> float | None:
        """What the objective of an ended trial is; None if it has none."""
        return self.metric(number, self.spec.objective.metric)

    def metric(self, number: int, name: str) -> float | None:
        """A metric of an ended trial, by its strategy."""
        outputs = self.trials[number].outputs
        metrics = outputs.get("metrics") if outputs is not None else None
        latest = metrics.get(name) if isinstance(metrics, Mapping) else None
        strategy = self._strategy(name)
        seen = () if strategy == "latest" else self.series(number, name).values()
        return counted(latest, seen, strategy)

    def series(self, number: int, name: str) -> Series:
        """The curve of a trial's metric: from its file, else from what it told."""
        child = self.trials[number]
        for file in ("curve.jsonl", "metrics.jsonl"):
            found = _series(f"{child.directory}/{file}", name)
            if found:
                return found
        return self.live.get(number, {}).get(name, {})

    def complete(self) -> list[int]:
        """The trials that ran to their end and have the objective."""
        return [n for n in self.done() if not self.stopped(n) and self.value(n) is not None]

    def done(self) -> list[int]:
        return [n for n, each in sorted(self.trials.items()) if each.outputs is not None]

    def stopped(self, number: int) -> str:
        """Why an ended trial was stopped before its end; empty if it was not."""
        outputs = self.trials[number].outputs
        return str(outputs.get(STOPPED, "")) if outputs is not None else ""

    def failed(self) -> list[int]:
        """The trials that failed, and those that never reported the objective."""
        return [n for n in sorted(self.trials) if n not in self.running and self.fault(n)]

    def fault(self, number: int) -> str:
        """Why a trial does not count; empty if it does, or has not ended."""
        child = self.trials[number]
        if child.error:
            return child.error
        if child.outputs is None or self.stopped(number):
            return ""
        if self.value(number) is None:
            return f"it ended well but reported no finite `{self.spec.objective.metric}`"
        return ""

    def best(self) -> int | None:
        """The trial with the best objective; of equals the first."""
        valued = [(value, -n) for n in self.done() if (value := self.value(n)) is not None]
        if not valued:
            return None
        chosen = max(valued) if self.maximize else min(valued, key=lambda each: (each[0], -each[1]))
        return -chosen[1]

    def reached(self) -> int | None:
        """The first trial that reached the goal."""
        goal = self.spec.objective.goal
        if goal is None:
            return None
        for number in self.done():
            value = self.value(number)
            if value is not None and (value >= goal if self.maximize else value <= goal):
                return number
        return None

    def counts(self) -> dict[str, Json]:
        """How many trials came to what, in Katib's words."""
        failed = len(self.failed())
        early = [n for n in self.done() if self.stopped(n) and self.stopped(n) != GOAL]
        killed = [n for n in self.done() if self.stopped(n) == GOAL]
        good = len(self.done()) - len(early) - len(killed)
        good -= sum(self.fault(n) != "" for n in self.done())
        found = {
            "succeeded": good,
            "early_stopped": len(early),
            "killed": len(killed),
            "failed": failed,
        }
        return {"total": len(self.trials), **found}

    def past(self) -> Sequence[Trial]:
        """The trials as algorithms see them, in order of number."""
        return tuple(self._trial(n, each) for n, each in sorted(self.trials.items()))

    def _trial(self, number: int, child: Child) -> Trial:
        running = number in self.running
        value = None if running or child.outputs is None else self.value(number)
        return Trial(number, child.parameters, value, running)

    def _strategy(self, name: str) -> str:
        objective = self.spec.objective
        return strategy_of(name, objective.metric, objective.type, objective.metric_strategies)

    def outputs(self) -> Iterator[tuple[str, Value]]:
        """What the sweep gives: the best trial's artifacts and all about it.

        There is one: a sweep without any has failed.
        """
        best = self.best()
        assert best is not None, "a sweep without a good trial fails"
        child = self.trials[best]
        taken = ("metrics", "best_parameters", "best_metric", "best_trial", "trials", STOPPED)
        yield "best_parameters", dict(child.parameters)
        yield "best_metric", self.value(best)
        yield "best_trial", best
        yield "trials", self.counts()
        yield "metrics", {n: v for n in self._shown() if (v := self.metric(best, n)) is not None}
        yield from ((n, v) for n, v in (child.outputs or {}).items() if n not in taken)

    def _shown(self) -> list[str]:
        return [self.spec.objective.metric, *self.spec.objective.additional_metrics]


def _series(path: str, name: str) -> Series:
    found: dict[int, float] = {}
    for index, point in enumerate(read_curve(path), 1):
        if name in point.values:
            found[point.epoch or point.step or index] = point.values[name]
    return found
