"""Whether a training's strategy can work with its program and the TensorFlow that is installed."""

from __future__ import annotations

import ast
import json
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence

from lab.kinds.training import Training as Spec
from lab.model.frozen import dataclass
from lab.provider import Io, Json, Refused, Task

TWO_WAYS = (
    "Two ways work: a training loop of your own (strategy.run in a tf.function; for parameter_server"
    " a ClusterCoordinator's schedule), as in lab's examples/distributed; or, for multi_worker, Keras 2:"
    " add `tf_keras` to the requirements, import it instead of keras, and set"
    ' `env: {TF_USE_LEGACY_KERAS: "1"}`.'
)
_OF_FIT = frozenset(  # tell Keras's `fit` from other libraries'
    ("epochs", "batch_size", "steps_per_epoch", "validation_data", "callbacks", "initial_epoch")
)
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
    if spec.strategy == "mirrored" or legacy or not _is_third(found.keras):
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


def _is_third(version: str | None) -> bool:
    major = (version or "").partition(".")[0]
    return major.isdigit() and int(major) >= 3


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
    where = posixpath.join(task.root, spec.cwd)
    if spec.module is not None:
        stem = spec.module.replace(".", "/")
        names = [f"{stem}.py", f"{stem}/__main__.py"]
    else:
        names = [word for word in argv[1:] if word.endswith(".py")][:1]
    paths = (posixpath.normpath(posixpath.join(where, name)) for name in names)
    return next((path for path in paths if os.path.isfile(path)), None)


def _fit_in(path: str | None) -> str | None:
    """Where in a program Keras's `fit` is called; None where that is not certain."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    if "tf_keras" in set(_imported(tree)):
        return None
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "fit" and _OF_FIT & {word.arg or "" for word in node.keywords}:
            return f"{posixpath.basename(path)}:{node.lineno} does"
    return None


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
