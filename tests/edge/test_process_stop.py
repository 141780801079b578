"""How a child is ended with all its descendants."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from process_bench import Bench, a_bench, alive, dead, number_in, wait_for

from lab.edge import warden_tree
from lab.edge.process import Cancel, Cancelled, TimedOut
from lab.edge.warden_steps import Step

pytestmark = pytest.mark.live  # real processes, files and servers, for seconds


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path) as made:
        yield made


class Log:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def test_cancelled_before_the_start(bench: Bench) -> None:
    bench.cancel.set()
    with pytest.raises(Cancelled):
        bench.sh("touch started")
    assert not (bench.folder / "started").exists()


def test_cancel_ends_the_whole_tree(bench: Bench) -> None:
    text = (
        "echo $$ > a; sh -c 'echo $$ > b; setsid sh -c \"echo \\$\\$ > c; sleep 1000\" & wait' & "
        "setsid sh -c 'echo $$ > d; exec sleep 1000' & wait"
    )
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.sh, text, grace=60)
        pids = [number_in(bench.folder / name) for name in "abcd"]
        assert not any(map(dead, pids))
        start = time.monotonic()
        bench.cancel.set()
        with pytest.raises(Cancelled):
            job.result()
    assert dead(*pids)
    assert time.monotonic() - start < 30  # It does not wait for the grace to pass.


def test_cancel_ends_daemons_that_left_the_tree(bench: Bench) -> None:
    text = "(setsid sh -c 'echo $$ > pid; exec sleep 1000' &); echo > up; exec sleep 1000"
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.sh, text)
        pid = number_in(bench.folder / "pid")
        bench.cancel.set()
        with pytest.raises(Cancelled):
            job.result()
    assert dead(pid)


def test_cancel_spares_the_other_children(bench: Bench) -> None:
    other = Cancel()
    daemon = "(setsid sh -c 'echo $$ > {0}; exec sleep 1000' &); "
    wait = "while [ ! -e go ]; do sleep 0.02; done; kill $(cat {0})"
    with ThreadPoolExecutor(2) as pool:
        stays = pool.submit(bench.sh, (daemon + wait).format("one"), cancelled=other)
        goes = pool.submit(bench.sh, daemon.format("two") + "sleep 1000")
        one, two = (number_in(bench.folder / name) for name in ("one", "two"))
        bench.cancel.set()
        with pytest.raises(Cancelled):
            goes.result()
        assert dead(two)
        assert alive(one)
        (bench.folder / "go").touch()
        assert stays.result().code == 0


def test_child_may_tidy_up_when_cancelled(bench: Bench) -> None:
    log = Log()
    text = "trap 'echo tidy; exit 0' TERM; echo > up; while :; do sleep 0.02; done"
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.sh, text, log=log)
        wait_for((bench.folder / "up").exists)
        bench.cancel.set()
        with pytest.raises(Cancelled):
            job.result()
    assert log.data.endswith(b"tidy\n")


@pytest.mark.live
def test_each_process_is_asked_once(bench: Bench) -> None:
    log = Log()
    text = (
        "import signal, time, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
        "open('up', 'w').close()\n"
        "while True: time.sleep(0.1)"
    )
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.run, sys.executable, "-S", "-c", text, log=log, grace=1)
        wait_for((bench.folder / "up").exists)
        bench.cancel.set()
        with pytest.raises(Cancelled):
            job.result()
    assert log.data == b"asked\n"


def test_stopped_child_ends_without_the_grace(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.sh, "echo $$ > pid; kill -STOP $$; sleep 1000", grace=60)
        pid = number_in(bench.folder / "pid")
        bench.cancel.set()
        with pytest.raises(Cancelled):
            job.result(30)
    assert dead(pid)


def test_timeout_ends_a_child_that_will_not(bench: Bench) -> None:
    text = "trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done"
    with pytest.raises(TimedOut, match=r"longer than 0\.3 s"):
        bench.sh(text, timeout=0.3, grace=0.2)
    assert dead(number_in(bench.folder / "pid"))


def test_timeout_comes_to_a_child_that_talks_all_the_time(bench: Bench) -> None:
    with pytest.raises(TimedOut):
        bench.run("yes", on_line=lambda _: None, timeout=0.2)


def test_child_in_time_is_not_late(bench: Bench) -> None:
    assert bench.sh("exit 4", timeout=60).code == 4


def test_keyboard_interrupt_ends_the_child(bench: Bench) -> None:
    def interrupt() -> None:
        number_in(bench.folder / "pid")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        bench.sh("echo $$ > pid; exec sleep 1000")
    thread.join()
    assert dead(number_in(bench.folder / "pid"))


def test_signal_handler_may_cancel(bench: Bench) -> None:
    def interrupt() -> None:
        number_in(bench.folder / "pid")
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, lambda *_: bench.cancel.set())
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(Cancelled):
            bench.sh("echo $$ > pid; exec sleep 1000", timeout=600)
    finally:
        signal.signal(signal.SIGINT, before)
        thread.join()


def test_close_ends_what_runs(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.sh, "echo $$ > pid; exec sleep 1000")
        pid = number_in(bench.folder / "pid")
        bench.processes.close()
        with pytest.raises(Cancelled):
            job.result()
    assert dead(pid)
    with pytest.raises(Cancelled):
        bench.sh("true")
    bench.processes.close()


def test_parents_are_asked_before_their_children(bench: Bench, monkeypatch) -> None:
    """A shell whose command has ended goes on with the next one, unless it knows by then that it is to end."""
    asked: list[int] = []
    monkeypatch.setattr(warden_tree, "ask_to_end", asked.append)
    rows = [
        warden_tree.Row(pid, 1, 7, 7, float(at), ended=False)
        for pid, at in ((9, 3), (12, 2), (7, 2), (8, 5))
    ]
    step = Step(1, 7, "", -1)
    step._ask(rows)
    step._ask(rows)
    assert asked == [7, 12, 9, 8]
