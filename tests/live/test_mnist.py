"""The MNIST example on real digits from a local file: fetched by URL, killed on the way, made again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import tensorflow_env

from tests.project import Project

pytestmark = pytest.mark.live

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mnist"
# scikit-learn's digits, 8 x 8, in the format and the size of MNIST's
MAKE = """
import sys, numpy as np
from sklearn.datasets import load_digits
digits = load_digits()
x = np.pad(np.kron(digits.images * 255 / 16, np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2)))
x, y = x.astype("uint8"), digits.target.astype("uint8")
np.savez(sys.argv[1], x_train=x[:1400], y_train=y[:1400], x_test=x[1400:], y_test=y[1400:])
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "mnist.npz"
    python = str(tensorflow_env.interpreter())
    subprocess.run([python, "-c", MAKE, str(path)], check=True)
    return path


def lab_in(folder: Path, data: Path) -> tuple[Project, list[str]]:
    """The example without its environment step, and the variables that name the local file."""
    bin_ = str(tensorflow_env.interpreter().parent)
    path = {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", **tensorflow_env.QUIET}
    project = Project(folder, path)
    shutil.copy(EXAMPLE / "train.py", folder)
    text = re.sub(r"  env:\n(    .*\n)+\n", "", (EXAMPLE / "Labfile.yaml").read_text())
    project.labfile(text.replace("    environment: env\n", ""))
    sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
    given = {"url": f"file://{data}", "sha256": sha256, "accuracy": "0.8", "epochs": "12"}
    return project, [word for n, v in given.items() for word in ("--var", f"{n}={v}")]


def accuracy(project: Project) -> float:
    return float(project.lab("output", "--json").json["accuracy"])


def test_it_learns_and_is_made_again(data: Path, tmp_path: Path) -> None:
    unbroken, variables = lab_in(tmp_path / "unbroken", data)
    unbroken.lab("apply", *variables)
    assert accuracy(unbroken) >= 0.8
    again = unbroken.lab("reproduce", "1", "--json").json
    assert again["same"] is True, again["checks"]

    killed, variables = lab_in(tmp_path / "killed", data)
    started = killed.popen("apply", *variables)
    reported = killed.folder / ".lab/work/mnist/steps/train/metrics.jsonl"
    until = time.monotonic() + 120
    while not (reported.exists() and reported.read_text().count("\n") >= 3):
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate(timeout=60)
    killed.lab("apply", *variables)
    epochs = [json.loads(line)["epoch"] for line in reported.read_text().splitlines()]
    assert epochs == list(range(1, 13))
    log = (killed.folder / ".lab/work/mnist/logs/0002/train.log").read_text()
    assert "epoch 1/12" not in log, "it went on"
    assert accuracy(killed) == pytest.approx(accuracy(unbroken), abs=0.02)


def test_other_bytes_are_refused(data: Path, tmp_path: Path) -> None:
    project, variables = lab_in(tmp_path / "lab", data)
    wrong = [word if "sha256=" not in word else f"sha256={'0' * 64}" for word in variables]
    assert "0000" in project.lab("apply", "--only", "data", *wrong, expect=1).out
