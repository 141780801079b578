"""The pipes between lab and one child."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

PIECE = 65536


class Pipes:
    """Lab's ends and, until they are handed over, the child's."""

    __slots__ = ("_unsent", "output", "stdin", "theirs")

    def __init__(self, *, output: bool, stdin: bytes | None) -> None:
        self.theirs: list[int] = []
        self.output: int | None = None
        self.stdin: int | None = None
        self._unsent = memoryview(stdin or b"")
        try:
            if stdin is not None:
                theirs, self.stdin = os.pipe()
                self.theirs.append(theirs)
                os.set_blocking(self.stdin, False)
            if output:
                self.output, theirs = os.pipe()
                self.theirs.append(theirs)
        except OSError:
            self.close()
            raise

    def read(self) -> bytes:
        """A piece of output, once there is any; empty at its end."""
        return b"" if self.output is None else os.read(self.output, PIECE)

    def rest(self) -> int:
        """How many bytes of output are in the pipe now, however long others may hold it open."""
        if self.output is None:
            return 0
        answer = fcntl.ioctl(self.output, termios.FIONREAD, b"\0\0\0\0")
        return int(struct.unpack("i", answer)[0])

    def read_now(self) -> bytes | None:
        """A piece of output that is there; empty at its end, None where somebody may write on."""
        if self.output is None:
            return b""
        os.set_blocking(self.output, False)
        try:
            return os.read(self.output, PIECE)
        except BlockingIOError:
            return None

    def write(self) -> bool:
        """Gives the child as much of its input as it takes now; true once it needs no more."""
        if self.stdin is None:
            return True
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self.stdin, self._unsent[:PIECE]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            pass  # It does not want the rest.
        return True

    def close_theirs(self) -> None:
        """The child has its ends, or never will."""
        for handle in self.theirs:
            os.close(handle)
        self.theirs = []

    def close_stdin(self) -> None:
        """No more input."""
        if self.stdin is not None:
            os.close(self.stdin)
        self.stdin = None

    def close_output(self) -> None:
        """No more output."""
        if self.output is not None:
            os.close(self.output)
        self.output = None

    def close(self) -> None:
        """Gives all handles back."""
        self.close_theirs()
        self.close_stdin()
        self.close_output()
