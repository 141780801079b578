"""When a program may start where its imports are done, told from its words and files alone."""

from __future__ import annotations

import textwrap

import pytest

from lab.kinds.warm import Cold, Warm, start_in, start_of, told

HELPERS = "import tensorflow as tf\nMODEL = tf.keras.Sequential"


def start(text="import numpy", *, argv=("python", "train.py"), files=None, **how):
    """How a script with *text* starts in a sweep, in an environment of lab's."""
    texts = {"train.py": textwrap.dedent(text), **(files or {})}
    how = {"declared": None, "environment": True, "several": True, "replicas": False, **how}
    return start_of(argv, ".", texts.get, **how)


def reason(*args, **how):
    found = start(*args, **how)
    assert isinstance(found, Cold)
    return found.reason


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("import numpy as np\nimport os", "numpy"),
        ("import numpy as np\nnp.random.seed(1)", "numpy.random.seed"),
        ("from sklearn.datasets import load_digits", "sklearn.datasets.load_digits"),
        ("from numpy import *", "numpy"),
        ("try:\n    import torch\nexcept ImportError:\n    import numpy", "torch numpy"),
        (
            "import tensorflow as tf\ndef f(): return tf.keras.layers.Dense",
            "tensorflow.keras.layers",
        ),
        ("if __name__ == '__main__':\n    import numpy", "numpy"),
        ("import helpers", "tensorflow.keras.Sequential"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\nimport numpy",
            "numpy",
        ),
        ("import os\nprint(os.environ['HOME'], os.environ.get('X'))\nimport numpy", "numpy"),
        ("import numpy, os\nos.environ['X'] = '1'", "numpy"),
        ("def f():\n    os.environ['X'] = '1'\nimport numpy\nf()", "numpy"),
    ],
)
def test_what_it_imports_first_is_found(text, modules):
    found = start(text, files={"helpers.py": HELPERS})
    assert found == Warm(tuple(f"{name}?" for name in modules.split()))


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['X'] = '1'\nimport numpy",
        "import os\nos.environ.setdefault('X', '1')\nimport numpy",
        "from os import environ\nenviron.update(X='1')\nimport numpy",
        "import os\nif True:\n    del os.environ['X']\nimport numpy",
        "import os\nos.putenv('X', '1')\nimport numpy",
        "import sys\nsys.path.insert(0, 'x')\nimport numpy",
        "import sys\nsys.path += ['x']\nimport numpy",
        "from dotenv import load_dotenv\nload_dotenv()\nimport numpy",
        "import os\ndef f():\n    os.environ['X'] = '1'\nf()\nimport numpy",
        "import early\nimport numpy",
    ],
)
def test_what_prepares_its_surroundings_first_is_left_alone(text):
    said = reason(text, files={"early.py": "import os\nos.environ['X'] = '1'"})
    assert said.endswith("sets variables or paths before `numpy` is imported"), said
    assert said.startswith(("train.py:", "early.py:2")), said


@pytest.mark.parametrize(
    ("argv", "options"),
    [
        (("python3.11", "-u", "train.py"), 1),
        (("/env/bin/python", "-OB", "-W", "error", "train.py", "-x"), 3),
        (("python", "-m", "train", "--lr", "1"), 0),
        (("python", "-c", "import numpy"), 0),
    ],
)
def test_the_ways_to_name_a_program(argv, options):
    assert start(argv=argv) == Warm(("numpy?",), options)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("sh", "-c", "python train.py"), "no Python program"),
        (("pythonista", "train.py"), "no Python program"),
        (("python", "-X", "dev", "train.py"), "option `-X`"),
        (("python", "-i", "train.py"), "option `-i`"),
        (("python",), "names no program"),
        (("python", "-m"), "names no program"),
        (("python", "nowhere.py"), "no file that lab can read"),
        (("python", "-m", "torch.distributed.run", "train.py"), "no file that lab can read"),
    ],
)
def test_what_is_no_program_of_that_sort(argv, said):
    assert said in reason(argv=argv)


def test_who_asks_for_it_and_who_does_not():
    assert "no `environment`" in reason(environment=False)
    assert "one step alone" in reason(several=False)
    assert "`warm` is empty" in reason(declared=[])
    assert start(declared=["keras"], environment=False, several=False) == Warm(("keras",))
    assert start(declared=["keras"], replicas=True).wanted
    assert "nothing but Python's own" in reason("import json, helpers", files={"helpers.py": ""})
    assert start("import (") == Cold(
        "its script imports nothing but Python's own modules and the lab's"
    )


def test_it_is_told_before_anything_is_rendered():
    spec = {"script": "src/train.py", "cwd": "src", "environment": "env", "parameters": {"lr": 1}}
    found = start_in(spec, {"src/train.py": "import numpy"}.get, several=True)
    assert found is not None
    assert told(found) == "forked from a process that has imported numpy"
    assert start_in({"command": ["{{ vars.python }}", "x"]}, {}.get, several=True) is None
    shell = start_in({"command": "python train.py"}, {}.get, several=True)
    assert shell is not None
    assert told(shell) == "in a fresh process: its command is no Python program"
