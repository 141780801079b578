"""A training without TensorFlow's start-up, which kills itself just before its Nth act on the disk.

stand_in.py EPOCHS; KILL_AT counts opens, renames, removals and prints. With TEAR_AT it dies while
it writes the third checkpoint, after that many bytes. With neither it runs to its end.
"""

from __future__ import annotations

import builtins
import itertools
import os
import random
import resource
import signal
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

ACTS = {"open", "os.rename", "os.remove", "os.mkdir"}
tear_at = int(os.environ.get("TEAR_AT", "-1"))
kill_at = int(os.environ.get("KILL_AT", "-1"))
work = os.environ["LAB_STEP_DIR"]
acts = itertools.count(1)


class Variable:
    """As much of a Keras variable as a checkpoint needs."""

    def __init__(self, value: Any) -> None:
        self.value = np.array(value)
        self.shape, self.dtype = self.value.shape, self.value.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.value.astype(dtype) if dtype else self.value.copy()

    def __int__(self) -> int:
        return int(self.value)

    def assign(self, value: Any) -> None:
        self.value = np.array(value)


class LambdaCallback(SimpleNamespace):
    """Keras's, less what the helper does not use."""


def act(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "print" and not (event in ACTS and work in str(arguments[0])):
        return
    if next(acts) == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)


def counted(say: Callable[..., None]) -> Callable[..., None]:
    def say_and_count(*words: Any, **how: Any) -> None:
        act("print", ())
        say(*words, **how)

    return say_and_count


def tear() -> None:
    """Let the system end this process at the first write past the limit: Python ignores it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (tear_at, tear_at))


def main() -> None:
    sys.modules["keras"] = SimpleNamespace(  # type: ignore[assignment]
        callbacks=SimpleNamespace(LambdaCallback=LambdaCallback)
    )
    import lab_keras  # type: ignore[import-not-found]

    builtins.print = counted(print)
    sys.addaudithook(act)
    random.seed(1)
    np.random.seed(1)
    epochs = int(sys.argv[1])
    weights, iterations = Variable([0.0, 0.0]), Variable(0)
    optimizer = SimpleNamespace(built=True, iterations=iterations, variables=[iterations])
    model = SimpleNamespace(built=True, variables=[weights], optimizer=optimizer)
    first = lab_keras.resume(model)
    (callback,) = lab_keras.callbacks()
    callback.model, callback.params = model, {"epochs": epochs}
    for epoch in range(first, epochs):
        callback.on_epoch_begin(epoch, {})
        if epoch == 2 and tear_at > 0:
            tear()
        weights.assign(weights.value * 0.5 + [random.random(), np.random.rand()])
        iterations.assign(int(iterations) + 10)
        callback.on_epoch_end(epoch, {"loss": float(weights.value.sum())})
    builtins.print("weights", weights.value.tobytes().hex())
    builtins.print("acts", next(acts))


main()
