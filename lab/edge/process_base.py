"""What a child's run can come to, and the wish to stop it."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue

from lab.model.frozen import dataclass
from lab.provider import Refused, Retry


class NotStarted(Refused):
    """A program could not be started; ``reason`` is a sentence for whoever asked for it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)


class Lost(Retry):
    """The warden died, so that nobody knows how the child would have ended."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child ended: ``code`` is negative for a signal, ``max_rss`` in bytes.

    ``output`` is the end of what it wrote where that was captured; ``truncated``: there was more.
    ``fresh``: why it started in a fresh process, where another was asked for.
    """

    code: int
    cpu_seconds: float
    max_rss: int
    output: bytes = b""
    truncated: bool = False
    fresh: str = ""


class Cancel:
    """A wish to stop that many threads may wait for, and that a signal handler may express.

    It has no lock: a handler may run while its own thread is inside any of these methods. Each step
    on the dictionary is atomic, and whoever takes a callback out of it is the one who calls it.
    """

    def __init__(self) -> None:
        self._wished = False
        self._callbacks: dict[Callable[[], None], None] = {}

    def is_set(self) -> bool:
        """Whether the wish is there."""
        return self._wished

    def set(self) -> None:
        """Expresses the wish and calls all callbacks, which must not raise."""
        self._wished = True
        while self._callbacks:
            try:
                callback, _ = self._callbacks.popitem()
            except KeyError:
                break  # Another thread took the last one.
            callback()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the wish; whether it is there."""
        bell: SimpleQueue[None] = SimpleQueue()

        def ring() -> None:
            bell.put(None)

        self.add_callback(ring)
        try:
            bell.get(timeout=timeout)
        except Empty:
            return self._wished
        finally:
            self.remove_callback(ring)
        return True

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Calls *callback* once when the wish comes, at once if it is already there."""
        self._callbacks[callback] = None
        # The wish may have come since, and have found no callback to call.
        if self._wished and self._take(callback):
            callback()

    def remove_callback(self, callback: Callable[[], None]) -> None:
        """Forgets *callback*; nothing happens if it was called or never added."""
        self._take(callback)

    def _take(self, callback: Callable[[], None]) -> bool:
        try:
            del self._callbacks[callback]
        except KeyError:
            return False
        return True
