"""Which checkouts may use a lab of a shared database: those of its own Labfile, not of one that has its name too.

A lab is known to others by its name alone, and two people may both call theirs `digits`. So a
checkout is let in that was let in before, or whose Labfile has been applied, byte for byte, from a
checkout that was. Whoever writes a `workspace` has said whose lab it is, and is not asked.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import time

from lab.edge.journal_errors import made
from lab.edge.journal_schema import make_folder
from lab.edge.journal_storage import Database
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.layout import FOLDER

_NAME = "checkout"


class Guests:
    """Implements :class:`lab.edge.journal_storage.Guests` with a table of checkouts."""

    def known(self, db: Database, lab: int, labfile: str) -> bool:
        """Whether this checkout has been let in with just this Labfile."""
        query = "SELECT 1 FROM checkouts WHERE lab = ? AND checkout = ? AND labfile = ?"
        found = db.execute(query, (lab, _identity(labfile), _digest(labfile))).fetchone()
        return found is not None

    def admit(self, db: Database, lab: int, name: str, labfile: str) -> None:
        """Refuses a Labfile that may be another lab's.

        Raises:
            StateError: it is.
        """
        query = "SELECT 1 FROM checkouts WHERE lab = ? AND (checkout = ? OR labfile = ?)"
        if db.execute(query, (lab, _identity(labfile), _digest(labfile))).fetchone() is not None:
            return
        theirs = "SELECT place, since FROM checkouts WHERE lab = ? ORDER BY since DESC"
        place, since = db.execute(theirs, (lab,)).fetchone() or ("nowhere", 0.0)
        raise _stranger(name, labfile, place, since)

    def note(self, db: Database, lab: int, labfile: str) -> None:
        """Lets the checkout of *labfile* in, from now on."""
        place = f"{socket.gethostname()}:{labfile}"
        identity = _identity(labfile) or _new_identity(labfile)
        db.execute(
            "INSERT INTO checkouts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (lab, identity, _digest(labfile), place, time.time()),
        )


def _path(labfile: str) -> str:
    return os.path.join(os.path.dirname(labfile), FOLDER, _NAME)


def _identity(labfile: str) -> str:
    """What this checkout is called in the database; empty if it never was there."""
    try:
        with open(_path(labfile), encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def _new_identity(labfile: str) -> str:
    path, identity = _path(labfile), secrets.token_hex(16)
    with made(path):
        make_folder(os.path.dirname(path))
        partial = f"{path}.{os.getpid()}"
        with open(partial, "w", encoding="ascii") as file:
            file.write(f"{identity}\n")
        os.replace(partial, path)
    return identity


def _digest(labfile: str) -> str:
    try:
        with open(labfile, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _stranger(name: str, labfile: str, place: str, since: float) -> StateError:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(since))
    return StateError(
        Diagnostic(
            summary=f"the database has a lab named `{name}` that was not made by this Labfile",
            detail=f"It is used from {place} (since {when}). If that is another lab, each of the two"
            " would take the other's steps for its own.",
            help="Is it the same lab? `lab state join`, once in this checkout. Another one? Give this"
            " one a `name:` of its own, or `workspace: NAME` below `state:`.",
        )
    )
