"""A real server on loopback whose answers a test scripts, one a request; the last one goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """``cut`` bytes are sent before the connection breaks; ``ranges`` tells whether Range is understood."""

    data: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    ranges: bool = True
    stall: float = 0.0
    length: bool = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.asked: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client: object) -> None:
        """A client that hangs up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *words: object) -> None:
        return

    def do_GET(self) -> None:
        server = self.server
        server.asked.append({k.lower(): v for k, v in self.headers.items()})
        server.paths.append(self.path)
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        etag = answer.headers.get("ETag")
        if etag and self.headers.get("If-None-Match") == etag:
            self._send(304, {}, b"", answer)
            return
        wanted = self.headers.get("Range")
        fits = self.headers.get("If-Range") in (None, etag, answer.headers.get("Last-Modified"))
        if wanted and answer.ranges and fits and answer.status == 200:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            size = len(answer.data)
            if start >= size:
                self._send(416, {"Content-Range": f"bytes */{size}"}, b"", answer)
                return
            about = {"Content-Range": f"bytes {start}-{size - 1}/{size}"}
            self._send(206, about, answer.data[start:], answer)
            return
        self._send(answer.status, {}, answer.data, answer)

    def _send(self, status: int, more: dict[str, str], data: bytes, answer: Answer) -> None:
        self.send_response(status)
        for name, value in {**answer.headers, **more}.items():
            self.send_header(name, value)
        if answer.length:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        end = len(data) if answer.cut is None else min(answer.cut, len(data))
        self.wfile.write(data[:end])
        self.wfile.flush()
        if answer.stall:
            self.server.over.wait(answer.stall)
        self.close_connection = True


@contextmanager
def serving(*answers: Answer) -> Iterator[Server]:
    server = Server()
    server.answers = list(answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
