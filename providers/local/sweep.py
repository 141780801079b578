"""The ``sweep`` kind on this machine: trials are child steps, and all that is known of them is their records."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping

from lab.kinds.sweep import Sweep as Spec
from lab.kinds.sweep_value import GOAL, STOPPED
from lab.provider import (
    Child,
    Io,
    Json,
    Refused,
    Task,
    Told,
    Value,
    leave_in_place,
    not_importable,
    unobservable,
)

from ._brackets import Waits
from ._propose import Exhausted, propose
from ._stopping import hopeless
from ._study import Study
from ._tail import last_lines

__all__ = ["Spec", "adopt", "apply", "destroy", "observe"]

adopt = not_importable
observe = unobservable
destroy = leave_in_place

_LOOK = 0.2  # seconds between two looks whether the sweep must end
_SHOWN = 3  # failed trials that are told of
_LINES = 6  # of a failed trial's log


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Runs trials until there are enough, the goal is reached, or too many have failed."""
    study = _begin(task, io)
    return Search(study, io).go()


def _begin(task: Task[Spec], io: Io) -> Study:
    """The study as its trials' records have it; of another study nothing stays."""
    memory = task.memory if isinstance(task.memory, Mapping) else {}
    known = io.children()
    same = memory.get("study") == task.basis
    never = task.spec.resume_policy == "Never" and task.left is None and task.record is not None
    finished = never and task.record is not None and task.record.done is not None
    anew = not same or (task.attempt == 1 and (task.replacing or finished))
    if anew and known:
        io.note(f"a new study: the {len(known)} trials of the former one are forgotten", tell=True)
        for key in known:
            io.forget(key)
        known = {}
    about = _about(task)
    if memory != about:
        io.remember(about)
    again = set() if anew or not _gave_up(task) else {k for k, c in known.items() if c.error}
    for key in again:
        io.note(f"trial #{key} failed before and is tried again")
    trials = {
        int(key): Child(key=key, parameters=each.parameters, directory=each.directory)
        if key in again
        else each
        for key, each in known.items()
    }
    return Study(task.spec, trials)


def _about(task: Task[Spec]) -> dict[str, Json]:
    """Which study it is, and what `lab show` is to know of it before it is done."""
    objective = task.spec.objective
    return {
        "study": task.basis,
        "max": task.spec.trials.max,
        "objective": {
            "metric": objective.metric,
            "type": objective.type,
            "goal": objective.goal,
            "additional_metrics": list(objective.additional_metrics),
            "metric_strategies": dict(objective.metric_strategies),
        },
    }


def _gave_up(task: Task[Spec]) -> bool:
    """Whether the last run ended because trials failed, and not because somebody stopped it."""
    tried = task.record.tried if task.record is not None else None
    return task.attempt == 1 and tried is not None and bool(tried.error) and not tried.interrupted


class Search:
    """One run of a study. Mutable: it follows the trials, in the thread of the step alone."""

    def __init__(self, study: Study, io: Io) -> None:
        self._study, self._spec, self._io = study, study.spec, io
        self._heard: queue.SimpleQueue[Child | Told] = queue.SimpleQueue()
        self._stops: dict[int, Callable[[Mapping[str, Value] | None], None]] = {}
        self._exhausted = False
        self._ending = ""

    def go(self) -> dict[str, Value]:
        """The outputs of the sweep.

        Raises:
            Refused: too many trials failed, or none came to anything.
        """
        self._renew_best()
        self._fill()
        while self._stops:
            self._progress()
            self._hear(self._next())
            self._judge()
            self._fill()
        return self._came()

    def _next(self) -> Child | Told:
        while True:
            self._io.check()
            try:
                return self._heard.get(timeout=_LOOK)
            except queue.Empty:
                continue

    def _hear(self, told: Child | Told) -> None:
        number = int(told.key)
        if isinstance(told, Told):
            if number in self._stops:
                self._study.told(number, told.metrics, told.step)
                self._prune(number)
            return
        self._study.trials[number] = told
        self._study.running.discard(number)
        self._stops.pop(number, None)
        self._explain(number)

    def _explain(self, number: int) -> None:
        study, child = self._study, self._study.trials[number]
        fault = study.fault(number)
        if fault:
            self._io.note(f"trial #{number} failed: {fault}\n{last_lines(child.log, _LINES)}")
        elif child.outputs is None:
            self._io.note(f"trial #{number} was interrupted")
        else:
            reason = study.stopped(number)
            value = study.value(number)
            shown = "no value" if value is None else f"{self._spec.objective.metric}={value:.6g}"
            self._io.note(f"trial #{number}: {shown}" + (f" (stopped: {reason})" if reason else ""))

    def _prune(self, number: int) -> None:
        """Ends a running trial that the rule for early stopping gives up."""
        study, rule, metric = self._study, self._spec.early_stopping, self._spec.objective.metric
        if rule is None:
            return
        mine = study.live.get(number, {}).get(metric, {})
        complete = [study.series(n, metric) for n in study.complete()]
        others = [study.series(n, metric) for n in study.trials if n != number]
        reason = hopeless(rule, mine, complete, others, maximize=study.maximize)
        if reason:
            self._stop(number, reason)

    def _stop(self, number: int, reason: str) -> None:
        latest: dict[str, Json] = {
            name: series[max(series)] for name, series in self._study.live.get(number, {}).items()
        }
        self._stops[number]({"metrics": latest, STOPPED: reason})

    def _judge(self) -> None:
        """Looks whether the sweep ends: at its goal, or by too many failures."""
        if self._ending:
            return
        reached, failed = self._study.reached(), self._study.failed()
        if reached is not None:
            self._ending = GOAL
            for number in list(self._stops):
                self._stop(number, GOAL)
        elif len(failed) > self._spec.trials.max_failed:
            self._ending = "too many trials failed"
            for stop in self._stops.values():
                stop(None)

    def _fill(self) -> None:
        """Starts trials while there are some to start: first those that were begun before."""
        self._judge()
        while not self._ending and len(self._stops) < self._spec.trials.parallel:
            number = self._unfinished() or self._new()
            if number is None:
                return
            self._start(number)

    def _unfinished(self) -> int | None:
        study = self._study
        return next(
            (
                number
                for number, each in sorted(study.trials.items())
                if number not in study.running and each.outputs is None and not each.error
            ),
            None,
        )

    def _new(self) -> int | None:
        """The number of a trial that is proposed now; None if there is to be none, or not yet."""
        study, number = self._study, max(self._study.trials, default=0) + 1
        if self._exhausted or number > self._spec.trials.max:
            return None
        found = propose(self._spec, number, study.past())
        match found:
            case Waits():
                return None
            case Exhausted():
                self._exhausted = True
                self._io.note(f"every point was tried, after {number - 1} trials", tell=True)
                return None
            case _:
                study.trials[number] = Child(key=str(number), parameters=found)
                return number

    def _start(self, number: int) -> None:
        study = self._study
        parameters = study.trials[number].parameters
        study.running.add(number)
        study.live.pop(number, None)
        shown = " ".join(f"{name}={_short(value)}" for name, value in parameters.items())
        self._stops[number] = self._io.child(str(number), parameters, self._heard.put, cause=shown)
        begun = self._io.children()[str(number)]
        study.trials[number] = begun

    def _renew_best(self) -> None:
        """The best trial runs again where what it made is gone: its artifacts are the sweep's."""
        best = self._study.best()
        artifacts = self._study.trials[best].outputs if best is not None else None
        for value in (artifacts or {}).values():
            path = getattr(value, "path", None)
            if path is None or best is None:
                continue
            try:
                whole = self._io.artifact(path).digest == getattr(value, "digest", None)
            except Refused:
                whole = False
            if not whole:
                child = self._study.trials[best]
                self._study.trials[best] = Child(
                    key=child.key, parameters=child.parameters, directory=child.directory
                )
                return

    def _progress(self) -> None:
        study, spec = self._study, self._spec
        ended = len(study.done()) + sum(bool(each.error) for each in study.trials.values())
        text = f"{ended}/{spec.trials.max} running {len(self._stops)}"
        best = study.best()
        if best is not None:
            text += f" best {spec.objective.metric}={study.value(best):.6g} (#{best})"
        self._io.progress(text, fraction=min(1.0, ended / spec.trials.max))

    def _came(self) -> dict[str, Value]:
        study = self._study
        failed = study.failed()
        if len(failed) > self._spec.trials.max_failed:
            most = self._spec.trials.max_failed
            raise Refused(f"{len(failed)} trials failed, and {most} may", self._told(failed))
        if study.best() is None:
            raise Refused("no trial came to anything", self._told(failed))
        return dict(study.outputs())

    def _told(self, failed: list[int]) -> str:
        """Why trials failed, with the last lines of their logs."""
        parts = []
        for number in failed[:_SHOWN]:
            child = self._study.trials[number]
            parts.append(f"trial #{number}: {self._study.fault(number)}")
            parts.append(last_lines(child.log, _LINES))
        if len(failed) > _SHOWN:
            parts.append(f"and {len(failed) - _SHOWN} more")
        return "\n".join(part for part in parts if part)


def _short(value: Json) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
