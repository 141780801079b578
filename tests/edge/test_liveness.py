"""Whether the holder of a lock still lives, and who bears a mark."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from process_bench import dead, new_mark, wait_for

from lab.edge import warden_tree
from lab.edge.liveness import is_alive, process_identity
from lab.edge.process import end_marked, find_marked


@pytest.fixture(params=["here", "elsewhere"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden_tree, "LINUX", request.param == "here")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


@pytest.mark.usefixtures("system")
class TestIdentity:
    def test_this_process_lives(self) -> None:
        identity = json.loads(json.dumps(process_identity(os.getpid())))
        assert {"pid", "start_time", "boot_id"} <= identity.keys()
        assert is_alive(identity) is True

    def test_dead_process(self, sleeper: subprocess.Popen[bytes]) -> None:
        identity = process_identity(sleeper.pid)
        assert is_alive(identity) is True
        sleeper.kill()
        sleeper.wait()
        assert is_alive(identity) is False
        with pytest.raises(ProcessLookupError):
            process_identity(sleeper.pid)

    def test_zombie_is_dead(self, sleeper: subprocess.Popen[bytes]) -> None:
        identity = process_identity(sleeper.pid)
        sleeper.kill()
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        assert is_alive(identity) is False

    def test_stopped_process_is_alive(self, sleeper: subprocess.Popen[bytes]) -> None:
        identity = process_identity(sleeper.pid)
        sleeper.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WNOWAIT)
        assert is_alive(identity) is True

    def test_another_process_with_the_same_number(self) -> None:
        identity = process_identity(os.getpid())
        assert is_alive({**identity, "start_time": identity["start_time"] - 1}) is False

    @pytest.mark.parametrize("broken", [{}, {"pid": "1"}, {"pid": 1}, {"pid": -1, "start_time": 1}])
    def test_what_is_no_identity_proves_nothing(self, broken: dict[str, Any]) -> None:
        assert is_alive(broken) is None


def test_before_the_last_boot_everything_was_another_process() -> None:
    identity = process_identity(os.getpid())
    assert is_alive({**identity, "boot_id": "another"}) is False


def test_number_from_another_container_proves_nothing() -> None:
    identity = process_identity(os.getpid())
    assert is_alive({**identity, "namespace": "pid:[1]"}) is None
    assert is_alive({**identity, "boot_id": ""}) is None


def test_process_of_another_user_is_seen() -> None:
    assert is_alive(process_identity(1)) is True


def test_process_whose_first_thread_has_ended_lives() -> None:
    text = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
        "print('up', flush=True)\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    with subprocess.Popen([sys.executable, "-S", "-c", text], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = process_identity(process.pid)

        def first_thread_ended() -> bool:
            with open(f"/proc/{process.pid}/stat") as file:
                return file.read().rsplit(")")[-1].split()[0] == "Z"

        wait_for(first_thread_ended)
        assert is_alive(identity) is True
        process.kill()


def test_names_with_brackets_and_blanks() -> None:
    text = "import ctypes, time; ctypes.CDLL(None).prctl(15, b') Z 1 (', 0, 0, 0); "
    text += "print('up', flush=True); time.sleep(1000)"
    with subprocess.Popen([sys.executable, "-S", "-c", text], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        row = warden_tree.row(process.pid)
        assert row is not None
        assert (row.parent, row.ended) == (os.getpid(), False)
        assert is_alive(process_identity(process.pid)) is True
        process.kill()


def marked(mark: str, *argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, env={"PATH": os.environ["PATH"], "LAB_MARK": mark})


@pytest.mark.usefixtures("system")
class TestSurvivors:
    def test_prefix_decides(self) -> None:
        mark, other = new_mark(), new_mark()
        with (
            marked(f"{mark}.1", "sleep", "1000") as mine,
            marked(f"{mark}.2", "sleep", "1000") as too,
            marked(f"{other}.1", "sleep", "1000") as strange,
        ):
            pids = sorted([mine.pid, too.pid])
            wait_for(lambda: find_marked(mark) == pids)
            assert find_marked(f"{mark}.2") == [too.pid]
            assert end_marked(mark, 5.0) == []
            assert (mine.wait(), too.wait()) == (-signal.SIGTERM, -signal.SIGTERM)
            assert strange.poll() is None
            assert end_marked(other, 0.0) == []
            assert strange.wait() == -signal.SIGKILL

    def test_deaf_ones_are_killed(self) -> None:
        mark = new_mark()
        text = "trap '' TERM; kill -STOP $$; while :; do sleep 0.1; done"
        with marked(mark, "sh", "-c", text) as deaf:
            os.waitid(os.P_PID, deaf.pid, os.WSTOPPED | os.WNOWAIT)
            assert end_marked(mark, 0.2) == []
            assert dead(deaf.pid)
            assert deaf.wait() == -signal.SIGKILL

    def test_those_that_dropped_the_mark_end_with_their_parents(self) -> None:
        mark = new_mark()
        with marked(mark, "sh", "-c", "env -i sleep 1000; true") as parent:

            def child() -> list[int]:
                rows = warden_tree.table().values()
                return [r.pid for r in rows if r.parent == parent.pid]

            pid = wait_for(child)[0]
            assert end_marked(mark, 5.0) == []
            assert dead(pid)

    def test_nothing_to_find(self) -> None:
        assert find_marked(new_mark()) == []
        assert end_marked(new_mark(), 5.0) == []

    def test_empty_prefix_is_refused(self) -> None:
        with pytest.raises(ValueError, match="every process"):
            find_marked("")
        with pytest.raises(ValueError, match="every process"):
            end_marked("", 0.0)


@pytest.mark.live
def test_this_process_and_its_parents_are_spared() -> None:
    mark = new_mark()
    text = (
        "import subprocess, sys; from lab.edge.process import end_marked, find_marked\n"
        "child = subprocess.Popen(['sleep', '1000'])\n"
        f"while find_marked({mark!r}) != [child.pid]: pass\n"
        f"assert end_marked({mark!r}, 5.0) == []\n"
        "sys.exit(child.wait() == -15)"
    )
    shell = 'python=$1; shift; "$python" -c "$1"; exit $?'
    root = os.getcwd()
    env = {"PATH": os.environ["PATH"], "LAB_MARK": mark, "PYTHONPATH": root}
    argv = ["sh", "-c", shell, "sh", sys.executable, text]
    assert subprocess.run(argv, env=env, check=False, timeout=60).returncode == 1
