"""How recorded steps and runs stand, and whether a command is changing them right now."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from lab.edge.journal import LabState, Run
from lab.edge.lock import GONE, Holder, Lock, Proof
from lab.edge.lock_holder import proof
from lab.model.diagnostic import StateError
from lab.model.frozen import dataclass
from lab.model.state import Record
from lab.model.values import Json


class Standing(Enum):
    """How a step stands: the word of ``--json``, the sign and the colour that people see."""

    DONE = ("done", "✓", "green")
    FAILED = ("failed", "✗", "red")
    INTERRUPTED = ("interrupted", "■", "yellow")
    RUNNING = ("running", "▶", "cyan")
    NEVER = ("never ran", "·", "dim")

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def sign(self) -> str:
        return self.value[1]

    @property
    def style(self) -> str:
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Holding:
    """A command that has the lab's lock. ``alive`` is None where that cannot be seen from here."""

    holder: Holder
    alive: bool | None

    def began(self, moment: float) -> bool:
        """Whether what began at *moment* was begun by this command."""
        return moment >= self.holder.since

    def as_json(self) -> dict[str, Json]:
        holder = self.holder
        return {
            "command": holder.command,
            "user": holder.user,
            "host": holder.host,
            "pid": holder.pid,
            "since": holder.since,
            "alive": self.alive,
        }


def holding(lab: LabState) -> Holding | None:
    """Who changes the lab now; None if nobody does, or only one that is dead. Waits for nobody."""
    lock = Lock(lab)
    try:
        found = lock.standing()
    except StateError:  # the kernel's lock cannot be looked at, as on a read-only disk
        holder = lock.holder()
        found = (holder, proof(holder, flock_is_free=True)) if holder else None
    if found is None or found[1] in GONE:
        return None
    return Holding(found[0], True if found[1] is Proof.ALIVE else None)


def standing(record: Record | None, held: Holding | None) -> Standing:
    """How a step stands, given who changes the lab now."""
    if record is None:
        return Standing.NEVER
    tried = record.tried
    if tried is None:
        return Standing.DONE if record.done else Standing.NEVER
    if not tried.interrupted:
        return Standing.FAILED
    if not tried.error and held is not None and held.began(tried.started):
        return Standing.RUNNING
    return Standing.INTERRUPTED


def outcome_of(run: Run, held: Holding | None) -> str:
    """A run's outcome in a word: also `running`, and `killed` where no end was recorded."""
    if run.finished is not None:
        return run.outcome
    return "running" if held is not None and held.began(run.started) else "killed"


OUTCOME_STYLES: Mapping[str, str] = {
    "done": "green",
    "failed": "red",
    "interrupted": "yellow",
    "running": "cyan",
    "killed": "red",
}
