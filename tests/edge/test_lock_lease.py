"""The lock in a database: a lease on its clock, which a holder that is cut off gives up in time."""

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
from journal_bench import REPOSITORY, finished, run_started, started
from postgres import Postgres
from proxy import Proxy

from lab.edge.journal import Journal, LabState
from lab.edge.lock import Holder, Lock, Proof
from lab.edge.lock_holder import leased_proof, this_process
from lab.edge.lock_renewal import Renewal
from lab.edge.postgres import reach
from lab.edge.postgres_dsn import read_dsn
from lab.model.diagnostic import Diagnostic, StateError

LEASE = 3.0
Start = Callable[[str], "subprocess.Popen[str]"]
pytestmark = pytest.mark.live


def lab_at(root: Path | str, dsn: str, lease: float = LEASE) -> LabState:
    found = read_dsn(dsn)
    journal = Journal(found.place, str(root), reach(found, "", lease))
    return journal.open("mnist", create=True)


@pytest.fixture
def base(postgres: Postgres) -> str:
    return postgres.new_base("lease")


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    made = Proxy(postgres.port)
    yield made
    made.close()


@pytest.fixture
def start(postgres: Postgres, base: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a process that takes the lock, here or as if on another machine, and then does as told."""
    children: list[subprocess.Popen[str]] = []

    def starting(text: str = "") -> subprocess.Popen[str]:
        program = (
            "import sys, time\n"
            f"sys.path[:0] = {[REPOSITORY, f'{REPOSITORY}/tests', f'{REPOSITORY}/tests/edge']!r}\n"
            "from journal_bench import *\n"
            "from test_lock_lease import *\n"
            f"lab = lab_at({str(tmp_path)!r}, {postgres.dsn(base)!r})\n"
            f"{text}\n"
            "Lock(lab, 'lab apply').acquire(); print('held', flush=True)\n"
            "for line in sys.stdin:\n"
            "    lab.append(started(line.strip())); print('stored', flush=True)\n"
            "time.sleep(600)\n"
        )
        words = [sys.executable, "-c", program]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        children.append(child)
        assert said(child) == "held"
        return child

    yield starting
    for child in children:
        child.kill()
        child.communicate()


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def tell(child: subprocess.Popen[str], text: str) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{text}\n")
    child.stdin.flush()


def elsewhere(command: str, *, flocked: bool) -> Holder:
    """This process, as it looks to those on another machine."""
    here = this_process(command, flocked=flocked)
    return replace(here, host="far", identity={**here.identity, "boot_id": "another"})


FAR = "from lab.edge import lock as m; m.this_process = elsewhere"


def as_if_ended(postgres: Postgres, base: str) -> None:
    """A holder that was cut off leaves its row behind, and ends; this process does not end."""
    postgres.execute("UPDATE lab.labs SET holder = NULL", base)


class TestOtherMachines:
    def test_a_dead_holder_gives_way_when_its_lease_ends(
        self, postgres: Postgres, base: str, tmp_path: Path, start: Start
    ) -> None:
        child = start(FAR)
        lab = lab_at(tmp_path / "two", postgres.dsn(base))
        child.kill()
        child.wait()
        began = time.monotonic()
        lock = Lock(lab)
        with pytest.raises(StateError, match="is locked") as caught:
            lock.acquire(timeout=0.2)
        assert "its lease ends in" in caught.value.diagnostics[0].detail
        dead = lock.acquire(timeout=30)
        assert dead is not None and dead.host == "far"
        assert lock.former[1] is Proof.SILENT
        assert time.monotonic() - began < LEASE + 3

    def test_a_living_holder_keeps_it_for_longer_than_a_lease(
        self, postgres: Postgres, base: str, tmp_path: Path, start: Start
    ) -> None:
        child = start(FAR)
        lock = Lock(lab_at(tmp_path / "two", postgres.dsn(base)))
        with pytest.raises(StateError, match="is locked"):
            lock.acquire(timeout=2.5 * LEASE)
        found = lock.standing()
        assert found is not None and found[1] is Proof.ALIVE
        tell(child, "a")
        assert said(child) == "stored"

    def test_who_was_silent_too_long_cannot_write_any_more(
        self, postgres: Postgres, base: str, tmp_path: Path, start: Start
    ) -> None:
        child = start(FAR)
        child.send_signal(signal.SIGSTOP)
        lab = lab_at(tmp_path / "two", postgres.dsn(base))
        lock = Lock(lab)
        assert lock.acquire(timeout=30) is not None
        lab.append(started("mine"))
        child.send_signal(signal.SIGCONT)
        tell(child, "theirs")
        assert said(child) == ""  # it ended with an error
        assert list(lab.load().records) == ["mine"]


class TestThisMachine:
    def test_a_stopped_holder_is_never_taken_over(
        self, postgres: Postgres, base: str, tmp_path: Path, start: Start
    ) -> None:
        child = start()
        child.send_signal(signal.SIGSTOP)
        lock = Lock(lab_at(tmp_path / "two", postgres.dsn(base)))
        with pytest.raises(StateError, match="is locked"):
            lock.acquire(timeout=2 * LEASE)
        with pytest.raises(StateError, match="is locked"):
            lock.unlock()
        child.send_signal(signal.SIGCONT)
        tell(child, "a")  # and it goes on as if nothing had been
        assert said(child) == "stored"

    def test_a_killed_holder_gives_way_before_its_lease_ends(
        self, postgres: Postgres, base: str, tmp_path: Path, start: Start
    ) -> None:
        child = start()
        lock = Lock(lab_at(tmp_path / "two", postgres.dsn(base), lease=600))
        child.kill()
        child.wait()
        assert lock.acquire(timeout=0.5) is not None
        assert lock.former[1] is Proof.DEAD

    def test_a_boot_or_a_container_proves_nothing(self) -> None:
        here = this_process("x", flocked=False)
        other = replace(here, identity={**here.identity, "namespace": "pid:[1]"})
        boot = replace(here, identity={**here.identity, "boot_id": "another"})
        for holder in (other, boot):
            assert leased_proof(holder, 1.0) is Proof.ALIVE
            assert leased_proof(holder, 0.0) is Proof.SILENT
        assert leased_proof(here, -5.0) is Proof.ALIVE


class TestCutOff:
    def test_it_gives_up_before_the_lease_ends_and_keeps_what_it_made(
        self, postgres: Postgres, base: str, proxy: Proxy, tmp_path: Path
    ) -> None:
        lab, lost = lab_at(tmp_path, postgres.url(base, port=proxy.port)), threading.Event()
        lock = Lock(lab, "lab apply", lambda _: lost.set())
        lock.acquire()
        lab.append(run_started(), started("a"))
        proxy.cut()
        began = time.monotonic()
        with pytest.raises(StateError, match="cannot be reached") as caught:
            lab.append(finished("a"), started("b"))
        assert lost.is_set()
        assert time.monotonic() - began < LEASE
        with pytest.raises(StateError, match="cannot be reached"):
            lab.append(finished("b"))
        kept = list((tmp_path / ".lab" / "kept").iterdir())
        assert len(kept) == 1
        assert str(kept[0]) in caught.value.diagnostics[0].detail
        assert kept[0].stat().st_mode & 0o077 == 0
        proxy.mend()
        lock.release()
        as_if_ended(postgres, base)
        again = lab_at(tmp_path, postgres.dsn(base))
        next_lock = Lock(again)
        next_lock.acquire(timeout=30)
        assert list(again.take_in(next_lock.former[0]).taken) == ["a", "b"]
        records = again.load().records
        assert all(records[a].done is not None for a in "ab")
        assert not kept[0].exists()
        assert again.take_in(next_lock.former[0]).taken == ()
        assert again.check() == []

    def test_what_was_kept_is_not_merged_after_others(
        self, postgres: Postgres, base: str, proxy: Proxy, tmp_path: Path
    ) -> None:
        lab = lab_at(tmp_path, postgres.url(base, port=proxy.port))
        Lock(lab, "lab apply").acquire()
        lab.append(run_started(), started("a"))
        proxy.cut()
        with pytest.raises(StateError, match="cannot be reached"):
            lab.append(finished("a"))
        other = lab_at(tmp_path / "two", postgres.dsn(base))
        theirs = Lock(other)
        theirs.unlock(force=True)
        theirs.acquire()
        other.append(run_started(2), started("a", 2))
        theirs.release()
        again = lab_at(tmp_path, postgres.dsn(base))
        lock = Lock(again)
        lock.acquire()
        came = again.take_in(lock.former[0])
        assert came.taken == ()
        assert [kept.finished for kept in came.refused] == [["a"]]
        assert os.path.exists(came.refused[0].path)
        assert again.load().records["a"].done is None
        assert again.take_in(lock.former[0]).refused == ()  # it is told once

    def test_a_short_cut_is_not_noticed(
        self, postgres: Postgres, base: str, proxy: Proxy, tmp_path: Path
    ) -> None:
        lab, lost = lab_at(tmp_path, postgres.url(base, port=proxy.port), 12.0), threading.Event()
        lock = Lock(lab, "lab apply", lambda _: lost.set())
        lock.acquire()
        lab.append(started("a"))
        proxy.cut()
        threading.Timer(1.0, proxy.mend).start()
        lab.append(finished("a"))
        lab.append(started("b"))
        assert len(lab.events()) == 3
        assert not lost.is_set()
        lock.release()

    @pytest.mark.parametrize("lease", [4.0, 12.0], ids=["kept", "tried again"])
    def test_an_answer_that_was_lost_does_not_store_twice(
        self, postgres: Postgres, base: str, proxy: Proxy, tmp_path: Path, lease: float
    ) -> None:
        lab = lab_at(tmp_path, postgres.url(base, port=proxy.port), lease)
        lock = Lock(lab, "lab apply")
        lock.acquire()
        lab.append(started("a"))
        real = type(lab)._store

        def storing(self: LabState, *words: object) -> None:
            real(self, *words)  # type: ignore[arg-type]
            proxy.back = False  # the commit gets through, its answer does not
            type(lab)._store = real  # type: ignore[method-assign]
            if lease > 10:
                threading.Timer(1.0, proxy.mend).start()

        type(lab)._store = storing  # type: ignore[method-assign]
        try:
            if lease > 10:
                lab.append(finished("a"))
            else:
                with pytest.raises(StateError, match="cannot be reached"):
                    lab.append(finished("a"))
        finally:
            type(lab)._store = real  # type: ignore[method-assign]
        proxy.mend()
        lock.release()
        as_if_ended(postgres, base)
        again = lab_at(tmp_path, postgres.dsn(base))
        then = Lock(again)
        then.acquire(timeout=30)
        again.take_in(then.former[0])
        assert [type(e).__name__ for e in again.events()] == ["StepStarted", "StepFinished"]

    def test_a_command_that_holds_nothing_fails_in_bounded_time(
        self, postgres: Postgres, base: str, proxy: Proxy, tmp_path: Path
    ) -> None:
        lab = lab_at(tmp_path, postgres.url(base, port=proxy.port))
        proxy.cut()
        began = time.monotonic()
        with pytest.raises(StateError, match="cannot be reached"):
            lab.load()
        assert time.monotonic() - began < 5


class TestRenewal:
    def test_time_asleep_is_no_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine that slept for long past the lease asks first, and goes on."""
        slept, asked, lost = [0.0], threading.Event(), list[str]()
        monkeypatch.setattr("lab.edge.lock_renewal._clock", lambda: time.monotonic() + slept[0])

        def renew(_: object) -> bool:
            asked.set()
            return True

        renewal = Renewal(_Nothing(), 60.0, renew, lost.append)  # type: ignore[arg-type]
        renewal.start()
        time.sleep(0.2)
        slept[0] = 5000.0
        assert asked.wait(5)
        time.sleep(1.5)
        assert lost == []
        renewal.stop()

    def test_a_lease_of_others_is_lost_at_once(self) -> None:
        told = threading.Event()
        renewal = Renewal(_Nothing(), 0.6, lambda _: False, lambda _: told.set())  # type: ignore[arg-type]
        renewal.start()
        assert told.wait(3)

    def test_a_renewal_that_hangs_is_not_waited_for(self) -> None:
        told, hang = threading.Event(), threading.Event()

        def renew(_: object) -> bool:
            hang.wait(20)
            raise StateError(Diagnostic(summary="it hung"))

        renewal = Renewal(_Nothing(), 1.5, renew, lambda _: told.set())  # type: ignore[arg-type]
        began = time.monotonic()
        renewal.start()
        assert told.wait(1.4)
        assert time.monotonic() - began < 1.5
        hang.set()


class _Nothing:
    def close(self) -> None:
        pass
