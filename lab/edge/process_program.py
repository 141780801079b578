"""Which file an argument vector starts, and in plain words why it cannot be started."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence

from lab.edge.process_base import NotStarted


def find_program(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> str:
    """The absolute path of the program, looked up as the child itself would.

    Raises:
        NotStarted: there is none, or it may not be run, or *cwd* is not a folder.
    """
    if not argv or not argv[0]:
        raise NotStarted("The command is empty: name a program to run.")
    search = env.get("PATH", os.defpath)
    try:
        if "/" in argv[0]:
            return _named(argv[0], os.path.join(cwd, argv[0]), cwd)
        found = _searched(argv[0], cwd, search)
    except ValueError:
        raise NotStarted(_nul(argv[0])) from None
    if found is not None:
        return found
    if said := _no_folder(cwd):
        raise NotStarted(said)
    raise _not_on_path(argv[0], cwd, search)


def why_not(number: int, where: str, name: str, cwd: str, message: str) -> str:
    """A sentence for an error that only the start itself brought to light."""
    if not number and "null" in message:
        return _nul(name)
    if where == "cwd":
        said = _no_folder(cwd)
        return said or f"The working folder {cwd} cannot be entered: {_says(number, message)}."
    match number:
        case errno.ENOENT:
            return f"'{name}' cannot be started: the interpreter in its first line does not exist."
        case errno.ENOEXEC:
            return (
                f"'{name}' cannot be started: it is neither a program for this machine nor a "
                "script with a first line such as `#!/bin/sh`."
            )
        case errno.E2BIG:
            return (
                f"'{name}' cannot be started: its arguments and environment together are longer "
                "than this system allows. Hand long values over in a file or on standard input."
            )
        case _:
            return f"'{name}' cannot be started: {_says(number, message)}."


def _named(name: str, path: str, cwd: str) -> str:
    if os.access(path, os.X_OK) and not os.path.isdir(path):
        return path
    if said := _no_folder(cwd):
        raise NotStarted(said)
    if not os.path.exists(path):
        raise NotStarted(f"The program {name} does not exist (looked at {os.path.normpath(path)}).")
    if os.path.isdir(path):
        raise NotStarted(f"{name} is a folder, not a program.")
    raise NotStarted(f"{name} is not executable. Run `chmod +x {name}`, or name its interpreter.")


def _searched(name: str, cwd: str, search: str) -> str | None:
    for path in _paths(name, cwd, search):
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def _paths(name: str, cwd: str, search: str) -> list[str]:
    folders = search.split(os.pathsep)
    # Most are absolute, and this is done for every child.
    return [f"{at}/{name}" if at[:1] == "/" else os.path.join(cwd, at, name) for at in folders]


def _not_on_path(name: str, cwd: str, search: str) -> NotStarted:
    unusable = next(filter(os.path.isfile, _paths(name, cwd, search)), None)
    if unusable is not None:
        return NotStarted(
            f"'{name}' was found as {unusable}, which is not executable. Run `chmod +x`."
        )
    here = os.path.join(cwd, name)
    hint = f"There is one in {cwd}: write './{name}'." if os.path.isfile(here) else ""
    return NotStarted(
        f"'{name}' was not found on PATH",
        f"{hint or 'Install it, or give its full path.'} PATH is {search}",
    )


def _no_folder(cwd: str) -> str:
    """What is wrong with *cwd*; nothing if it is a folder."""
    if os.path.isdir(cwd):
        return ""
    what = "is not a folder" if os.path.exists(cwd) else "does not exist"
    return f"The working folder {cwd} {what}. Create it, or change `cwd`."


def _nul(name: str) -> str:
    shown = name.replace("\0", "\\0")
    return f"A NUL character is in the command or the environment of '{shown}'."


def _says(number: int, message: str) -> str:
    return os.strerror(number) if number else message
