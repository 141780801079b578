"""Lab's side of one warden: starts it, and lends its channels to the threads that run children."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping

from lab.edge.process_base import Lost
from lab.edge.warden_wire import DRAIN, NEW_CHANNEL, Message, Reader, pack, send

_WARDEN_FD = 3
# A module, not a script: compiled once, and found beside this very lab. The path goes last, so that
# no file of lab hides one of the standard library.
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); from lab.edge.warden import main; main(sys.argv[2:])"
)
_WARDEN_NEEDS = ("LANG", "LANGUAGE", "LD_LIBRARY_PATH", "PATH", "HOME", "TMPDIR")


class Channel:
    """A socket to the warden, for one child at a time and for one thread at a time."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._reader = Reader(link)
        # A wish to stop may come late, from another thread, when the channel has its next child.
        # Reentrant, for it may also come in a signal handler of the very thread that sends.
        self._lock = threading.RLock()
        self.poll = select.poll()
        self.poll.register(link, select.POLLIN)
        self.handle = link.fileno()

    def spawn(self, order: Message, handles: list[int]) -> bool:
        """Asks for a child; false if the warden is gone, so that there will be none."""
        try:
            with self._lock:
                send(self._link, pack({"do": "spawn", "handles": len(handles), **order}), handles)
        except OSError:
            return False
        return True

    def kill(self, number: int, grace: float) -> None:
        """Asks for the end of the child and its tree; any thread and any signal handler may."""
        with self._lock, contextlib.suppress(OSError):
            self._link.sendall(pack({"do": "kill", "id": number, "grace": grace}))

    def receive(self) -> Message | None:
        """The warden's answer, once it is complete.

        Raises:
            Lost: there will be none.
        """
        data = self._reader.read()
        if not data:
            raise Lost("the program that watches over lab's children is gone")
        messages = self._reader.messages(data)
        return messages[0] if messages else None

    def close(self) -> None:
        """Gives it up; a child that it still has is ended."""
        with self._lock:
            self._reader.close()


class Link:
    """One warden."""

    def __init__(self, *, mark: str, ambient: Mapping[str, str], adopts: bool) -> None:
        self._news, theirs = socket.socketpair()
        with theirs:
            # Out of the way of the numbers that the warden's own handles are to have.
            handle = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, 10)
        self.warden = _start_warden(handle, mark, ambient, adopts=adopts)
        os.close(handle)
        self._lock = threading.Lock()
        self._idle: list[Channel] = []
        self.fault: str | None = None

    def lend(self) -> Channel:
        """A channel that no other thread uses."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._tell(NEW_CHANNEL, theirs.fileno())
        return Channel(ours)

    def take_back(self, channel: Channel) -> None:
        """The thread's child is over."""
        with self._lock:
            if self.fault is None:
                self._idle.append(channel)
            else:
                channel.close()

    def drain(self, handle: int) -> None:
        """Has the warden read from a pipe whatever still comes."""
        self._tell(DRAIN, handle)

    def lose(self) -> None:
        """The warden is gone: notes what it had to say about it, and waits for it."""
        with self._lock:
            if self.fault is None:
                self._forget()

    def close(self, patience: float) -> None:
        """Has the warden end all that is left, and waits for that, within limits."""
        with self._lock:
            if self.fault is not None:
                return
            try:
                self._news.shutdown(socket.SHUT_WR)
                self._news.settimeout(patience)
                while self._news.recv(65536):
                    pass
            except TimeoutError:
                return  # It goes on alone.
            except OSError:
                pass
            self._forget()

    def _forget(self) -> None:
        with contextlib.suppress(OSError):
            self._news.shutdown(socket.SHUT_WR)  # Should it live after all.
        self.fault = self._last_words()
        for channel in self._idle:
            channel.close()
        self._idle = []
        self._news.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.warden, 0)

    def _tell(self, what: bytes, handle: int) -> None:
        with self._lock, contextlib.suppress(OSError):  # Whoever waits for an answer will see.
            send(self._news, what, [handle])

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return self._news.recv(65536, socket.MSG_DONTWAIT).decode(errors="replace")
        return ""


def _start_warden(handle: int, mark: str, ambient: Mapping[str, str], *, adopts: bool) -> int:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    utf8 = f"utf8={sys.flags.utf8_mode}"
    argv = [
        *(sys.executable, "-I", "-S", "-X", utf8, "-c", _BOOT, root),
        *(str(_WARDEN_FD), str(os.getpid()), mark, "adopt" if adopts else "leave", _psutil_root()),
    ]
    env = {k: v for k, v in ambient.items() if k in _WARDEN_NEEDS or k.startswith(("LC_", "DYLD_"))}
    return os.posix_spawn(
        sys.executable,
        argv,
        env,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, handle, _WARDEN_FD),
            *((os.POSIX_SPAWN_OPEN, to, os.devnull, os.O_RDWR, 0) for to in (0, 1, 2)),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGCHLD,),
    )


def _psutil_root() -> str:
    if sys.platform.startswith("linux"):
        return ""
    found = importlib.util.find_spec("psutil")
    return os.path.dirname(os.path.dirname(found.origin)) if found and found.origin else ""
