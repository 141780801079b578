"""What becomes of a child's output: secrets out, then the log, the lines, and what is captured."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from lab.ports import Redactor, Sink

LINE_LIMIT = 64 * 1024
CAPTURE_LIMIT = 16 * 1024 * 1024


class Lines:
    """Cuts bytes into lines; a carriage return, as progress bars write it, ends a line too."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._tail = ""
        self._after_return = False

    def feed(self, data: bytes) -> None:
        """Tells the lines that are complete now."""
        self._split(self._decode(data))

    def finish(self) -> None:
        """Tells the last line if nothing ended it."""
        self._split(self._decode(b"", True))
        if self._tail:
            self._tell(self._tail)
            self._tail = ""

    def _split(self, text: str) -> None:
        if self._after_return and text:
            text = text.removeprefix("\n")
            self._after_return = False
        if not text:
            return
        self._after_return = text.endswith("\r")
        *lines, self._tail = (self._tail + text.replace("\r\n", "\n")).split("\n")
        for line in lines:
            self._tell_pieces(line)
        *pieces, self._tail = self._tail.split("\r")
        for piece in filter(None, pieces):
            self._tell(piece)
        while len(self._tail) > LINE_LIMIT:
            self._on_line(self._tail[:LINE_LIMIT])
            self._tail = self._tail[LINE_LIMIT:]

    def _tell_pieces(self, line: str) -> None:
        if "\r" not in line:
            self._tell(line)
            return
        for piece in filter(None, line.split("\r")):
            self._tell(piece)

    def _tell(self, line: str) -> None:
        if len(line) <= LINE_LIMIT:
            self._on_line(line)
            return
        for at in range(0, len(line), LINE_LIMIT):
            self._on_line(line[at : at + LINE_LIMIT])


class Captured:
    """The end of a stream, bounded."""

    def __init__(self) -> None:
        self._held = bytearray()
        self.truncated = False

    def feed(self, data: bytes) -> None:
        """Keeps *data*, and forgets the beginning once there is too much."""
        self._held += data
        # Moving many megabytes for each piece would be slow, so they go a batch at a time.
        if len(self._held) > 2 * CAPTURE_LIMIT:
            self._shorten()

    def value(self) -> bytes:
        """What is kept."""
        self._shorten()
        return bytes(self._held)

    def _shorten(self) -> None:
        excess = len(self._held) - CAPTURE_LIMIT
        if excess > 0:
            del self._held[:excess]
            self.truncated = True


class Output:
    """All that is to be done with one child's output; used by one thread."""

    def __init__(
        self,
        *,
        log: Sink | None,
        on_line: Callable[[str], None] | None,
        capture: bool,
        redact: Redactor | None,
    ) -> None:
        self._log, self._redact = log, redact
        self._flush = getattr(log, "flush", None)
        self._lines = Lines(on_line) if on_line is not None else None
        self._captured = Captured() if capture else None
        self.wanted = log is not None or on_line is not None or capture

    def feed(self, data: bytes) -> None:
        """Handles what the child wrote."""
        self._deliver(self._redact.feed(data) if self._redact is not None else data)

    def finish(self) -> None:
        """Handles what was held back; nothing follows."""
        if self._redact is not None:
            self._deliver(self._redact.flush())
        if self._lines is not None:
            self._lines.finish()
        self.show()

    def kept(self) -> tuple[bytes, bool]:
        """What was captured, and whether there was more."""
        if self._captured is None:
            return b"", False
        return self._captured.value(), self._captured.truncated

    def show(self) -> None:
        """Lets readers of a buffered log see what is there."""
        if self._flush is not None:
            self._flush()

    def _deliver(self, data: bytes) -> None:
        if not data:
            return
        if self._log is not None:
            self._log.write(data)
        if self._lines is not None:
            self._lines.feed(data)
        if self._captured is not None:
            self._captured.feed(data)


SILENT = Output(log=None, on_line=None, capture=False, redact=None)
