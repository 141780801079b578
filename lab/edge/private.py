"""What lab keeps is for its user alone, and lies in the lab's own folder, whatever was planted there."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from lab.model.diagnostic import Diagnostic, StateError
from lab.model.layout import FOLDER

_MARKS = ("state.db", ".gitignore")
_OTHERS = 0o077


def make_private(folder: str) -> None:
    """Makes *folder* and what is missing above it, for this user only, whatever the umask."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
    except FileNotFoundError:
        make_private(os.path.dirname(folder))
        make_private(folder)


def private(path: str, flags: int) -> int:
    """An opener: a file that is made is for this user only."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def require_own(root: str) -> None:
    """Returns if everything that lab keeps below *root* lies there, and nowhere else; shuts others out.

    Somebody else's checkout may bring a `.lab` full of links: through them lab would write, and
    `lab gc` delete, wherever they lead.

    Raises:
        StateError: a folder that lab writes to is a link to elsewhere.
    """
    folder = os.path.join(root, FOLDER)
    try:
        status = os.lstat(folder)
    except OSError:
        return
    if stat.S_ISLNK(status.st_mode):
        _require_labs(folder)
    for path in _own(folder):
        if os.path.islink(path):
            raise _link(path, "lab follows no links there: it would write and delete elsewhere.")
    with contextlib.suppress(OSError):  # on a disk that knows no permissions, or somebody else's
        mode = os.stat(folder).st_mode
        if stat.S_ISDIR(mode) and mode & _OTHERS:
            os.chmod(folder, stat.S_IMODE(mode) & ~_OTHERS)


def _own(folder: str) -> Iterator[str]:
    """What lab makes itself below `.lab`, down to the folders of single steps and single logs."""
    for name in (
        "state.db",
        "state.db-wal",
        "state.db-shm",
        "locks",
        "cache",
        "work",
        "kept",
        "objects",
        "checkout",
    ):
        yield os.path.join(folder, name)
    yield os.path.join(folder, "cache", "hashes.db")
    for lab in _entries(os.path.join(folder, "work")):
        yield lab
        yield os.path.join(lab, "logs")
        yield os.path.join(lab, "steps")


def _entries(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except OSError:
        return []


def _require_labs(folder: str) -> None:
    """A `.lab` on another disk is its user's choice, if it is lab's already or there is nothing in it."""
    there = os.listdir(folder) if os.path.isdir(folder) else None
    if there is None or (there and not all(name in there for name in _MARKS)):
        raise _link(
            folder,
            f"It leads to {os.path.realpath(folder)}, which lab has not made and will not write to.",
        )


def _link(path: str, detail: str) -> StateError:
    return StateError(
        Diagnostic(
            summary=f"{path} is a symbolic link",
            detail=detail,
            help="Is it somebody else's? Then delete it. To have `.lab` on another disk, let lab make"
            " it, move it there, and make `.lab` a link to it.",
        )
    )
