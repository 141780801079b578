"""The distributed examples, for real: TensorFlow on several processes, and replicas killed in mid-training."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tensorflow_env

from tests.project import Project

pytestmark = pytest.mark.live

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "distributed"
EPOCHS = 25


def lab_in(folder: Path, *, restart: str = "on_failure") -> Project:
    """The example without its environment step: Python comes from the tests' TensorFlow."""
    bin_ = str(tensorflow_env.interpreter().parent)
    path = {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    project = Project(folder, path)
    for program in EXAMPLE.glob("*.py"):
        shutil.copy(program, folder)
    text = re.sub(r"  env:\n(    .*\n)+\n", "", (EXAMPLE / "Labfile.yaml").read_text())
    text = text.replace("    environment: env\n", "")
    project.labfile(text.replace("restart: on_failure", f"restart: {restart}"))
    return project


def step(project: Project, name: str) -> Path:
    return project.folder / ".lab/work/distributed/steps" / name


def epochs(project: Project, name: str) -> list[int]:
    path = step(project, name) / "metrics.jsonl"
    with suppress(FileNotFoundError):
        return [json.loads(line)["epoch"] for line in path.read_text().splitlines(keepends=True)]
    return []


def loss(project: Project, name: str) -> float:
    return float(project.lab("show", name, "--json").json["metrics"]["loss"])


def log(project: Project, name: str, run: int) -> str:
    """A log as it is: that of a replica that lost another holds a traceback of TensorFlow's."""
    return (project.folder / f".lab/work/distributed/logs/{run:04d}/{name}.log").read_text()


def kill(project: Project, name: str, replica: str, *, at_epoch: int) -> None:
    """Ends a replica with SIGKILL once the training has reported an epoch."""
    until = time.monotonic() + 240
    while not any(epoch >= at_epoch for epoch in epochs(project, name)):
        assert time.monotonic() < until, "it never came so far"
        time.sleep(0.05)
    marks = {f"LAB_REPLICA={replica}", f"LAB_STEP_DIR={step(project, name)}"}
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if marks <= set(entry.read_bytes().decode(errors="replace").split("\0")):
                os.kill(int(entry.parent.name), signal.SIGKILL)
                return
    raise AssertionError(f"{replica} does not run")


def applied(project: Project, name: str, replica: str, *, at_epoch: int) -> tuple[int, str]:
    """Applies one step and kills a replica on the way; the exit code, and what was said."""
    started = project.popen("apply", "--only", name, "--var", f"epochs={EPOCHS}")
    kill(project, name, replica, at_epoch=at_epoch)
    said, _ = started.communicate(timeout=400)
    return started.returncode, said


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Any:
    project = lab_in(tmp_path_factory.mktemp("unbroken") / "lab")
    project.lab("apply", "--var", f"epochs={EPOCHS}", timeout=500)
    return project


def test_workers_see_the_same_losses(unbroken: Project) -> None:
    said = [
        re.findall(
            r"^worker \d epoch (\d+) loss=(\S+)$",
            unbroken.lab("logs", "together", "--replica", f"worker-{i}").out,
            re.MULTILINE,
        )
        for i in (0, 1)
    ]
    assert len(said[0]) == EPOCHS
    assert said[0] == said[1]
    assert float(said[0][-1][1]) < 0.5 < float(said[0][0][1])


def test_a_coordinator_trains_too(unbroken: Project) -> None:
    assert epochs(unbroken, "served") == list(range(1, EPOCHS + 1))
    assert loss(unbroken, "served") < 0.5
    assert "[lab] ps-0: ended with the others" in log(unbroken, "served", 1)


def test_a_worker_dies_and_all_go_on_from_the_checkpoint(unbroken: Project, tmp_path: Path) -> None:
    project = lab_in(tmp_path / "lab", restart="never")
    code, said = applied(project, "together", "worker-1", at_epoch=2)
    assert code == 1
    assert "worker-1: killed by SIGKILL" in said
    got = max(epochs(project, "together"))
    assert got < EPOCHS

    project = lab_in(tmp_path / "lab", restart="on_failure")
    code, said = applied(project, "together", "worker-0", at_epoch=got + 1)
    assert code == 0, said
    second = log(project, "together", 2)
    assert "worker-0: killed by SIGKILL; started again (1 of 3)" in second
    assert "worker-1 | worker 1 epoch 1 loss" not in second, "the second run went on"
    assert epochs(project, "together") == list(range(1, EPOCHS + 1))
    assert loss(project, "together") == pytest.approx(loss(unbroken, "together"), rel=1e-6)


def test_a_parameter_server_dies(unbroken: Project, tmp_path: Path) -> None:
    project = lab_in(tmp_path / "lab")
    code, said = applied(project, "served", "ps-0", at_epoch=2)
    assert code == 0, said
    assert "started again (1 of 3)" in log(project, "served", 1)
    assert loss(project, "served") == pytest.approx(loss(unbroken, "served"), rel=1e-6)
