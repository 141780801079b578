"""What is not as it was made: what was recorded, what is there, and what that changes."""

from __future__ import annotations

from enum import Enum

from lab.model.frozen import dataclass
from lab.model.plan import Action, Change


class Sort(Enum):
    """What became of a step's work."""

    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """A step that is not as it was made: what was recorded, what is there, and what apply would do."""

    action: Action
    sort: Sort
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """``steps`` drifted themselves, ``following`` are decided again because of them.

    ``idle`` are recorded steps that differ too, which changes nothing: they run in any case, or left the
    Labfile.
    """

    steps: tuple[Drifted, ...] = ()
    following: tuple[Action, ...] = ()
    idle: tuple[str, ...] = ()
