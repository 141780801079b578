"""Sweeps whose trials are forked: the same numbers as afresh, and no trial harms the others."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.edge.warden_tree import row, table
from tests.project import LAB, Project
from tests.tensorflow_env import QUIET, interpreter

pytestmark = pytest.mark.live

LABFILE = """
    labfile: 1
    name: warm
    vars: {max: 6}
    steps:
      sweep:
        kind: sweep
        trial:
          command: [PYTHON, train.py, "{{ parameters.n }}"]
          parameters: {n: 1}
          seed: 3
          warm: WARM
          resources: {memory: 600Mi}
          metrics: {from: stdout}
          timeout: 20s
        parameters:
          n: {type: int, min: 1, max: 6}
        objective: {metric: loss, type: minimize}
        algorithm: {name: grid}
        trials: {max: "{{ vars.max }}", parallel: 2, max_failed: "{{ vars.max }}"}
    outputs:
      trials: "{{ steps.sweep.outputs.trials }}"
"""
HOSTILE = """
    import ctypes, os, signal, sys, time
    n = int(sys.argv[1])
    if n == 1:
        ctypes.string_at(0)
    if n == 2:
        os._exit(3)
    if n == 3:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(2):
            if os.fork() == 0:
                os.setsid()
                time.sleep(99)
        held = bytearray(700 * 2**20)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(99)
    if n == 4:
        for _ in range(200_000):
            print("line")
    print(f"loss={n}")
"""
NUMBERS = """
    import sys
    import random
    import numpy as np
    import tensorflow as tf
    n = int(sys.argv[1])
    model = tf.keras.Sequential([tf.keras.layers.Input((8,)), tf.keras.layers.Dense(n)])
    model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss="mse")
    x, y = np.random.random((64, 8)), np.random.random((64, n))
    history = model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    print(f"loss={history.history['loss'][-1]!r} other={random.random()!r}")
    print(f"third={float(tf.random.normal([]))!r}")
"""


SLOW = """
    import os, subprocess, sys, time
    child = subprocess.Popen(["sleep", "99"])
    with open(f"pids-{sys.argv[1]}.new", "w") as file:
        print(os.getpid(), os.getppid(), child.pid, file=file)
    os.rename(file.name, f"pids-{sys.argv[1]}")
    time.sleep(99)
"""


def made(folder: Path, python: str, warm: str, text: str) -> Project:
    project = Project(folder, env=QUIET)
    project.labfile(LABFILE.replace("PYTHON", python).replace("WARM", warm))
    project.write("train.py", text)
    return project


def test_trials_that_die_in_every_way_leave_the_others_whole(tmp_path: Path) -> None:
    project = made(tmp_path, sys.executable, "[numpy]", HOSTILE)
    project.apply()
    counts = project.lab("output", "--json").json["trials"]
    assert (counts["succeeded"], counts["failed"]) == (3, 3)
    logs = "".join(project.lab("logs", f"sweep[#{n}]", expect=None).out for n in range(1, 7))
    assert "fresh process" not in logs
    assert logs.count("line\n") == 200_000
    why = "".join(project.lab("show", f"sweep[#{n}]").out for n in range(1, 7))
    assert "SIGSEGV" in why
    assert "exit 3" in why
    assert "more than the 0.59 GiB" in why


def test_the_numbers_are_those_of_a_fresh_process(tmp_path: Path) -> None:
    python, found = str(interpreter()), []
    for warm in ("[]", "[numpy, tensorflow]"):
        project = made(tmp_path / warm, python, warm, NUMBERS)
        project.apply("--var", "max=2")
        found.append([project.lab("logs", f"sweep[#{n}]").out for n in (1, 2)])
    fresh, warm = ([re.findall(r"(\w+)=(\S+)", log) for log in each] for each in found)
    assert warm == fresh
    assert len({tuple(each) for each in warm}) == 2
    assert not any("fresh process" in log for log in found[1])
    assert "imported numpy, tensorflow" in project.lab("explain", "sweep").out


def test_nothing_outlives_lab(tmp_path: Path) -> None:
    project = made(tmp_path, sys.executable, "[numpy]", SLOW)
    command = [str(LAB), "apply", "--var", "max=2"]
    lab = subprocess.Popen(command, cwd=project.folder, env=project.env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while len(told := list(tmp_path.glob("pids-?"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pids = {int(pid) for path in told for pid in path.read_text().split()}
    wardens = {int(path.read_text().split()[1]) for path in told}
    pids |= {pid for pid, one in table().items() if one.parent in wardens}
    assert len(pids) >= 6, "two trials with a child each, the warden, and the process that imported"
    lab.kill()
    lab.wait()
    deadline = time.monotonic() + 15
    while left := [pid for pid in pids if (one := row(pid)) is not None and not one.ended]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
