"""What the journal promises: what was appended is there, for whoever opens it, wherever it lies."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from journal_bench import (
    SmallDisk,
    finished,
    journal,
    opened,
    random_event,
    run_started,
    started,
)

from lab.edge import journal_file
from lab.edge.journal import LabState
from lab.edge.journal_file import StateFile
from lab.edge.journal_fold import MOST_LATE
from lab.model.diagnostic import StateError
from lab.model.event import (
    RunFinished,
    StepForgotten,
    StepKept,
    StepProgress,
    StepRemembered,
)
from lab.model.fold import fold
from lab.model.state import Record, State
from lab.model.values import Artifact


def test_what_was_appended_is_there_for_the_next_who_opens(tmp_path: Path) -> None:
    state = opened(tmp_path)
    events = [run_started(), started("train"), finished("train"), started("eval")]
    state.append(*events[:2])
    state.append(*events[2:])
    again = opened(tmp_path)
    assert again.events() == events
    loaded = again.load()
    assert loaded.run == 1
    assert list(loaded.records) == ["train", "eval"]
    folded: dict[str, Record] = {}
    for event in events:
        fold(folded, event)
    assert dict(loaded.records) == folded


def test_a_loaded_state_does_not_change_under_its_reader(tmp_path: Path) -> None:
    state = opened(tmp_path)
    state.append(started("train"))
    before = state.load()
    state.append(finished("train"), started("eval"))
    assert list(before.records) == ["train"]
    assert before.records["train"].done is None


def test_passing_events_are_not_stored(tmp_path: Path) -> None:
    state = opened(tmp_path)
    state.append(StepProgress(run=1, time=1.0, address="a", text="half"))
    state.append(StepKept(run=1, time=1.0, address="a", cause="nothing changed"), started("b"))
    assert state.events() == [started("b")]


def test_without_create_nothing_is_written(tmp_path: Path) -> None:
    with journal(tmp_path) as there:
        state = there.open("mnist")
        assert state.load() == State()
        assert (state.events(), state.runs(), state.check(), there.labs()) == ([], [], [], [])
        with pytest.raises(StateError, match="no state of mnist"):
            state.append(started("a"))
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    opened(tmp_path)
    folder = tmp_path / ".lab"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "state.db").stat().st_mode & 0o077 == 0
    assert (folder / ".gitignore").read_text() == "*\n"
    assert {each.name.split("-")[0] for each in folder.iterdir()} == {".gitignore", "state.db"}


def test_overlays_and_names_do_not_meet(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path, overlay="prod")
    one.append(started("a"))
    other.append(started("b", run=7))
    assert list(one.load().records) == ["a"]
    assert list(other.load().records) == ["b"]
    assert (one.load().run, other.load().run) == (1, 7)
    assert one.load().key != other.load().key
    assert len(one.load().key) == 64
    assert one.load().key == opened(tmp_path).load().key
    assert [(row.name, row.overlay) for row in journal(tmp_path).labs()] == [
        ("mnist", ""),
        ("mnist", "prod"),
    ]


def test_moving_the_checkout_changes_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "deeper" / "new"
    opened(old).append(started("train"), finished("train", root=str(old)))
    new.parent.mkdir()
    old.rename(new)
    done = opened(new).load().records["train"].done
    assert done is not None
    assert done.outputs["model"] == Artifact(f"{new}/out/train", "sha256:2", 7)
    assert done.log == f"{new}/.lab/train.log"


def test_runs_and_history(tmp_path: Path) -> None:
    state = opened(tmp_path)
    state.append(run_started(1), started("a", 1), finished("a", 1))
    state.append(RunFinished(run=1, time=9.0, outcome="done", counts={"create": 1}))
    state.append(run_started(2), started("a", 2), started("b", 2))
    first, second = state.runs()
    assert (first.run, first.started, first.finished, first.outcome) == (1, 1.0, 9.0, "done")
    assert (first.command, first.counts) == ("lab apply", {"create": 1})
    assert (second.run, second.finished, second.outcome) == (2, None, "")
    assert state.events(run=2) == [run_started(2), started("a", 2), started("b", 2)]
    assert state.events(address="a") == [started("a", 1), finished("a", 1), started("a", 2)]
    assert state.events(run=2, address="a") == [started("a", 2)]
    assert state.events(run=3) == []


def test_text_that_is_no_text_can_be_stored(tmp_path: Path) -> None:
    state = opened(tmp_path)
    event = run_started()
    odd = type(event)(run=1, time=1.0, command="lab apply \udcff", labfile="")
    state.append(odd)
    assert state.events() == [odd]
    assert state.runs()[0].command == "lab apply \\udcff"


def test_what_is_not_json_is_its_callers_fault_alone(tmp_path: Path) -> None:
    state = opened(tmp_path)
    state.append(started("a"))
    bad = StepRemembered(run=1, time=1.0, address="a", memory=cast(Any, {"x": object()}))
    with pytest.raises(TypeError):
        state.append(bad)
    state.append(finished("a"))
    assert len(state.events()) == 2


class TestWriters:
    def test_many_threads_share_commits(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = opened(tmp_path)
        commits = _counted(monkeypatch, slow=0.002)
        threads = [threading.Thread(target=_append, args=(state, n, 250)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(state.events()) == 2000
        assert len(commits) < 1000
        assert state.check() == []
        for n in range(8):
            mine = [e.time for e in state.events(address=f"s{n}") if e != started(f"s{n}")]
            assert mine == sorted(mine)

    def test_one_append_is_one_commit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = opened(tmp_path)
        commits = _counted(monkeypatch)
        state.append(started("a"), finished("a"), started("b"))
        assert len(commits) == 1

    def test_an_error_reaches_every_thread_that_waits(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = opened(tmp_path)
        monkeypatch.setattr(sqlite3, "connect", SmallDisk(state, pages=20))
        failed: list[str] = []

        def fill(n: int) -> None:
            with pytest.raises(StateError) as caught:
                for i in range(10_000):
                    state.append(_remembered(f"s{n}", float(i), "x" * 2000))
            failed.append(str(caught.value))

        threads = [threading.Thread(target=fill, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(failed) == 4
        assert all("no space is left" in said for said in failed)
        assert opened(tmp_path).check() == []

    def test_two_who_write_by_turns_see_each_other(self, tmp_path: Path) -> None:
        one, other = opened(tmp_path), opened(tmp_path)
        rng = random.Random(5)
        for run in range(100):
            rng.choice([one, other]).append(random_event(rng, run))
        assert one.load().records == other.load().records
        assert len(one.events()) == 100
        assert one.check() == []

    def test_a_damaged_record_can_be_dropped(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        state.append(started("a"), finished("a"), started("b"))
        state.settle()
        with _tampered(state) as db:
            db.execute("UPDATE records SET json = '{' WHERE address = 'a'")
        again = opened(tmp_path)
        assert again.load().records["b"].address == "b"
        with pytest.raises(StateError, match="damaged"):
            again.load().records["a"]
        again.append(StepForgotten(run=1, time=1.0, address="a"))
        assert list(opened(tmp_path).load().records) == ["b"]


class TestLateRecords:
    """The table of records is brought up to date once in a while; nobody can tell."""

    def test_a_killed_writer_leaves_all_of_it(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        state.append(started("a"))
        state.append(finished("a"), started("b"))
        again = opened(tmp_path)  # the first one never settles
        assert _rows(state) == []
        assert list(again.load().records) == ["a", "b"]
        assert again.load().records["a"].done is not None
        assert again.check() == []

    def test_two_writers_see_each_others(self, tmp_path: Path) -> None:
        one, other = opened(tmp_path), opened(tmp_path)
        one.append(started("a"))
        other.append(started("b"))
        one.append(finished("a"))
        other.append(StepForgotten(run=1, time=1.0, address="b"))
        for state in (one, other, opened(tmp_path)):
            assert list(state.load().records) == ["a"]
            assert state.load().records["a"].done is not None

    def test_the_end_of_a_run_and_settling_bring_the_table_up_to_date(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        state.append(started("a"))
        assert _rows(state) == []
        state.append(RunFinished(run=1, time=1.0, outcome="done"))
        assert _rows(state) == ["a"]
        state.append(started("b"))
        state.settle()
        assert _rows(state) == ["a", "b"]
        assert opened(tmp_path).check() == []

    def test_many_are_not_left_to_the_end(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        for number in range(MOST_LATE + 1):
            state.append(started(f"s{number}"))
        assert len(_rows(state)) == MOST_LATE
        assert len(opened(tmp_path).load().records) == MOST_LATE + 1

    def test_what_someone_else_stored_meanwhile_is_not_overwritten(self, tmp_path: Path) -> None:
        one, other = opened(tmp_path), opened(tmp_path)
        one.append(started("a"))
        other.append(StepForgotten(run=1, time=1.0, address="a"))
        one.settle()
        assert list(opened(tmp_path).load().records) == []

    def test_compacting_loses_nothing_that_was_late(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        state.append(started("a"), finished("a"))
        state.compact(0)
        again = opened(tmp_path)
        assert again.load().records["a"].done is not None
        assert again.check() == []

    def test_a_damaged_event_that_is_needed_is_named(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        state.append(started("a"))
        with _tampered(state) as db:
            db.execute("UPDATE events SET json = '{'")
        with pytest.raises(StateError, match="damaged"):
            opened(tmp_path).load()
        assert any("event 1 cannot be read" in said for said in opened(tmp_path).check())


def _rows(state: LabState) -> list[str]:
    with _tampered(state) as db:
        return [address for (address,) in db.execute("SELECT address FROM records ORDER BY rowid")]


class TestTwins:
    def test_two_labfiles_of_one_name_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "Labfile.yaml").touch()
        (tmp_path / "other.yaml").touch()
        there = journal(tmp_path)
        there.open("mnist", "", "Labfile.yaml", create=True)
        for create in (True, False):
            with pytest.raises(StateError) as caught:
                there.open("mnist", "", str(tmp_path / "other.yaml"), create=create)
            said = caught.value.diagnostics[0]
            assert "other.yaml and Labfile.yaml are both named `mnist`" in said.summary
            assert "name" in said.help
        there.open("mnist", "", "Labfile.yaml", create=True)
        there.open("mnist", "prod", "other.yaml", create=True)

    def test_a_renamed_labfile_takes_the_state_over(self, tmp_path: Path) -> None:
        there = journal(tmp_path)
        there.open("mnist", "", "Labfile.yaml", create=True).append(started("a"))
        (tmp_path / "lab.yaml").touch()
        assert list(there.open("mnist", "", "lab.yaml").load().records) == ["a"]
        assert there.labs()[0].labfile == "Labfile.yaml"
        assert list(there.open("mnist", "", "lab.yaml", create=True).load().records) == ["a"]
        assert there.labs()[0].labfile == "lab.yaml"

    def test_two_names_of_one_file_are_one(self, tmp_path: Path) -> None:
        (tmp_path / "Labfile.yaml").touch()
        (tmp_path / "link.yaml").symlink_to("Labfile.yaml")
        there = journal(tmp_path)
        there.open("mnist", "", "Labfile.yaml", create=True)
        there.open("mnist", "", "link.yaml", create=True)

    def test_the_state_alone_is_enough(self, tmp_path: Path) -> None:
        (tmp_path / "Labfile.yaml").touch()
        journal(tmp_path).open("mnist", "", "Labfile.yaml", create=True).append(started("a"))
        row = journal(tmp_path).labs()[0]
        assert list(journal(tmp_path).open(row.name, row.overlay).load().records) == ["a"]


class TestCompact:
    def test_old_history_goes_and_records_stay(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        rng = random.Random(3)
        for run in range(1, 60):
            state.append(run_started(run), *(random_event(rng, run) for _ in range(6)))
        before = state.load().records
        kept = state.events(run=58) + state.events(run=59)
        gone = state.compact(keep_runs=2)
        assert gone > 300
        again = opened(tmp_path)
        assert again.load().records == before
        assert again.events(run=58) + again.events(run=59) == kept
        assert again.check() == []
        assert len(again.runs()) == 59
        again.append(run_started(60), started("a", 60))
        assert again.events(run=60) == [run_started(60), started("a", 60)]
        assert again.check() == []

    def test_numbers_are_not_used_again(self, tmp_path: Path) -> None:
        one, other = opened(tmp_path), opened(tmp_path)
        one.append(started("a"))
        other.load()
        one.append(StepForgotten(run=1, time=1.0, address="a"))
        assert one.compact(keep_runs=0) == 2
        one.append(started("b"))
        assert list(other.load().records) == ["b"]


def _append(state: LabState, n: int, count: int) -> None:
    state.append(started(f"s{n}"))
    for i in range(count - 1):
        state.append(_remembered(f"s{n}", float(i), "x"))


def _remembered(address: str, time: float, memory: str) -> StepRemembered:
    return StepRemembered(run=1, time=time, address=address, memory=memory)


def _counted(monkeypatch: pytest.MonkeyPatch, *, slow: float = 0.0) -> list[None]:
    """Counts commits; a slow one is a disk on which the others surely come to wait."""
    commits: list[None] = []
    real = StateFile.write

    @contextmanager
    def write(self: StateFile, lab: int | None = None, *, durable: bool = True) -> Iterator[Any]:
        with real(self, lab, durable=durable) as db:
            yield db
            time.sleep(slow)
        commits.append(None)

    monkeypatch.setattr(StateFile, "write", write)
    return commits


@contextmanager
def _tampered(state: LabState) -> Iterator[Any]:
    assert state._file is not None
    with state._file.write() as db:
        yield db


def test_another_program_that_writes_is_waited_for_then_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "BUSY_SECONDS", 0.05)
    one, other = opened(tmp_path), opened(tmp_path)
    with _tampered(one), pytest.raises(StateError, match="busy"):
        other.append(started("a"))
    other.append(started("a"))


def test_a_copy_of_the_folder_is_the_same_state(tmp_path: Path) -> None:
    state = opened(tmp_path / "a")
    state.append(started("a"), finished("a", root=str(tmp_path / "a")))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert opened(tmp_path / "b").load().run == state.load().run
    assert opened(tmp_path / "b").check() == []
