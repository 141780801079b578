"""A wish to stop one child, which may then count as done; stopping the run stops it too."""

from __future__ import annotations

from collections.abc import Mapping

from lab.model.values import Value
from lab.ports import Cancel
from lab.running.part import Ending


class Halt(Ending):
    """Implements :class:`lab.ports.Cancel`. ``outputs`` are what the child counts as done with, if it does."""

    def __init__(self, run: Cancel) -> None:
        super().__init__(run)
        self.outputs: Mapping[str, Value] | None = None

    def stop(self, outputs: Mapping[str, Value] | None) -> None:
        """Stops the child; with *outputs* it counts as done."""
        if not self.is_set():
            self.outputs = outputs
        self.set()
