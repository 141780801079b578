"""The shortest history that makes a record what it is."""

from __future__ import annotations

from lab.model.event import Event, StepFailed, StepFinished, StepRemembered, StepStarted
from lab.model.state import Record, Tried

CAUSE = "older history was compacted"


def history(record: Record) -> tuple[Event, ...]:
    """Events whose fold is *record*: for compacting a journal, and for carrying a state elsewhere.

    There are never more of them than those that made the record in the first place.
    """
    made: list[Event] = []
    done, tried, address = record.done, record.tried, record.address
    if done is not None:
        made.append(_started(record, Tried(run=done.run, started=done.started, digest=done.digest)))
        made.append(StepFinished(run=done.run, time=done.finished, address=address, done=done))
    if tried is not None:
        made.append(_started(record, tried))
    last = tried.run if tried else done.run if done else 0
    when = tried.started if tried else done.finished if done else 0.0
    if record.memory is not None:
        made.append(StepRemembered(run=last, time=when, address=address, memory=record.memory))
    if tried is not None and (tried.error or not tried.interrupted):
        made.append(
            StepFailed(
                run=last,
                time=when,
                address=address,
                error=tried.error,
                log=tried.log,
                interrupted=tried.interrupted,
            )
        )
    return tuple(made)


def _started(record: Record, tried: Tried) -> StepStarted:
    return StepStarted(
        run=tried.run,
        time=tried.started,
        address=record.address,
        kind=record.kind,
        target=record.target,
        verb="",
        cause=CAUSE,
        digest=tried.digest,
        version=record.version,
        infrastructure=record.infrastructure,
        protect=record.protect,
        needs=record.needs,
        place=record.place,
        fields=record.fields,
        log=tried.log,
    )
