"""Somebody's own train.py and requirements.txt: `lab init`, `lab apply`, at the first try."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.live

SOURCE = Path(__file__).parents[2] / "examples" / "own-script"


def test_init_and_apply_work_at_the_first_try(tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "own", ignore=shutil.ignore_patterns(".lab"))
    project = Project(tmp_path / "own")
    project.lab("init")
    assert len((project.folder / "Labfile.yaml").read_text().splitlines()) <= 25
    project.lab("apply", timeout=600)
    outputs = project.lab("output", "--json").json
    assert outputs["accuracy"] > 0.9
    assert Path(outputs["model"]).is_file()
    assert {action for action, _ in project.plan().values()} == {"keep"}
