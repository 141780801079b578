"""What a provider sees of the steps that its own step makes; imported from lab.provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from lab.model.frozen import dataclass
from lab.model.values import Json, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child step as it is recorded: done (``outputs``), failed (``error``), or not ended yet (neither).

    ``parameters`` are what was chosen for it. ``directory`` is its ``step.dir``, ``log`` its newest log.
    """

    key: str
    parameters: Mapping[str, Json]
    outputs: Mapping[str, Value] | None = None
    error: str = ""
    directory: str = ""
    log: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a running child tells of itself: its newest metrics, and the epoch or the how manieth report."""

    key: str
    metrics: Mapping[str, float]
    step: int


class Parent(Protocol):
    """The part of :class:`lab.provider.Io` that is about children."""

    def child(
        self,
        key: str,
        parameters: Mapping[str, Json],
        hear: Callable[[Child | Told], None],
        *,
        cause: str = "",
    ) -> Callable[[Mapping[str, Value] | None], None]:
        """Makes what the step's trial says, with *parameters*, as a step of its own: ``STEP[#key]``.

        It starts when there is room; its parameters are durable before. *hear* is told, in other threads
        and briefly please, what it reports while it runs, and at last what became of it. What is returned
        stops it: with outputs it counts as done with these, with None as interrupted. Children end before
        their step does.
        """

    def children(self) -> Mapping[str, Child]:
        """The step's children that are recorded, by key."""

    def forget(self, key: str) -> None:
        """Drops a child that does not run, and its folder; durable on return."""
