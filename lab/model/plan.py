"""A plan says for every step what will happen to it and why; its text is what tests compare."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from lab.model.frozen import dataclass
from lab.model.values import Absent, Json, Unknown


class Verb(Enum):
    """What happens to a step: the word of ``plan --json`` and the sign that people read."""

    CREATE = ("create", "+")
    UPDATE = ("update", "~")
    REPLACE = ("replace", "±")
    KEEP = ("keep", "=")
    DESTROY = ("destroy", "-")
    FORGET = ("forget", "x")
    UNKNOWN = ("unknown", "?")
    SKIP = ("skip", "·")

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def sign(self) -> str:
        return self.value[1]

    @property
    def runs(self) -> bool:
        """Whether the step's provider is asked to make it (for UNKNOWN: it may be)."""
        return self in (Verb.CREATE, Verb.UPDATE, Verb.REPLACE, Verb.UNKNOWN)

    @property
    def changes(self) -> bool:
        """Whether anything changes, in the world or in the state."""
        return self not in (Verb.KEEP, Verb.SKIP)


VERBS: Mapping[str, Verb] = {verb.word: verb for verb in Verb}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: ``path`` as people write it (``command[2]``), and both sides."""

    path: str
    before: Json | Absent
    after: Json | Absent | Unknown

    def __str__(self) -> str:
        return f"{self.path}: {shown(self.before)} -> {shown(self.after)}"


def shown(side: object) -> str:
    """One side of a change in a line."""
    match side:
        case Absent():
            return "(absent)"
        case Unknown():
            return str(side)
        case _:
            return json.dumps(side, ensure_ascii=False, default=_inner)


def _inner(value: object) -> object:
    """What JSON has no word for, inside a side of a change."""
    return dict(value) if isinstance(value, Mapping) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What happens to one step, and why."""

    address: str
    kind: str
    target: str
    verb: Verb
    cause: str
    changes: tuple[Change, ...] = ()
    infrastructure: bool = False  # destroying or replacing it asks first

    @property
    def asks(self) -> bool:
        """Whether a person must agree before this happens."""
        return self.infrastructure and self.verb in (Verb.DESTROY, Verb.REPLACE)

    def __str__(self) -> str:
        return "\n".join(
            [f"{self.verb.sign} {self.address}: {self.cause}", *(f"    {c}" for c in self.changes)]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Actions in an order in which they may run: makings in dependency order, removals reversed at the end.

    ``left_out`` are the steps that the selection leaves out, with the reason. ``warnings`` are sentences.
    """

    actions: tuple[Action, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def summary(self) -> dict[str, int]:
        """How many steps each action word has, in the order of :class:`Verb`."""
        counted = Counter(action.verb for action in self.actions)
        return {verb.word: counted[verb] for verb in Verb if counted[verb]}

    @property
    def empty(self) -> bool:
        """Whether applying it would change nothing."""
        return not any(action.verb.changes for action in self.actions)

    def __str__(self) -> str:
        return "\n".join(str(action) for action in self.actions)
