"""What becomes of children when lab, or the warden, or both of them are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from process_bench import Bench, a_bench, alive, dead, new_mark, number_in, wait_for

import lab
from lab.edge import warden_tree
from lab.edge.process import end_marked, find_marked

pytestmark = pytest.mark.live

LAB = """
import os, sys
from lab.edge import process_link as link
from lab.edge.process import Cancel, Processes

mark, folder, mode, end = sys.argv[1:]
if mode == "elsewhere":  # As on systems where orphans cannot be adopted and there is no /proc.
    boot = "from lab.edge import warden_tree; warden_tree.LINUX = False; "
    link._BOOT = link._BOOT.replace("from lab.edge.warden", boot + "from lab.edge.warden")
    link._psutil_root = lambda: [path for path in sys.path if path.endswith("site-packages")][0]

processes = Processes(mark=mark, ambient=os.environ)
processes.warm()
with open(os.path.join(folder, "warden"), "w") as file:
    print(processes._links[False].warden, file=file)
if end == "fork" and os.fork() == 0:
    with open(os.path.join(folder, "fork"), "w") as file:
        print(os.getpid(), file=file)
    while True:
        os.read(0, 1)
def on_line(line):
    if end == "fault":
        raise SystemExit
    if end == "exit":
        os._exit(0)
processes.run(
    ["sh", "./tree"],
    cwd=folder, env={"PATH": os.environ["PATH"]}, log=None, on_line=on_line, cancelled=Cancel(),
    grace=1,
)
"""

# A child; one that is deaf; a deaf daemon; a daemon that gives birth to another when it is to end;
# a stopped one. Each writes its number once it is ready.
TREE = {
    "tree": "sh ./deaf & (setsid sh ./daemon &); (setsid sh ./hydra &); sh ./stopped & "
    "for one in deaf daemon hydra stopped; do while [ ! -s $one.pid ]; do sleep 0.02; done; done; "
    "echo $$ > tree.pid; echo ready; exec sleep 1000",
    "deaf": "trap '' TERM; echo $$ > deaf.pid; while :; do sleep 0.1; done",
    "daemon": "trap '' TERM INT HUP; echo $$ > daemon.pid; while :; do sleep 0.1; done",
    "hydra": "trap 'setsid sh ./head & exit' TERM; echo $$ > hydra.pid; "
    "while :; do sleep 0.1; done",
    "head": "echo $$ > head.pid; exec sleep 1000",
    "stopped": "echo $$ > stopped.pid; kill -STOP $$; exec sleep 1000",
}


class Killable:
    """A lab in a process of its own, which can be killed."""

    def __init__(self, folder: Path, mode: str = "here", end: str = "") -> None:
        for name, text in TREE.items():
            (folder / name).write_text(text)
        self.folder, self.mark = folder, new_mark()
        root = os.path.dirname(os.path.dirname(lab.__file__))
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAB, self.mark, str(folder), mode, end],
            env={**os.environ, "PYTHONPATH": root},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self.warden = number_in(folder / "warden")
        names = ("tree", "deaf", "daemon", "hydra", "stopped")
        self.children = [number_in(folder / f"{name}.pid") for name in names]

    def pids(self) -> list[int]:
        """The children, and what the hydra brought forth."""
        path = self.folder / "head.pid"
        return [*self.children, *([number_in(path)] if path.exists() else [])]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def killables() -> Iterator[list[Killable]]:
    made: list[Killable] = []
    yield made
    for one in made:
        with suppress(ProcessLookupError):
            one.process.kill()
        one.process.communicate()
        end_marked(one.mark, 0.0)


MODES = pytest.mark.parametrize("mode", ["here", "elsewhere"])


@MODES
def test_lab_killed(tmp_path: Path, killables: list[Killable], mode: str) -> None:
    one = Killable(tmp_path, mode)
    killables.append(one)
    one.kill()
    wait_for(lambda: dead(one.warden, *one.pids()), "the end of all")
    assert not find_marked(one.mark)


def test_lab_and_its_group_killed(tmp_path: Path, killables: list[Killable]) -> None:
    one = Killable(tmp_path)
    killables.append(one)
    os.killpg(one.process.pid, signal.SIGKILL)
    one.process.wait()
    wait_for(lambda: dead(one.warden, *one.pids()), "the end of all")
    assert not find_marked(one.mark)


@pytest.mark.parametrize("end", ["fault", "exit"])
def test_lab_ends_without_a_farewell(tmp_path: Path, killables: list[Killable], end: str) -> None:
    one = Killable(tmp_path, end=end)
    killables.append(one)
    one.process.wait(60)
    wait_for(lambda: dead(one.warden, *one.pids()), "the end of all")
    assert not find_marked(one.mark)


def test_what_lab_forked_does_not_keep_its_children(
    tmp_path: Path, killables: list[Killable]
) -> None:
    one = Killable(tmp_path, end="fork")
    killables.append(one)
    fork = number_in(tmp_path / "fork")
    one.kill()
    try:
        wait_for(lambda: dead(one.warden, *one.pids()), "the end of all")
        assert alive(fork)
    finally:
        os.kill(fork, signal.SIGKILL)


@MODES
def test_lab_and_warden_killed(
    tmp_path: Path, killables: list[Killable], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warden_tree, "LINUX", mode == "here")
    one = Killable(tmp_path, mode)
    killables.append(one)
    one.process.send_signal(signal.SIGSTOP)  # Or it would see the warden's end.
    os.kill(one.warden, signal.SIGKILL)
    one.kill()
    wait_for(lambda: dead(one.warden))
    assert not any(map(dead, one.children))
    assert set(one.children) <= set(find_marked(one.mark))
    assert end_marked(one.mark, 0.3) == []
    assert dead(*one.pids())
    assert find_marked(one.mark) == []


@MODES
def test_warden_killed_while_lab_lives(
    tmp_path: Path, killables: list[Killable], mode: str
) -> None:
    one = Killable(tmp_path, mode)
    killables.append(one)
    os.kill(one.warden, signal.SIGKILL)
    assert one.process.wait(60) == 1
    assert dead(*one.pids())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path) as made:
        yield made


def test_warden_is_deaf_to_what_a_terminal_sends(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.sh, "touch up; while [ ! -e go ]; do sleep 0.02; done; exit 3")
        wait_for((bench.folder / "up").exists)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            os.kill(bench.warden(), number)
        (bench.folder / "go").touch()
        assert job.result(60).code == 3


def test_warden_is_out_of_reach_of_the_terminal(bench: Bench) -> None:
    row = warden_tree.row(bench.warden())
    assert row is not None
    wait_for(lambda: os.getsid(bench.warden()) == bench.warden())


def test_orphans_are_waited_for(bench: Bench) -> None:
    bench.sh("for i in 1 2 3 4 5 6 7 8 9; do (setsid true &); done")
    warden = bench.warden()

    def no_zombie() -> bool:
        return not [r for r in warden_tree.table().values() if r.parent == warden]

    wait_for(no_zombie, "the end of the orphans")


def test_idle_warden_uses_no_time(bench: Bench) -> None:
    bench.sh("true")

    def ticks() -> int:
        text = Path(f"/proc/{bench.warden()}/stat").read_text()
        return sum(map(int, text[text.rindex(")") + 2 :].split()[11:13]))

    before = ticks()
    time.sleep(1)
    assert ticks() - before <= 5


def test_close_waits_for_the_deaf(bench: Bench) -> None:
    bench.sh("(setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 0.1; done' &)")
    pid = number_in(bench.folder / "pid")
    bench.processes.close()
    assert dead(pid)
