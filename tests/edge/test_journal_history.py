"""A long history slows nothing that a command does with the state: counted in SQLite's own steps, not timed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from journal_bench import finished, journal, opened, run_started, started

from lab.edge.journal import LabState
from lab.model.event import Event, RunFinished

GRAIN = 10  # instructions of SQLite's machine between two counts


def history(root: Path, runs: int) -> LabState:
    """A lab of three steps that each of *runs* runs made again."""
    with journal(root) as there:
        lab = there.open("mnist", create=True)
        for first in range(1, runs + 1, 50):
            events: list[Event] = []
            for run in range(first, min(first + 50, runs + 1)):
                made = [(started(s, run), finished(s, run)) for s in ("a", "b", "c")]
                events += [run_started(run), *(each for pair in made for each in pair)]
                events.append(RunFinished(run=run, time=9.0, outcome="done", counts={"made": 3}))
            lab.append(*events)
    return opened(root)


def cost(lab: LabState, use: Callable[[LabState], object]) -> int:
    """About how many instructions SQLite takes for it."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection: sqlite3.Connection = lab._file._connection  # type: ignore[union-attr]
    connection.set_progress_handler(count, GRAIN)
    try:
        use(lab)
    finally:
        connection.set_progress_handler(None, GRAIN)
    return counted * GRAIN


@pytest.fixture(scope="module")
def short_and_long(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabState, LabState]:
    return tuple(history(tmp_path_factory.mktemp(str(runs)), runs) for runs in (10, 1000))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "use",
    [
        lambda lab: dict(lab.load().records),
        lambda lab: lab.runs(newest=1),
        lambda lab: lab.append(started("a", 1001), finished("a", 1001)),
        lambda lab: lab.events(run=lab.runs(newest=1)[0].run),
    ],
    ids=["load", "newest run", "append", "events of the newest run"],
)
def test_a_thousand_runs_cost_no_more_than_ten(
    short_and_long: tuple[LabState, LabState], use: Callable[[LabState], object]
) -> None:
    short, long = (cost(lab, use) for lab in short_and_long)
    assert long <= 1.5 * short + 200, (short, long)


def test_the_way_of_counting_sees_a_long_history(
    short_and_long: tuple[LabState, LabState],
) -> None:
    short, long = (cost(lab, lambda lab: lab.events()) for lab in short_and_long)
    assert long > 20 * short


def test_compacting_leaves_the_records(tmp_path: Path) -> None:
    lab = history(tmp_path, 60)
    before = dict(lab.load().records)
    assert lab.compact(keep_runs=5) > 300
    assert dict(opened(tmp_path).load().records) == before and lab.check() == []
