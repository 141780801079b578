"""Whether a Python program may start where its imports are done already, and which those are; from text alone."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lab.kinds.warm_imports import Walk
from lab.model.frozen import dataclass

Read: TypeAlias = "Callable[[str], str | None]"
"""Gives the text of a file by its path, None where there is none."""

_PYTHON = re.compile(r"python(\d+(\.\d+)*)?$")
_PLAIN = re.compile(r"-[bBEIOPqsSu]+$")  # options that the process which imports can have as well


@dataclass(frozen=True, slots=True)
class Warm:
    """What a Python program's process may have imported before it starts, since others import the same.

    ``modules`` are dotted names; one that ends with ``?`` is imported only where it is installed, and may
    name what is no module. ``options`` is how many words after the interpreter are its own options.
    """

    modules: tuple[str, ...]
    options: int = 0


@dataclass(frozen=True, slots=True)
class Cold:
    """Why a program starts in a fresh process; ``wanted``: somebody may have expected otherwise."""

    reason: str
    wanted: bool = False


def start_of(
    argv: Sequence[str],
    cwd: str,
    read: Read,
    *,
    declared: Sequence[str] | None,
    environment: bool,
    several: bool,
    replicas: bool,
) -> Warm | Cold:
    """How a training's program starts.

    Args:
        argv: its words.
        cwd: the folder that it runs in, as *read* knows it.
        read: gives files' texts.
        declared: what the step's ``warm`` says.
        environment: whether an environment of lab's runs it.
        several: whether others like it are run: trials of a sweep, instances of a matrix.
        replicas: whether several processes train together.
    """
    wanted = bool(declared)
    if declared is not None and not declared:
        return Cold("`warm` is empty")
    if not sys.platform.startswith("linux"):
        return Cold("only on Linux can processes be forked from one that has imported", wanted)
    if replicas:
        return Cold("its replicas are processes that know each other", wanted)
    program = _program(argv)
    if isinstance(program, str):
        return Cold(program, wanted)
    if declared:
        return Warm(tuple(declared), program)
    if not environment:
        return Cold("no `environment` of lab's runs it, and it says no `warm`")
    if not several:
        return Cold("it is one step alone, and says no `warm`")
    walk = Walk(read)
    if not walk.program(argv[1 + program :], cwd):
        return Cold("its program is no file that lab can read")
    if walk.unsettled:
        return Cold(walk.unsettled)
    if not walk.names:
        return Cold("its script imports nothing but Python's own modules and the lab's")
    return Warm(tuple(f"{name}?" for name in walk.names), program)


def told(start: Warm | Cold) -> str:
    """How it starts, for people."""
    if isinstance(start, Cold):
        return f"in a fresh process: {start.reason}"
    tops = list(dict.fromkeys(name.rstrip("?").partition(".")[0] for name in start.modules))
    return f"forked from a process that has imported {', '.join(tops)}"


def start_in(spec: Mapping[str, object], read: Read, *, several: bool) -> Warm | Cold | None:
    """How a training will start, from its keys before they are rendered; None where they do not tell yet."""
    command, cwd = spec.get("command"), str(spec.get("cwd", "."))
    script, module = spec.get("script"), spec.get("module")
    if isinstance(command, list):
        argv = [str(word) for word in command]
    elif isinstance(command, str):
        argv = ["sh"]
    elif script is not None:
        argv = ["python", posixpath.relpath(str(script), cwd)]
    else:
        argv = ["python", "-m", str(module)]
    declared = spec.get("warm")
    if any("{{" in word for word in (cwd, *argv[:2])) or isinstance(declared, str):
        return None
    return start_of(
        argv,
        cwd,
        read,
        declared=[str(name) for name in declared] if isinstance(declared, list) else None,
        environment=spec.get("environment") is not None,
        several=several,
        replicas=spec.get("replicas") is not None,
    )


def _program(argv: Sequence[str]) -> int | str:
    """How many words after the interpreter are its options; or why it cannot be taken for Python."""
    if not argv or not _PYTHON.match(posixpath.basename(argv[0])):
        return "its command is no Python program"
    at = 1
    while at < len(argv) and argv[at].startswith("-") and argv[at] not in ("-m", "-c"):
        word = argv[at]
        if word == "-W":
            at += 1
        elif not _PLAIN.match(word) and not word.startswith("-W"):
            return f"Python's option `{word}` is of one process alone"
        at += 1
    if len(argv) <= at or (argv[at] in ("-m", "-c") and len(argv) == at + 1):
        return "its command names no program"
    return at - 1
