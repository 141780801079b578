"""Stopping: Ctrl-C ends every descendant, leaves a true state, and the next apply goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.chaos_fixed import CHAOS, chaos, processes_with
from tests.project import Project

pytestmark = pytest.mark.live

LABFILE = """
    labfile: 1
    name: stop
    steps:
      quick: {kind: command, command: "true"}
      slow:
        kind: command
        needs: quick
        command: "trap 'echo polite > polite; exit 1' TERM; sleep 300 & echo $$ > pid; sleep 300 & wait"
      after: {kind: command, needs: slow, command: "true"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "lab")
    made.labfile(LABFILE)
    return made


def _until(holds, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _ours(project: Project) -> list[psutil.Process]:
    return processes_with("LAB_ROOT", str(project.folder))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_cleanly(project: Project, number: signal.Signals) -> None:
    process = project.popen("apply")
    _until((project.folder / "pid").exists)
    os.kill(process.pid, number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert (project.folder / "polite").exists(), "steps are asked before they are ended"
    _until(lambda: not _ours(project))
    plan = project.plan()
    assert plan["quick"][0] == "keep"
    assert plan["slow"] == ("create", "last run was interrupted (run 1)")
    assert "To go on: lab apply" in out


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile("""
        labfile: 1
        name: stubborn
        steps:
          deaf: {kind: command, command: "trap '' TERM INT; touch up; while :; do sleep 1; done"}
    """)
    process = project.popen("apply")
    _until((project.folder / "up").exists)
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None, "the first signal gives the step its time"
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=5) == 130
    _until(lambda: not _ours(project))
    assert project.plan()["deaf"][1] == "last run was interrupted (run 1)"


def test_a_timeout_ends_the_step_and_its_children(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile("""
        labfile: 1
        name: late
        steps:
          late: {kind: command, timeout: 1s, command: "sleep 300 & sleep 300"}
    """)
    said = project.lab("apply", expect=1).out
    assert "not done within 1 s" in said
    _until(lambda: not _ours(project))


def test_killed_at_random_moments() -> None:
    """A few rounds of `make chaos`: see tests/chaos_fixed.py for what is checked after each kill."""
    tally = chaos(CHAOS, rounds=9, seed=20261123)
    print(tally)
    assert tally.kills >= 9
    assert not tally.faults


WRITES = """
    labfile: 1
    name: writes
    secrets: {token: {env: TOKEN}}
    steps:
      other: {kind: command, command: "true"}
      slow:
        kind: command
        command: 'while :; do echo "token=$T" >> "$LAB_OUTPUT"; echo $$ > pid; sleep 0.1; done'
        env: {T: "{{ secrets.token }}"}
        needs: other
"""


def test_what_a_killed_step_wrote_for_lab_goes_with_the_next_command(tmp_path: Path) -> None:
    """Nobody has looked yet whether it holds a secret: here it does."""
    project = Project(tmp_path / "lab", {"TOKEN": "a-planted-value"})
    project.labfile(WRITES)
    process = project.popen("apply")
    _until((project.folder / "pid").exists)
    for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children(True)):
        with contextlib.suppress(psutil.Error):
            each.kill()  # the warden too: nobody is left to tidy up
    process.wait(20)
    _until(lambda: not _ours(project))
    assert _planted(project)
    project.lab("plan")
    assert _planted(project), "looking changes nothing"
    assert "took over" in project.lab("state", "mv", "other", "another").err
    assert not _planted(project)


def _planted(project: Project) -> list[Path]:
    files = [path for path in (project.folder / ".lab").rglob("*") if path.is_file()]
    return [path for path in files if b"a-planted-value" in path.read_bytes()]
