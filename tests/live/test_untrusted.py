"""Promise 9, through the real program: somebody else's checkout runs nothing, writes nowhere else, and hangs nobody."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.live

LOOKING = (
    "plan",
    "validate",
    "graph",
    "status",
    "doctor",
    "drift",
    "explain a",
    "plan --out p.json",
)
STEP = "labfile: 1\nname: t\nsteps:\n  a: {kind: command, command: 'echo x=1 >> $LAB_OUTPUT'}\n"


def _tree(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def test_looking_runs_no_secrets_command(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile(
        "labfile: 1\nsecrets: {s: {command: [touch, pwned]}}\nsteps:\n"
        "  a: {kind: command, command: 'true', env: {A: '{{ secrets.s }}'}}\n"
    )
    for verb in LOOKING:
        project.lab(*verb.split(), expect=None)
    assert not (project.folder / "pwned").exists()


def test_a_planted_folder_of_labs_leads_nowhere(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    victim = tmp_path / "victim"
    (victim / "work" / "x").mkdir(parents=True)
    (victim / "work" / "x" / "thesis").write_text("precious")
    project.labfile(STEP)
    (project.folder / ".lab").symlink_to(victim)
    before = _tree(victim)
    for verb in ("plan", "apply", "gc --yes", "destroy --yes", "state list"):
        assert "is a symbolic link" in project.lab(*verb.split(), expect=4).err
    assert _tree(victim) == before


def test_a_name_in_somebodys_state_leads_nowhere(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    victim = tmp_path / "victim"
    (victim / "steps" / "x").mkdir(parents=True)
    project.labfile(STEP)
    project.lab("apply")
    with sqlite3.connect(project.folder / ".lab" / "state.db") as state:
        state.execute("UPDATE labs SET name = '../../../victim'")
    state.close()
    (project.folder / "Labfile.yaml").unlink()
    project.lab("gc", "--yes", expect=None)
    assert (victim / "steps" / "x").is_dir()


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile(
        "labfile: 1\nsteps: {a: {kind: command, command: [python3, t.py], inputs: [t.py]}}\n"
    )
    os.mkfifo(project.folder / "t.py")
    for verb in ("plan", "doctor", "init other.py"):
        project.lab(*verb.split(), expect=None, timeout=60)
