"""What `lab doctor` looks at on this machine, whatever the Labfile: Python, room, tools."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from lab import __version__
from lab.edge.machine import Machine, cache_root
from lab.model.labfile import Resources
from lab.report.checks import Check, Status
from lab.report.words import size

ABOUT = f"lab {__version__} on this machine"
ROOM_TIGHT, ROOM_NEEDED = 5 * 10**9, 5 * 10**8  # bytes: an environment with TensorFlow takes two GB
_PATIENCE = 10.0  # seconds for a program that says its version


def python() -> Check:
    """The interpreter that runs lab."""
    text = f"{platform.python_version()} ({sys.executable})"
    return Check(about=ABOUT, name="Python", text=text)


def uv(machine: Machine, *, needed: bool) -> Check:
    """The program that makes environments."""
    path = machine.tool("uv")
    if path is None:
        return Check(
            about=ABOUT,
            name="uv",
            text="not found; `environment` steps need it",
            status=Status.FAIL if needed else Status.WARN,
            fix=f"{sys.executable} -m pip install uv",
        )
    said = version_of([path, "--version"], machine.ambient)
    if said is None:
        return Check(
            about=ABOUT,
            name="uv",
            text=f"{path} does not run",
            status=Status.FAIL if needed else Status.WARN,
            fix=f"{sys.executable} -m pip install --force-reinstall uv",
        )
    return Check(about=ABOUT, name="uv", text=f"{said.removeprefix('uv ').split(' (')[0]} ({path})")


def room(folders: Sequence[tuple[str, str]]) -> Iterator[Check]:
    """The free room where each of *folders*, as (what it is for, path), lies; once for each disk."""
    disks: dict[int, tuple[list[str], str]] = {}
    for what, path in folders:
        there = _existing(path)
        disks.setdefault(os.stat(there).st_dev, ([], there))[0].append(what)
    for names, path in disks.values():
        free = shutil.disk_usage(path).free
        text = f"{size(free)} free for {' and '.join(names)}"
        if free < ROOM_NEEDED:
            fix = f"make room where {path} lies; `lab gc` deletes what nothing refers to"
            yield Check(about=ABOUT, name="disk", text=text, status=Status.FAIL, fix=fix)
        elif free < ROOM_TIGHT:
            fix = "`lab gc` deletes what nothing refers to"
            yield Check(about=ABOUT, name="disk", text=text, status=Status.WARN, fix=fix)
        else:
            yield Check(about=ABOUT, name="disk", text=text)


def cache_folder() -> str:
    """Where what all labs share lies."""
    return cache_root(os.environ)


def resources(machine: Machine, asked: Sequence[tuple[str, Resources]]) -> Iterator[Check]:
    """Cores, memory and GPUs against what steps, as (address, resources), ask for."""
    have = f"{machine.cpus} cores, {size(machine.memory)} memory"
    have += f", {machine.gpus} GPU{'' if machine.gpus == 1 else 's'}" if machine.gpus else ""
    over = [
        f"`{address}` asks for {what}"
        for address, wish in asked
        for what in _more_than_there_is(machine, wish)
    ]
    if not over:
        yield Check(about=ABOUT, name="size", text=have)
        return
    more = f" and {len(over) - 3} more" if len(over) > 3 else ""
    yield Check(
        about=ABOUT,
        name="size",
        text=f"{have}, but {'; '.join(over[:3])}{more}",
        status=Status.WARN,
        fix="such a step runs alone and may fail; ask for less in its `resources`",
    )


def _more_than_there_is(machine: Machine, wish: Resources) -> Iterator[str]:
    if wish.cpu > machine.cpus:
        yield f"{wish.cpu:g} cores"
    if wish.memory > machine.memory:
        yield f"{size(wish.memory)} memory"
    if wish.gpu > machine.gpus:
        yield f"{wish.gpu} GPU{'' if wish.gpu == 1 else 's'}"


def version_of(argv: Sequence[str], ambient: Mapping[str, str]) -> str | None:
    """The first line that a program prints of itself; None if it does not run.

    It gets the environment *ambient*, which holds no secret.
    """
    try:
        done = subprocess.run(
            argv,
            env=dict(ambient),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else ""


def _existing(path: str) -> str:
    """*path*, or the nearest folder above it that exists."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path
