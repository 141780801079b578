"""What processes there are and how they descend: the one place where systems differ."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Container, Iterable
from typing import NamedTuple

LINUX = sys.platform.startswith("linux")
MARK = "LAB_MARK"
MAX_RSS_UNIT = 1024 if LINUX else 1

_SET_CHILD_SUBREAPER = 36
_ENDED = frozenset("ZXx")


class Row(NamedTuple):
    """One process; ``started`` tells it from others that had its number at another time."""

    pid: int
    parent: int
    group: int
    session: int
    started: float
    ended: bool


Table = dict[int, Row]


def adopt_orphans() -> bool:
    """Makes this process the parent of its orphaned descendants; False where that cannot be."""
    if not LINUX:
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def handle_of(pid: int) -> int:
    """A handle that can be read once the process has ended; -1 where there are none."""
    if not LINUX:
        return -1
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def table() -> Table:
    """All processes that can be seen, ended ones that nobody has waited for among them."""
    if not LINUX:
        return _psutil_table()
    rows = (row(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {one.pid: one for one in rows if one is not None}


def row(pid: int) -> Row | None:
    """One process, or None if there is none with that number or it may not be seen."""
    if not LINUX:
        return _psutil_row(pid)
    try:
        text = _read(f"/proc/{pid}/stat")
    except OSError:
        return None
    # The program's name, in brackets, may itself hold brackets and blanks.
    state, parent, group, session, *rest = text[text.rfind(b")") + 2 :].decode().split()
    # A process whose first thread alone has ended looks like a zombie but is not one.
    threads, started = int(rest[13]), int(rest[15])
    ended = state in _ENDED and threads <= 1
    return Row(pid, int(parent), int(group), int(session), started, ended)


def mark_of(pid: int) -> str:
    """The mark in a process's environment; empty if it has none or may not be seen."""
    if not LINUX:
        return _psutil_mark(pid)
    try:
        return find_mark(_read(f"/proc/{pid}/environ"))
    except OSError:
        return ""


def find_mark(environment: bytes) -> str:
    """The mark in an environment block."""
    start = f"{MARK}=".encode()
    if start not in environment:
        return ""
    for entry in environment.split(b"\0"):
        if entry.startswith(start):
            return os.fsdecode(entry[len(start) :])
    return ""


def owned(pid: int) -> bool:
    """Whether the process is this user's."""
    if not LINUX:
        return True  # Others' environments cannot be read there, which is all this is asked for.
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


def descendants(rows: Table, roots: Iterable[int]) -> set[int]:
    """The numbers of the roots and of all that descends from them."""
    children: dict[int, list[int]] = {}
    for one in rows.values():
        children.setdefault(one.parent, []).append(one.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return found


def unadopted(rows: Table, leaders: Container[int], mark: str) -> set[int]:
    """What is left of the warden's children where orphans go elsewhere."""
    roots = {os.getpid()}
    for pid, one in rows.items():
        marked = bool(mark) and mark_of(pid).startswith(mark)
        if marked or one.session in leaders or one.group in leaders:
            roots.add(pid)
    return descendants(rows, roots) - {os.getpid()}


def endable(rows: Table, pids: Iterable[int]) -> list[Row]:
    """Those among *pids* that still run and that this user may end."""
    living = (rows[pid] for pid in pids if pid in rows and not rows[pid].ended)
    return [one for one in living if _signalable(one.pid)]


def ask_to_end(pid: int) -> None:
    """SIGTERM, and SIGCONT so that a stopped process hears it."""
    send(pid, signal.SIGTERM)
    send(pid, signal.SIGCONT)


def send(pid: int, number: int) -> None:
    """Signals a process that may be gone, or may have become another user's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signalable(pid: int) -> bool:
    """Whether the process is there and this user may end it."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = piece = os.read(handle, 65536)
        while len(piece) == 65536:
            piece = os.read(handle, 65536)
            data += piece
        return data
    finally:
        os.close(handle)


def _psutil_table() -> Table:
    import psutil

    rows = (_psutil_row(pid) for pid in psutil.pids())
    return {one.pid: one for one in rows if one is not None}


def _psutil_row(pid: int) -> Row | None:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            ended = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
            parent, started = process.ppid(), process.create_time()
    except psutil.Error:
        return None
    try:
        return Row(pid, parent, os.getpgid(pid), os.getsid(pid), started, ended)
    except OSError:  # An ended process has no group there, and others' sessions may be hidden.
        return Row(pid, parent, 0, 0, started, ended)


def _psutil_mark(pid: int) -> str:
    import psutil

    try:
        return str(psutil.Process(pid).environ().get(MARK, ""))
    except (psutil.Error, OSError):
        return ""
