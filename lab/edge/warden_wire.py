"""How lab and its warden talk: messages with their length in front, handles beside them."""

from __future__ import annotations

import array
import contextlib
import marshal
import os
import socket
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

# What goes over the first socket: a byte, and with it one handle.
NEW_CHANNEL = b"c"
DRAIN = b"d"

_HEAD = 4
_RECEIVE = 65536
_ROOM = socket.CMSG_SPACE(64 * array.array("i").itemsize)
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def send(link: socket.socket, data: bytes, handles: list[int]) -> None:
    """Sends all of *data*, and the handles with its first byte; waits where it must."""
    if not handles:
        link.sendall(data)
        return
    numbers = array.array("i", handles)
    sent = link.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
    if sent < len(data):
        link.sendall(data[sent:])


def pack(message: Message) -> bytes:
    """One message as bytes."""
    # Both ends are one program in one interpreter, which reads what it wrote ten times as fast as JSON.
    body = marshal.dumps(message)
    return len(body).to_bytes(_HEAD, "big") + body


class Reader:
    """Takes bytes and handles from a socket, and puts messages together from the pieces."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._held = b""
        self.handles: list[int] = []

    def read(self) -> bytes:
        """What is there now; empty at the end.

        Raises:
            BlockingIOError: nothing is there.
        """
        try:
            data, extra, _, _ = self._link.recvmsg(_RECEIVE, _ROOM, _CLOSE_ON_EXEC)
        except ConnectionError:
            return b""
        for level, kind, payload in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self._keep(payload)
        return data

    def messages(self, data: bytes) -> list[Message]:
        """The messages that are complete with *data*."""
        held = self._held + data if self._held else data
        found: list[Message] = []
        at = 0
        while len(held) >= at + _HEAD:
            end = at + _HEAD + int.from_bytes(held[at : at + _HEAD], "big")
            if len(held) < end:
                break
            found.append(marshal.loads(held[at + _HEAD : end]))
            at = end
        self._held = held[at:]
        return found

    @contextlib.contextmanager
    def taken(self) -> Iterator[list[int]]:
        """The handles that came, for a while."""
        handles, self.handles = self.handles, []
        try:
            yield handles
        finally:
            for handle in handles:
                os.close(handle)

    def close(self) -> None:
        """Closes the socket, and handles that nobody took."""
        self._link.close()
        with self.taken():
            pass

    def _keep(self, payload: bytes) -> None:
        numbers = array.array("i")
        numbers.frombytes(payload[: len(payload) - len(payload) % numbers.itemsize])
        for number in numbers:
            if not _CLOSE_ON_EXEC:
                os.set_inheritable(number, False)
            self.handles.append(number)
