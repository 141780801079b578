"""A seed reaches programs that know nothing of lab, and changes nothing else about how they start."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import tensorflow_env

from tests.project import Project

pytestmark = pytest.mark.live

DRAW = """
    import random
    import numpy as np
    import tensorflow as tf
    import keras
    drawn = {
        "python": random.random(),
        "numpy": np.random.rand(),
        "tensorflow": float(tf.random.normal([])),
        "keras": float(keras.Sequential([keras.Input([1]), keras.layers.Dense(1)]).weights[0][0, 0]),
        "dropout": float(keras.layers.Dropout(0.5)(np.ones([1, 64]), training=True)[0, :32].numpy().sum()),
        "hash": hash("a"),
    }
    print(" ".join(f"{name}={value!r}" for name, value in drawn.items()))
"""


def test_python_numpy_tensorflow_and_keras_draw_by_the_seed(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab", {"TF_CPP_MIN_LOG_LEVEL": "3"})
    step = (
        f'kind: training, command: ["{tensorflow_env.interpreter()}", draw.py],'
        " metrics: {from: stdout}"
    )
    project.labfile(f"""
        labfile: 1
        name: t
        steps:
          one: {{{step}, seed: 7}}
          same: {{{step}, seed: 7}}
          other: {{{step}, seed: 8}}
    """)
    project.write("draw.py", DRAW)
    project.lab("apply")
    one, same, other = (
        project.lab("show", name, "--json").json["metrics"] for name in ("one", "same", "other")
    )
    assert len(one) == 6
    assert one == same
    for name in ("python", "numpy", "tensorflow", "keras", "hash"):
        assert one[name] != other[name], name


def test_it_stands_before_nobody_s_own_and_seeds_what_is_there(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab", {"PYTHONPATH": "mine"})
    project.write("mine/sitecustomize.py", "import builtins; builtins.mine = __file__")
    project.write("mine/numpy/__init__.py", "")
    project.write("mine/numpy/random/__init__.py", "def seed(value): global seeded; seeded = value")
    project.write(
        "t.py",
        """
        import json, os, random, subprocess, sys
        import numpy.random
        import sitecustomize
        assert "exec_module" not in vars(numpy.random.__spec__.loader)
        assert not any(path.endswith("seeded") for path in sys.path), sys.path
        draw = [sys.executable, "-c", "import random; print(random.random())"]
        child = float(subprocess.run(draw, capture_output=True, text=True, check=True).stdout)
        seen = [mine, sitecustomize.__file__, numpy.random.seeded, random.random(), child]
        json.dump(seen, open("seen", "w"))
        """,
    )
    project.labfile(f"""
        labfile: 1
        name: t
        steps: {{a: {{kind: training, command: ["{sys.executable}", t.py], seed: 4294967300}}}}
    """)
    project.lab("apply")
    mine, module, seeded, first, child = json.loads((project.folder / "seen").read_text())
    assert mine == module and mine.endswith("mine/sitecustomize.py")
    assert seeded == 4
    assert first == child, "whichever Python draws first draws the same"
