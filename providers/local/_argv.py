"""What a training runs: its command, or its script or module with parameters as arguments."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping

from lab.kinds.training import Training as Spec
from lab.model.tree import text_of
from lab.provider import Io, Json, Refused, Task

from ._program import folder, programs_of, resolved, words


def argv_of(task: Task[Spec], io: Io) -> Iterator[str]:
    """The words of the program that trains."""
    spec = task.spec
    if spec.command is not None:
        yield from resolved(words(spec.command), spec.environment)
        return
    yield _python(task, io)
    if spec.module is not None:
        yield from ("-m", spec.module)
    else:
        yield folder(task.root, spec.script or "")
    yield from arguments(spec.parameters)
    yield from spec.args


def arguments(parameters: Mapping[str, Json]) -> Iterator[str]:
    """Parameters as ``--name value``: true is ``--name`` alone, false and null are nothing.

    A list is ``--name a b c``, as argparse's ``nargs="+"`` takes it; a map is JSON.
    """
    for name, value in parameters.items():
        match value:
            case None | False:
                continue
            case True:
                yield f"--{name}"
            case list():
                yield from (f"--{name}", *map(text_of, value))
            case _ if (text := text_of(value)).startswith("-"):  # argparse takes -1e-05 for a flag
                yield f"--{name}={text}"
            case _:
                yield from (f"--{name}", text)


def _python(task: Task[Spec], io: Io) -> str:
    environment = task.spec.environment
    if environment is not None:
        return f"{programs_of(environment)}/python"
    path = task.env.get("PATH", io.ambient.get("PATH", os.defpath))
    found = shutil.which("python", path=path) or shutil.which("python3", path=path)
    if found is None:
        raise Refused(
            "there is no `python` on PATH",
            "Name an `environment` step in this one, or install Python.",
        )
    return found
