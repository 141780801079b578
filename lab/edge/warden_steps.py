"""One child of the warden from its start to the end of the last process of its tree."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from lab.edge import warden_tree as tree
from lab.edge.search import searched
from lab.edge.warden_wire import Message

if TYPE_CHECKING:
    from resource import struct_rusage

# What a program leaves behind may be about to end by itself, as `tee` in `> >(tee log)` is.
LINGER = 0.25
LEFTOVER_GRACE = 2.0

_LOOK_AGAIN = 0.05

_ALL_SIGNALS = tuple(
    one for one in signal.valid_signals() if one not in (signal.SIGKILL, signal.SIGSTOP)
)


class Step:
    """A child that lab asked for, with its tree; its group and its session have its number too."""

    __slots__ = (
        "_asked",
        "_kill_at",
        "_killed",
        "_mark",
        "_output",
        "_term_at",
        "_whole",
        "fresh",
        "look_at",
        "number",
        "outcome",
        "pid",
    )

    def __init__(self, number: int, pid: int, mark: str, output: int) -> None:
        self.number, self.pid, self._mark, self._output = number, pid, mark, output
        self.outcome: Message = {}
        self.fresh = ""
        self._killed = False
        self.look_at = 0.0
        self._whole = False
        self._term_at = self._kill_at = float("inf")
        self._asked: set[tuple[int, float]] = set()

    def close(self, status: int, usage: struct_rusage) -> None:
        """Notes how the child itself ended."""
        self.outcome = {
            "code": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime,
            "rss": usage.ru_maxrss * tree.MAX_RSS_UNIT,
            "killed": self._killed,
            "fresh": self.fresh,
        }

    def let_go(self) -> None:
        """Closes the child's output, which is kept until now so that lab is woken once for both its ends."""
        output, self._output = self._output, -1
        if output >= 0:
            os.close(output)

    def end_whole(self, now: float, grace: float) -> None:
        """From now on the whole tree is to end; asked again, the earlier deadline holds."""
        self._whole = True
        self._killed = self._killed or not self.outcome
        self._term_at = min(self._term_at, now)
        self._kill_at = min(self._kill_at, now + max(0.0, grace))
        self.look_at = 0.0

    def end_leftovers(self, now: float) -> None:
        """The child has ended; what it left in its process group is to end too."""
        self._term_at = now + LINGER
        self._kill_at = self._term_at + LEFTOVER_GRACE
        self.look_at = 0.0

    def look(self, now: float, rows: tree.Table, strays: Mapping[int, str]) -> bool:
        """Signals what is left, as is due; true once all has ended. *strays*: orphans' marks."""
        left = tree.endable(rows, self._members(rows, strays))
        if self.outcome and not left:
            return True
        if now >= self._kill_at:
            self._kill(left)
        elif now >= self._term_at:
            self._ask(left)
        due = [at for at in (self._term_at, self._kill_at) if at > now]
        self.look_at = min([now + _LOOK_AGAIN, *due])
        return False

    def _ask(self, left: list[tree.Row]) -> None:
        """Each is asked once: some programs take a second SIGTERM for impatience.

        Parents before their children: a shell whose command has ended goes on with the next one.
        """
        for one in sorted(left, key=lambda one: (one.started, one.pid)):
            if (one.pid, one.started) not in self._asked:
                tree.ask_to_end(one.pid)
        # Also how they are known again, should they leave the group.
        self._asked.update((one.pid, one.started) for one in left)

    def _kill(self, left: list[tree.Row]) -> None:
        if any(one.group == self.pid for one in left):
            # At one stroke, so that no member can start another meanwhile.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        for one in left:
            tree.send(one.pid, signal.SIGKILL)

    def _members(self, rows: tree.Table, strays: Mapping[int, str]) -> set[int]:
        if not self._whole:
            return {pid for pid, one in rows.items() if one.group == self.pid}
        roots = [pid for pid, one in rows.items() if self._is_root(one, strays.get(pid, ""))]
        return tree.descendants(rows, roots)

    def _is_root(self, one: tree.Row, mark: str) -> bool:
        if self.pid in (one.session, one.group) or (one.pid, one.started) in self._asked:
            return True
        # Who left the session and lost its parent is known by what it inherited.
        return bool(self._mark) and mark == self._mark


def start(message: Message, handles: list[int]) -> Step | Message:
    """Starts a program in a session of its own; the answer to lab where that fails."""
    if len(handles) < message["handles"]:
        fault = "this system allows no more open files"
        return {"id": message["id"], "errno": errno.EMFILE, "where": "program", "message": fault}
    actions = [
        *((os.POSIX_SPAWN_DUP2, handles[0], 0) for _ in range(message["stdin"])),
        *((os.POSIX_SPAWN_DUP2, handles[-1], to) for to in (1, 2) if message["output"]),
    ]
    where = "cwd"
    argv, output = message["argv"], -1
    try:
        os.chdir(message["cwd"])
        where = "program"
        program = program_of(argv[0], message["cwd"], message["env"])
        with _kept_to(message["cores"]):
            pid = os.posix_spawn(
                program,
                argv,
                message["env"],
                file_actions=actions,
                setsid=True,
                setsigmask=(),
                setsigdef=ignored(),
            )
        if message["output"]:
            output = handles.pop()
    except (OSError, ValueError) as fault:
        number = getattr(fault, "errno", None) or 0
        return {"id": message["id"], "errno": number, "where": where, "message": str(fault)}
    return Step(message["id"], pid, message["env"].get(tree.MARK, ""), output)


@contextlib.contextmanager
def _kept_to(cores: list[int]) -> Iterator[None]:
    """A child inherits its parent's cores, so the warden, which has one thread, goes there for a moment."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    all_cores = os.sched_getaffinity(0)
    with contextlib.suppress(
        OSError
    ):  # the cores are gone: a program on others is better than none
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, all_cores)


def forked(message: Message, pid: int, handles: list[int]) -> Step:
    """A step whose process is there already, in a session of its own, and waits to begin."""
    if message["cores"] and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):  # as where a program is started
            os.sched_setaffinity(pid, message["cores"])
    output = handles.pop() if message["output"] else -1
    return Step(message["id"], pid, message["env"].get(tree.MARK, ""), output)


def program_of(name: str, cwd: str, env: Mapping[str, str]) -> str:
    """The file to start; what a PATH lacks is taken as it is named, for the start to fail."""
    if "/" in name:
        return os.path.join(cwd, name)
    return searched(name, cwd, env.get("PATH", os.defpath)) or f"/{name}/not found"


@lru_cache(maxsize=1)
def ignored() -> tuple[int, ...]:
    """The signals that a child would go on ignoring; those that are handled are not handed on."""
    return tuple(one for one in _ALL_SIGNALS if signal.getsignal(one) is signal.SIG_IGN)


def reap() -> Iterator[tuple[int, int, struct_rusage]]:
    """All children, adopted ones too, that have ended since the last time."""
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status, usage


def any_child() -> bool:
    """Whether there is any child or adopted orphan, ended or not."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def group_is_empty(group: int) -> bool:
    """Whether a process group has no member any more."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
