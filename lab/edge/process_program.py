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
    if "\0" in "".join((*argv, cwd, *env, *env.values())):
        raise NotStarted(
            f"A NUL character is in the command or the environment of '{_shown(argv)}'."
        )
    if not os.path.isdir(cwd):
        what = "is not a folder" if os.path.exists(cwd) else "does not exist"
        raise NotStarted(f"The working folder {cwd} {what}. Create it, or change `cwd`.")
    if "/" in argv[0]:
        return _named(argv[0], os.path.join(cwd, argv[0]))
    return _on_path(argv[0], cwd, env.get("PATH", os.defpath))


def why_not(number: int, where: str, name: str, cwd: str, message: str) -> str:
    """A sentence for an error that only the start itself brought to light."""
    if where == "cwd":
        return f"The working folder {cwd} cannot be entered: {_says(number, message)}."
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


def _named(name: str, path: str) -> str:
    if not os.path.exists(path):
        raise NotStarted(f"The program {name} does not exist (looked at {os.path.normpath(path)}).")
    if os.path.isdir(path):
        raise NotStarted(f"{name} is a folder, not a program.")
    if not os.access(path, os.X_OK):
        raise NotStarted(
            f"{name} is not executable. Run `chmod +x {name}`, or name its interpreter."
        )
    return path


def _on_path(name: str, cwd: str, search: str) -> str:
    folders = search.split(os.pathsep)
    # Most are absolute, and this is done for every child.
    paths = [f"{at}/{name}" if at[:1] == "/" else os.path.join(cwd, at, name) for at in folders]
    for path in paths:
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    unusable = next(filter(os.path.isfile, paths), None)
    if unusable is not None:
        raise NotStarted(
            f"'{name}' was found as {unusable}, which is not executable. Run `chmod +x`."
        )
    here = os.path.join(cwd, name)
    hint = f"There is one in {cwd}: write './{name}'." if os.path.isfile(here) else ""
    raise NotStarted(
        f"'{name}' was not found on PATH",
        f"{hint or 'Install it, or give its full path.'} PATH is {search}",
    )


def _says(number: int, message: str) -> str:
    return os.strerror(number) if number else message


def _shown(argv: Sequence[str]) -> str:
    return argv[0].replace("\0", "\\0")
