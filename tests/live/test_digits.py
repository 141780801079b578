"""The digits lab, for real: TensorFlow, scikit-learn's digits, kills in the middle of everything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.chaos_fixed import DIGITS, ROOT, chaos
from tests.project import Project

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("digits") / "lab"
    shutil.copytree(ROOT / "examples" / "digits", folder, ignore=shutil.ignore_patterns(".lab"))
    project = Project(folder)
    ran = project.lab("apply", timeout=900)
    assert "Done in" in ran.out, ran.out
    return project


def _epochs(project: Project) -> list[int]:
    path = project.folder / ".lab/work/digits/steps/train/metrics.jsonl"
    return [json.loads(line)["epoch"] for line in path.read_text().splitlines()]


def test_it_reads_digits_that_it_was_not_trained_on(digits: Project) -> None:
    outputs = digits.lab("output", "--json").json
    assert 0.95 <= outputs["accuracy"] < 1.0
    assert Path(outputs["model"]).is_file()
    assert _epochs(digits) == list(range(1, 16))


def test_a_second_apply_does_nothing_and_says_why(digits: Project) -> None:
    said = digits.lab("apply").out
    assert "Nothing to do" in said
    assert said.count("nothing changed") == 4


def test_one_byte_of_train_py_runs_the_training_and_what_depends_on_it(digits: Project) -> None:
    path = digits.folder / "train.py"
    path.write_text(path.read_text() + "# one more line\n")
    plan = digits.plan()
    assert {step: action for step, (action, _) in plan.items()} == {
        "env": "keep",
        "data": "keep",
        "train": "update",
        "evaluate": "unknown",
    }
    ran = digits.apply()
    assert ran.steps("started")[0] == "train"
    assert set(ran.steps("kept")) >= {"env", "data"}
    assert _epochs(digits) == list(range(1, 16)), "a training that starts anew starts its log anew"


def test_the_progress_told_to_machines_has_epochs_and_metrics(digits: Project) -> None:
    told = digits.apply("--replace", "train", "--yes").events
    progress = [e for e in told if e["event"] == "step.progress" and e["step"] == "train"]
    assert any("val_accuracy" in e.get("metrics", {}) for e in progress)
    assert any("epoch" in e.get("text", "") for e in progress)


def test_killed_at_random_moments() -> None:
    tally = chaos(DIGITS, rounds=4, seed=1123)
    print(tally)
    assert tally.kills >= 3
    assert not tally.faults
