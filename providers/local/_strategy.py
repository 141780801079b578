"""Whether a training's strategy can work with its program and the TensorFlow that is installed."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Mapping, Sequence

from lab.kinds.training import Training as Spec
from lab.kinds.training_program import TWO_WAYS, fit_in, is_third, program_files
from lab.model.frozen import dataclass
from lab.provider import Io, Json, Refused, Task

_PROBE = """
import importlib.metadata as m, importlib.util as u, json
def version(*names):
    for name in names:
        try:
            return m.version(name)
        except m.PackageNotFoundError:
            pass
there = u.find_spec("tensorflow") is not None
names = ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly", "tf-nightly-cpu")
print(json.dumps({"tensorflow": version(*names) or ("?" if there else None), "keras": version("keras")}))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """What a Python has; None: it is not there."""

    tensorflow: str | None
    keras: str | None


def check_strategy(task: Task[Spec], argv: Sequence[str], io: Io) -> None:
    """Returns if nothing speaks against the strategy. Looks, and starts one short program for it.

    Raises:
        Refused: it cannot work; the message says what does.
    """
    spec = task.spec
    if spec.strategy == "none" or not _is_python(argv[0]):
        return
    found = installed(argv[0], io)
    if found.tensorflow is None:
        whose = "the step's environment" if spec.environment else f"`{argv[0]}`"
        raise Refused(
            f"`strategy: {spec.strategy}` needs TensorFlow, and {whose} has none",
            "Add `tensorflow` to the environment's requirements, or leave `strategy` out.",
        )
    legacy = {**io.ambient, **task.env}.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")
    if spec.strategy == "mirrored" or legacy or not is_third(found.keras):
        return
    if (place := _fit_in(program_file(task, argv))) is not None:
        raise Refused(
            f"Keras {found.keras} cannot `fit` under `strategy: {spec.strategy}`: {place}",
            TWO_WAYS,
        )


def hint_of(line: str) -> str:
    """What to do about an error that a program printed, where it is Keras 3's with several workers."""
    return TWO_WAYS if "PerReplica" in line and "unsupported type" in line else ""


def _is_python(program: str) -> bool:
    return posixpath.basename(program).startswith("python")


def installed(python: str, io: Io) -> Installed:
    """Which TensorFlow and Keras *python* would import, found without importing them."""
    done = io.run([python, "-c", _PROBE], capture=True, quiet=True)
    try:
        told: Json = json.loads(done.output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        told = None
    if done.code != 0 or not isinstance(told, Mapping):
        raise Refused(f"{python} could not say which TensorFlow it has", done.output.strip()[-500:])
    versions = {name: str(v) if v is not None else None for name, v in told.items()}
    return Installed(versions.get("tensorflow"), versions.get("keras"))


def program_file(task: Task[Spec], argv: Sequence[str]) -> str | None:
    """The Python file that is run, if it is one of the lab's."""
    spec = task.spec
    paths = program_files(posixpath.join(task.root, spec.cwd), spec.module, argv[1:])
    return next((path for path in paths if os.path.isfile(path)), None)


def _fit_in(path: str | None) -> str | None:
    """Where in a program Keras's `fit` is called; None where that is not certain."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            line = fit_in(file.read())
    except OSError:
        return None
    return f"{posixpath.basename(path)}:{line} does" if line is not None else None
