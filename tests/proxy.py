"""A connection that a test can cut: it forwards bytes until it is told to swallow or to hold them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class Proxy:
    """Forwards a port to *target*. ``forth`` and ``back`` say whether bytes get through each way."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.forth = self.back = True
        self._over = False
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nothing gets through any more, and nobody is told."""
        self.forth = self.back = False

    def mend(self) -> None:
        """New connections get through; those that were cut stay dead, as after a change of networks."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.close()
        self._sockets.clear()
        self.forth = self.back = True

    def close(self) -> None:
        self._over = True
        self._server.close()
        self.mend()

    def _accept(self) -> None:
        while not self._over:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [client, server]
            for one, other, forth in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(one, other, forth), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, forth: bool) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                while not (self.forth if forth else self.back):
                    time.sleep(0.01)
                    if one.fileno() < 0:
                        return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
