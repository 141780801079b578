"""Holds a lab's lock for a command, and says for whom it waits, and what became of who had it before."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence

from lab.cli.session import Session
from lab.cli.standing import Holding, Standing, standing
from lab.cli.terminal import width
from lab.edge.journal import LabState
from lab.edge.journal_kept import Delivery
from lab.edge.lock import Holder, Lock, Proof
from lab.edge.work import clear_outputs
from lab.model.diagnostic import StateError, printable
from lab.ports import Cancel
from lab.report.words import duration

_RARELY = 10.0  # seconds between two lines about the same holder where lines do not move
FEW = 4  # running steps that are named


def locked(
    session: Session, args: argparse.Namespace, command: str
) -> contextlib.AbstractContextManager[None]:
    """:func:`held` for a command that runs steps: they are stopped when the lock cannot be kept."""
    assert session.journal is not None, "only a session that writes is locked"
    return held(session.journal, command, args.lock_timeout, session.stop)


@contextlib.contextmanager
def held(
    lab: LabState,
    command: str,
    timeout: float,
    stop: Cancel | None = None,
    *,
    nameless: bool = False,
) -> Iterator[None]:
    """While it lasts, no other lab changes this state.

    A *nameless* one holds it on a full disk, too, and records nothing.

    Raises:
        StateError: another one holds it for longer than *timeout* seconds.
        KeyboardInterrupt: *stop* was set while it waited.
    """

    def lost(reason: str) -> None:
        _say("", f"the lease on the state is lost, so the running steps are ended now. {reason}")
        if stop is not None:
            stop.set()

    lock = Lock(lab, f"lab {command}", lost, nameless=nameless)
    waiting = Waiting(lab, sys.stderr.isatty())
    try:
        dead = lock.acquire(timeout, waiting, stop)
    finally:
        waiting.end()
    try:
        former, found = lock.former
        if dead is not None:
            gone = "does not run any more" if found is Proof.DEAD else "let its lease end"
            _say("", f"took over from {dead}, which {gone}")
            clear_outputs(lab.root, lab.row.name, lab.row.overlay)
        _tell(lab.take_in(former))
        yield
    finally:
        lock.release()


class Waiting:
    """Says who holds the lab since when, and which steps they run. Mutable: it says what is new only."""

    def __init__(self, lab: LabState, moves: bool) -> None:
        self._lab, self._moves = lab, moves
        self._began = time.monotonic()
        self._said, self._when = "", 0.0

    def __call__(self, holder: Holder) -> None:
        running = _running(self._lab, holder)
        if self._moves:
            self._rewrite(f"waiting {self._waited()} for {holder}{running}")
            return
        text, now = f"waiting for {holder}{running}", time.monotonic()
        if text != self._said and (not self._said or now - self._when >= _RARELY):
            self._said, self._when = text, now
            _say("", text)

    def end(self) -> None:
        """It waits no more."""
        if self._moves and self._said:
            _say("\r\x1b[K", f"waited {self._waited()}")

    def _waited(self) -> str:
        return duration(time.monotonic() - self._began)

    def _rewrite(self, text: str) -> None:
        self._said = text
        wide = width(sys.stderr)
        shown = text if wide is None or len(text) < wide else text[: wide - 2] + "…"
        with contextlib.suppress(OSError):
            os.write(2, f"\r\x1b[K{printable(shown)}".encode())


def _running(lab: LabState, holder: Holder) -> str:
    """The steps that *holder* runs now; nothing where that cannot be told."""
    held = Holding(holder, None)
    try:
        records = lab.load().records
        found = [a for a, r in records.items() if standing(r, held) is Standing.RUNNING]
    except StateError:  # a damaged record is told of where it matters
        return ""
    if not found:
        return ""
    more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
    return f"; it runs {', '.join(found[:FEW])}{more}"


def _tell(came: Delivery) -> None:
    """What became of results that were kept when the database was lost."""
    if came.taken:
        _say(
            "", f"took in what was made while the state could not be reached: {_named(came.taken)}"
        )
    for kept in came.refused:
        made = f" ({_named(kept.finished)})" if kept.finished else ""
        _say(
            "",
            f"not taken in: what an earlier run here had made{made}, for somebody else has had the"
            f" state since; it is kept in {kept.path}",
        )


def _named(steps: Sequence[str]) -> str:
    return ", ".join(f"`{each}`" for each in steps)


def _say(before: str, text: str) -> None:
    """Writes a line; that nobody reads it is no reason to stop."""
    with contextlib.suppress(OSError):
        os.write(2, f"{before}{printable(text)}\n".encode())
