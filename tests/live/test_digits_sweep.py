"""The sweep of the digits example, small: real trials, the best model handed on, shown while and after."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
import tensorflow_env

from tests.project import Project

pytestmark = pytest.mark.live

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits-sweep"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The example without its environment step, with three trials of which two run at once."""
    bin_ = str(tensorflow_env.interpreter().parent)
    path = {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", **tensorflow_env.QUIET}
    made = Project(tmp_path / "lab", path)
    for name in ("train.py", "data.py", "evaluate.py"):
        shutil.copy(EXAMPLE / name, made.folder)
    text = re.sub(r"  env:\n(    .*\n)+\n", "", (EXAMPLE / "Labfile.yaml").read_text())
    text = re.sub(r" +environment: env\n", "", text)
    made.labfile(text.replace("{max: 12, parallel: 3", "{max: 3, parallel: 2"))
    return made


def test_the_best_model_is_handed_on_and_every_trial_is_shown(project: Project) -> None:
    project.lab("apply", "--var", "epochs=3", timeout=300)
    found = project.lab("show", "sweep", "--json").json
    sweep = found["sweep"]
    assert [each["outcome"] for each in sweep["trials"]] == ["done"] * 3
    best = sweep["best_trial"]
    assert sweep["best_metric"] == max(t["metrics"]["val_accuracy"] for t in sweep["trials"])
    assert all(len(t["curves"]["val_loss"]) == 3 for t in sweep["trials"])
    outputs = project.lab("output", "--json").json
    assert outputs["best"] == sweep["best_parameters"]
    assert outputs["accuracy"] > 0.8, "digits that no trial saw"

    project.lab("artifacts", "get", "1", "sweep.model", "best.keras")
    project.lab("artifacts", "get", "1", f"sweep[#{best}].model", "same.keras")
    model = (project.folder / "best.keras").read_bytes()
    assert model == (project.folder / "same.keras").read_bytes()
    compared = project.lab("compare", "sweep[#1]", "sweep[#3]", "--json").json
    assert [each["step"] for each in compared] == ["sweep[#1]", "sweep[#3]"]
    assert compared[0]["curves"]["val_accuracy"] == sweep["trials"][0]["curves"]["val_accuracy"]

    project.lab("show", "sweep", "--html", "page.html")
    assert "val_accuracy" in (project.folder / "page.html").read_text()
    assert "kept" in project.apply("--var", "epochs=3").out
    before = project.lab("gc", "--yes", "--json").json
    assert before["entries"] == [], "trials belong to something"
