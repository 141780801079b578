"""The ``training`` kind with one process on this machine."""

from __future__ import annotations

import json
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from lab.kinds.shape import to_spec
from lab.kinds.spec import StepOutputs
from lab.provider import Cancelled, Refused
from lab.testing import Conformance, FakeIo, RealIo, World, made, task_for
from providers.local import training
from providers.local.training import Spec, arguments

CHECKPOINT = {"checkpoint": "{dir}/checkpoint"}


def spec_of(world, **keys):
    keys.setdefault("checkpoint", f"{world.directory}/checkpoint")
    return to_spec(Spec, keys)


def train(world, *, digest="sha256:a", more=None, **keys):
    task = task_for(world, spec_of(world, **keys), digest=digest, **(more or {}))
    return training.apply(task, world)


def script(tmp_path, text):
    (tmp_path / "train.py").write_text(textwrap.dedent(text))
    return [sys.executable, str(tmp_path / "train.py")]


class TestTrainingConforms(Conformance):
    provider = training

    def good(self, world: World) -> dict:
        return {
            "command": "echo epoch 1/1 loss=0.5; echo seen=3 >> $LAB_OUTPUT;"
            " echo m > $LAB_STEP_DIR/model",
            "metrics": {"from": "stdout"},
            "checkpoint": f"{world.directory}/checkpoint",
            "artifacts": {"model": f"{world.directory}/model"},
        }

    def failing(self, world: World) -> dict:
        return {**self.good(world), "command": "exit 3"}

    def slow(self, world: World) -> dict:
        return {**self.good(world), "command": ["sleep", "30"]}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"lr": 0.001, "units": 128}, ["--lr", "0.001", "--units", "128"]),
        ({"flag": True, "off": False, "none": None}, ["--flag"]),
        ({"layers": [64, 32], "empty": []}, ["--layers", "64", "32", "--empty"]),
        ({"name": "a b", "sign": "-x"}, ["--name", "a b", "--sign=-x"]),
        ({"decay": -1e-05, "by": -2}, ["--decay=-1e-05", "--by=-2"]),
        ({"neg": -1, "map": {"a": 1}}, ["--neg=-1", "--map", '{"a":1}']),
    ],
)
def test_parameters_as_arguments(parameters, words):
    assert list(arguments(parameters)) == words


def test_a_script_gets_parameters_and_then_its_args(tmp_path):
    io = FakeIo(tmp_path, {"python": lambda ran: 0})
    env = StepOutputs("env", {"bin": "/venv/bin"})
    spec = Spec(
        script="src/train.py",
        cwd="src",
        parameters={"lr": 0.1},
        args=["--out", "x"],
        environment=env,
        checkpoint=f"{io.directory}/checkpoint",
    )
    training.apply(task_for(io, spec), io)
    expected = ("/venv/bin/python", f"{tmp_path}/src/train.py", "--lr", "0.1", "--out", "x")
    assert io.ran[0].argv == expected
    assert io.ran[0].cwd == f"{tmp_path}/src"


def test_a_module_runs_with_the_python_of_path(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").write_text("")
    (programs / "python3").chmod(0o755)
    io = FakeIo(tmp_path, {"python3": lambda ran: 0}, env={"PATH": str(programs)})
    train(io, module="trainer.task")
    assert io.ran[0].argv == (f"{programs}/python3", "-m", "trainer.task")


def test_no_python_at_all_is_said(tmp_path):
    io = FakeIo(tmp_path, env={"PATH": str(tmp_path)})
    with pytest.raises(Refused, match="no `python` on PATH"):
        train(io, module="trainer.task")


def test_what_the_program_is_given(tmp_path):
    io = FakeIo(tmp_path, {"x": lambda ran: 0}, env={"PYTHONPATH": "/mine"})
    train(io, command=["x"], seed=2**32 + 7)
    env = io.ran[0].env
    assert env["LAB_CHECKPOINT_DIR"] == f"{io.directory}/checkpoint"
    assert Path(env["LAB_CHECKPOINT_DIR"]).is_dir()
    assert env["LAB_METRICS_FILE"] == f"{io.directory}/metrics.jsonl"
    assert (env["LAB_SEED"], env["PYTHONHASHSEED"]) == (str(2**32 + 7), "7")
    seeded, mine, inject = env["PYTHONPATH"].split(":")
    assert mine == "/mine" and Path(inject, "lab_keras.py").exists()
    assert Path(seeded, "sitecustomize.py").exists()


def test_without_a_seed_nothing_is_seeded(tmp_path):
    io = FakeIo(tmp_path, {"x": lambda ran: 0})
    train(io, command=["x"])
    assert "LAB_SEED" not in io.ran[0].env and "seeded" not in io.ran[0].env["PYTHONPATH"]


def test_metrics_artifacts_and_values_are_outputs(tmp_path):
    io = RealIo(tmp_path)
    outputs = train(
        io,
        command="echo loss=0.5; echo loss=0.25; echo a > m; echo classes=10 > $LAB_OUTPUT",
        metrics={"from": "stdout"},
        artifacts={"model": "m"},
    )
    assert outputs["metrics"] == {"loss": 0.25}
    assert outputs["model"].path == f"{tmp_path}/m"
    assert outputs["classes"] == 10
    curve = Path(io.directory, "curve.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in curve] == [{"loss": 0.5}, {"loss": 0.25}]


def test_a_value_called_metrics_is_refused(tmp_path):
    with pytest.raises(Refused, match="`metrics` is given twice"):
        train(RealIo(tmp_path), command="echo metrics=1 > $LAB_OUTPUT")


def test_what_lab_keras_reports_is_read_by_itself(tmp_path):
    argv = script(
        tmp_path,
        """
        import json, os
        with open(os.environ["LAB_METRICS_FILE"], "a") as file:
            for epoch in (1, 2):
                file.write(json.dumps({"epoch": epoch, "step": epoch * 5, "loss": 1 / epoch}) + "\\n")
        """,
    )
    assert train(RealIo(tmp_path), command=argv)["metrics"] == {"loss": 0.5}


def test_a_jsonl_file_of_one_s_own(tmp_path):
    keys = {
        "command": """echo '{"loss": 1}' >> log/m.jsonl""",
        "metrics": {"from": "jsonl", "path": "log/m.jsonl"},
    }
    (tmp_path / "log").mkdir()
    (tmp_path / "log/m.jsonl").write_text('{"old": 1}\n')
    assert train(RealIo(tmp_path), **keys)["metrics"] == {"loss": 1.0}
    assert (tmp_path / "log/m.jsonl.before").read_text() == '{"old": 1}\n'


def test_declared_metrics_that_never_come_are_a_failure(tmp_path):
    with pytest.raises(Refused, match="reported no metrics") as refused:
        train(RealIo(tmp_path), command="echo hello", metrics={"from": "stdout"})
    assert "name=value" in refused.value.detail


@pytest.mark.live
def test_people_hear_of_epochs_while_it_runs(tmp_path):
    io = RealIo(tmp_path)
    train(
        io,
        command="echo 'epoch 1/4 loss=0.5'; sleep 1.3; echo 'epoch 2/4 loss=0.4'; sleep 0.1",
        metrics={"from": "stdout"},
    )
    told = [(t.text, t.fraction, dict(t.metrics)) for t in io.told]
    assert ("epoch 1/4", 0.25, {"loss": 0.5}) in told
    assert ("epoch 2/4", 0.5, {"loss": 0.4}) in told


@pytest.mark.live
def test_the_curve_is_there_while_it_runs(tmp_path):
    io = RealIo(tmp_path)
    keys = {"command": "echo loss=0.5; sleep 20", "metrics": {"from": "stdout"}}
    ended = []

    def run():
        try:
            train(io, **keys)
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    curve = Path(io.directory, "curve.jsonl")
    until = time.monotonic() + 10
    while not curve.exists() and time.monotonic() < until:
        time.sleep(0.05)
    io.stop.set()
    thread.join()
    assert json.loads(curve.read_text()) == {"loss": 0.5}
    assert ended == ["cancelled"]


def test_a_failed_training_says_how_it_ended(tmp_path):
    with pytest.raises(Refused) as failed:
        train(RealIo(tmp_path), command="exit 75")
    assert failed.value.reason == "exit:75"


# --- checkpoints ------------------------------------------------------------------------------

SAVE = "ls $LAB_CHECKPOINT_DIR > seen; echo x > $LAB_CHECKPOINT_DIR/epoch-1; exit 1"


def seen_by_second(tmp_path, *, digest, left="memory", **keys):
    """Which checkpoint files the second attempt finds, after a first one that failed."""
    io = RealIo(tmp_path)
    with pytest.raises(Refused):
        train(io, command=SAVE, digest="sha256:a", **keys)
    more = {"left": io.memory if left == "memory" else None}
    with pytest.raises(Refused):
        train(io, command=SAVE, digest=digest, more=more, **keys)
    return (tmp_path / "seen").read_text().split()


def test_a_failed_training_goes_on_from_its_checkpoint(tmp_path):
    assert seen_by_second(tmp_path, digest="sha256:a") == ["epoch-1"]


def test_a_changed_training_starts_anew(tmp_path):
    assert seen_by_second(tmp_path, digest="sha256:b") == []


def test_a_training_that_was_done_starts_anew(tmp_path):
    assert seen_by_second(tmp_path, digest="sha256:a", left="none") == []


def test_a_second_attempt_in_one_run_goes_on(tmp_path):
    io = RealIo(tmp_path)
    with pytest.raises(Refused):
        train(io, command=SAVE)
    with pytest.raises(Refused):
        train(io, command=SAVE, more={"attempt": 2})
    assert (tmp_path / "seen").read_text().split() == ["epoch-1"]


def test_a_resumed_curve_goes_on(tmp_path):
    io = RealIo(tmp_path)
    keys = {"metrics": {"from": "stdout"}}
    with pytest.raises(Refused):
        train(io, command="echo epoch 1 loss=3; echo epoch 2 loss=2; exit 1", **keys)
    more = {"left": io.memory}
    train(io, command="echo epoch 2 loss=2.5; echo epoch 3 loss=1", more=more, **keys)
    lines = Path(io.directory, "curve.jsonl").read_text().splitlines()
    assert [json.loads(x) for x in lines] == [
        {"epoch": 1, "loss": 3.0},
        {"epoch": 2, "loss": 2.5},
        {"epoch": 3, "loss": 1.0},
    ]


def test_a_folder_that_lab_did_not_fill_is_not_emptied(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/precious").write_text("x")
    with pytest.raises(Refused, match="is not empty"):
        train(RealIo(tmp_path), command=SAVE, checkpoint="mine")
    assert (tmp_path / "mine/precious").exists()


def test_a_folder_that_it_filled_before_is_emptied(tmp_path):
    io = RealIo(tmp_path)
    for digest in ("sha256:a", "sha256:b"):
        with pytest.raises(Refused, match="exit 1"):
            train(io, command=SAVE, checkpoint="ours", digest=digest)
    assert (tmp_path / "seen").read_text() == ""


@pytest.mark.parametrize("where", [".", "..", "/", "{dir}"])
def test_a_folder_that_holds_more_is_never_emptied(tmp_path, where):
    io = FakeIo(tmp_path, {"x": lambda ran: 0})
    with pytest.raises(Refused, match="holds more than checkpoints"):
        train(io, command=["x"], checkpoint=where.format(dir=io.directory))


def test_memory_comes_before_anything_is_deleted(tmp_path):
    io = FakeIo(tmp_path, {"x": lambda ran: 0})
    train(io, command=["x"])
    record = made(io, spec_of(io, command=["x"]), None)
    assert set(record.memory) == {"digest", "since", "checkpoint"}
    assert not str(record.memory["checkpoint"]).startswith("/")
