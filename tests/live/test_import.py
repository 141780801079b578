"""`lab state import`: what is there already becomes a step's, and only if it is what the step would make."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from boxes import with_boxes
from project import Project

pytestmark = pytest.mark.live

LABFILE = """
    labfile: 1
    steps:
      box: {kind: box, size: 2}
      data: {kind: dataset, url: "http://127.0.0.1:9/data.csv", sha256: "%s"}
      make:
        kind: command
        command: "cat '{{ steps.data.outputs.path }}' > out; exit 1"
        artifacts: {out: out}
      train:
        kind: training
        command: "false {{ steps.make.outputs.n }}"
        metrics: {from: stdout}
        artifacts: {model: model.bin}
        require: ["{{ outputs.metrics.accuracy > 0.8 }}"]
"""
DATA = b"a,b\n1,2\n"


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = with_boxes(tmp_path / "p")
    project.labfile(LABFILE % hashlib.sha256(DATA).hexdigest())
    project.write("files/data.csv", DATA)
    project.write("out", "made by hand")
    project.write("model.bin", "weights")
    project.write("values", "n=3\n")
    project.write("printed", "epoch 1\naccuracy=0.7\naccuracy=0.91\n")
    project.write("cloud/old.json", json.dumps({"size": 2, "region": "eu"}))
    return project


def test_a_whole_lab_is_imported_and_nothing_is_left_to_do(lab: Project) -> None:
    said = lab.lab("state", "import", "box", "old").out
    assert said.startswith("`box` is `old` now.")
    lab.lab("state", "import", "data", "files/data.csv")
    lab.lab("state", "import", "make", "values")
    lab.lab("state", "import", "train", "printed")
    assert {verb for verb, _ in lab.plan().values()} == {"keep"}
    assert "Nothing to do" in lab.lab("apply").out
    shown = lab.lab("show", "train", "--json").json
    assert "0.91" in json.dumps(shown)
    assert lab.lab("runs", "--json").json[0]["command"] == "state import box old"
    lab.lab("state", "check")
    lab.lab("drift", "--check")
    lab.lab("destroy", "--yes")
    assert not list((lab.folder / "cloud").glob("*.json"))
    assert not (lab.folder / "model.bin").exists()


def test_what_is_imported_is_watched(lab: Project) -> None:
    lab.lab("state", "import", "box", "old")
    (lab.folder / "cloud" / "old.json").write_text(json.dumps({"size": 9, "region": "eu"}))
    assert "size: 2 → 9" in lab.lab("drift", "--check", expect=5).out


@pytest.mark.parametrize(
    ("step", "thing", "code", "told"),
    [
        ("box", "new", 1, "there is no box `new`"),
        ("data", "values", 1, "values is not the data that the step names"),
        ("data", "nothing", 1, "there is no "),
        ("make", "values", 3, "known only after `data`"),
        ("bax", "old", 2, "did you mean `box`"),
    ],
)
def test_what_is_not_right_is_not_imported(
    lab: Project, step: str, thing: str, code: int, told: str
) -> None:
    ran = lab.lab("state", "import", step, thing, expect=code)
    assert told in ran.err
    assert lab.lab("state", "list", "--json").json == []
    assert lab.lab("runs", "--json").json == []


def test_a_requirement_that_does_not_hold(lab: Project) -> None:
    lab.write("printed", "accuracy=0.5\n")
    lab.lab("state", "import", "data", "files/data.csv")
    lab.lab("state", "import", "make", "values")
    said = lab.lab("state", "import", "train", "printed", expect=1).err
    assert said.startswith("Labfile.yaml:") and "outputs.metrics.accuracy is 0.5" in said
    assert "read from what it prints" in lab.lab("state", "import", "train", "-", expect=1).err
    (lab.folder / "out").unlink()
    assert lab.plan()["make"][0] == "update"


def test_what_is_remembered_is_not_overwritten(lab: Project) -> None:
    lab.lab("state", "import", "box", "old")
    said = lab.lab("state", "import", "box", "old", expect=4).err
    assert "`box` is remembered already, and was not overwritten" in said


def test_a_kind_that_cannot_be_imported(lab: Project) -> None:
    plugin = lab.folder.parent / "plugin"
    (plugin / "lab_other.py").write_text(
        "from lab_box import Spec as Box, apply, observe, destroy\n"
        "class Spec(Box):\n    '''Another.'''\n    kind = 'other'\n"
    )
    points = next(plugin.glob("*.dist-info")) / "entry_points.txt"
    points.write_text(points.read_text() + "other = lab_other\n")
    lab.labfile("labfile: 1\nsteps:\n  o: {kind: other, size: 2}\n")
    said = lab.lab("state", "import", "o", "old", expect=1).err
    assert "this kind cannot be imported" in said


def wheel(folder: Path, name: str) -> None:
    """An empty package, as an installer takes it."""
    about = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = "".join(f"{path},,\n" for path in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{about}/RECORD": listed}.items():
            archive.writestr(path, text)


def test_an_environment_made_by_hand(lab: Project) -> None:
    lab.labfile("labfile: 1\nsteps:\n  env: {kind: environment, requirements: requirements.txt}\n")
    (lab.folder / "wheels").mkdir()
    wheel(lab.folder / "wheels", "alpha")
    lab.write("requirements.txt", f"--no-index\n--find-links {lab.folder}/wheels\nalpha\n")
    said = lab.lab("state", "import", "env", "files", expect=1).err
    assert "is no virtual environment" in said
    lab.lab("apply")
    next((lab.folder / ".lab").glob("work/*/steps/*/venv")).rename(lab.folder / "mine")
    lab.lab("state", "rm", "env", "--yes")
    package = next((lab.folder / "mine").glob("lib/*/site-packages/alpha-1.0.dist-info"))
    package.rename(package.parent / "hidden")
    said = lab.lab("state", "import", "env", "mine", expect=1).err
    assert "the environment does not hold what the lock says" in said
    (package.parent / "hidden").rename(package)
    lab.lab("state", "import", "env", "mine")
    assert lab.plan()["env"] == ("keep", "nothing changed")
    lab.lab("destroy", "--yes")
    assert not (lab.folder / "mine").exists()
