"""Group commit: of all threads that wait to store something, one does it for all."""

from __future__ import annotations

import threading
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
        self._changed = threading.Condition(threading.Lock())
        self._line: list[Waiting[T]] = []
        self._committing = False

    def enter(self, item: T) -> Waiting[T]:
        """Puts *item* in line; nothing is committed until someone waits for it, or for a later one."""
        waiting = Waiting(item)
        with self._changed:
            self._line.append(waiting)
        return waiting

    def wait(self, waiting: Waiting[T]) -> None:
        """Returns when what waits is committed; raises what its commit raised."""
        if not waiting.settled and (batch := self._take(waiting)):
            error = self._attempt(batch)
            with self._changed:
                self._committing = False
                for each in batch:
                    each.error, each.settled = error, True
                self._changed.notify_all()
        if waiting.error is not None:
            raise waiting.error

    def _take(self, waiting: Waiting[T]) -> list[Waiting[T]]:
        """All that is in line, for the calling thread to commit; nothing if another thread did."""
        with self._changed:
            while self._committing and not waiting.settled:
                self._changed.wait()
            if waiting.settled:
                return []
            self._committing = True
            batch, self._line = self._line, []
            return batch

    def _attempt(self, batch: list[Waiting[T]]) -> BaseException | None:
        try:
            self._commit([each.item for each in batch])
        except BaseException as error:  # noqa: BLE001 - every thread of the batch must hear of it
            return error
        return None
