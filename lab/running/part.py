"""Several programs of one step at the same time: each with its name in the log, each to be ended alone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from lab.ports import Cancel, Sink
from lab.provider import Cancelled, Completed, Warm

LEAD = " | "  # between a part's name and what it wrote
_LONGEST = 64 * 1024  # bytes of a line that is not whole yet


class Ending:
    """Implements ports.Cancel: one part is to end, by itself or because the whole step is."""

    def __init__(self, step: Cancel) -> None:
        self._step = step
        self._own = threading.Event()
        self._callbacks: dict[Callable[[], None], None] = {}

    def is_set(self) -> bool:
        return self._own.is_set() or self._step.is_set()

    def set(self) -> None:
        self._own.set()
        for callback in list(self._callbacks):
            if self._take(callback):
                callback()

    def wait(self, timeout: float | None = None) -> bool:
        bell = threading.Event()
        self.add_callback(bell.set)
        bell.wait(timeout)
        self.remove_callback(bell.set)
        return self.is_set()

    def add_callback(self, callback: Callable[[], None]) -> None:
        self._callbacks[callback] = None
        self._step.add_callback(callback)
        if self._own.is_set() and self._take(callback):
            callback()

    def remove_callback(self, callback: Callable[[], None]) -> None:
        self._take(callback)

    def _take(self, callback: Callable[[], None]) -> bool:
        """Whether *callback* still waited; from now on nobody else calls it."""
        self._step.remove_callback(callback)
        return self._callbacks.pop(callback, self) is None


class Shared:
    """Implements ports.Sink: a step's log that several threads write to."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self._lock = sink, threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._sink.write(data)


class Led:
    """Implements ports.Sink: whole lines, each after the part's name. Mutable: a line may be half there."""

    def __init__(self, sink: Sink, name: str) -> None:
        self._sink, self._lead, self._rest = sink, f"{name}{LEAD}".encode(), b""

    def write(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST:
            lines, self._rest = [*lines, self._rest], b""
        if lines:
            self._sink.write(b"".join(self._lead + line + b"\n" for line in lines))

    def flush(self) -> None:
        """Writes the last line, if nothing ended it."""
        if self._rest:
            self.write(b"\n")


class Runs(Protocol):
    """The one method of Io that a part needs."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        warm: Warm | None = None,
    ) -> Completed: ...


class StepPart:
    """Implements :class:`lab.provider.Part`."""

    def __init__(self, io: Runs, ending: Ending, step: Cancel, led: Led | None) -> None:
        self._io, self._ending, self._step, self._led = io, ending, step, led

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        warm: Warm | None = None,
    ) -> Completed:
        try:
            return self._io.run(argv, cwd=cwd, env=env, on_line=on_line, warm=warm)
        except Cancelled:
            if self._step.is_set():
                raise
            return Completed(-signal.SIGTERM)
        finally:
            if self._led is not None:
                self._led.flush()

    def end(self) -> None:
        self._ending.set()
