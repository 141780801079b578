"""Standard streams that are closed, full or read no more: exact exit codes, no traceback, nothing lost."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.project import LAB, Project

LABFILE = """
    labfile: 1
    name: streams
    steps:
      a: {kind: command, command: "echo hello"}
      b: {kind: command, needs: a, command: "touch b"}
"""

needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "lab")
    made.labfile(LABFILE)
    return made


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"], autouse=True)
def buffering(request: pytest.FixtureRequest, project: Project) -> None:
    project.env["PYTHONUNBUFFERED"] = request.param


def _shell(project: Project, text: str) -> tuple[int, str]:
    """Runs a line of bash in which `$LAB` is lab; its exit status, and what it printed."""
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=project.folder,
        env={**project.env, "LAB": str(LAB)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stdout and "a bug in lab" not in done.stdout, done.stdout
    return done.returncode, done.stdout


def test_a_reader_who_has_enough_is_no_fault(project: Project) -> None:
    code, said = _shell(project, '"$LAB" plan | head -1; exit ${PIPESTATUS[0]}')
    assert (code, said.count("\n")) == (0, 1)
    code, _ = _shell(project, '"$LAB" plan --json | true; exit ${PIPESTATUS[0]}')
    assert code == 0


def test_an_apply_that_nobody_reads_goes_on_to_its_end(project: Project) -> None:
    code, said = _shell(project, '"$LAB" apply | head -1; exit ${PIPESTATUS[0]}')
    assert code == 0
    assert said.count("cannot be written") == 1
    assert (project.folder / "b").exists()
    assert {action for action, _ in project.plan().values()} == {"keep"}


def test_a_failure_that_nobody_reads_is_one_all_the_same(project: Project) -> None:
    project.labfile(LABFILE.replace("touch b", "exit 3"))
    code, _ = _shell(project, '"$LAB" apply | true; exit ${PIPESTATUS[0]}')
    assert code == 1


@needs_full
@pytest.mark.parametrize("words", ["version", "--help", "plan", "plan --json", "graph", "status"])
def test_no_room_for_the_output_is_said(project: Project, words: str) -> None:
    code, said = _shell(project, f'"$LAB" {words} > /dev/full')
    assert code == 1
    assert "its output cannot be written: No space left on device" in said


@needs_full
@pytest.mark.parametrize("words", ["apply", "apply --json"])
def test_no_room_for_the_output_stops_no_run(project: Project, words: str) -> None:
    code, _ = _shell(project, f'"$LAB" {words} > /dev/full')
    assert code == 0
    assert (project.folder / "b").exists()


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams(project: Project, closed: str) -> None:
    code, _ = _shell(project, f'"$LAB" apply {closed}')
    assert code == 0
    assert {action for action, _ in project.plan().values()} == {"keep"}
    assert project.lab("logs", "a").out == "hello\n", "no file took the place of a closed stream"
    assert _shell(project, f'"$LAB" plan nowhere.yaml {closed}')[0] == 2
