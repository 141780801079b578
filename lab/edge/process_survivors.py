"""Children that outlived both lab and the warden: found by their mark, and ended."""

from __future__ import annotations

import os
import signal
import time

from lab.edge import warden_tree as tree

_LOOK_AGAIN = 0.02
_AFTER_KILL = 10.0


def find_marked(mark_prefix: str) -> list[int]:
    """This user's processes whose mark starts so, but not this process nor those it descends from.

    A program that overwrites its own environment, as some servers do to show a title, is not found.
    """
    return sorted(_marked(mark_prefix, tree.table()))


def end_marked(mark_prefix: str, grace: float) -> list[int]:
    """Ends them and their descendants: SIGTERM, *grace* seconds, SIGKILL, until none is left.

    Gives those that even SIGKILL did not end in ten seconds, such as one that waits for a dead file
    system; most often none.
    """
    kill_at = time.monotonic() + grace
    asked: set[tuple[int, float]] = set()
    while left := _left(mark_prefix, asked):
        now = time.monotonic()
        if now >= kill_at + _AFTER_KILL:
            return sorted(one.pid for one in left)
        for one in left:
            if now >= kill_at:
                tree.send(one.pid, signal.SIGKILL)
            elif (one.pid, one.started) not in asked:
                tree.ask_to_end(one.pid)
        asked.update((one.pid, one.started) for one in left)
        time.sleep(_LOOK_AGAIN)
    return []


def _left(mark_prefix: str, asked: set[tuple[int, float]]) -> list[tree.Row]:
    rows = tree.table()
    # Those already asked stay in sight, even if they change their environment on SIGTERM.
    roots = _marked(mark_prefix, rows)
    roots |= {pid for pid, one in rows.items() if (pid, one.started) in asked}
    found = tree.descendants(rows, roots) - _ourselves(rows)
    return tree.endable(rows, found)


def _marked(mark_prefix: str, rows: tree.Table) -> set[int]:
    if not mark_prefix:
        raise ValueError("an empty mark would mean every process")
    candidates = set(rows) - _ourselves(rows)
    return {
        pid for pid in candidates if tree.owned(pid) and tree.mark_of(pid).startswith(mark_prefix)
    }


def _ourselves(rows: tree.Table) -> set[int]:
    pid, found = os.getpid(), set[int]()
    while pid in rows and pid not in found:
        found.add(pid)
        pid = rows[pid].parent
    return found
