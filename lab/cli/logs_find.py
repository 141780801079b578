"""Finds where the log of a step lies: of its newest attempt, or of a given run."""

from __future__ import annotations

from lab.cli.recorded import Recorded
from lab.model.event import StepFailed, StepStarted
from lab.model.frozen import dataclass
from lab.model.state import Record


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one step in one run."""

    address: str
    run: int
    path: str


def log_of(lab: Recorded, address: str, run: int | None) -> Log | None:
    """The step's log in *run*, or in its newest; None if it has none."""
    record = lab.record(address)
    newest = newest_log(record) if record is not None else None
    if run is None and newest is not None:
        return newest
    found = None
    for event in lab.lab.events(run=run, address=address):
        if isinstance(event, StepStarted | StepFailed) and event.log:
            found = Log(address, event.run, event.log)
    if found is None and newest is not None and newest.run == run:
        return newest  # its history was dropped, its record was not
    return found


def newest_log(record: Record) -> Log | None:
    """The log of a record's newest attempt, finished or not; None if that never began to write one."""
    newest = record.tried or record.done
    return Log(record.address, newest.run, newest.log) if newest and newest.log else None
