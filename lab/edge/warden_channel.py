"""One socket between the warden and a thread of lab."""

from __future__ import annotations

import socket

from lab.edge import warden_steps as steps
from lab.edge.warden_warm import Pending
from lab.edge.warden_wire import Message, Reader, pack


class Channel:
    """One socket to a thread of lab, which has one child at a time."""

    __slots__ = ("_unsent", "link", "reader", "step")

    def __init__(self, handle: int) -> None:
        self.link = socket.socket(fileno=handle)
        self.link.setblocking(False)
        self.reader = Reader(self.link)
        self.step: steps.Step | Pending | None = None
        self._unsent = b""

    def say(self, message: Message) -> bool:
        """Tells lab, but never waits for it; false while there is more to send."""
        self._unsent += pack(message)
        return self.flush()

    def flush(self) -> bool:
        """Sends what could not be sent; false while there is more."""
        try:
            self._unsent = self._unsent[self.link.send(self._unsent) :]
        except BlockingIOError:
            return False
        except OSError:
            self._unsent = b""  # Nobody listens any more, as reading will show.
        return not self._unsent
