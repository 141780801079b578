"""Group commit: of all threads that wait to store something, one does it for all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Waiting(Generic[T]):
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
        self._changed = threading.Condition()
        self._queue: list[_Waiting[T]] = []
        self._committing = False

    def submit(self, item: T) -> None:
        """Returns when *item* is committed; raises what its commit raised."""
        mine = _Waiting(item)
        with self._changed:
            self._queue.append(mine)
            while self._committing and not mine.settled:
                self._changed.wait()
            if mine.settled:
                return self._result(mine)
            self._committing = True
            batch, self._queue = self._queue, []
        error = self._attempt(batch)
        with self._changed:
            self._committing = False
            for each in batch:
                each.settled, each.error = True, error
            self._changed.notify_all()
        return self._result(mine)

    def _attempt(self, batch: list[_Waiting[T]]) -> BaseException | None:
        try:
            self._commit([each.item for each in batch])
        except BaseException as error:  # noqa: BLE001 - every thread of the batch must hear of it
            return error
        return None

    @staticmethod
    def _result(waiting: _Waiting[T]) -> None:
        if waiting.error is not None:
            raise waiting.error
