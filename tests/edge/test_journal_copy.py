"""A state carried from one storage to another and back is the same state, and what is no state is refused."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from journal_bench import finished, journal, opened, random_event, run_started, started
from postgres import Postgres

from lab.edge.journal import Journal, LabState
from lab.edge.journal_copy import Carried, from_text, to_json
from lab.edge.lock import Lock
from lab.edge.postgres import reach
from lab.edge.postgres_dsn import read_dsn
from lab.model.diagnostic import StateError
from lab.model.event import RunFinished


def busy(root: Path, runs: int, events: int, seed: int = 1) -> LabState:
    """A lab with a long and random past, of which the oldest part was compacted."""
    rng = random.Random(seed)
    opened(root, "other").append(started("x"))  # so that numbers do not begin at one
    lab = opened(root)
    for run in range(1, runs + 1):
        lab.append(run_started(run), *[random_event(rng, run) for _ in range(events)])
        lab.append(RunFinished(run=run, time=run + 0.5, outcome="done", counts={"created": run}))
    lab.compact(runs - 2)
    return lab


def told(carried: Carried) -> str:
    return json.dumps({**to_json(carried, 1), "key": carried.key})


def copied(carried: Carried, target: Journal, root: Path) -> LabState:
    """*carried* through its text, put into *target*, opened anew."""
    lab = target.open(carried.name, carried.overlay, create=True)
    lock = Lock(lab)
    lock.acquire()
    lab.take_over(from_text(told(carried), "x.json", 1, str(root)))
    lock.release()
    return target.open(carried.name, carried.overlay)


def test_a_copy_is_the_same(tmp_path: Path) -> None:
    lab = busy(tmp_path / "a", 6, 30)
    copy = copied(lab.carry(), journal(tmp_path / "b"), tmp_path / "b")
    assert copy.carry().same_as(lab.carry())
    assert copy.carry().key == lab.carry().key
    assert copy.events(run=5) == lab.events(run=5)
    assert [r.run for r in copy.runs()] == [r.run for r in lab.runs()]
    assert copy.check() == []


@pytest.mark.live
@pytest.mark.parametrize("seed", [1, 2])
def test_thousands_of_events_go_to_a_database_and_back(
    postgres: Postgres, tmp_path: Path, seed: int
) -> None:
    lab = busy(tmp_path / "a", 25, 160, seed)
    before = lab.carry()
    assert len(before.events) > 3000
    dsn = read_dsn(postgres.dsn(postgres.new_base("copy")))
    with Journal(dsn.place, str(tmp_path / "b"), reach(dsn)) as team:
        team.open("other", create=True).append(started("y"))
        there = copied(before, team, tmp_path / "b")
        assert there.carry().same_as(before)
        assert there.check() == []
        back = copied(there.carry(), journal(tmp_path / "c"), tmp_path / "c")
        assert back.carry().same_as(before)
        assert told(back.carry()).replace(str(tmp_path / "c"), "") != ""
        assert back.load().records == lab.load().records
        back.append(run_started(99), started("new", 99))
        assert back.load().run == 99


def test_paths_move_with_it(tmp_path: Path) -> None:
    lab = opened(tmp_path / "a")
    lab.append(run_started(), started("t"), finished("t", root=str(tmp_path / "a")))
    done = copied(lab.carry(), journal(tmp_path / "b"), tmp_path / "b").load().records["t"].done
    assert done is not None
    assert getattr(done.outputs["model"], "path", "") == f"{tmp_path}/b/out/t"


def test_without_a_key_the_target_keeps_its_own(tmp_path: Path) -> None:
    lab, target = opened(tmp_path / "a"), opened(tmp_path / "b")
    lab.append(started("t"))
    Lock(target).acquire()
    target.take_over(from_text(json.dumps(to_json(lab.carry(), 1)), "x", 1, "/"))
    assert opened(tmp_path / "b").carry().key == target.row.key


def test_it_is_stored_under_the_lock_only(tmp_path: Path) -> None:
    target = opened(tmp_path)
    Lock(opened(tmp_path)).acquire()
    with pytest.raises(StateError, match="locked by another"):
        target.take_over(Carried(name="mnist"))


def _spoilt(change: dict[str, Any]) -> str:
    whole: dict[str, Any] = {
        "format": 1, "name": "a", "overlay": "", "labfile": "", "run": 1, "key": "ab",
        "records": [], "runs": [], "events": [],
    }  # fmt: skip
    return json.dumps({k: v for k, v in {**whole, **change}.items() if v is not ...})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        "[" * 100_000,
        _spoilt({"format": 2}),
        _spoilt({"format": "x"}),
        _spoilt({"key": "zz"}),
        _spoilt({"run": "x"}),
        _spoilt({"events": ...}),
        _spoilt({"events": 3}),
        _spoilt({"events": [{}]}),
        _spoilt({"records": [{"address": 3}]}),
        _spoilt({"records": [None]}),
        _spoilt({"runs": [{"run": 1}]}),
        _spoilt(
            {"events": [{"seq": 1, "run": 1, "time": 0, "kind": "", "address": "", "json": {}}]}
        ),
    ],
)
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(StateError, match=r"x\.json holds no state of lab"):
        from_text(text, "x.json", 1, "/")
