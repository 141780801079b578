"""Events for the journal's tests, and a writer that can be killed."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any, cast

from lab.edge.journal import Journal, LabState
from lab.edge.journal_file import StateFile
from lab.model.event import (
    Event,
    ProtectSet,
    RecordMoved,
    RunStarted,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepRemembered,
    StepStarted,
)
from lab.model.layout import state_path
from lab.model.state import Done
from lab.model.values import Artifact

REPOSITORY = str(Path(__file__).resolve().parents[2])


def opened(root: Path | str, name: str = "mnist", overlay: str = "") -> LabState:
    """The state of a lab at *root*, made if need be."""
    return journal(root).open(name, overlay, create=True)


def journal(root: Path | str) -> Journal:
    return Journal(state_path(str(root)), str(root))


class SmallDisk:
    """Stands in for ``sqlite3.connect``: no file grows past what *state* has and *pages* more."""

    def __init__(self, state: LabState, pages: int) -> None:
        file = cast(StateFile, state._file)
        used = file._connection.execute("PRAGMA page_count").fetchone()[0]
        self.limit, self._connect = used + pages, sqlite3.connect
        file._doubtful = True  # so that it is opened anew, on this disk

    def __call__(self, *args: Any, **options: Any) -> sqlite3.Connection:
        connection = self._connect(*args, **options)
        connection.execute(f"PRAGMA max_page_count = {self.limit}")
        return connection


def run_started(run: int = 1) -> RunStarted:
    return RunStarted(run=run, time=float(run), command="lab apply", labfile="/x/Labfile.yaml")


def started(address: str, run: int = 1, digest: str = "sha256:1") -> StepStarted:
    return StepStarted(
        run=run,
        time=1.5,
        address=address,
        kind="command",
        target="local",
        verb="create",
        cause="never ran",
        digest=digest,
        needs=("data",),
        fields={"host": "box"},
        log=f"/labs/{address}.log",
    )


def finished(address: str, run: int = 1, root: str = "/labs") -> StepFinished:
    done = Done(
        run=run,
        digest="sha256:1",
        identity={"command": ["make", address], "env": {}},
        outputs={"model": Artifact(f"{root}/out/{address}", "sha256:2", 7), "loss": 0.5},
        started=1.5,
        finished=2.5,
        log=f"{root}/.lab/{address}.log",
    )
    return StepFinished(run=run, time=2.5, address=address, done=done)


def random_event(rng: random.Random, run: int) -> Event:
    """Any event that changes records, about one of a few steps."""
    address = rng.choice(["a", "b", "c", "d[x=1]", "e/f"])
    when = float(run)
    return rng.choice(
        [
            started(address, run, digest=f"sha256:{rng.random()}"),
            started(address, run),
            finished(address, run),
            finished(address, run),
            StepRemembered(run=run, time=when, address=address, memory={"n": rng.random()}),
            StepFailed(run=run, time=when, address=address, error="broke", interrupted=False),
            StepDestroyed(run=run, time=when, address=address),
            StepForgotten(run=run, time=when, address=address),
            RecordMoved(run=run, time=when, address=address, to=rng.choice("abg")),
            ProtectSet(run=run, time=when, address=address, protect=rng.random() < 0.5),
        ]
    )


def write_until_killed(root: str, seed: int) -> None:
    """Appends for ever; says on standard output how many events are certainly stored."""
    rng = random.Random(seed)
    state = opened(root)
    count = len(state.events())
    while True:
        batch = [random_event(rng, run=count) for _ in range(rng.choice([1, 1, 2, 5]))]
        state.append(*batch)
        count += len(batch)
        os.write(1, f"{count}\n".encode())


if __name__ == "__main__":
    write_until_killed(sys.argv[1], int(sys.argv[2]))
