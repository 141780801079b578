"""Under SQLite itself: power fails at any moment, writes fail or are torn, syncs are lost."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

apsw = pytest.importorskip("apsw", reason="apsw puts a disk of the test's under SQLite")

from journal_bench import journal, opened, random_event  # noqa: E402
from power_disk import Disk, Platter, connecting  # noqa: E402

from lab.edge import journal_schema  # noqa: E402
from lab.edge.journal import LabState  # noqa: E402
from lab.model.diagnostic import StateError  # noqa: E402
from lab.model.event import Event  # noqa: E402
from lab.model.fold import fold  # noqa: E402
from lab.model.layout import state_path  # noqa: E402
from lab.model.state import Record  # noqa: E402

# SQLite's own files call a write to a read-only disk an I/O error; another disk may say so.
FAULTS = {"io": apsw.IOError, "full": apsw.FullError, "readonly": apsw.ReadOnlyError}
pytestmark = pytest.mark.live


@pytest.fixture(params=["wal", "rollback"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab with an empty state; on file systems of other machines it has a rollback journal."""
    monkeypatch.setattr(journal_schema, "is_remote", lambda folder: request.param == "rollback")
    folder = tmp_path / "lab"
    with journal(folder) as made:
        made.open("mnist", create=True)
    return folder


@contextlib.contextmanager
def over(disk: Disk, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabState]:
    """The lab's journal on the disk *disk*."""
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connecting(disk))
        state = opened(root)
        yield state
        with contextlib.suppress(StateError, sqlite3.Error):
            state._file.close()  # type: ignore[union-attr]


def events(count: int, seed: int) -> list[Event]:
    rng = random.Random(seed)
    return [random_event(rng, run=1 + number // 10) for number in range(count)]


def told(
    root: Path, history: list[Event], disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """Stores *history* one by one; gives for each event how long the disk's log was when it was told."""
    with over(disk, root, monkeypatch) as state:
        lengths = []
        for event in history:
            state.append(event)
            lengths.append(len(disk.log))
        return lengths


def found(files: dict[str, bytes], before: Path, root: Path) -> LabState:
    """The journal of a machine that comes up with *files*, read with the SQLite that lab uses."""
    folder = root / ".lab"
    folder.mkdir(parents=True)
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    return opened(root)


def is_consistent(state: LabState) -> bool:
    records: dict[str, Record] = {}
    for event in state.events():
        fold(records, event)
    return set(records) == set(state.load().records) and state.check() == []


def test_what_was_told_is_there_when_power_fails_at_any_moment(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platter, disk = Platter(root / ".lab"), Disk()
    history = events(60, seed=1)
    lengths = told(root, history, disk, monkeypatch)
    rng = random.Random(2)
    cuts = set(rng.sample(range(len(disk.log) + 1), 70))
    assert any(op.what == "write" and op.path.endswith("state.db") for op in disk.log), (
        "checkpoints"
    )
    for number, op in enumerate([*disk.log, None]):
        if number in cuts:
            state = found(platter.after_the_cut(rng), root, tmp_path / f"cut{number}")
            durable = state.events()
            assert durable == history[: len(durable)]
            assert len(durable) >= sum(length <= number for length in lengths)
            assert is_consistent(state)
        if op is not None:
            platter.take(op)


def test_a_disk_that_loses_syncs_loses_events_and_makes_up_none(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platter, disk = Platter(root / ".lab"), Disk()
    history = events(40, seed=3)
    told(root, history, disk, monkeypatch)
    rng, damaged = random.Random(4), 0
    cuts = set(rng.sample(range(len(disk.log)), 40))
    for number, op in enumerate(disk.log):
        if number in cuts:
            try:
                state = found(platter.after_the_cut(rng), root, tmp_path / f"cut{number}")
                durable = state.events()
            except StateError as error:
                assert "damaged" in str(error), error
                damaged += 1
                continue
            later = iter(history)
            assert all(event in later for event in durable), "in order, and none that never was"
        platter.take(op, lies=rng.random() < 0.5)
    assert damaged < len(cuts)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("way", ["once", "short", "for ever"])
def test_a_fault_at_each_operation_is_told_and_loses_nothing_that_was(
    kind: str, way: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = events(4, seed=5)
    whole = Platter(root / ".lab").files
    number, reached = 0, True
    while reached:
        number += 1
        place = tmp_path / f"at{number}"
        found(whole, root, place)._file.close()  # type: ignore[union-attr]
        disk = Disk(number, FAULTS[kind], short=way == "short", stays=way == "for ever")
        stored: list[Event] = []
        failed = 0
        with contextlib.suppress(StateError), over(disk, place, monkeypatch) as state:
            for event in history:
                try:
                    state.append(event)
                    stored.append(event)
                except StateError as error:  # noqa: PERF203 - each event is a try of its own
                    assert "apsw" not in str(error)
                    failed += 1
        reached = disk.count >= number
        after = opened(place)
        durable = after.events()
        left = iter(durable)
        assert all(event in left for event in stored), f"operation {number}: what was told is gone"
        assert len(durable) <= len(stored) + failed
        assert is_consistent(after)
        after.append(*history[:1])
        assert len(after.events()) == len(durable) + 1, "it goes on as if nothing had been"
    assert number > 10
    assert Path(state_path(str(root))).exists()
