"""Group commit: of all threads that wait to store something, one does it for all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """An item in line to be committed."""

    __slots__ = ("error", "item", "settled")

    def __init__(self, item: T) -> None:
        self.item = item
        self.settled = False
        self.error: BaseException | None = None


class Group(Generic[T]):
    """Calls *commit* with whatever came while the commit before was under way.

    A lone thread commits at once. Many get a commit together, in the order in which they came.
    """

    def __init__(self, commit: Callable[[list[T]], None]) -> None:
        self._commit = commit
        self._turn = threading.Lock()
        self._line: deque[Waiting[T]] = deque()

    def enter(self, item: T) -> Waiting[T]:
        """Puts *item* in line; nothing is committed until someone waits for it, or for a later one."""
        waiting = Waiting(item)
        self._line.append(waiting)
        return waiting

    def wait(self, waiting: Waiting[T]) -> None:
        """Returns when what waits is committed; raises what its commit raised."""
        if not waiting.settled:
            with self._turn:
                # Another thread may have committed it while this one waited for its turn.
                if not waiting.settled:
                    self._commit_line()
        if waiting.error is not None:
            raise waiting.error

    def _commit_line(self) -> None:
        batch = [self._line.popleft() for _ in range(len(self._line))]
        error: BaseException | None = None
        try:
            self._commit([each.item for each in batch])
        except BaseException as raised:  # noqa: BLE001 - every thread of the batch must hear of it
            error = raised
        for each in batch:
            each.error = error
            each.settled = True
