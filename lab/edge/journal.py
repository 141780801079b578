"""The journals of a place: a state file or a database, and the labs that it remembers."""

from __future__ import annotations

import os

from lab.edge.journal_file import reach as reach_file
from lab.edge.journal_lab import LabState
from lab.edge.journal_labs import LabRow, enter, find, join, labs
from lab.edge.journal_rows import Run
from lab.edge.journal_storage import Reach, Storage

__all__ = ["Journal", "LabRow", "LabState", "Run"]


class Journal:
    """The state at *path* (``lab.model.layout.state_path``, unless *reach* says so) of the checkout at *root*.

    Every method raises StateError where the file is damaged, too new, or may not be used.
    """

    def __init__(self, path: str, root: str, reach: Reach = reach_file) -> None:
        self.path, self.root = path, root
        self._reach = reach
        self._file: Storage | None = None
        self._states: list[LabState] = []

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            for state in self._states:
                state.settle()
            self._states.clear()
            self._file.close()
            self._file = None

    def labs(self) -> list[LabRow]:
        """The labs that the file remembers; needs no Labfile."""
        file = self._opened(create=False)
        return labs(file) if file else []

    def open(
        self, name: str, overlay: str = "", labfile: str = "", *, create: bool = False
    ) -> LabState:
        """The state of (*name*, *overlay*), which the file *labfile* declares (empty: do not ask).

        Without *create* nothing is written, and a lab that is not there has an empty state.

        Raises:
            StateError: another Labfile of this folder has the same name.
        """
        labfile = os.path.basename(labfile)
        file = self._opened(create=create)
        row: LabRow | None = None
        if file is not None and create:
            row = enter(file, self.root, name, overlay, labfile)
        elif file is not None:
            row = find(file, self.root, name, overlay, labfile)
        if file is None or row is None:
            return LabState(None, LabRow(name=name, overlay=overlay), self.root)
        state = LabState(file, row, self.root)
        self._states.append(state)
        return state

    def join(self, name: str, overlay: str, labfile: str) -> LabRow | None:
        """Lets the checkout of *labfile* use the lab of that name; None if there is none."""
        file = self._opened(create=False)
        return join(file, self.root, name, overlay, os.path.basename(labfile)) if file else None

    def _opened(self, *, create: bool) -> Storage | None:
        if self._file is None:
            self._file = self._reach(self.path, create)
        return self._file
