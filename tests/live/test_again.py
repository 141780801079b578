"""`apply` after `apply` does nothing; what changes runs exactly what depends on it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.live

LABFILE = """
    labfile: 1
    name: again
    vars: {scale: 2}
    steps:
      data:
        kind: command
        command: [python3, make.py, data.txt, "{{ step.dir }}/data.txt"]
        artifacts: {data: "{{ step.dir }}/data.txt"}
      train:
        kind: training
        command: [python3, train.py, --data, "{{ steps.data.outputs.data }}", --out, "{{ step.dir }}/model"]
        parameters: {}
        metrics: {from: stdout}
        artifacts: {model: "{{ step.dir }}/model"}
      score:
        kind: command
        command: [python3, score.py, "{{ steps.train.outputs.model }}", "{{ vars.scale }}"]
      apart:
        kind: command
        command: [python3, -c, "print('apart')"]
    outputs: {score: "{{ steps.score.outputs.score }}"}
"""

MAKE = """
    import sys
    open(sys.argv[2], "w").write(open(sys.argv[1]).read().strip().lower())
"""
TRAIN = """
    import argparse, model_of
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--out")
    args = parser.parse_args()
    text = open(args.data).read()
    print(f"loss={len(text) / 10}")
    open(args.out, "w").write(model_of.model(text))
"""
SCORE = """
    import os, sys
    score = len(open(sys.argv[1]).read()) * int(sys.argv[2])
    open(os.environ["LAB_OUTPUT"], "a").write(f"score={score}\\n")
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "lab")
    made.labfile(LABFILE)
    made.write("data.txt", "One Two Three\n")
    made.write("make.py", MAKE)
    made.write("train.py", TRAIN)
    made.write("model_of.py", "import deeper\n\ndef model(text):\n    return deeper.twice(text)\n")
    made.write("deeper.py", "def twice(text):\n    return text * 2\n")
    made.write("score.py", SCORE)
    made.apply()
    return made


def test_apply_after_apply_does_nothing_and_says_why(project: Project) -> None:
    said = project.lab("apply").out
    assert "Nothing to do" in said
    assert said.count("nothing changed") == 4
    assert project.lab("output", "--json").json == {"score": 52}
    assert project.lab("plan", "--check").code == 0


def test_a_touched_mtime_changes_nothing(project: Project) -> None:
    for name in ("train.py", "data.txt", "deeper.py"):
        os.utime(project.folder / name, (1, 1))
    assert project.lab("plan", "--check").code == 0


def test_one_byte_of_a_script_runs_it_and_what_depends_on_it(project: Project) -> None:
    path = project.folder / "train.py"
    path.write_text(path.read_text() + "#")
    plan = project.plan()
    assert plan["train"] == ("update", "input `train.py` changed")
    assert plan["score"][0] == "unknown"
    assert plan["data"][0] == plan["apart"][0] == "keep"
    ran = project.apply()
    assert ran.steps("started") == ["train"]
    assert "score" in ran.steps("kept"), "the model came out the same: nothing after it runs"


def test_a_module_that_the_script_imports_counts_at_any_depth(project: Project) -> None:
    project.write("deeper.py", "def twice(text):\n    return text * 3\n")
    assert project.plan()["train"] == ("update", "input `deeper.py` changed")
    assert project.apply().steps("started") == ["train", "score"]


def test_an_equal_remade_upstream_stops_there(project: Project) -> None:
    project.write("data.txt", "ONE two three\n")
    plan = project.plan()
    assert plan["data"] == ("update", "input `data.txt` changed")
    assert plan["train"][0] == "unknown"
    ran = project.apply()
    assert ran.steps("started") == ["data"]
    assert set(ran.steps("kept")) == {"train", "score", "apart"}


def test_a_deleted_artifact_is_made_again(project: Project) -> None:
    (project.folder / ".lab/work/again/steps/train/model").unlink()
    assert project.plan()["train"] == ("update", "artifact `model` is gone")
    ran = project.apply()
    assert ran.steps("started") == ["train"]


def test_an_altered_artifact_is_made_again(project: Project) -> None:
    (project.folder / ".lab/work/again/steps/train/model").write_text("tampered")
    assert project.plan()["train"] == ("update", "artifact `model` is not as it was made")


def test_moving_the_checkout_changes_nothing(project: Project, tmp_path: Path) -> None:
    shutil.move(project.folder, tmp_path / "moved")
    moved = Project(tmp_path / "moved")
    assert moved.lab("plan", "--check").code == 0
    assert moved.lab("output", "score").out.strip() == "52"


def test_a_variable_changes_only_what_uses_it(project: Project) -> None:
    ran = project.apply("--var", "scale=3")
    assert ran.steps("started") == ["score"]
    assert project.lab("output", "--json", "--var", "scale=3").json == {"score": 78}


def test_replace_runs_a_step_again(project: Project) -> None:
    assert project.plan("--replace", "apart")["apart"] == ("replace", "asked for with --replace")
    assert project.apply("--replace", "apart", "--yes").steps("started") == ["apart"]


def test_a_saved_plan_runs_exactly_itself_or_refuses(project: Project) -> None:
    project.write("data.txt", "four five\n")
    project.lab("plan", "--out", "plan.json")
    project.write("data.txt", "six seven eight\n")
    refused = project.lab("apply", "plan.json", expect=3)
    assert "does not hold any more" in refused.err
    project.write("data.txt", "four five\n")
    assert project.lab("apply", "--json", "plan.json").steps("started")[0] == "data"
    assert project.lab("plan", "--check").code == 0


def test_a_step_gone_from_the_file_is_forgotten_and_a_renamed_one_suggests_mv(
    project: Project,
) -> None:
    path = project.folder / "Labfile.yaml"
    path.write_text(path.read_text().replace("\n  apart:\n", "\n  beside:\n"))
    planned = project.lab("plan").out
    assert "lab state mv" in planned
    project.lab("state", "mv", "apart", "beside")
    assert project.lab("plan", "--check").code == 0
