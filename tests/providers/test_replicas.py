"""A training with several processes: who is told what, whose end decides, and when all start again."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from lab.kinds.shape import to_spec
from lab.provider import Refused, Resources
from lab.testing import FakeIo, RealIo, task_for
from providers.local import training
from providers.local._cluster import Replica, replicas_of, share_of, tf_configs
from providers.local.training import Spec


def train(io, more=None, **keys):
    keys.setdefault("checkpoint", f"{io.directory}/checkpoint")
    return training.apply(task_for(io, to_spec(Spec, keys), **(more or {})), io)


def spec(**keys):
    return to_spec(Spec, {"command": ["x"], **keys})


# --- who there is, and what each is told --------------------------------------------------------


def test_the_one_that_decides_comes_first():
    names = [r.name for r in replicas_of(spec(replicas={"worker": 2, "ps": 1, "chief": 1}))]
    assert names == ["chief-0", "worker-0", "worker-1", "ps-0"]
    assert [r.name for r in replicas_of(spec())] == [""]


def test_tf_config_names_all_but_the_evaluator():
    replicas = replicas_of(spec(replicas={"chief": 1, "worker": 2, "evaluator": 1}))
    configs = {r.name: json.loads(text) for r, text in tf_configs(replicas).items()}
    cluster = configs["chief-0"]["cluster"]
    assert {sort: len(found) for sort, found in cluster.items()} == {"chief": 1, "worker": 2}
    addresses = [address for found in cluster.values() for address in found]
    assert len(set(addresses)) == 3
    assert all(each["cluster"] == cluster for each in configs.values())
    assert configs["worker-1"]["task"] == {"type": "worker", "index": 1}
    assert configs["evaluator-0"]["task"] == {"type": "evaluator", "index": 0}


def told(tmp_path, replicas, resources, gpus=(), given=None):
    io = FakeIo(tmp_path)
    task = task_for(io, spec(), resources=resources, gpus=gpus)
    return [share_of(task, each, replicas, given or {}) for each in replicas]


def test_cores_are_shared_out_and_a_user_s_number_holds(tmp_path):
    two = [Replica("worker", 0), Replica("worker", 1)]
    for share in told(tmp_path, two, Resources(cpu=4), given={"OMP_NUM_THREADS": "1"}):
        assert share["TF_NUM_INTRAOP_THREADS"] == "2" and "OMP_NUM_THREADS" not in share
    assert told(tmp_path, two, Resources()) == [{}, {}]
    assert told(tmp_path, [Replica()], Resources(cpu=0.5))[0]["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize(
    ("gpus", "shares"),
    [
        (("0", "1", "2", "3"), ["0,2", "1,3", ""]),
        (("5", "7"), ["5", "7", ""]),
        (("3",), ["3", "3", ""]),
    ],
)
def test_gpus_are_dealt_to_those_that_compute(tmp_path, gpus, shares):
    replicas = [Replica("worker", 0), Replica("worker", 1), Replica("ps", 0)]
    found = told(tmp_path, replicas, Resources(gpu=len(gpus)), gpus)
    assert [share["CUDA_VISIBLE_DEVICES"] for share in found] == shares


# --- who decides --------------------------------------------------------------------------------

LEAD = '[ "$LAB_REPLICA" = worker-0 ]'


def test_values_and_metrics_of_the_one_that_decides_count_once(tmp_path):
    outputs = train(
        RealIo(tmp_path),
        command=f"if {LEAD}; then echo loss=0.5; else echo loss=0.7; fi; echo who=$LAB_REPLICA > $LAB_OUTPUT",
        replicas={"worker": 3},
        metrics={"from": "stdout"},
    )
    assert outputs == {"metrics": {"loss": 0.5}, "who": "worker-0"}


def test_whoever_serves_is_ended_once_the_chief_has_succeeded(tmp_path):
    began = time.monotonic()
    io = RealIo(tmp_path)
    train(
        io,
        command='case $LAB_REPLICA in ps-*) sleep 60;; esac; echo "$TF_CONFIG" > $LAB_REPLICA',
        replicas={"chief": 1, "worker": 1, "ps": 2},
    )
    assert time.monotonic() - began < 20
    assert (tmp_path / "worker-0").exists() and not (tmp_path / "ps-0").exists()
    assert [note.split(" after ")[0] for note in io.notes] == [
        "[lab] chief-0: exit 0",
        "[lab] ps-0: ended with the others",
        "[lab] ps-1: ended with the others",
        "[lab] worker-0: exit 0",
    ]


def test_who_goes_on_after_the_chief_s_success_is_ended_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("providers.local._group.PATIENCE", 0.3)
    began = time.monotonic()
    train(RealIo(tmp_path), command=f"{LEAD} || {{ sleep 60; exit 7; }}", replicas={"worker": 2})
    assert time.monotonic() - began < 20


def test_one_that_fails_takes_all_along_and_is_named(tmp_path):
    began = time.monotonic()
    with pytest.raises(Refused, match=r"^worker-1: exit 3$") as refused:
        train(
            RealIo(tmp_path),
            command=f"if {LEAD}; then sleep 60; fi; exit 3",
            replicas={"worker": 2},
        )
    assert time.monotonic() - began < 20
    assert refused.value.reason == "exit:3"
    assert "ended with it" in refused.value.detail


# --- again --------------------------------------------------------------------------------------

COUNT = "echo x >> tries; [ $(wc -l < tries) -gt 2 ] || kill -9 $$"


def test_a_process_that_dies_is_started_again_as_often_as_it_may(tmp_path):
    io = RealIo(tmp_path)
    train(io, command=COUNT, restart="on_failure", max_restarts=2)
    assert (tmp_path / "tries").read_text().count("x") == 3
    assert any("killed by SIGKILL; started again (2 of 2)" in note for note in io.notes)


def test_and_no_more_often(tmp_path):
    with pytest.raises(Refused, match="killed by SIGKILL") as refused:
        train(RealIo(tmp_path), command=COUNT, restart="on_failure", max_restarts=1)
    assert "had been started again once" in refused.value.detail
    assert (tmp_path / "tries").read_text().count("x") == 2


def test_what_a_failed_try_reported_is_not_an_output(tmp_path):
    command = "echo n$LAB_RESTART=1 >> $LAB_OUTPUT; [ $LAB_RESTART = 1 ]"
    assert "n0" not in train(RealIo(tmp_path), command=command, restart="on_failure")


def test_a_checkpoint_survives_a_restart(tmp_path):
    command = "ls $LAB_CHECKPOINT_DIR > seen; echo x > $LAB_CHECKPOINT_DIR/e; [ $LAB_RESTART = 1 ]"
    train(RealIo(tmp_path), command=command, replicas={"worker": 1}, restart="on_failure")
    assert (tmp_path / "seen").read_text() == "e\n"


def test_a_taken_port_is_no_restart(tmp_path):
    command = (
        "echo x >> tries; [ $(wc -l < tries) -gt 1 ] || { echo 'Address already in use'; exit 1; }"
    )
    io = RealIo(tmp_path)
    train(io, command=command, replicas={"worker": 1})
    assert "port was taken" in io.notes[0]


# --- memory -------------------------------------------------------------------------------------


@pytest.mark.live
def test_who_holds_more_memory_than_it_may_is_ended_with_its_children(tmp_path):
    hog = "import time; x = bytearray(150 * 2**20); time.sleep(60)"
    io, more = RealIo(tmp_path), {"resources": Resources(memory=100 * 2**20)}
    began = time.monotonic()
    with pytest.raises(Refused, match=r"more than the 0\.10 GiB") as refused:
        train(io, command=f"{sys.executable} -c '{hog}' & wait", more=more, restart="on_failure")
    assert refused.value.reason == "memory"
    assert time.monotonic() - began < 20


@pytest.mark.live
def test_memory_that_forks_share_counts_once(tmp_path):
    program = """
import os, time
x = bytearray(os.urandom(1024) * 1024 * 60)
for _ in range(3):
    if not os.fork():
        time.sleep(1.5)
        os._exit(0)
for _ in range(3):
    os.wait()
"""
    Path(tmp_path, "forks.py").write_text(program)
    io, more = RealIo(tmp_path), {"resources": Resources(memory=120 * 2**20)}
    train(io, command=[sys.executable, "forks.py"], more=more)


# --- strategies ---------------------------------------------------------------------------------


def python(tmp_path, **versions):
    told = {"tensorflow": "2.21.0", "keras": "3.15.0", **versions}

    def run(ran):
        return json.dumps(told) if ran.argv[1] == "-c" else 0

    return FakeIo(tmp_path, {"python": run})


TWO = {"replicas": {"worker": 2}, "strategy": "multi_worker"}


def test_a_strategy_without_tensorflow_is_refused(tmp_path):
    with pytest.raises(Refused, match="needs TensorFlow"):
        train(python(tmp_path, tensorflow=None), command=["python", "t.py"], **TWO)


@pytest.mark.parametrize("call", ["model.fit(x, y, epochs=3)", "m.fit(data, callbacks=[c])"])
def test_keras_3_s_fit_on_several_workers_is_refused_before_it_runs(tmp_path, call):
    (tmp_path / "t.py").write_text(f"import keras\n\n{call}\n")
    io = python(tmp_path)
    with pytest.raises(Refused, match=r"Keras 3\.15\.0 cannot `fit`.*t\.py:3") as refused:
        train(io, command=["python", "t.py"], **TWO)
    assert "Two ways work" in refused.value.detail and "tf_keras" in refused.value.detail
    assert len(io.ran) == 1, "the look at the versions alone"


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("scaler.fit(x)", {}),
        ("import tf_keras\nm.fit(x, epochs=1)", {}),
        ("m.fit(x, epochs=1)", {"keras": "2.15.0"}),
        ("def broken(", {}),
    ],
)
def test_what_may_work_is_run(tmp_path, text, versions):
    (tmp_path / "t.py").write_text(text)
    io = python(tmp_path, **versions)
    train(io, command=["python", "t.py"], **TWO)
    assert len(io.ran) == 3


def test_keras_s_own_words_get_an_explanation(tmp_path):
    said = "unsupported type (<class 'tensorflow.python.distribute.values.PerReplica'>)"
    with pytest.raises(Refused) as refused:
        train(RealIo(tmp_path), command=f'echo "{said}"; exit 1', replicas={"worker": 1})
    assert "Two ways work" in refused.value.detail
