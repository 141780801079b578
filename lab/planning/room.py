"""How much the expressions of all steps may give together: one long text, repeated by thousands, fills any memory."""

from __future__ import annotations

from collections.abc import Mapping

from lab.model.diagnostic import Diagnostic, PlanError
from lab.model.labfile import Step
from lab.planning.digest import Wanted

MOST = 64 << 20  # characters


def size_of(step: Step, wanted: Wanted | None) -> int:
    """How long the texts are that the expressions of *step* gave; what is written out costs no more than the file."""
    if step.literal or wanted is None:
        return 0
    total, stack = 0, [*wanted.identity.values()]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, Mapping):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return total


def require_room(size: int, address: str) -> None:
    """Returns while there is room.

    Raises:
        PlanError: with the step at *address* it is too much.
    """
    if size <= MOST:
        return
    raise PlanError(
        Diagnostic(
            summary=f"what the steps' expressions give is more than {MOST >> 20} MiB in all",
            detail=f"It came to that at `{address}`.",
            help="let a step write long texts to a file, and use the file",
        )
    )
