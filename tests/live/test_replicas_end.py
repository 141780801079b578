"""However lab ends, no replica of a training stays behind; and the next run goes on by itself."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.live

LABFILE = """
labfile: 1
name: t
steps:
  train:
    kind: training
    replicas: {chief: 1, worker: 2, ps: 1}
    command: "if [ -e go ]; then exit; fi; echo here; sleep 600 & wait"
"""


def replicas(project: Project) -> list[str]:
    """The replicas that live, by name; each has a child of its own."""
    mark, found = f"LAB_STEP_DIR={project.folder}/".encode(), []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            words = entry.read_bytes().split(b"\0")
            if any(word.startswith(mark) for word in words):
                found += [w.decode() for w in words if w.startswith(b"LAB_REPLICA=")]
    return sorted(found)


def within(seconds: float, project: Project, count: int) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if len(replicas(project)) == count:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_stays(tmp_path: Path, how: signal.Signals) -> None:
    project = Project(tmp_path / "lab")
    project.labfile(LABFILE)
    started = project.popen("apply")
    assert within(30, project, 8), replicas(project)
    os.kill(started.pid, how)
    started.communicate(timeout=60)
    assert within(15, project, 0), replicas(project)
    project.write("go", "")
    project.lab("apply")
    log = (project.folder / ".lab/work/t/logs/0002/train.log").read_text()
    assert "[lab] chief-0: exit 0" in log
