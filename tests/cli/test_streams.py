"""Standard streams that are closed, full or read no more: exact exit codes, no traceback, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import LAB, Project

pytestmark = pytest.mark.live

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


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
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


@pytest.mark.usefixtures("buffering")
def test_a_reader_who_has_enough_is_no_fault(project: Project) -> None:
    code, said = _shell(project, '"$LAB" plan | head -1; exit ${PIPESTATUS[0]}')
    assert (code, said.count("\n")) == (0, 1)
    code, _ = _shell(project, '"$LAB" plan --json | true; exit ${PIPESTATUS[0]}')
    assert code == 0


@pytest.mark.usefixtures("buffering")
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


@pytest.mark.usefixtures("buffering")
@needs_full
@pytest.mark.parametrize("words", ["version", "--help", "plan", "plan --json", "graph", "status"])
def test_no_room_for_the_output_is_said(project: Project, words: str) -> None:
    code, said = _shell(project, f'"$LAB" {words} > /dev/full')
    assert code == 1
    assert "its output cannot be written: No space left on device" in said


@pytest.mark.usefixtures("buffering")
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


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_signs_that_an_encoding_lacks_are_shown_by_others(project: Project, encoding: str) -> None:
    project.env["PYTHONIOENCODING"] = encoding
    project.labfile(LABFILE.replace("echo hello", "echo 'x=é😀' >> $LAB_OUTPUT"))
    plain, told = (
        subprocess.run(
            [LAB, "apply", *words],
            cwd=project.folder,
            env=project.env,
            capture_output=True,
            check=True,
        ).stdout.decode(encoding)
        for words in ([], ["--json", "--replace", "a"])
    )
    assert "> a" in plain and "+ b" in plain
    events = [json.loads(line) for line in told.splitlines()]
    assert {"x": "é😀"} in [event.get("outputs") for event in events]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    project = Project(Path(os.fsdecode(folder)))
    project.labfile(
        LABFILE
        + """
      c: {kind: command, command: "echo 1 > $LAB_STEP_DIR/x", artifacts: {x: "{{ step.dir }}/x"}}
    outputs: {x: "{{ steps.c.outputs.x }}"}
    """
    )
    assert "caf\\udce9/.lab" in project.lab("apply").out
    assert {action for action, _ in project.plan().values()} == {"keep"}
    assert (
        project.lab("output", "--json").json["x"].endswith("caf\udce9/.lab/work/streams/steps/c/x")
    )
    project.lab("destroy", "--yes")
