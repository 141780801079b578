"""What is known to fail is told before anything runs: from the lock, the program and the strategy."""

from __future__ import annotations

import pytest
from fakes.ports import FakeFiles
from reading.catalogs import sweeping

from lab.cli.foreseen import unfit
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import merge, parse

LABFILE = """\
labfile: 1
steps:
  env: {kind: environment, requirements: [keras]}
  train:
    kind: training
    environment: env
    command: [python, train.py]
    replicas: {worker: 2}
    strategy: multi_worker
"""
SWEEP = """\
  sweep:
    kind: sweep
    trial: {like: train, command: [python, train.py, "{{ parameters.lr }}"]}
    parameters: {lr: {type: double, min: 0.5, max: 0.75}}
    objective: {metric: loss, type: minimize}
    trials: {max: 3}
"""
FIT = "import keras\nmodel.fit(x, epochs=3)\n"
FILES = {"env.lock": "# lock\nkeras==3.15.0 \\\n    --hash=sha256:00\n", "train.py": FIT}


def told(text: str = LABFILE, files: dict[str, str] | None = None, **ambient: str) -> list[str]:
    labfile = bind(
        merge(parse("Labfile.yaml", text.encode()), []),
        root="/lab",
        source="/lab/Labfile.yaml",
        overlay="",
        given={},
        environ={},
        catalog=sweeping(),
    )
    found = unfit(link(labfile, sweeping()), FakeFiles({**FILES, **(files or {})}), ambient)
    return [f"{each.span.line if each.span else 0}: {each.summary}" for each in found]


def test_a_fit_that_cannot_work_is_told_with_its_place() -> None:
    (said,) = told()
    assert said == (
        "9: `train` is going to fail: Keras 3.15.0 cannot `fit` under `strategy: multi_worker`,"
        " and train.py:2 does"
    )


def test_that_of_a_sweep_s_trials_too() -> None:
    assert [said.split(":")[1] for said in told(LABFILE + SWEEP)] == [
        " `train` is going to fail",
        " `sweep` is going to fail",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("command: [python, train.py]", "script: train.py"),
        ("command: [python, train.py]", "module: train"),
        ("command: [python, train.py]", "command: [python, ./src/../train.py, --x]"),
    ],
)
def test_however_the_program_is_named(old: str, new: str) -> None:
    assert len(told(LABFILE.replace(old, new))) == 1


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"env.lock": "keras==2.15.0\n"}, LABFILE),
        ({"env.lock": "not-keras==3.1\n"}, LABFILE),
        ({"train.py": "import tf_keras\nmodel.fit(x, epochs=3)\n"}, LABFILE),
        ({"train.py": "scaler.fit(x)\n"}, LABFILE),
        ({"train.py": "def broken(\n"}, LABFILE),
        ({}, LABFILE.replace("    environment: env\n", "")),
        ({}, LABFILE.replace("multi_worker", "none")),
        ({}, LABFILE.replace("[python, train.py]", "[python, other.py]")),
        ({}, LABFILE + '    env: {TF_USE_LEGACY_KERAS: "1"}\n'),
        ({}, LABFILE.replace("requirements: [keras]", "requirements: [keras], lock: none.lock")),
    ],
)
def test_what_may_work_is_not_spoken_of(files: dict[str, str], text: str) -> None:
    assert told(text, files) == []


def test_keras_2_by_the_surroundings() -> None:
    assert told(TF_USE_LEGACY_KERAS="true") == []
