"""One conformance suite over both storages: what a journal promises, it promises wherever it is kept."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from journal_bench import REPOSITORY, finished, random_event, run_started, started
from postgres import Postgres

from lab.edge.journal import Journal, LabState
from lab.edge.lock import Lock
from lab.edge.postgres import reach
from lab.edge.postgres_dsn import read_dsn
from lab.model.diagnostic import StateError
from lab.model.event import RunFinished
from lab.model.fold import fold
from lab.model.layout import state_path
from lab.model.state import Record, State

RUNS, EVENTS = 20, 100_000
LONGEST = 300.0  # seconds for so many events, written one run at a time; it takes about 20


@dataclass
class Home:
    """A place where a state is kept, opened as often as a test wants, as if by other commands."""

    root: Path
    dsn: str = ""
    opened: list[Journal] = field(default_factory=list)

    def journal(self) -> Journal:
        if self.dsn:
            dsn = read_dsn(self.dsn)
            made = Journal(dsn.place, str(self.root), reach(dsn))
        else:
            made = Journal(state_path(str(self.root)), str(self.root))
        self.opened.append(made)
        return made

    def lab(self, name: str = "mnist", overlay: str = "") -> LabState:
        return self.journal().open(name, overlay, create=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        made.dsn = server.dsn(server.new_base("conformance"))
    yield made
    for journal in made.opened:
        journal.close()


@pytest.fixture
def child(home: Home) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a process that does with the lab what a text of Python says."""
    children: list[subprocess.Popen[str]] = []

    def start(text: str) -> subprocess.Popen[str]:
        program = (
            "import sys, time\n"
            f"sys.path[:0] = {[REPOSITORY, f'{REPOSITORY}/tests', f'{REPOSITORY}/tests/edge']!r}\n"
            "from pathlib import Path\n"
            "from journal_bench import *\n"
            "from test_journal_both import Home\n"
            "from lab.edge.lock import Lock\n"
            f"lab = Home(Path({str(home.root)!r}), {home.dsn!r}).lab()\n"
        )
        words = [sys.executable, "-c", program + text]
        children.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        return children[-1]

    yield start
    for each in children:
        each.kill()
        each.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_what_was_appended_is_there_for_the_next_who_opens(home: Home) -> None:
    lab = home.lab()
    events = [run_started(), started("train"), finished("train"), started("eval")]
    lab.append(*events[:2])
    lab.append(*events[2:])
    again = home.lab()
    assert again.events() == events
    assert list(again.load().records) == ["train", "eval"]
    assert again.load().run == 1
    assert again.check() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_any_events_fold_to_what_is_loaded(home: Home, seed: int) -> None:
    rng = random.Random(seed)
    lab = home.lab()
    folded: dict[str, Record] = {}
    for run in range(1, 5):
        batch = [random_event(rng, run) for _ in range(40)]
        for event in batch:
            fold(folded, event)
        lab.append(run_started(run), *batch)
        loaded = home.lab().load().records
        assert dict(loaded) == folded
        assert list(loaded) == list(lab.load().records)
    assert lab.check() == []


def test_without_create_nothing_is_made(home: Home) -> None:
    journal = home.journal()
    lab = journal.open("mnist")
    assert (lab.load(), lab.events(), lab.runs(), lab.check()) == (State(), [], [], [])
    assert journal.labs() == []
    with pytest.raises(StateError, match="no state of mnist"):
        lab.append(started("a"))
    assert home.journal().labs() == []


def test_labs_and_overlays_do_not_meet(home: Home) -> None:
    one, prod, other = home.lab(), home.lab(overlay="prod"), home.lab("other")
    one.append(run_started(3), started("a"))
    prod.append(started("b"))
    other.append(started("c"))
    assert [list(each.load().records) for each in (one, prod, other)] == [["a"], ["b"], ["c"]]
    assert len({each.load().key for each in (one, prod, other)}) == 3
    assert (one.load().run, prod.load().run) == (3, 1)
    assert [len(each.events()) for each in (one, prod, other)] == [2, 1, 1]
    named = [(row.name, row.overlay) for row in home.journal().labs()]
    assert named == [("mnist", ""), ("mnist", "prod"), ("other", "")]


def test_runs_events_and_compaction(home: Home) -> None:
    lab = home.lab()
    for run in range(1, 6):
        lab.append(run_started(run), started("a", run), finished("a", run), started("b", run))
        lab.append(RunFinished(run=run, time=9.0, outcome="done", counts={"updated": 2}))
    assert [each.run for each in lab.runs()] == [1, 2, 3, 4, 5]
    assert lab.runs()[0].counts == {"updated": 2}
    assert len(lab.events(run=2)) == 5
    assert len(lab.events(address="a")) == 10
    assert lab.events(run=2, address="b") == [started("b", 2)]
    before, records = len(lab.events()), dict(lab.load().records)
    dropped = lab.compact(2)
    assert dropped > 0
    again = home.lab()
    assert len(again.events()) == before - dropped
    assert dict(again.load().records) == records
    assert [each.run for each in again.runs()] == [1, 2, 3, 4, 5]
    assert again.check() == []
    again.append(started("c", 6))
    assert home.lab().events()[-1] == started("c", 6)


def test_moving_the_checkout_changes_nothing(home: Home) -> None:
    root = str(home.root)
    home.lab().append(started("train"), finished("train", root=root))
    elsewhere = Home(home.root / "elsewhere", home.dsn)
    if not home.dsn:
        elsewhere.root.mkdir()
        (home.root / ".lab").rename(elsewhere.root / ".lab")
    done = elsewhere.lab().load().records["train"].done
    assert done is not None
    assert getattr(done.outputs["model"], "path", None) == f"{elsewhere.root}/out/train"
    assert done.log == f"{elsewhere.root}/.lab/train.log"
    elsewhere.opened[0].close()


def test_what_is_read_comes_from_one_moment_while_others_write(home: Home) -> None:
    writer, reader = home.lab(), home.lab()
    over = threading.Event()

    def write() -> None:
        for n in range(60):
            writer.append(started(f"a{n}"), started(f"b{n}"))
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = 0
    while not over.is_set():
        records = reader.load().records
        assert sum(a.startswith("a") for a in records) == sum(a.startswith("b") for a in records)
        assert len(records) >= seen
        seen = len(records)
    thread.join()
    assert len(reader.load().records) == 120


def test_many_threads_and_two_writers_lose_nothing(home: Home) -> None:
    labs = [home.lab(), home.lab()]
    threads = [
        threading.Thread(
            target=lambda n=n: [labs[n % 2].append(started(f"{n}-{i}")) for i in range(15)]
        )
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = home.lab()
    assert len(found.events()) == 90
    assert len(found.load().records) == 90
    assert found.check() == []


class TestHolders:
    def test_of_two_one_holds(self, home: Home) -> None:
        first, second = Lock(home.lab(), "lab apply"), Lock(home.lab(), "lab destroy")
        assert first.acquire() is None
        with pytest.raises(StateError, match="is locked") as caught:
            second.acquire(timeout=0.2)
        assert "`lab apply`" in caught.value.diagnostics[0].detail
        first.release()
        assert second.acquire() is None

    def test_nobody_writes_beside_a_holder_and_everybody_reads(self, home: Home) -> None:
        lab = home.lab()
        Lock(lab, "lab apply").acquire()
        lab.append(started("a"))
        beside = home.lab()
        with pytest.raises(StateError, match="locked by another command"):
            beside.append(started("b"))
        assert list(beside.load().records) == ["a"]

    def test_a_dead_holder_gives_way_at_once(
        self, home: Home, child: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        held = child("Lock(lab, 'lab apply').acquire(); print('held', flush=True); time.sleep(600)")
        assert said(held) == "held"
        lock = Lock(home.lab())
        with pytest.raises(StateError, match="is locked"):
            lock.acquire(timeout=0.1)
        held.kill()
        held.wait()
        began = time.monotonic()
        dead = lock.acquire()
        assert dead is not None
        assert dead.pid == held.pid
        assert time.monotonic() - began < 3

    def test_who_was_presumed_dead_cannot_write_any_more(self, home: Home) -> None:
        lab, taker = home.lab(), home.lab()
        first = Lock(lab, "lab apply")
        first.acquire()
        lab.append(started("a"))
        Lock(taker).unlock(force=True)
        second = Lock(taker, "lab apply")
        second.acquire()
        with pytest.raises(StateError, match="taken away"):
            lab.append(finished("a"))
        taker.append(started("b"))
        assert [type(e).__name__ for e in home.lab().events()] == ["StepStarted", "StepStarted"]
        first.release()  # gives back nothing, for it has nothing
        assert second.holder() is not None
        taker.append(started("c"))

    def test_counting_under_the_lock_loses_nothing(
        self, home: Home, child: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        number = home.root / "number"
        number.write_text("0")
        text = (
            f"number = Path({str(number)!r})\n"
            "for _ in range(12):\n"
            "    lock = Lock(lab, 'count'); lock.acquire(timeout=60)\n"
            "    value = int(number.read_text()); time.sleep(0.002)\n"
            "    number.write_text(str(value + 1)); lab.append(started(f's{value}'))\n"
            "    lock.release()\n"
            "print('done', flush=True)\n"
        )
        home.lab()
        counters = [child(text) for _ in range(3)]
        assert [said(each) for each in counters] == ["done"] * 3
        assert number.read_text() == "36"
        assert len(home.lab().load().records) == 36


@pytest.mark.live
def test_a_hundred_thousand_events(home: Home) -> None:
    lab, began = home.lab(), time.monotonic()
    for run in range(1, RUNS + 1):
        pairs = ((started(f"s{n % 499}", run), finished(f"s{n % 499}", run)) for n in range(2499))
        lab.append(run_started(run), *(event for pair in pairs for event in pair))
        lab.append(RunFinished(run=run, time=9.0, outcome="done", counts={}))
    wrote = time.monotonic() - began
    again = home.lab()
    began = time.monotonic()
    assert len(again.load().records) == 499
    loaded = time.monotonic() - began
    assert len(again.events()) == EVENTS
    assert again.compact(10) > 0
    assert again.check() == []
    assert len(again.runs()) == RUNS
    assert loaded < 2.0
    assert wrote + time.monotonic() - began < LONGEST
