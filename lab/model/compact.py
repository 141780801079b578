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
    older = done is not None and not (tried and tried.remembered)  # than the newest attempt
    if done is not None:
        made.append(_started(record, Tried(run=done.run, started=done.started, digest=done.digest)))
        made.append(StepFinished(run=done.run, time=done.finished, address=address, done=done))
        made += _remembered(record, done.run, done.finished) if older else []
    if tried is not None:
        made.append(_started(record, tried))
        made += [] if older else _remembered(record, tried.run, tried.started)
    if tried is not None and (tried.error or not tried.interrupted):
        made.append(
            StepFailed(
                run=tried.run,
                time=tried.started,
                address=address,
                error=tried.error,
                log=tried.log,
                interrupted=tried.interrupted,
                made=tried.made,
            )
        )
    return tuple(made)


def _remembered(record: Record, run: int, time: float) -> list[Event]:
    if record.memory is None and not (record.tried and record.tried.remembered):
        return []
    return [StepRemembered(run=run, time=time, address=record.address, memory=record.memory)]


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
        env=record.env,
        log=tried.log,
        unmade=tried.made,
    )
