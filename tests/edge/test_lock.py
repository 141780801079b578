"""One command at a time: the dead give way, the living are waited for, and nobody writes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from journal_bench import REPOSITORY, opened, started

from lab.edge import lock_flock
from lab.edge.journal import LabState
from lab.edge.journal_errors import NoRoomError
from lab.edge.journal_tenancy import Tenancy
from lab.edge.lock import Holder, Lock, Proof
from lab.edge.lock_flock import Taken
from lab.edge.lock_holder import from_text, proof, this_process, to_text
from lab.model.diagnostic import Diagnostic, StateError

pytestmark = pytest.mark.live  # real processes, files and servers, for seconds

Start = Callable[..., "subprocess.Popen[str]"]
PROGRAM = str(Path(__file__).with_name("lock_program.py"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process of lock_program."""
    children: list[subprocess.Popen[str]] = []

    def starting(*argv: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, PROGRAM, argv[0], str(tmp_path), *argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": REPOSITORY},
        )
        children.append(child)
        return child

    yield starting
    for child in children:
        child.kill()
        child.communicate()


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()


class TestAlone:
    def test_taken_and_given_back(self, tmp_path: Path) -> None:
        lock = Lock(opened(tmp_path), "lab apply -e prod")
        assert lock.holder() is None
        assert lock.acquire() is None
        holder = lock.holder()
        assert holder is not None
        assert (holder.command, holder.pid) == ("lab apply -e prod", os.getpid())
        assert abs(holder.since - time.time()) < 60
        lock.release()
        assert lock.holder() is None
        lock.release()
        assert Lock(opened(tmp_path)).acquire() is None

    def test_giving_it_back_never_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lock = Lock(opened(tmp_path))
        lock.acquire()

        def full(self: Tenancy) -> None:
            raise StateError(Diagnostic(summary="no space is left"))

        monkeypatch.setattr(Tenancy, "vacate", full)
        lock.release()

    def test_taking_it_twice_is_taking_it_once(self, tmp_path: Path) -> None:
        lock = Lock(opened(tmp_path))
        lock.acquire()
        assert lock.acquire() is None
        lock.release()
        assert lock.holder() is None

    def test_overlays_do_not_wait_for_each_other(self, tmp_path: Path) -> None:
        Lock(opened(tmp_path)).acquire()
        Lock(opened(tmp_path, overlay="prod")).acquire()

    def test_without_a_state_there_is_nothing_to_lock(self, tmp_path: Path) -> None:
        lock = Lock(LabState(None, opened(tmp_path).row, str(tmp_path)))
        assert (lock.holder(), lock.unlock()) == (None, None)
        with pytest.raises(StateError, match="no state"):
            lock.acquire()


class TestLiving:
    def test_it_is_told_who_holds_what_since_when(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        Lock(state, "lab apply -e prod").acquire()
        waited: list[Holder] = []
        with pytest.raises(StateError) as caught:
            Lock(opened(tmp_path)).acquire(on_wait=waited.append)
        assert waited == []
        assert caught.value.exit_code == 4
        told = caught.value.diagnostics[0]
        assert "mnist is locked" in told.summary
        for word in ("`lab apply -e prod`", str(os.getpid()), "since", "ago"):
            assert word in told.detail
        assert "--lock-timeout" in told.help

    def test_it_is_waited_for(self, tmp_path: Path) -> None:
        lock = Lock(opened(tmp_path), "first")
        lock.acquire()
        threading.Timer(0.15, lock.release).start()
        waited: list[Holder] = []
        assert Lock(opened(tmp_path)).acquire(timeout=30, on_wait=waited.append) is None
        assert [holder.command for holder in waited] == ["first"]

    def test_waiting_ends(self, tmp_path: Path) -> None:
        Lock(opened(tmp_path)).acquire()
        began = time.monotonic()
        with pytest.raises(StateError):
            Lock(opened(tmp_path)).acquire(timeout=0.2)
        assert 0.2 <= time.monotonic() - began < 5

    def test_waiting_can_be_cancelled(self, tmp_path: Path) -> None:
        class Stop(threading.Event):
            add_callback = remove_callback = lambda self, callback: None

        Lock(opened(tmp_path)).acquire()
        stop = Stop()
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(KeyboardInterrupt):
            Lock(opened(tmp_path)).acquire(timeout=60, cancelled=stop)

    def test_a_stopped_process_is_alive(self, tmp_path: Path, start: Start) -> None:
        child = start("hold")
        assert said(child) == "held"
        child.send_signal(signal.SIGSTOP)
        lock = Lock(opened(tmp_path))
        with pytest.raises(StateError, match="locked"):
            lock.acquire(timeout=0.2)
        with pytest.raises(StateError, match="locked"):
            lock.unlock()
        child.send_signal(signal.SIGCONT)

    def test_nobody_writes_beside_it(self, tmp_path: Path) -> None:
        Lock(opened(tmp_path)).acquire()
        with pytest.raises(StateError, match="locked by another command"):
            opened(tmp_path).append(started("a"))
        opened(tmp_path, overlay="prod").append(started("a"))


class TestDead:
    def test_a_killed_holder_gives_way_at_once(self, tmp_path: Path, start: Start) -> None:
        child = start("hold")
        assert said(child) == "held"
        kill(child)
        state = opened(tmp_path)
        lock = Lock(state)
        dead = lock.acquire()
        assert dead is not None
        assert dead.pid == child.pid
        state.append(started("a"))

    def test_a_killed_holder_is_unlocked_without_force(self, tmp_path: Path, start: Start) -> None:
        child = start("hold")
        assert said(child) == "held"
        kill(child)
        lock = Lock(opened(tmp_path))
        dead = lock.unlock()
        assert dead is not None
        assert dead.pid == child.pid
        assert lock.unlock() is None
        assert lock.acquire() is None

    def test_a_holder_from_before_the_boot_is_dead(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        _plant(state, _changed(identity={"boot_id": "another"}))
        assert Lock(state).acquire() is not None

    def test_a_number_that_another_process_has_now_is_dead(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        _plant(state, _changed(identity={"start_time": 1.0}))
        assert Lock(state).acquire() is not None

    @pytest.mark.live
    def test_of_many_who_take_over_one_wins(self, tmp_path: Path, start: Start) -> None:
        rounds, racers = int(os.environ.get("LAB_TEST_RACES", "6")), 4
        state = opened(tmp_path)
        _plant(state, _changed(identity={"start_time": 1.0}))
        for _ in range(rounds):
            moment = str(time.time() + 1.2)
            children = [start("race", moment) for _ in range(racers)]
            answers = sorted(said(child) for child in children)
            assert answers == ["lost"] * (racers - 1) + ["won over"]
            for child in children:
                kill(child)

    @pytest.mark.live
    def test_many_processes_take_turns(self, tmp_path: Path, start: Start) -> None:
        (tmp_path / "number").write_text("0")
        children = [start("count", "10") for _ in range(4)]
        assert [said(child) for child in children] == ["done"] * 4
        assert (tmp_path / "number").read_text() == "40"
        state = opened(tmp_path)
        assert len(state.events()) == 40
        assert state.check() == []


class TestElsewhere:
    def test_another_machine_is_not_proven_dead(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        _plant(state, _changed(host="far", machine="m", identity={"boot_id": "another"}))
        lock = Lock(opened(tmp_path))
        with pytest.raises(StateError) as caught:
            lock.acquire(timeout=0.05)
        told = caught.value.diagnostics[0]
        assert "on far" in told.detail
        assert "cannot be seen" in told.detail
        assert "lab state unlock --force" in told.help
        with pytest.raises(StateError):
            lock.unlock()
        holder = lock.unlock(force=True)
        assert holder is not None
        assert holder.host == "far"
        assert lock.acquire() is None

    def test_an_unreadable_holder_is_not_proven_dead(self, tmp_path: Path) -> None:
        state = opened(tmp_path)
        assert state.tenancy is not None
        assert state.tenancy.claim(state.tenancy.tenure(), '{"pid": [')
        with pytest.raises(StateError):
            Lock(opened(tmp_path)).acquire()
        assert Lock(opened(tmp_path)).unlock(force=True) is not None


class TestTakenAway:
    def test_whoever_lost_the_lock_stores_nothing_more(self, tmp_path: Path) -> None:
        loser, winner = opened(tmp_path), opened(tmp_path)
        lost = Lock(loser, "loser")
        lost.acquire()
        loser.append(started("a"))
        won = Lock(winner, "winner")
        assert won.unlock(force=True) is not None
        won.acquire()
        with pytest.raises(StateError, match="taken away"):
            loser.append(started("b"))
        winner.append(started("c"))
        assert [event.address for event in winner.events()] == ["a", "c"]  # type: ignore[union-attr]
        lost.release()
        held = won.holder()
        assert held is not None
        assert held.command == "winner"
        with pytest.raises(StateError, match="locked by another command"):
            loser.append(started("d"))

    def test_a_deleted_file_lets_nobody_in_beside_the_living(
        self, tmp_path: Path, start: Start
    ) -> None:
        child = start("hold")
        assert said(child) == "held"
        for file in (tmp_path / ".lab" / "locks").iterdir():
            file.unlink()
        with pytest.raises(StateError, match="locked"):
            Lock(opened(tmp_path)).acquire()
        kill(child)
        assert Lock(opened(tmp_path)).acquire() is not None


class TestProof:
    @pytest.mark.parametrize(
        ("change", "free", "expected"),
        [
            ({}, False, Proof.ALIVE),
            ({}, True, Proof.ALIVE),
            ({"identity": {"start_time": 1.0}}, True, Proof.DEAD),
            ({"identity": {"start_time": 1.0}}, False, Proof.ALIVE),
            ({"identity": {"namespace": "pid:[1]"}}, True, Proof.DEAD),
            ({"identity": {"namespace": "pid:[1]"}}, False, Proof.ALIVE),
            ({"identity": {"namespace": "pid:[1]"}, "flocked": False}, True, Proof.UNKNOWN),
            ({"identity": {"boot_id": "b"}}, True, Proof.DEAD),
            ({"identity": {"boot_id": "b"}, "host": "far"}, True, Proof.UNKNOWN),
            ({"identity": {"boot_id": "b"}, "machine": "far"}, True, Proof.UNKNOWN),
            ({"identity": {}, "host": ""}, True, Proof.UNKNOWN),
        ],
    )
    def test_what_proves_death(
        self, change: dict[str, object], free: bool, expected: Proof
    ) -> None:
        holder = _changed(**change) if change.get("identity") != {} else Holder()
        assert proof(holder, flock_is_free=free) is expected

    @pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"identity": 3}', '{"x": 1}'])
    def test_any_text_is_a_holder(self, text: str) -> None:
        assert proof(from_text(text), flock_is_free=True) is Proof.UNKNOWN

    def test_a_holder_survives_being_stored(self) -> None:
        holder = this_process("lab apply", flocked=True)
        assert from_text(to_text(holder)) == holder


class TestWithoutFlock:
    """Where the file system has no such locks, the row and the process decide."""

    @pytest.fixture(autouse=True)
    def no_flock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock_flock, "_try", lambda handle: Taken.UNSUPPORTED)

    def test_the_living_keep_it_and_the_dead_lose_it(self, tmp_path: Path) -> None:
        lock = Lock(opened(tmp_path))
        lock.acquire()
        with pytest.raises(StateError, match="locked"):
            Lock(opened(tmp_path)).acquire()
        lock.release()
        state = opened(tmp_path)
        _plant(state, _changed(identity={"start_time": 1.0}))
        assert Lock(state).acquire() is not None


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    flock = lock_flock.Flock(str(tmp_path / "lock"))
    assert flock.take() is Taken.YES
    ready, stop = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(ready[1], b"!")
        os.close(stop[1])
        os.read(stop[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    flock.drop()
    other = lock_flock.Flock(str(tmp_path / "lock"))
    taken = other.take()
    for end in (*ready, *stop):
        os.close(end)
    os.waitpid(child, 0)
    assert taken is Taken.YES
    other.drop()


def _changed(**change: object) -> Holder:
    me = this_process("lab apply", flocked=True)
    identity = {**me.identity, **change.pop("identity", {})}  # type: ignore[dict-item]
    return replace(me, identity=identity, **change)  # type: ignore[arg-type]


def _plant(state: LabState, holder: Holder) -> None:
    """Leaves the row that *holder* would have left."""
    assert state.tenancy is not None
    assert state.tenancy.claim(state.tenancy.tenure(), to_text(holder))
    state.tenancy._mine = None


def test_a_full_disk_stops_no_nameless_one_and_lets_nobody_in_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lab gc` must not need the space that it is asked for to free."""
    state, other = opened(tmp_path), opened(tmp_path)
    full = NoRoomError(Diagnostic(summary="no space is left"))

    def claim(self: Tenancy, seen: object, holder: str) -> bool:
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(Tenancy, "claim", claim)
        with pytest.raises(NoRoomError):
            Lock(state, "apply").acquire(0)
        nameless = Lock(state, "gc", nameless=True)
        assert nameless.acquire(0) is None
    with pytest.raises(StateError, match="is locked"):
        Lock(other, "apply").acquire(0)
    nameless.release()
    assert Lock(other, "apply").acquire(0) is None
