"""Runs are remembered: compared, had back, and made again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.live

TRAIN = """
import os, random, sys
random.seed(int(os.environ["LAB_SEED"]))
lr, loss = float(sys.argv[2]), 2.0
for epoch in range(1, 6):
    loss = loss * (1 - lr) + random.random() / 100
    print(f"epoch {epoch}/5 loss={loss!r}")
with open(os.environ["LAB_STEP_DIR"] + "/model", "w") as file:
    file.write(repr(loss) + open("base.txt").read())
with open(os.environ["LAB_OUTPUT"], "w") as file:
    file.write(f"place={os.environ['LAB_STEP_DIR']}")
"""
LABFILE = """
labfile: 1
name: t
vars: {lr: 0.1}
secrets: {key: {env: KEY}}
steps:
  train:
    kind: training
    seed: 3
    script: train.py
    inputs: [base.txt]
    env: {KEY: "{{ secrets.key }}"}
    parameters: {lr: "{{ vars.lr }}"}
    metrics: {from: stdout}
    artifacts: {model: "{{ step.dir }}/model"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two runs that differ in a variable and in the program; the second program is not committed."""
    made = Project(tmp_path / "lab", {"KEY": "hidden-canary-5"})
    made.labfile(LABFILE)
    made.write("train.py", TRAIN)
    made.write("base.txt", "base")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q", "."], ["add", "train.py"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=made.folder, check=True)
    made.lab("apply")
    made.write("train.py", TRAIN + "# hidden-canary-5\n")
    made.lab("apply", "--var", "lr=0.5")
    return made


def test_runs_are_compared(project: Project) -> None:
    one, two = project.lab("compare", "1", "2:train", "--json").json
    assert (one["run"], two["run"]) == (1, 2)
    assert (one["parameters"], two["parameters"]) == ({"lr": 0.1}, {"lr": 0.5})
    assert len(one["curves"]["loss"]) == len(two["curves"]["loss"]) == 5
    assert one["curves"]["loss"][-1] == one["metrics"]["loss"] > two["metrics"]["loss"]
    assert one["inputs"]["base.txt"] == two["inputs"]["base.txt"]
    assert one["commit"] == two["commit"] is not None
    text = project.lab("compare", "1", "2").out
    assert "Inputs that differ" in text and "train.py" in text and "base.txt" not in text
    assert "█" in text
    for words in (["9"], ["x"], ["1:nobody"], []):
        assert (
            "lab runs" in (said := project.lab("compare", *words, expect=None)).err
            or said.code == 2
        )


def test_a_run_shows_how_it_began(project: Project) -> None:
    text = project.lab("show", "run", "2").out
    assert "and changes" in text and "lr=0.5" in text and "cores" in text
    assert project.lab("show", "run", "2", "--json").json["record"]["vars"] == {"lr": 0.5}


def test_an_artifact_of_an_old_run_comes_back(project: Project) -> None:
    made = project.lab("artifacts", "list", "train", "--json").json
    assert [(each["run"], each["artifact"], each["kept"]) for each in made] == [
        (1, "train.model", True),
        (2, "train.model", True),
    ]
    project.lab("artifacts", "get", "1", "train.model", "old")
    assert (project.folder / "old").read_text() != Path(made[1]["path"]).read_text()
    assert "already" in project.lab("artifacts", "get", "1", "train.model", "old", expect=2).err
    assert "made no" in project.lab("artifacts", "get", "1", "train.x", "new", expect=2).err

    copy = project.folder / ".lab/objects" / made[0]["digest"][7:9] / made[0]["digest"][7:]
    copy.write_text("damaged")
    assert "damaged" in project.lab("artifacts", "get", "1", "train.model", "bad", expect=1).err
    copy.unlink()
    assert "no copy" in project.lab("artifacts", "get", "1", "train.model", "none", expect=1).err


def test_a_run_is_made_again_although_everything_has_changed_since(project: Project) -> None:
    project.write("train.py", "raise SystemExit(1)\n")
    project.write("base.txt", "other")
    project.labfile(LABFILE.replace("seed: 3", "seed: 4"))
    before = project.lab("state", "list", "--json").out
    said = project.lab("reproduce", "1", "--json").json
    assert said["same"] is True
    assert {check["output"] for check in said["checks"]} == {"metrics.loss", "model", "place"}
    assert not Path(said["folder"]).exists()
    assert project.lab("state", "list", "--json").out == before


def test_what_comes_out_otherwise_is_said_and_stays(project: Project) -> None:
    project.write("train.py", TRAIN.replace('int(os.environ["LAB_SEED"])', ""))
    project.lab("apply")
    ran = project.lab("reproduce", "3", "--into", "again", expect=1)
    assert "did not come out the same" in ran.out
    assert (project.folder / "again/train.py").exists()
    assert project.lab("reproduce", "3", "--tolerance", "0.5", "--json").json["same"] is True
    assert "already" in project.lab("reproduce", "3", "--into", "again", expect=2).err


def test_no_secret_is_in_what_is_kept(project: Project) -> None:
    for path in (project.folder / ".lab").rglob("*"):
        if path.is_file():
            assert b"hidden-canary-5" not in path.read_bytes(), path
    record = project.folder / ".lab/work/t/logs/0002/run.json"
    found = json.loads(record.read_text())
    assert found["git"]["dirty"] is True and "train.py" in found["git"]["diff"]
    assert record.stat().st_mode & 0o077 == 0
    refused = project.lab("reproduce", "2", expect=None)
    assert refused.code == 0, "the file is still here as it was"
    project.write("train.py", TRAIN)
    assert "not there any more: train.py" in project.lab("reproduce", "2", expect=1).err


def test_secrets_are_found_from_where_a_run_is_made_again(tmp_path: Path) -> None:
    made = Project(tmp_path / "lab", {"KEY": "hidden-canary-5"})
    made.write("keys/key", "hidden-canary-6\n")
    made.write("keys/tell.sh", "cat keys/key\n")
    made.write("base.txt", "base")
    made.write("train.py", TRAIN + "assert os.environ['FILED'] == os.environ['TOLD'] != ''\n")
    declared = "{key: {env: KEY}, filed: {file: keys/key}, told: {command: [sh, keys/tell.sh]}}"
    text = LABFILE.replace("{key: {env: KEY}}", declared)
    more = 'KEY: "{{ secrets.key }}", FILED: "{{ secrets.filed }}", TOLD: "{{ secrets.told }}"'
    made.labfile(text.replace('KEY: "{{ secrets.key }}"', more))
    made.lab("apply")
    ran = made.lab("reproduce", "1", "--into", str(tmp_path / "again"))
    assert "came out the same" in ran.out
    for path in (tmp_path / "again").rglob("*"):
        if path.is_file():
            assert b"hidden-canary-6" not in path.read_bytes(), path


def test_copies_go_with_their_runs(project: Project) -> None:
    found = project.lab("gc", "--keep-runs", "1", "--yes", "--json").json["entries"]
    copies = [each for each in found if "copies" in each["what"]]
    assert len(copies) == 2, "the first run's model and program"
    made = project.lab("artifacts", "list", "--json").json
    assert [each["kept"] for each in made] == [False, True]
    assert project.lab("reproduce", "2", "--json").json["same"] is True


def test_a_lab_that_trains_nothing_keeps_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile(
        "labfile: 1\nsteps: {a: {kind: command, command: 'echo > a', artifacts: {a: a}}}"
    )
    project.lab("apply")
    assert not (project.folder / ".lab/objects").exists()
    assert "was not kept" in project.lab("reproduce", "1", expect=1).err
