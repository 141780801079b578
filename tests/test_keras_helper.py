"""The Keras helper keeps what a killed training had reported, and goes on as if unbroken."""

from __future__ import annotations

import itertools
import json
import random
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import pytest
import tensorflow_env

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).resolve().parent / "keras_programs"
DIGITS = ROOT / "examples" / "digits"
EPOCHS = 12
KILLS = 3
DISTANCE = """
import sys, numpy as np
one, other = (np.load(name) for name in sys.argv[1:])
names = [n for n in one.files if n.startswith("v")]
assert len(names) > 10 and names == [n for n in other.files if n.startswith("v")]
print(max(float(np.abs(one[n].astype("f8") - other[n].astype("f8")).max()) for n in names))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return tensorflow_env.interpreter()


@dataclass(frozen=True, slots=True)
class Step:
    """A training's folder, and the command that goes on in it."""

    command: tuple[str, ...]
    folder: Path

    def start(self, **more: str) -> subprocess.Popen[str]:
        given = {
            "LAB_STEP_DIR": str(self.folder),
            "LAB_CHECKPOINT_DIR": str(self.folder / "checkpoint"),
            "PYTHONPATH": str(ROOT / "lab" / "inject"),
        }
        environ = tensorflow_env.environ(**{**given, **more})
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command, env=environ, stdout=pipe, stderr=pipe, text=True)

    def finish(self, **more: str) -> str:
        process = self.start(**more)
        said, complaint = process.communicate(timeout=300)
        assert process.returncode == 0, complaint
        return said

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "metrics.jsonl").open()]


def epochs_in(said: str) -> list[int]:
    return [int(n) for n in re.findall(r"^epoch (\d+)/", said, re.MULTILINE)]


def never_back(told: list[list[int]]) -> bool:
    """No try starts before what the try before it had reported."""
    spoke = [epochs for epochs in told if epochs]
    return all(a[-1] <= b[0] for a, b in itertools.pairwise(spoke))


# --- every moment, with a stand-in for Keras --------------------------------------------------


def stand_in(python: Path, folder: Path, epochs: int = 3) -> Step:
    folder.mkdir(parents=True)
    return Step((str(python), str(PROGRAMS / "stand_in.py"), str(epochs)), folder)


def last_words(said: str) -> dict[str, str]:
    return dict(line.split() for line in said.splitlines()[-2:])


def test_a_kill_before_any_act_on_the_disk_loses_and_doubles_nothing(
    python: Path, tmp_path: Path
) -> None:
    unbroken = stand_in(python, tmp_path / "unbroken")
    wanted = last_words(unbroken.finish())
    curve = unbroken.logged()
    assert [line["epoch"] for line in curve] == [1, 2, 3]

    def killed_at(act: int) -> None:
        step = stand_in(python, tmp_path / str(act))
        killed = step.start(KILL_AT=str(act))
        before, _ = killed.communicate(timeout=60)
        assert killed.returncode == -9, act
        killed = step.start(KILL_AT=str(act % 5 + 1))  # and once more, on its way back
        between, _ = killed.communicate(timeout=60)
        after = step.finish()
        assert last_words(after)["weights"] == wanted["weights"], act
        assert step.logged() == curve, act
        told = [epochs_in(said) for said in (before, between, after)]
        assert set().union(*told) == {1, 2, 3}, (act, told)
        assert sum(map(len, told)) <= 3 + 2, (act, told)
        assert never_back(told), (act, told)

    acts = range(1, int(wanted["acts"]) - 1)  # the last two are this program's own two lines
    assert len(acts) > 15
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(killed_at, acts))


@pytest.mark.parametrize("size", [1, 700, 3000])
def test_a_kill_in_the_middle_of_a_write_is_not_even_noticed(
    python: Path, tmp_path: Path, size: int
) -> None:
    unbroken = stand_in(python, tmp_path / "unbroken")
    wanted = last_words(unbroken.finish())
    step = stand_in(python, tmp_path / "torn")
    torn = step.start(TEAR_AT=str(size))
    torn.communicate(timeout=60)
    assert torn.returncode == -signal.SIGXFSZ
    again = step.start()
    said, complaint = again.communicate(timeout=60)
    assert (complaint, epochs_in(said)) == ("", [2, 3])
    assert last_words(said)["weights"] == wanted["weights"]
    assert step.logged() == unbroken.logged()
    assert len(list((step.folder / "checkpoint").iterdir())) == 2


def test_a_torn_line_and_an_older_training_leave_no_trace_in_the_metrics(
    python: Path, tmp_path: Path
) -> None:
    step = stand_in(python, tmp_path / "step")
    step.finish()
    curve = step.logged()
    metrics = step.folder / "metrics.jsonl"
    metrics.write_text(metrics.read_text()[:-20])
    step.finish()
    assert step.logged() == curve
    longer = Step((*step.command[:-1], "2"), step.folder)
    longer.finish()
    assert longer.logged() == curve[:2]


# --- a few moments, with TensorFlow -----------------------------------------------------------


@pytest.fixture(scope="module")
def digits(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    command = [str(python), str(DIGITS / "data.py"), "--out", str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=tensorflow_env.environ())
    return folder


def training(python: Path, data: Path, folder: Path) -> Step:
    folder.mkdir()
    program = (str(python), str(DIGITS / "train.py"), "--data", str(data / "train.npz"))
    return Step((*program, "--epochs", str(EPOCHS), "--out", str(folder / "model.keras")), folder)


def kill_after(process: subprocess.Popen[str], reports: int, delay: float) -> str:
    assert process.stdout is not None
    said = "".join(itertools.islice(process.stdout, reports))
    time.sleep(delay)
    process.kill()
    said += process.stdout.read()
    process.communicate()
    return said


def test_killed_at_random_the_example_ends_with_the_weights_of_an_unbroken_training(
    python: Path, digits: Path, tmp_path: Path
) -> None:
    unbroken, step = (training(python, digits, tmp_path / n) for n in ("unbroken", "killed"))
    assert epochs_in(unbroken.finish()) == list(range(1, EPOCHS + 1))

    dice_seed = random.randrange(10**6)
    dice = random.Random(dice_seed)
    told = []
    for _ in range(KILLS):
        said = kill_after(step.start(), dice.randint(1, 3), dice.uniform(0, 0.3))
        told.append(epochs_in(said))
    told.append(epochs_in(step.finish()))

    shown = f"dice {dice_seed}: {told}"
    assert set().union(*told) == set(range(1, EPOCHS + 1)), shown
    assert sum(map(len, told)) <= EPOCHS + KILLS, shown
    assert never_back(told), shown
    assert step.logged() == unbroken.logged(), shown
    last = [str(s.folder / "checkpoint" / f"epoch-{EPOCHS:08d}.npz") for s in (unbroken, step)]
    distance = subprocess.check_output([str(python), "-c", DISTANCE, *last], text=True)
    assert float(distance) == 0.0, shown


@pytest.fixture(scope="module")
def cases(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("cases")
    step = Step((str(python), str(PROGRAMS / "cases.py"), str(folder)), folder)
    process = step.start(LAB_STEP_DIR="", LAB_CHECKPOINT_DIR="")
    said, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint
    found: dict[str, Any] = json.loads(said)
    return found


def test_weights_optimizer_and_dropout_come_back_to_the_bit(cases: dict[str, Any]) -> None:
    kept = ["epoch-00000003.npz", "epoch-00000004.npz"]
    assert cases["goes_on_exactly"] == {"first": 2, "distance": 0.0, "kept": kept}
    assert cases["keeps_narrow_numbers"] == {"first": 1, "distance": 0.0}


def test_a_damaged_checkpoint_gives_way_to_the_one_before(cases: dict[str, Any]) -> None:
    damages = ("empty", "half", "short", "flipped", "text")
    assert cases["damaged"] == {**dict.fromkeys(damages, 2), "both": 0}


def test_a_checkpoint_of_another_run_is_left_alone_then_forgotten(cases: dict[str, Any]) -> None:
    found = {"same": 2, "other shapes": 0, "other arguments": 0}
    assert cases["belongs_to_its_run"] == {**found, "left": ["epoch-00000001.npz"]}


def test_without_lab_it_only_prints(cases: dict[str, Any]) -> None:
    found = cases["needs_no_lab"]
    assert (found["first"], found["left"]) == (0, [])
    assert [re.sub(r"=[\d.]+", "", line) for line in found["said"]] == [
        "epoch 1/2 accuracy loss",
        "epoch 2/2 accuracy loss",
    ]


def test_reports_go_where_they_were_asked_to(cases: dict[str, Any]) -> None:
    found = cases["reports"]
    assert found["said"] == {"jsonl": True, "stdout": True, "off": False}
    assert [(line["epoch"], line["step"]) for line in found["lines"]] == [(1, 4), (2, 8)]
    assert all(isnan(line["loss"]) for line in found["lines"])


def test_one_replica_writes(cases: dict[str, Any]) -> None:
    assert cases["one_replica_writes"] == {"worker 0": 1, "worker 1": 0, "led worker 0": 0}


def test_a_model_that_cannot_be_restored_is_told_what_it_lacks(cases: dict[str, Any]) -> None:
    found = cases["refuses"]
    assert "model.compile" in found["not compiled"]
    assert "keras.Input" in found["not built"]


def test_the_seed_is_labs_before_the_programs(cases: dict[str, Any]) -> None:
    found = cases["seeds"]
    assert found["given"] == found["default"]
    assert found["given"][0] == 7
