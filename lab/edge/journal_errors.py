"""What goes wrong with the state's file, said so that a person can put it right."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from typing import TypeAlias

from lab.model.diagnostic import Diagnostic, StateError

BUSY_SECONDS = 30.0
_MAKE_WRITABLE = "lab keeps its state in `.lab` beside the Labfile: make that folder writable."
_MAKE_ROOM = "Free some space (`lab gc` does, also on a full disk), then run the same again."

Explain: TypeAlias = Callable[[str, str], StateError]


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Turns SQLite's errors into what they mean for the state at *path*."""
    try:
        yield
    except UnicodeDecodeError as error:  # even what SQLite wanted to say is damaged
        raise damaged(path, "It holds text that is none") from error
    except sqlite3.Error as error:
        text = str(error)
        found = (say for word, say in _MEANINGS.items() if word in text.lower())
        raise next(found, _failed)(path, text) from error


@contextlib.contextmanager
def made(path: str) -> Iterator[None]:
    """Turns the system's errors while *path* is made into what they mean."""
    try:
        yield
    except OSError as error:
        require_folder(os.path.dirname(path))
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StateError(
            Diagnostic(
                summary=f"{path} cannot be made",
                detail=f"{error.strerror or error}: {error.filename or path}.",
                help=_MAKE_ROOM if full else _MAKE_WRITABLE,
            )
        ) from error


def require_folder(path: str) -> None:
    """Refuses what is there instead of the folder *path*; nothing there is right, too."""
    if os.path.lexists(path) and not os.path.isdir(path):
        raise StateError(
            Diagnostic(
                summary=f"{path} is not a folder",
                detail="lab keeps its state in a folder of that name.",
                help=f"Move it away: `mv {shlex.quote(path)} {shlex.quote(path)}.old`.",
            )
        )


class NoRoomError(StateError):
    """The disk is full: what is there can be read, and nothing can be added."""


class DamagedStateError(StateError):
    """What lies where the state belongs is not, or no more, a state."""


def damaged(path: str, text: str) -> StateError:
    """The file is there, and is not (or no more) a state."""
    return DamagedStateError(
        Diagnostic(
            summary=f"the state {path} is damaged",
            detail=f"{text}. lab leaves the file as it is.",
            help=(
                f"Copy the folder {os.path.dirname(path)} away before anything else. Then put the"
                " file back from a backup, or see with `lab state check` what can still be read."
            ),
        )
    )


def newer(path: str, found: int, known: int, version: str, needs: str) -> StateError:
    """The file's format is one that this lab does not know yet."""
    return StateError(
        Diagnostic(
            summary=f"the state {path} was written by a newer lab",
            detail=f"Its format is {found}; lab {version} reads formats up to {known}.",
            help=f"Install lab {needs} or later.",
        )
    )


def _told(summary: str, detail: str, help: str, error: type[StateError] = StateError) -> Explain:
    return lambda path, text: error(
        Diagnostic(
            summary=summary.format(path=path),
            detail=detail.format(text=text),
            help=help.format(path=path),
        )
    )


def _schema(path: str, text: str) -> StateError:
    if sqlite3.sqlite_version_info >= (3, 37):
        return damaged(path, f"SQLite says: {text}")
    return _told(
        "the state {path} needs a newer SQLite",
        f"It was made with SQLite 3.37 or later; this Python has {sqlite3.sqlite_version}.",
        "Run lab with the Python that made it, or with a newer one.",
    )(path, text)


def _broken(path: str, text: str) -> StateError:
    return damaged(path, f"SQLite says: {text}")


def _input_output(path: str, text: str) -> StateError:
    """On a full disk SQLite cannot even make the memory that readers share, and says no more than this."""
    return (_MEANINGS["disk is full"] if is_full(path) else _failed)(path, text)


def is_full(path: str) -> bool:
    """Whether nothing can be added beside *path*."""
    try:
        return os.statvfs(os.path.dirname(path)).f_bavail == 0
    except OSError:
        return False


_failed = _told(
    "the state {path} cannot be used",
    "SQLite says: {text}.",
    "Look at the disk (`df`, `dmesg`) and at who may read and write the file.",
)
_MEANINGS: dict[str, Explain] = {
    "readonly": _told(
        "the state {path} cannot be written",
        "The file or its disk is read-only for this user; nothing was recorded.",
        "Make the folder writable, or run as the user who owns it.",
    ),
    "disk is full": _told(
        "no space is left for the state {path}",
        "What was to be recorded now is not; what was recorded before is safe.",
        _MAKE_ROOM,
        NoRoomError,
    ),
    "disk i/o error": _input_output,
    "locked": _told(
        "the state {path} is busy",
        f"Another program has been writing to it for more than {BUSY_SECONDS:.0f} seconds.",
        "Wait for it to end; `fuser {path}` tells which program it is.",
    ),
    "unable to open": _told(
        "the state {path} cannot be opened",
        "This user may not read or write the file or its folder, or the file is no file.",
        "Look at the owners (`ls -la`): a run with `sudo` leaves files of root behind.",
    ),
    "malformed database schema": _schema,
    "malformed": _broken,
    "could not decode": _broken,
    "not a database": _broken,
}
