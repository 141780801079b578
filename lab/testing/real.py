"""A world whose programs are real, each in a session of its own that is ended with the step."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from lab.provider import Cancelled, Completed, Refused, TimedOut, Warm
from lab.testing.world import World

_LOOK_EVERY = 0.02  # seconds between two looks at the wish to stop
_GRACE = 2.0  # seconds between SIGTERM and SIGKILL


class RealIo(World):
    """An Io over :mod:`subprocess`, for tests: lab's own also survives lab's death.

    ``timeout`` counts in seconds from now on. The log is at ``log_path``.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        address: str = "step",
        env: Mapping[str, str] | None = None,
        tools: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(root, address=address, env=env, tools=tools)
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self.ended = threading.Event()

    def part(self, name: str) -> RealPart:
        self.check()
        return RealPart(self, name)

    def check(self) -> None:
        super().check()
        if self.ended.is_set():
            raise Cancelled
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise TimedOut

    def sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            self.stop.wait(min(_LOOK_EVERY, max(0.0, until - time.monotonic())))
        self.check()
        self.count()

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        on_line: Callable[[str], None] | None = None,
        capture: bool = False,
        quiet: bool = False,
        warm: Warm | None = None,
    ) -> Completed:
        self.check()
        where = os.path.join(self.root, cwd or ".")
        own = {"LAB_STEP": self.address, "LAB_STEP_DIR": self.directory, "LAB_ROOT": self.root}
        whole = {**self.ambient, **own, **self.env, **(env or {})}
        child = _start(argv, where, whole, stdin)
        heard: list[str] = []
        log = os.devnull if quiet else self.log_path
        listener = threading.Thread(target=_listen, args=(child, log, heard, on_line), daemon=True)
        listener.start()
        try:
            code = self._wait(child)
        finally:
            _end(child)
            listener.join()
        self.count()
        return Completed(code, "".join(heard) if capture else "")

    def _wait(self, child: subprocess.Popen[str]) -> int:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return child.wait(_LOOK_EVERY)
            self.check()


class RealPart:
    """One program of several. In the log nothing tells its lines from the others'."""

    def __init__(self, whole: RealIo, name: str) -> None:
        self._whole, self.name = whole, name
        self._io = copy.copy(whole)
        self._io.ended = threading.Event()
        self._io.dies_after = None

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        warm: Warm | None = None,
    ) -> Completed:
        try:
            completed = self._io.run(argv, cwd=cwd, env=env, on_line=on_line, warm=warm)
        except Cancelled:
            if self._whole.stop.is_set():
                raise
            return Completed(-signal.SIGTERM)
        self._whole.count()
        return completed

    def end(self) -> None:
        """Ends the program."""
        self._io.ended.set()


def _start(
    argv: Sequence[str], cwd: str, env: Mapping[str, str], stdin: str | None
) -> subprocess.Popen[str]:
    if not os.path.isdir(cwd):
        raise Refused(f"there is no folder `{cwd}`", "The step's `cwd` must exist.")
    try:
        with tempfile.TemporaryFile() as given:
            given.write((stdin or "").encode())
            given.seek(0)
            return subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
                errors="replace",
            )
    except OSError as error:
        told = f"`{argv[0]}` cannot be started: {error.strerror}"
        raise Refused(told, "Is it installed?") from None


def _listen(
    child: subprocess.Popen[str],
    log: str,
    heard: list[str],
    on_line: Callable[[str], None] | None,
) -> None:
    assert child.stdout is not None
    with open(log, "a", encoding="utf-8") as file, child.stdout as lines:
        for line in lines:
            heard.append(line)
            file.write(line)
            if on_line is not None:
                _tell(on_line, line.rstrip("\n"))


def _tell(on_line: Callable[[str], None], line: str) -> None:
    with suppress(Cancelled, TimedOut):  # the thread that waits for the child notices by itself
        on_line(line)


def _end(child: subprocess.Popen[str]) -> None:
    """Ends the child and what it left in its session."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
