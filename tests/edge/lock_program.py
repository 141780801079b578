"""Commands of the lock's tests: each is a process that takes a lock and says what came of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from journal_bench import opened, started

from lab.edge.lock import Lock
from lab.model.diagnostic import StateError


def hold(root: str) -> None:
    """Holds the lock until killed."""
    lock = Lock(opened(root), "lab apply")
    lock.acquire()
    print("held", flush=True)
    time.sleep(600)


def race(root: str, start: str) -> None:
    """Takes over at the moment *start* and stays; tells whether it won."""
    lock = Lock(opened(root), "lab apply")
    time.sleep(max(0.0, float(start) - time.time()))
    try:
        dead = lock.acquire()
    except StateError:
        print("lost", flush=True)
        return
    print("won over" if dead else "won", flush=True)
    sys.stdin.readline()


def count(root: str, rounds: str) -> None:
    """Adds one to a number in a file many times, under the lock; a lost update shows in the sum."""
    state = opened(root)
    number = Path(root) / "number"
    for _ in range(int(rounds)):
        lock = Lock(state, "count")
        lock.acquire(timeout=60)
        value = int(number.read_text())
        time.sleep(0.001)
        number.write_text(str(value + 1))
        state.append(started(f"s{value}"))
        lock.release()
    print("done", flush=True)


if __name__ == "__main__":
    {"hold": hold, "race": race, "count": count}[sys.argv[1]](*sys.argv[2:])
