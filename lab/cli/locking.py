"""Holds the lab's lock for a command, and says for whom it waits."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping

from lab.cli.session import Session
from lab.report.words import ago


@contextlib.contextmanager
def locked(session: Session, args: argparse.Namespace, command: str) -> Iterator[None]:
    """While it lasts, no other lab changes this state.

    Raises:
        StateError: another one holds it for longer than `--lock-timeout`.
    """
    assert session.journal is not None, "only a session that writes is locked"
    lock = session.journal.lock(command=f"lab {command}")

    def waiting(holder: Mapping[str, object]) -> None:
        print(f"waiting for {who(holder)}", file=sys.stderr, flush=True)

    lock.acquire(timeout=args.lock_timeout, on_wait=waiting)
    try:
        yield
    finally:
        lock.release()


def who(holder: Mapping[str, object]) -> str:
    """A lock's holder in words."""
    since = holder.get("since")
    when = f", since {ago(time.time() - since)}" if isinstance(since, int | float) else ""
    host = str(holder.get("host", "?"))
    place = "" if host == os.uname().nodename else f" on {host}"
    return f"`{holder.get('command', 'lab')}` (process {holder.get('pid')}{place}{when})"
