"""What a training's program shows of itself before it runs: which file it is, and whether it calls Keras's `fit`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

SEVERAL = ("multi_worker", "parameter_server")
"""The strategies of more than one process."""

TWO_WAYS = (
    "Two ways work: a training loop of your own (strategy.run in a tf.function; for parameter_server"
    " a ClusterCoordinator's schedule), as in lab's examples/distributed; or, for multi_worker, Keras 2:"
    " add `tf_keras` to the requirements, import it instead of keras, and set"
    ' `env: {TF_USE_LEGACY_KERAS: "1"}`.'
)
_OF_FIT = frozenset(  # tell Keras's `fit` from other libraries'
    ("epochs", "batch_size", "steps_per_epoch", "validation_data", "callbacks", "initial_epoch")
)


def program_files(cwd: str, module: str | None, words: Sequence[str]) -> list[str]:
    """Where the Python file that is run may lie; *words* are what follows the program's name."""
    if module is not None:
        stem = module.replace(".", "/")
        names = [f"{stem}.py", f"{stem}/__main__.py"]
    else:
        names = [word for word in words if word.endswith(".py")][:1]
    return [posixpath.normpath(posixpath.join(cwd, name)) for name in names]


def is_third(version: str | None) -> bool:
    """Whether a version of Keras is 3 or later, whose `fit` knows one process alone."""
    major = (version or "").partition(".")[0]
    return major.isdigit() and int(major) >= 3


def fit_in(source: str | bytes) -> int | None:
    """The line in which a program calls Keras's `fit`; None where that is not certain."""
    import ast  # few labs train on several processes, and every plan would wait for it

    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if "tf_keras" in set(_imported(tree)):
        return None
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "fit" and _OF_FIT & {word.arg or "" for word in node.keywords}:
            return node.lineno
    return None


def _imported(tree: ast.AST) -> Iterator[str]:
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
