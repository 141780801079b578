"""How a child ends by itself, what it leaves, and what it costs."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from process_bench import Bench, a_bench, alive, dead, number_in, wait_for

from lab.edge.process import Cancelled, Lost, NotStarted


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path) as made:
        yield made


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_exit_status_is_told(bench: Bench, code: int) -> None:
    assert bench.sh(f"exit {code}").code == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_signal_is_told_as_a_negative_code(bench: Bench, number: int) -> None:
    assert bench.sh(f"kill -{int(number)} $$").code == -number


def test_cost_is_told(bench: Bench) -> None:
    work = "x = bytearray(80_000_000); sum(range(2_000_000))"
    ended = bench.run(sys.executable, "-S", "-c", work)
    assert ended.cpu_seconds > 0
    assert 80_000_000 < ended.max_rss < 1_000_000_000


def test_children_ignore_no_signal(bench: Bench) -> None:
    look = "import signal; print([s for s in signal.valid_signals() if s not in (9, 19) and "
    look += "signal.getsignal(s) == signal.SIG_IGN], signal.pthread_sigmask(0, []))"
    # Python itself ignores SIGPIPE and SIGXFSZ.
    said = bench.run(sys.executable, "-S", "-c", look, capture=True).output.decode()
    assert said.replace(" ", "") in (
        "[<Signals.SIGPIPE:13>,<Signals.SIGXFSZ:25>]set()\n",
        "[<Signals.SIGXFSZ:25>,<Signals.SIGPIPE:13>]set()\n",
    )


def test_environment_is_what_was_given_and_the_mark(bench: Bench) -> None:
    env = {"PATH": os.environ["PATH"], "A": "ü \udcff", "LAB_MARK": "another"}
    out = bench.run("env", env=env, capture=True).output
    lines = dict(line.split(b"=", 1) for line in out.splitlines())
    assert lines.keys() == {b"PATH", b"A", b"LAB_MARK"}
    assert lines[b"A"] == "ü ".encode() + b"\xff"
    assert lines[b"LAB_MARK"].decode().startswith(bench.mark)


def test_no_handles_but_the_three_reach_a_child(bench: Bench) -> None:
    reader, writer = os.pipe()
    try:
        os.set_inheritable(writer, True)
        assert bench.said("ls /proc/self/fd | wc -l").strip() == "4"  # The listing itself is one.
    finally:
        os.close(reader)
        os.close(writer)


def test_first_word_stays_as_it_was_written(bench: Bench) -> None:
    out = bench.run("sh", "-c", "tr '\\0' '|' < /proc/$$/cmdline; exit", capture=True).output
    assert out.startswith(b"sh|-c|")


def test_large_arguments_and_environment_arrive_whole(bench: Bench) -> None:
    words = ["x" * 100_000] * 5
    env = {"PATH": os.environ["PATH"], "BIG": "y" * 120_000}
    text = "echo $# ${#5} ${#BIG}"
    out = bench.run("sh", "-c", text, "sh", *words, env=env, capture=True).output
    assert out == b"5 100000 120000\n"


@pytest.mark.live
def test_background_processes_end_with_the_child(bench: Bench) -> None:
    text = "sh -c 'echo $$ > a; sleep 1000' & (trap '' TERM; sh -c 'echo $$ > b; sleep 1000') & "
    text += "while [ ! -s a ] || [ ! -s b ]; do sleep 0.02; done; echo hi"
    assert bench.said(text) == "hi\n"
    assert dead(*(number_in(bench.folder / name) for name in "ab"))


def test_output_of_what_ends_a_moment_later_is_not_lost(bench: Bench) -> None:
    assert bench.said("(sleep 0.05; echo late) & echo early") == "early\nlate\n"


def test_daemon_that_holds_the_pipe_holds_up_nobody(bench: Bench) -> None:
    daemon = "(setsid sh -c 'echo $$ > pid; while :; do echo x; sleep 0.02; touch goes; done' &); "
    said = bench.said(daemon + "while [ ! -s pid ]; do sleep 0.02; done; echo hi")
    assert "hi\n" in said
    pid = number_in(bench.folder / "pid")
    # It lives as long as lab does, and may write on.
    for _ in range(3):
        (bench.folder / "goes").unlink(missing_ok=True)
        wait_for((bench.folder / "goes").exists)
    assert alive(pid)
    bench.processes.close()
    assert dead(pid)


def test_servers_that_are_to_stay_do_stay(bench: Bench) -> None:
    text = "(setsid sh -c 'echo $$ > pid; exec sleep 1000' &); while [ ! -s pid ]; do :; done; env"
    env = {"PATH": os.environ["PATH"], "LAB_MARK": "other"}
    said = bench.said(text, outlives=True, env=env)
    pid = number_in(bench.folder / "pid")
    bench.processes.close()
    try:
        assert alive(pid)
        assert "LAB_MARK" not in said
    finally:
        os.kill(pid, signal.SIGKILL)


def test_server_starter_itself_ends_with_lab(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as pool:
        text = "sh -c 'echo $$ > pid; sleep 1000'; true"
        job = pool.submit(bench.sh, text, outlives=True)
        pid = number_in(bench.folder / "pid")
        bench.processes.close()
        with pytest.raises(Cancelled):
            job.result()
    assert dead(pid)


def test_death_of_the_warden_ends_its_children_and_lab_goes_on(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as pool:
        text = "(setsid sh -c 'echo $$ > b; exec sleep 1000' &); echo $$ > a; exec sleep 1000"
        job = pool.submit(bench.sh, text)
        pids = [number_in(bench.folder / name) for name in "ab"]
        os.kill(bench.warden(), signal.SIGKILL)
        with pytest.raises(Lost):
            job.result()
    assert dead(*pids)
    assert bench.said("echo on") == "on\n"


def test_warden_that_died_unnoticed_is_replaced(bench: Bench) -> None:
    assert bench.said("echo one") == "one\n"
    warden = bench.warden()
    os.kill(warden, signal.SIGKILL)
    wait_for(lambda: dead(warden))
    assert bench.said("echo two") == "two\n"


def test_run_without_any_child_starts_no_warden(bench: Bench) -> None:
    assert not bench.processes._links
    with pytest.raises(NotStarted):
        bench.run("")
    assert not bench.processes._links


def handles(pid: int | str) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def many(bench: Bench, children: int, threads: int, *argv: str) -> list[int]:
    def one(number: int) -> int:
        return bench.run(*argv, str(number), log=io.BytesIO()).code

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(children)))


@pytest.mark.live
def test_many_children_leak_nothing(bench: Bench) -> None:
    many(bench, 30, 8, "sh", "-c", "echo x; (setsid true &) ; exit $(($0 % 8))")
    before = handles("self"), handles(bench.warden())
    codes = many(bench, 300, 8, "sh", "-c", "echo x; (setsid true &); exit $(($0 % 8))")
    assert codes == [number % 8 for number in range(300)]
    # Up to eight channels to the warden are kept, one a thread.
    assert handles("self") <= before[0] + 8
    wait_for(lambda: handles(bench.warden()) <= before[1] + 8)
    bench.processes.close()
    assert handles("self") < before[0]


@pytest.mark.live
def test_throughput_is_shown(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.sh("true")
    start = time.perf_counter()
    codes = many(bench, 1000, 2, "true")
    seconds = time.perf_counter() - start
    assert set(codes) == {0}
    with capsys.disabled():
        print(f"\n1000 children, 2 at a time: {seconds:.2f} s ({seconds:.2f} ms each)")


LOOK = "import os; print(sorted(os.sched_getaffinity(0)), flush=True)"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system knows no affinity")
def test_a_program_and_what_it_starts_are_kept_to_their_cores_and_the_next_is_not(
    bench: Bench,
) -> None:
    there = sorted(os.sched_getaffinity(0))
    text = f"{sys.executable} -c '{LOOK}'; {sys.executable} -c '{LOOK}'"
    assert bench.said(text, cores=(there[-1],)).splitlines() == [f"[{there[-1]}]"] * 2
    assert bench.said(text).splitlines() == [str(there)] * 2
    gone = max(there) + 4000
    assert bench.said(text, cores=(gone,)).splitlines() == [str(there)] * 2
