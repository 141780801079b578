"""How much memory a step's processes hold, looked at while they run, and the end of those that hold too much."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

from typing_extensions import Self

_EVERY = 0.5  # seconds between two looks
_LINUX = sys.platform.startswith("linux")


class MemoryLimit:
    """A context in which the step that works in *directory* may hold *limit* bytes; 0 is no limit.

    More than that calls *end* once; ``over`` is then what was held. A limit on address space would
    be no help: TensorFlow reserves far more than it uses.
    """

    def __init__(self, directory: str, limit: int, end: Callable[[], None]) -> None:
        self._directory, self._limit, self._end = directory, limit, end
        self._over_now = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self.over = 0

    def __enter__(self) -> Self:
        if self._limit:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over_now.set()
        if self._limit:
            self._thread.join()

    def _watch(self) -> None:
        members = Members(self._directory)
        while not self._over_now.wait(_EVERY):
            held = members.held(self._limit)
            if held > self._limit:
                self.over = held
                self._end()
                return


class Members:
    """The processes of the step that works in a folder: those that inherited LAB_STEP_DIR, and their children.

    Mutable: it remembers whom it has looked at, for most of a machine's processes are of no interest.
    """

    def __init__(self, directory: str) -> None:
        self._word = f"LAB_STEP_DIR={directory}".encode()
        self._known: dict[tuple[int, str], bool] = {}

    def held(self, limit: int) -> int:
        """Bytes that they hold. Pages that several share count once, if it comes to that."""
        pids = list(self._pids())
        resident = sum(_resident(pid) for pid in pids)
        # What a fork shares with its parent counts twice in that sum; the exact one takes long.
        return sum(map(_proportional, pids)) if resident > limit else resident

    def _pids(self) -> Iterator[int]:
        rows = list(_processes())
        mine = {pid for pid, _, started in rows if self._inherits(pid, started)}
        grown = True
        while grown:
            more = {pid for pid, parent, _ in rows if parent in mine} - mine
            grown = bool(more)
            mine |= more
        yield from mine

    def _inherits(self, pid: int, started: str) -> bool:
        key = (pid, started)
        # Who has just been forked has its parent's environment still, so that only a yes is for good.
        if not self._known.get(key):
            self._known[key] = self._word in _environment(pid)
        return self._known[key]


def _processes() -> Iterator[tuple[int, int, str]]:
    """Number, parent and start of each process of this user."""
    if not _LINUX:
        yield from _psutil_processes()
        return
    me = os.geteuid()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if os.stat(f"/proc/{name}").st_uid != me:
                continue
            text = _read(f"/proc/{name}/stat")
        except OSError:
            continue
        words = text[text.rfind(b")") + 2 :].split()
        yield int(name), int(words[1]), words[19].decode()


def _environment(pid: int) -> list[bytes]:
    if not _LINUX:
        return _psutil_environment(pid)
    try:
        return _read(f"/proc/{pid}/environ").split(b"\0")
    except OSError:
        return []


def _resident(pid: int) -> int:
    if not _LINUX:
        return _psutil_resident(pid)
    try:
        return int(_read(f"/proc/{pid}/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    """A process's memory, with its share alone of what it shares."""
    if not _LINUX:
        return _psutil_resident(pid)
    try:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return _resident(pid)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _psutil_processes() -> Iterator[tuple[int, int, str]]:
    import psutil

    for process in psutil.process_iter(["ppid", "create_time"]):
        if process.info["ppid"] is not None:
            yield process.pid, process.info["ppid"], str(process.info["create_time"])


def _psutil_environment(pid: int) -> list[bytes]:
    import psutil

    try:
        return [f"{k}={v}".encode() for k, v in psutil.Process(pid).environ().items()]
    except (psutil.Error, OSError):
        return []


def _psutil_resident(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
