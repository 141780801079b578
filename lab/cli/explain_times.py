"""Where a step's time went in past runs: waiting for others, waiting for a free place, running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field

from lab.edge.journal import LabState
from lab.model.event import Event, StepFailed, StepFinished, StepRetried, StepStarted
from lab.model.frozen import dataclass

SHOWN = 10  # runs


@dataclass(slots=True, kw_only=True)
class Time:
    """One run of the step, in seconds. Mutable: it is filled while its events are read.

    ``waited`` is from the run's begin until the last of what it needs had ended (``waited_for``),
    ``queued`` from then until it began; both None where the run's begin is not known any more.
    """

    run: int
    started: float
    verb: str
    waited: float | None = None
    waited_for: str = ""
    queued: float | None = None
    seconds: float | None = None
    attempts: int = 1
    result: str = ""
    errors: list[str] = field(default_factory=list)


def times_of(lab: LabState, address: str, needs: Sequence[str]) -> Iterator[Time]:
    """The newest runs of the step, oldest first."""
    times: dict[int, Time] = {}
    for event in lab.events(address=address):
        _take(times, event)
    newest = list(times.values())[-SHOWN:]
    begun = {run.run: run.started for run in lab.runs()} if newest else {}
    ends = _ends(lab, needs) if newest else {}
    for time in newest:
        if time.run in begun:
            _split_waiting(time, begun[time.run], ends.get(time.run, {}))
        yield time


def _take(times: dict[int, Time], event: Event) -> None:
    match event:
        case StepStarted(run=run, time=started, verb=verb):
            times[run] = Time(run=run, started=started, verb=verb)
        case StepRetried(run=run, error=error) if run in times:
            times[run].errors.append(error)
        case StepFinished(run=run, done=done) if run in times:
            times[run].seconds, times[run].result = done.seconds, "done"
            times[run].attempts = done.attempts
        case StepFailed(run=run) if run in times:
            times[run].seconds, times[run].attempts = event.seconds, event.attempt
            times[run].result = "interrupted" if event.interrupted else "failed"
        case _:
            pass


def _ends(lab: LabState, needs: Sequence[str]) -> dict[int, dict[str, float]]:
    """When each of *needs* ended, by run."""
    ends: dict[int, dict[str, float]] = {}
    for upstream in needs:
        for event in lab.events(address=upstream):
            if isinstance(event, StepFinished | StepFailed):
                ends.setdefault(event.run, {})[upstream] = event.time
    return ends


def _split_waiting(time: Time, begun: float, ends: dict[str, float]) -> None:
    before = {name: end for name, end in ends.items() if end <= time.started}
    last = max(before, key=lambda name: before[name], default="")
    ready = max(begun, before[last]) if last else begun
    time.waited_for = last
    time.waited = max(0.0, ready - begun)
    time.queued = max(0.0, time.started - ready)
