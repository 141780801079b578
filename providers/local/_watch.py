"""Looks at a running training's metrics once a second, and tells people how far it is."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import TracebackType

from typing_extensions import Self

from lab.provider import Cancelled, Io, Refused, TimedOut

from ._curve import write_curve
from ._metrics import Source, summary_of

_EVERY = 1.0  # seconds between two looks
_SHARE = 50  # the curve's file is written again only after so many times what writing it took


class Watch:
    """A context in which *source* is read; at its end everything is read and the curve is on the disk.

    A thread looks, because the program may print nothing for an hour; it only reads files and tells.
    """

    def __init__(self, source: Source, curve_path: str | None, io: Io) -> None:
        self.source, self._path, self._io = source, curve_path, io
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._told = 0
        self._next_write = 0.0
        self._thread = threading.Thread(target=self._look, name="metrics", daemon=True)

    def hear(self, line: str) -> None:
        """Takes a line that the program printed."""
        with self._lock:
            before = self.source.now
            self.source.hear(line)
            if self.source.now != before:
                self._tell()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        with self._lock:
            self.source.poll()
            self._write()

    def _look(self) -> None:
        while not self._end.wait(_EVERY):
            # A file that cannot be read now is read at the end, where the step hears of it.
            with self._lock, suppress(OSError, Refused):
                self._look_once()

    def _look_once(self) -> None:
        self.source.poll()
        if self.source.curve.changed == self._told:
            return
        self._told = self.source.curve.changed
        if time.monotonic() >= self._next_write:
            self._write()
        self._tell()

    def _tell(self) -> None:
        text, fraction, metrics = summary_of(self.source)
        curve = self.source.curve
        with suppress(Cancelled, TimedOut):  # whoever waits for the program is told the same
            self._io.progress(
                text, fraction=fraction, metrics=metrics, step=curve.epoch or curve.changed
            )

    def _write(self) -> None:
        if self._path is None or not self.source.curve.changed:
            return
        began = time.monotonic()
        with suppress(OSError):  # a picture that cannot be kept is no reason to fail a training
            write_curve(self.source.curve, self._path)
        self._next_write = time.monotonic() + _SHARE * (time.monotonic() - began)
