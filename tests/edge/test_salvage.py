"""What is left of a damaged state is read from a copy, and makes a state that opens."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from journal_bench import finished, journal, random_event, run_started, started

from lab.edge.salvage import Salvaged, salvage
from lab.edge.salvage_write import write
from lab.model.diagnostic import StateError
from lab.model.event import StepRemembered
from lab.model.layout import state_path

pytestmark = pytest.mark.live  # real processes, files and servers, for seconds

STEPS = 120


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab's folder, its state of two labs, one of them with many steps and much history."""
    root = tmp_path_factory.mktemp("whole")
    with journal(root) as there:
        state = there.open("mnist", "prod", "Labfile.yaml", create=True)
        rng = random.Random(1)
        state.append(run_started(1), *(random_event(rng, 1) for _ in range(200)))
        state.append(*(each(f"s{i}", run=2) for i in range(STEPS) for each in (started, finished)))
        there.open("other", create=True).append(run_started(1), started("a"), finished("a"))
    return root


@pytest.fixture
def full(whole: Path, tmp_path: Path) -> Path:
    """A copy of that state."""
    root = tmp_path / "lab"
    shutil.copytree(whole, root)
    return Path(state_path(str(root)))


def found(path: Path) -> Salvaged:
    before = path.read_bytes()
    made = salvage(str(path), str(path.parent.parent))
    assert path.read_bytes() == before
    return made


def rewritten(path: Path) -> dict[str, set[str]]:
    """What a new state made of *path* holds: the steps of each lab."""
    root = path.parent.parent
    new = path.parent / "new.db"
    write(found(path), str(new), str(root))
    shutil.copy(path, path.parent / "old.db")
    new.replace(path)
    with journal(root) as there:
        labs = [there.open(row.name, row.overlay) for row in there.labs()]
        assert [lab.check() for lab in labs] == [[] for _ in labs]
        return {lab.row.name: set(lab.load().records) for lab in labs}


def flip(path: Path, page: int, size: int = 4096) -> None:
    whole = bytearray(path.read_bytes())
    whole[page * 4096 : page * 4096 + size] = random.Random(page).randbytes(size)
    path.write_bytes(whole)


def test_a_whole_state_is_salvaged_whole(full: Path) -> None:
    root = full.parent.parent
    with journal(root) as there:
        lab = there.open("mnist", "prod")
        before = (dict(lab.load().records), lab.events(), lab.load().key)
    made = rewritten(full)
    assert set(made) == {"mnist", "other"}
    with journal(root) as there:
        lab = there.open("mnist", "prod", "Labfile.yaml")
        assert (dict(lab.load().records), lab.events(), lab.load().key) == before


def test_a_damaged_first_page_costs_nothing(full: Path) -> None:
    flip(full, 0)
    with pytest.raises(StateError, match="damaged"), journal(full.parent.parent) as there:
        there.labs()
    steps = rewritten(full)["mnist"]
    assert steps >= {f"s{i}" for i in range(STEPS)}


@pytest.mark.parametrize("seed", range(12))
def test_any_damaged_page_leaves_the_others(full: Path, seed: int) -> None:
    """Records and events lie apart: what one page loses the other may have."""
    pages = len(full.read_bytes()) // 4096
    flip(full, random.Random(seed).randrange(1, pages))
    made = found(full)
    assert sum(len(lab.records) for lab in made.labs) >= STEPS // 3
    rewritten(full)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_what_is_left_of_a_cut_file_is_read(full: Path, share: float) -> None:
    whole = full.read_bytes()
    full.write_bytes(whole[: int(len(whole) * share)])
    made = found(full)
    if share > 0.4:
        assert sum(len(lab.events) for lab in made.labs) > 50
        rewritten(full)


@pytest.mark.parametrize(
    "content", [b"", b"no database", b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 9000]
)
def test_of_nothing_comes_nothing(full: Path, content: bytes) -> None:
    full.write_bytes(content)
    assert sum(len(lab.events) + len(lab.records) for lab in found(full).labs) == 0


def test_what_only_the_log_has_counts_and_another_files_log_harms_nothing(full: Path) -> None:
    root = full.parent.parent
    with journal(root) as there:
        there.open("other").append(started("late", run=9), finished("late", run=9))
        log = Path(f"{full}-wal")
        assert log.stat().st_size > 0
        made = found(full)  # as if its writer had been killed now
        assert "late" in next(lab for lab in made.labs if lab.name == "other").records
    log.write_bytes(random.Random(1).randbytes(40_000))
    made = found(full)
    assert "late" in next(lab for lab in made.labs if lab.name == "other").records


def damage(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events WHERE seq % 3 = 0",  # events are lost, and the records are not
        "UPDATE events SET json = '{' WHERE seq % 2 = 0",
        "DELETE FROM records",
        "DELETE FROM labs",
        "DELETE FROM meta",
    ],
)
def test_each_table_makes_up_for_another(full: Path, statement: str) -> None:
    damage(full, statement)
    made = found(full)
    steps: set[str] = set().union(*(lab.records for lab in made.labs))
    assert steps >= {f"s{i}" for i in range(STEPS)}
    rewritten(full)


def test_an_unfinished_step_stays_unfinished_with_its_memory(full: Path) -> None:
    root = full.parent.parent
    with journal(root) as there:
        there.open("other").append(
            started("b", run=3), StepRemembered(run=3, time=9.0, address="b", memory={"x": 1})
        )
    damage(full, "DELETE FROM events")
    rewritten(full)
    with journal(root) as there:
        record = there.open("other").load().records["b"]
        assert record.tried is not None and record.done is None and record.memory == {"x": 1}


def test_nothing_is_overwritten(full: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    use: Callable[[], None] = lambda: write(found(full), str(there), str(tmp_path))  # noqa: E731
    with pytest.raises(StateError, match="is there already, and was not overwritten"):
        use()
    assert there.read_text() == "mine"
