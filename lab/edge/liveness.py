"""Whether a process that held something once is still that same process, and runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypedDict

from lab.edge import warden_tree as tree


class ProcessIdentity(TypedDict):
    """One process among all that ever had its number on this machine; plain JSON.

    ``start_time`` counts clock ticks since the boot on Linux; elsewhere it is seconds since the
    epoch, and ``boot_id`` is empty. ``namespace`` tells containers on one machine apart.
    """

    pid: int
    start_time: float
    boot_id: str
    namespace: str


def process_identity(pid: int) -> ProcessIdentity:
    """The identity of a running process.

    Raises:
        ProcessLookupError: there is none with that number.
    """
    row = tree.row(pid)
    if row is None:
        raise ProcessLookupError(f"there is no process {pid}")
    return ProcessIdentity(
        pid=pid, start_time=row.started, boot_id=_boot_id(), namespace=_namespace()
    )


def is_alive(identity: Mapping[str, object]) -> bool | None:
    """Whether that very process still runs; None where that cannot be known from here.

    A stopped process is alive; one that has ended but was not waited for is not.
    """
    pid, started = identity.get("pid"), identity.get("start_time")
    if not isinstance(pid, int) or not isinstance(started, int | float) or pid <= 0:
        return None
    boot_then, boot_now = identity.get("boot_id"), _boot_id()
    if boot_then and boot_now and boot_then != boot_now:
        return False
    if bool(boot_then) != bool(boot_now) or identity.get("namespace", "") != _namespace():
        return None  # Its number means nothing here.
    row = tree.row(pid)
    if row is None:
        return _unseen(pid)
    return row.started == started and not row.ended


def _unseen(pid: int) -> bool | None:
    # /proc may be told to hide others' processes, which does not make them dead.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None
    row = tree.row(pid)
    return None if row is None else not row.ended


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
