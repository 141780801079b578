"""Who holds a lock, and whether they can be shown to be dead."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, field
from enum import Enum

from lab.edge.liveness import is_alive, process_identity
from lab.model.frozen import dataclass


class Proof(Enum):
    """What can be known of a holder from here."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    SILENT = (
        "silent"  # its lease has ended: it may live, and cannot write any more once another has it
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A command that holds a lab's state; ``since`` is in seconds since the epoch.

    ``identity`` is the process as :mod:`lab.edge.liveness` knows it, ``machine`` an identifier that
    survives boots (empty where the system has none), ``flocked`` whether the kernel vouches for it.
    """

    host: str = ""
    machine: str = ""
    identity: Mapping[str, object] = field(default_factory=dict)
    command: str = ""
    user: str = ""
    since: float = 0.0
    flocked: bool = False

    @property
    def pid(self) -> int:
        pid = self.identity.get("pid")
        return pid if isinstance(pid, int) else 0

    def __str__(self) -> str:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        what = f"`{self.command}`" if self.command else "a command"
        return f"{what} by {self.user} on {self.host} (process {self.pid}), since {began}"


def this_process(command: str, *, flocked: bool) -> Holder:
    """The holder that this process is."""
    return Holder(
        host=socket.gethostname(),
        machine=_machine(),
        identity=dict(process_identity(os.getpid())),
        command=command,
        user=_user(),
        since=time.time(),
        flocked=flocked,
    )


def to_text(holder: Holder) -> str:
    return json.dumps(asdict(holder))


def from_text(text: str) -> Holder:
    """The inverse of :func:`to_text`; of a damaged text comes a holder of whom nothing is known."""
    try:
        data = json.loads(text)
        known = {name: data[name] for name in Holder.__slots__ if name in data}
        holder = Holder(**known)
        return holder if isinstance(holder.identity, dict) else Holder()
    except (ValueError, TypeError):
        return Holder()


def proof(holder: Holder, *, flock_is_free: bool) -> Proof:
    """Whether *holder* lives, given whether the lock that the kernel keeps for it is free now.

    The kernel's word alone does not kill: somebody may have deleted the lock's file. Neither does a
    process's absence alone, where it may live in another container.
    """
    boot = holder.identity.get("boot_id")
    if boot and boot == process_identity(os.getpid())["boot_id"]:
        return _proof_here(holder, flock_is_free=flock_is_free)
    same_machine = (holder.host, holder.machine) == (socket.gethostname(), _machine())
    if not same_machine or not holder.host:
        return Proof.UNKNOWN
    if boot:  # an earlier boot of this machine: nothing survived it
        return Proof.DEAD if flock_is_free else Proof.ALIVE
    return _proof_here(holder, flock_is_free=flock_is_free)


def leased_proof(holder: Holder, left: float) -> Proof:
    """Whether *holder* lives, given how many seconds of its lease are left.

    On this machine the system knows. Of another one its name says little (machines in a cloud share
    names and identifiers), so that there the lease alone decides.
    """
    boot = holder.identity.get("boot_id")
    here = bool(boot) and boot == process_identity(os.getpid())["boot_id"]
    alive = is_alive(holder.identity) if here else None
    if alive is None:
        return Proof.ALIVE if left > 0 else Proof.SILENT
    return Proof.ALIVE if alive else Proof.DEAD


def _proof_here(holder: Holder, *, flock_is_free: bool) -> Proof:
    if not flock_is_free:
        return Proof.ALIVE
    match is_alive(holder.identity):
        case True:
            return Proof.ALIVE
        case False:
            return Proof.DEAD
        case None:
            return Proof.DEAD if holder.flocked else Proof.UNKNOWN


def _machine() -> str:
    try:
        with open("/etc/machine-id", encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return str(os.getuid())
