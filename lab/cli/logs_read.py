"""Reads logs while they may still grow: their last lines, and what is written after them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from lab.report.words import paint

BLOCK = 64 * 1024


class Tail:
    """One log, read on from where it was read before. Mutable: it knows how far it is."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def open(self, lines: int | None = None) -> bool:
        """Opens the log before its last *lines* lines (None: at its start); False if there is none."""
        if self._file is not None:
            return True
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115 - it stays open while it is followed
        except OSError:
            return False
        if lines is not None:
            self._file.seek(_start_of_last(self._file, lines))
        return True

    def blocks(self) -> Iterator[bytes]:
        """What has come since the last look."""
        while self._file is not None and (block := self._file.read(BLOCK)):
            yield block

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Printer:
    """Writes logs to standard output: that of ``only`` as it is, others after their step's name.

    Mutable: a line that is not whole yet waits for its rest.
    """

    def __init__(self, *, colour: bool) -> None:
        self.only = ""  # an address
        self._colour = colour
        self._rests: dict[str, bytes] = {}

    def feed(self, address: str, data: bytes) -> None:
        """Prints what came of the log of *address*."""
        if address == self.only:
            _write(data)
            return
        *whole, self._rests[address] = (self._rests.get(address, b"") + data).split(b"\n")
        self._lines(address, whole)

    def flush(self, address: str) -> None:
        """Prints the last line of a log that does not go on."""
        rest = self._rests.pop(address, b"")
        if rest:
            self._lines(address, [rest])

    def _lines(self, address: str, lines: list[bytes]) -> None:
        if lines:
            head = paint(f"{address} │", "dim", self._colour).encode() + b" "
            _write(b"".join(head + line + b"\n" for line in lines))


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _start_of_last(file: BinaryIO, lines: int) -> int:
    """Where the last *lines* lines begin; a last line without a newline counts."""
    position = file.seek(0, os.SEEK_END)
    if lines == 0:
        return position
    wanted = lines
    while position > 0:
        size = min(BLOCK, position)
        at_end = position == file.seek(0, os.SEEK_END)
        position -= size
        file.seek(position)
        block = file.read(size)
        end = len(block) - 1 if at_end and block.endswith(b"\n") else len(block)
        while (found := block.rfind(b"\n", 0, end)) >= 0:
            wanted -= 1
            if wanted == 0:
                return position + found + 1
            end = found
    return 0
