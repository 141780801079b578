"""Writes what was salvaged of a state into a new file, which opens like any other."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3

from lab.edge.journal import Journal
from lab.edge.salvage import Found, Salvaged
from lab.model.codec import record_to_json
from lab.model.compact import history
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.event import Event, StepForgotten
from lab.model.fold import fold
from lab.model.state import Record

BATCH = 1000  # events of one commit
_KEY = re.compile(r"(?:[0-9a-f]{2})+")


def write(salvaged: Salvaged, path: str, root: str) -> None:
    """Writes a new state to *path*.

    Raises:
        StateError: something is there already, or it cannot be written.
    """
    if os.path.lexists(path):
        raise StateError(
            Diagnostic(
                summary=f"{path} is there already, and was not overwritten",
                help="name a file that is not there yet",
            )
        )
    with Journal(path, root) as journal:
        for found in salvaged.labs:
            lab = journal.open(found.name, found.overlay, found.labfile, create=True)
            events = [*found.events, *_corrections(found, root)]
            for start in range(0, len(events), BATCH):
                lab.append(*events[start : start + BATCH])
    _keep_keys(salvaged, path)


def _corrections(found: Found, root: str) -> list[Event]:
    """What makes of the events that are left what is known of the steps."""
    folded: dict[str, Record] = {}
    for event in found.events:
        fold(folded, event)
    more: list[Event] = []
    for address, record in found.records.items():
        before = folded.get(address)
        if before is None or record_to_json(before, root) != record_to_json(record, root):
            more += [] if before is None else [_forgotten(before)]
            more += history(record)
    return more


def _forgotten(record: Record) -> Event:
    newest = record.tried or record.done
    return StepForgotten(
        run=newest.run if newest else 0,
        time=newest.started if newest else 0.0,
        address=record.address,
        cause="salvaged: the state knew better",
    )


def _keep_keys(salvaged: Salvaged, path: str) -> None:
    """With another key, every secret would look as if it had been changed."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        for found in salvaged.labs:
            if _KEY.fullmatch(found.key):
                db.execute(
                    "UPDATE labs SET key = ? WHERE name = ? AND overlay = ?",
                    (found.key, found.name, found.overlay),
                )
