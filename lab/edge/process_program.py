"""Why the program that an argument vector names cannot be started, in plain words."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence

from lab.edge.process_base import NotStarted
from lab.edge.search import places, searched


def require_program(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> None:
    """Returns if there is such a program, which only the start itself can tell more about.

    Raises:
        NotStarted: there is none, or it may not be run, or *cwd* is not a folder.
    """
    search = env.get("PATH", os.defpath)
    try:
        if "/" in argv[0]:
            _require_named(argv[0], os.path.join(cwd, argv[0]), cwd)
            return
        found = searched(argv[0], cwd, search)
    except ValueError:
        raise NotStarted(_nul(argv[0])) from None
    if found is not None:
        return
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


def _require_named(name: str, path: str, cwd: str) -> None:
    if os.access(path, os.X_OK) and not os.path.isdir(path):
        return
    if said := _no_folder(cwd):
        raise NotStarted(said)
    if not os.path.exists(path):
        raise NotStarted(f"The program {name} does not exist (looked at {os.path.normpath(path)}).")
    if os.path.isdir(path):
        raise NotStarted(f"{name} is a folder, not a program.")
    raise NotStarted(f"{name} is not executable. Run `chmod +x {name}`, or name its interpreter.")


def _not_on_path(name: str, cwd: str, search: str) -> NotStarted:
    unusable = next(filter(os.path.isfile, places(name, cwd, search)), None)
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
