"""Reads logs while they may still grow: their last lines, and what is written after them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from lab.report.words import paint

BLOCK = 64 * 1024


class Tail:
    """One log, read on from where it was read before. Mutable: it knows how far it is.

    It is not kept open, for a step may have more instances than a process may have open files.
    """

    def __init__(self, path: str, lines: int | None = None) -> None:
        """*lines*: begin before so many last lines; None begins at the log's start."""
        self.path = path
        self._lines = lines
        self._offset = 0

    def blocks(self) -> Iterator[bytes]:
        """What has come since the last look.

        Raises:
            OSError: there is no such log, or it may not be read.
        """
        with open(self.path, "rb") as file:
            if self._lines is not None:
                self._offset, self._lines = _start_of_last(file, self._lines), None
            file.seek(self._offset)
            while block := file.read(BLOCK):
                self._offset += len(block)
                yield block


class Printer:
    """Writes logs to standard output: that of ``only`` as it is, others after their step's name.

    Mutable: a line that is not whole yet waits for its rest.
    """

    def __init__(self, *, colour: bool, replica: str = "") -> None:
        """*replica*: print its lines alone, without its name."""
        self.only = ""  # an address
        self._colour = colour
        self._lead = f"{replica} | ".encode() if replica else b""
        self._rests: dict[str, bytes] = {}

    def feed(self, address: str, data: bytes) -> None:
        """Prints what came of the log of *address*."""
        if address == self.only and not self._lead:
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
        if self._lead:
            size = len(self._lead)
            lines = [line[size:] for line in lines if line.startswith(self._lead)]
        if lines:
            head = b""
            if address != self.only:
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
