"""Finds the state of a folder without its Labfile, and which of the labs in it is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lab.edge.journal import LabRow
from lab.edge.private import require_own
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.layout import lab_key, state_path


def state_root(folder: str) -> str | None:
    """The folder at or above *folder* whose labs have a state; None if there is none."""
    while True:
        if os.path.lexists(state_path(folder)):
            require_own(folder)
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def choose(rows: Sequence[LabRow], *, name: str = "", overlay: str = "") -> LabRow:
    """The lab that is meant; the only one where nothing is said.

    Raises:
        StateError: there is none, or there are several.
    """
    fits = [row for row in rows if name in ("", row.name) and overlay in ("", row.overlay)]
    if len(fits) > 1:
        fits = [row for row in fits if row.overlay == overlay] or fits
    if len(fits) == 1:
        return fits[0]
    shown = ", ".join(f"`{lab_key(row.name, row.overlay)}`" for row in fits or rows)
    if fits:
        raise StateError(
            Diagnostic(
                summary="several labs have a state here",
                detail=f"They are {shown}.",
                help="say which one with `--name NAME`, and `-e OVERLAY` if it has one",
            )
        )
    raise StateError(
        Diagnostic(
            summary=f"there is no state of {_asked(name, overlay)} here",
            detail=f"Labs with a state here: {shown or 'none'}.",
            help="`lab state list` shows them all" if rows else "`lab apply` makes the first one",
        )
    )


def _asked(name: str, overlay: str) -> str:
    if name:
        return f"`{lab_key(name, overlay)}`"
    return f"a lab with the overlay `{overlay}`" if overlay else "any lab"
