"""States of every shape that a lab ever wrote open, plan, apply and are destroyed in this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from project import Project
from state_fixtures.shapes import files

pytestmark = pytest.mark.live

FIXTURES = Path(__file__).resolve().parents[1] / "state_fixtures"
SHAPES = sorted(each.name for each in FIXTURES.glob("shapes-v*"))


def test_there_is_one_of_today() -> None:
    assert "shapes-v1" in SHAPES


@pytest.mark.parametrize("version", SHAPES)
def test_a_state_of_every_shape_goes_on(version: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "p")
    files(project)
    (project.folder / ".lab").mkdir()
    shutil.copy(FIXTURES / version / "state.db", project.folder / ".lab" / "state.db")
    assert (
        project.lab("state", "check").out
        == "shapes: whole, with 11 steps\nshapes@prod: whole, with 2 steps\n"
    )
    plan = project.plan()
    assert plan["new"] == plan["kept"] == plan["hidden"] == ("keep", "nothing changed")
    assert plan["adopted"] == ("keep", "nothing changed")
    assert plan["fails"][1].startswith("last run failed (run 2)")
    assert plan["slow"] == ("create", "last run was interrupted (run 2)")
    assert plan["train[lr=0.1]"][0] == "update"  # what it made is not here
    project.env["TOKEN"] = "another"
    assert project.plan()["hidden"][0] == "update"
    for name in ("mended", "quick"):
        project.write(name, "")
    project.lab("apply")
    assert {verb for verb, _ in project.plan().values()} == {"keep", "skip"}
    assert "protected" in project.lab("destroy", "--yes", expect=3).err
    project.lab("destroy", "--yes", "--exclude", "+kept")
    assert not (project.folder / "there").exists() and not (project.folder / "made").exists()
    project.lab("destroy", "--yes", "-e", "prod", "--exclude", "+kept")
