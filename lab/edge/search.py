"""Where a program lies that a command names: looked up in a PATH as a shell does."""

from __future__ import annotations

import os


def searched(name: str, cwd: str, search: str) -> str | None:
    """The first file on the path *search* that is called *name* and may be run."""
    for path in places(name, cwd, search):
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def places(name: str, cwd: str, search: str) -> list[str]:
    """Where on the path *search* a program called *name* may lie; relative folders are below *cwd*."""
    folders = search.split(os.pathsep)
    # Most are absolute, and this is done for every child.
    return [f"{at}/{name}" if at[:1] == "/" else os.path.join(cwd, at, name) for at in folders]
