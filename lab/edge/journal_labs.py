"""Which labs a state file remembers: one row for each name and overlay."""

from __future__ import annotations

import os

from lab.edge.journal_storage import Damaged, Database, Storage
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.frozen import dataclass
from lab.model.regex import regex

_ROW = "SELECT lab, name, overlay, labfile, key, run FROM labs"
_HEX = regex(r"(?:[0-9a-f]{2})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabRow:
    """A lab as the file knows it.

    ``labfile`` is the file that declares it, ``key`` the secret of keyed hashing, ``run`` the
    newest run's number when this was read.
    """

    name: str
    overlay: str
    lab: int = 0
    labfile: str = ""
    key: str = ""
    run: int = 0


def labs(file: Storage) -> list[LabRow]:
    """All labs of the file, by name and overlay."""
    with file.read() as db:
        return [_row(each, file.damaged) for each in db.execute(f"{_ROW} ORDER BY name, overlay")]


def find(file: Storage, root: str, name: str, overlay: str, labfile: str) -> LabRow | None:
    """The lab of that name; None if there is none.

    Raises:
        StateError: another Labfile has the name.
    """
    with file.read() as db:
        found = _found(db, name, overlay, file.damaged)
        if found and labfile:
            _refuse_twins(root, found, labfile)
            if file.guests is not None:
                file.guests.admit(db, found.lab, name, os.path.join(root, labfile))
        return found


def enter(file: Storage, root: str, name: str, overlay: str, labfile: str) -> LabRow:
    """The lab of that name, made if there is none yet, and declared by *labfile* from now on.

    Raises:
        StateError: another Labfile has the name.
    """
    found = find(file, root, name, overlay, labfile)
    if found and labfile in ("", found.labfile) and not _is_new(file, found, root, labfile):
        return found
    guests, path = file.guests, os.path.join(root, labfile)
    with file.write() as db:
        entered = db.execute(
            "INSERT INTO labs(name, overlay, labfile, key) VALUES (?, ?, ?, ?)"
            " ON CONFLICT(name, overlay) DO NOTHING",
            (name, overlay, labfile, os.urandom(32).hex()),
        )
        found = _found(db, name, overlay, file.damaged)
        assert found is not None
        _refuse_twins(root, found, labfile)
        if guests is not None and labfile:
            if entered.rowcount == 0:  # somebody else made it
                guests.admit(db, found.lab, name, path)
            guests.note(db, found.lab, path)
        db.execute("UPDATE labs SET labfile = ? WHERE lab = ?", (labfile, found.lab))
        return found


def join(file: Storage, root: str, name: str, overlay: str, labfile: str) -> LabRow | None:
    """Lets *labfile* use the lab of that name; None if there is none."""
    with file.write() as db:
        found = _found(db, name, overlay, file.damaged)
        if found and file.guests is not None:
            file.guests.note(db, found.lab, os.path.join(root, labfile))
        return found


def _is_new(file: Storage, found: LabRow, root: str, labfile: str) -> bool:
    """Whether the storage has something to note of this Labfile."""
    if file.guests is None or not labfile:
        return False
    with file.read() as db:
        return not file.guests.known(db, found.lab, os.path.join(root, labfile))


def nothing(row: LabRow) -> StateError:
    """Something was asked of a lab that has no state."""
    named = f"{row.name} with overlay {row.overlay}" if row.overlay else row.name
    return StateError(
        Diagnostic(
            summary=f"there is no state of {named} here",
            detail="Nothing has been applied from this folder under that name.",
            help="`lab state list` shows which labs have a state here.",
        )
    )


def _found(db: Database, name: str, overlay: str, damaged: Damaged) -> LabRow | None:
    row = db.execute(f"{_ROW} WHERE name = ? AND overlay = ?", (name, overlay)).fetchone()
    return _row(row, damaged) if row else None


def _row(row: tuple[int, str, str, str, str, int], damaged: Damaged) -> LabRow:
    lab, name, overlay, labfile, key, run = row
    if not _HEX.fullmatch(key):
        raise damaged(f"The key of {name} is none")
    return LabRow(lab=lab, name=name, overlay=overlay, labfile=labfile, key=key, run=run)


def _refuse_twins(root: str, found: LabRow, labfile: str) -> None:
    """Two Labfiles with one name would each destroy what the other one made."""
    if not labfile or labfile == found.labfile or not found.labfile:
        return
    other = os.path.join(root, found.labfile)
    if not os.path.exists(other) or _same(other, os.path.join(root, labfile)):
        return
    raise StateError(
        Diagnostic(
            summary=f"{labfile} and {found.labfile} are both named `{found.name}`",
            detail=(
                "What a lab made is remembered by its name and overlay, so each of the two would"
                f" take the other's steps for its own. The state belongs to {found.labfile}."
            ),
            help=(
                f"Give {labfile} another `name:`. If it replaces {found.labfile}, remove or rename"
                f" {found.labfile}: then {labfile} takes the state over."
            ),
        )
    )


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
