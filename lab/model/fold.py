"""Folds events into records: the one place that says what an event means for the state."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace

from lab.model.event import (
    Event,
    ProtectSet,
    RecordMoved,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepRemembered,
    StepStarted,
)
from lab.model.state import Record, Tried


def fold(records: MutableMapping[str, Record], event: Event) -> tuple[str, ...]:
    """Applies *event* to *records* in place; gives the addresses whose records changed or went.

    An event about a step that has no record (a torn or foreign journal) changes nothing.
    """
    match event:
        case StepStarted():
            records[event.address] = _started(records.get(event.address), event)
            return (event.address,)
        case StepDestroyed() | StepForgotten():
            if event.address not in records:
                return ()
            del records[event.address]  # not looked at: it may be damaged, which is why it goes
            return (event.address,)
        case RecordMoved():
            return _moved(records, event)
        case StepRemembered() | StepFinished() | StepFailed() | ProtectSet():
            record = records.get(event.address)
            if record is None:
                return ()
            records[event.address] = _changed(record, event)
            return (event.address,)
        case _:
            return ()


def _moved(records: MutableMapping[str, Record], event: RecordMoved) -> tuple[str, ...]:
    record = records.pop(event.address, None)
    if record is None:
        return ()
    records[event.to] = replace(record, address=event.to)
    needing = tuple(address for address in event.needed_by if address in records)
    for address in needing:
        before = records[address]
        needs = tuple(event.to if need == event.address else need for need in before.needs)
        records[address] = replace(before, needs=needs)
    return (event.address, event.to, *needing)


def _started(record: Record | None, event: StepStarted) -> Record:
    before = record.tried if record else None
    tried = Tried(
        run=event.run,
        started=event.time,
        digest=event.digest,
        log=event.log,
        made=event.unmade,
        remembered=before is not None and before.remembered,
    )
    return Record(
        address=event.address,
        kind=event.kind,
        target=event.target,
        version=event.version,
        infrastructure=event.infrastructure,
        protect=event.protect,
        place=event.place,
        fields=event.fields,
        env=event.env,
        needs=event.needs,
        done=record.done if record else None,
        memory=record.memory if record else None,
        tried=tried,
        parameters=event.parameters,
    )


def _changed(
    record: Record, event: StepRemembered | StepFinished | StepFailed | ProtectSet
) -> Record:
    match event:
        case StepRemembered(memory=memory):
            tried = replace(record.tried, remembered=True) if record.tried else None
            return replace(record, memory=memory, tried=tried)
        case StepFinished(done=done):
            return replace(record, done=done, tried=None)
        case ProtectSet(protect=protect):
            return replace(record, protect=protect)
        case StepFailed():
            tried = record.tried or Tried(run=event.run, started=event.time, digest="")
            failed = replace(
                tried,
                error=event.error,
                log=event.log,
                interrupted=event.interrupted,
                made=event.made,
            )
            return replace(record, tried=failed)
