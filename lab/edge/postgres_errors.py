"""What goes wrong with a team's database, said so that a person can put it right; never with its password."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from lab.edge.journal_storage import UnreachableError
from lab.model.diagnostic import Diagnostic, StateError

if TYPE_CHECKING:
    import psycopg

Explain: TypeAlias = Callable[[str, str], StateError]


def missing() -> StateError:
    """The driver is not installed."""
    return StateError(
        Diagnostic(
            summary="a state in PostgreSQL needs the package `psycopg`, which is not installed",
            help="uv tool install 'lab-runner[postgresql]', or beside lab's interpreter:"
            " pip install 'psycopg[binary]>=3.1,<4'",
        )
    )


def bad_dsn() -> StateError:
    """The dsn is none. What it says is not repeated, for it may be a piece of the password."""
    return StateError(
        Diagnostic(
            summary="the `dsn` of the state is not one",
            detail="It is a URL, or `keyword=value` pairs as libpq reads them. In a URL, the"
            " characters `@ : / ? # %` of a password are written as %40 %3A %2F %3F %23 %25."
            " Its text is not shown, for it may hold a password.",
            help="postgresql://USER:PASSWORD@HOST:5432/DATABASE",
        )
    )


def newer(place: str, found: int, known: int, version: str, needs: str) -> StateError:
    """The format of the tables is one that this lab does not know yet."""
    return StateError(
        Diagnostic(
            summary=f"the state in {place} was written by a newer lab",
            detail=f"Its format is {found}; lab {version} reads formats up to {known}.",
            help=f"Install lab {needs} or later.",
        )
    )


def damaged(place: str, text: str) -> StateError:
    """The tables are there, and hold what lab has not written."""
    return StateError(
        Diagnostic(
            summary=f"the state in {place} is damaged",
            detail=f"{text}. lab leaves it as it is.",
            help="Make a dump first (`pg_dump --schema 'lab*'`). Then restore a backup, or see with"
            " `lab state check` what can still be read.",
        )
    )


@contextlib.contextmanager
def explained(place: str, veil: Callable[[str], str]) -> Iterator[None]:
    """Turns the driver's errors into what they mean; *veil* takes secrets out of a text."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _meaning(error, place, veil(str(error).strip())) from None


def _meaning(error: psycopg.Error, place: str, text: str) -> StateError:
    import psycopg

    state = error.sqlstate or ""
    first = text.splitlines()[0] if text else type(error).__name__
    for prefix, explain in _STATES.items():
        if state.startswith(prefix):
            return explain(place, first)
    for word, explain in _WORDS.items():
        if word in text:
            return explain(place, text)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return _unreachable(place, text)
    return _failed(place, first)


def _told(summary: str, detail: str, help: str) -> Explain:
    return lambda place, text: StateError(
        Diagnostic(
            summary=summary.format(place=place),
            detail=detail.format(text=text.rstrip(".")),
            help=help.format(place=place),
        )
    )


def _unreachable(place: str, text: str) -> StateError:
    return UnreachableError(
        Diagnostic(
            summary=f"the state in {place} cannot be reached",
            detail=text,
            help="See that the server runs and that this machine may connect to it; what is"
            " recorded is safe there.",
        )
    )


def _broken(place: str, text: str) -> StateError:
    return damaged(place, f"PostgreSQL says: {text}")


_PASSWORD = _told(
    "{place} refuses the user or the password of the state's `dsn`",
    "{text}.",
    "Look at the secret that the `dsn` is taken from; `psql` with the same dsn says the same.",
)
_DATABASE = _told(
    "{place} is not there",
    "{text}.",
    "Somebody who may must make it once: `createdb`; lab makes its tables in it by itself.",
)
_RIGHTS = _told(
    "the user of the state's `dsn` may not do this in {place}",
    "{text}.",
    "For the first apply it needs `GRANT CREATE ON DATABASE …`; later the rights to use the schema"
    " that the first apply made, to read its tables and to write to them.",
)
_BUSY = _told(
    "the state in {place} is busy",
    "Another command has been writing to it for too long: {text}.",
    "Run the same again; `select * from pg_stat_activity` shows who writes.",
)
_failed = _told("the state in {place} cannot be used", "PostgreSQL says: {text}.", "")
_STATES: dict[str, Explain] = {
    "08": _unreachable,
    "28": _PASSWORD,
    "3D": _DATABASE,
    "42501": _RIGHTS,
    "3F000": _broken,
    "42P01": _broken,
    "42703": _broken,
    "22": _failed,
    "53100": _told(
        "no space is left for the state in {place}",
        "What was to be recorded now is not; what was recorded before is safe ({text}).",
        "Make room on the server, then run the same again.",
    ),
    "25006": _told(
        "{place} is read-only",
        "{text}.",
        "Connect to the primary: `target_session_attrs=read-write` in the dsn finds it.",
    ),
    "25P03": _unreachable,
    "53": _unreachable,
    "55P03": _BUSY,
    "57": _unreachable,
    "40": _BUSY,
    "XX": _broken,
}
# What ends a connection before it begins has no state of its own, and is said in the server's tongue.
_WORDS: dict[str, Explain] = {
    "password authentication failed": _PASSWORD,
    "no password supplied": _PASSWORD,
    "no pg_hba.conf entry": _PASSWORD,
    "role ": _PASSWORD,
    "permission denied for database": _RIGHTS,
    "does not exist": _DATABASE,
}
