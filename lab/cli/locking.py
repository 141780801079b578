"""Holds the lab's lock for a command, and says for whom it waits."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator

from lab.cli.session import Session
from lab.edge.lock import Holder, Lock


@contextlib.contextmanager
def locked(session: Session, args: argparse.Namespace, command: str) -> Iterator[None]:
    """While it lasts, no other lab changes this state.

    Raises:
        StateError: another one holds it for longer than `--lock-timeout`.
    """
    assert session.journal is not None, "only a session that writes is locked"
    lock = Lock(session.journal, f"lab {command}")

    def waiting(holder: Holder) -> None:
        print(f"waiting for {holder}", file=sys.stderr, flush=True)

    dead = lock.acquire(args.lock_timeout, waiting, session.stop)
    if dead is not None:
        print(f"took over from {dead}, which is dead", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        lock.release()
