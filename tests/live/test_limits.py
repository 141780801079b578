"""What `resources` promise: cores and threads for each step, together with all others that run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import tensorflow_env

from tests.project import Project

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
        reason="this needs two cores, and a system that can keep programs to one",
    ),
]

LABFILE = """
    labfile: 1
    name: limits
    steps:
      one: {kind: training, command: [python3, look.py], resources: {cpu: 1, gpu: 1}}
      two: {kind: command, command: "python3 look.py; python3 look.py", resources: {cpu: 1}}
      free: {kind: training, command: [python3, look.py]}
      pair: {kind: training, command: [python3, look.py], resources: {cpu: 1}, replicas: {worker: 2}}
      sweep:
        kind: sweep
        trial:
          command: [python3, look.py, "{{ parameters.x }}"]
          metrics: {from: stdout}
          resources: {cpu: 1, gpu: 1}
        parameters: {x: {type: double, min: 0, max: 1}}
        objective: {metric: loss, type: minimize}
        trials: {max: 4, parallel: 3}
"""
LOOK = """
    import json, os, time
    began = time.time()
    print("loss=1")
    time.sleep(0.6)
    seen = {
        "step": os.environ["LAB_STEP"],
        "cores": sorted(os.sched_getaffinity(0)),
        "omp": os.environ.get("OMP_NUM_THREADS"),
        "intra": os.environ.get("TF_NUM_INTRAOP_THREADS"),
        "gpus": os.environ["CUDA_VISIBLE_DEVICES"],
        "began": began,
        "ended": time.time(),
    }
    with open("ledger", "a") as ledger:
        ledger.write(json.dumps(seen) + "\\n")
"""


def test_steps_and_trials_at_once_have_cores_and_gpus_of_their_own(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab", {"CUDA_VISIBLE_DEVICES": "3,5"})
    project.labfile(LABFILE)
    project.write("look.py", LOOK)
    project.apply("-j", "8", "--cpu", "2")
    seen = [json.loads(line) for line in (project.folder / "ledger").read_text().splitlines()]
    asked = [each for each in seen if each["step"] != "free"]
    assert len(asked) == 1 + 2 + 2 + 4
    assert all(len(each["cores"]) == 1 for each in asked)
    for each in asked:
        beside = {o["step"] for o in asked if o["began"] <= each["began"] < o["ended"]}
        assert len(beside) <= 2, "no more at once than there are cores, trials among them"
    for one in asked:
        for other in asked:
            at_once = one["began"] < other["ended"] and other["began"] < one["ended"]
            if at_once and one["step"] != other["step"]:
                assert one["cores"] != other["cores"], (one, other)
                assert one["gpus"] != other["gpus"] or one["gpus"] == "3,5", (one, other)
    assert all(
        each["gpus"] in (("3", "5") if each["step"] not in ("two", "pair") else ("3,5",))
        for each in asked
    )
    (free,) = [each for each in seen if each["step"] == "free"]
    assert free["cores"] == sorted(os.sched_getaffinity(0))
    assert free["omp"] == os.environ.get("OMP_NUM_THREADS")
    if "OMP_NUM_THREADS" not in os.environ:
        told = {each["step"]: (each["omp"], each["intra"]) for each in asked}
        assert told["one"] == told["sweep[#1]"] == ("1", "1")


TENSORS = """
    import os
    import tensorflow as tf
    x = tf.random.normal([600, 600])
    for _ in range(3):
        x = tf.linalg.matmul(x, x) / 600.0
    print(f"threads={len(os.listdir('/proc/self/task'))} cores={len(os.sched_getaffinity(0))}")
"""


def test_tensorflow_makes_as_many_threads_as_it_is_told_and_a_user_s_number_holds(
    tmp_path: Path,
) -> None:
    python = tensorflow_env.interpreter()
    step = (
        f'kind: training, command: ["{python}", t.py], metrics: {{from: stdout}},'
        " resources: {cpu: 1}"
    )
    project = Project(tmp_path / "lab", {"TF_CPP_MIN_LOG_LEVEL": "3"})
    project.labfile(f"""
        labfile: 1
        name: t
        steps:
          few: {{{step}}}
          many: {{{step}, env: {{TF_NUM_INTRAOP_THREADS: "8"}}}}
    """)
    project.write("t.py", TENSORS)
    project.lab("apply")
    few, many = (project.lab("show", name, "--json").json["metrics"] for name in ("few", "many"))
    assert few["cores"] == many["cores"] == 1
    assert many["threads"] - few["threads"] == 7
