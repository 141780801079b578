"""Processes that have imported what steps import, and are forked for each: who they are, and who waits for one."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import TypeAlias

from lab.edge import warden_steps as steps
from lab.edge import warden_tree as tree
from lab.edge.warden_wire import Message, send

Settle: TypeAlias = "Callable[[Pending, int | str], None]"

MOST = 4  # of them at a time; each holds what it has imported
_LINK_FD = 3
_TAIL = 2000  # bytes of what one printed last, which tell why it died
_SHOWN = 300
_OUTPUT, _INPUT = 1, 2


class Pending:
    """A step that waits for its process. ``handles`` are its own, should it be started afresh after all."""

    __slots__ = ("_unsent", "handles", "message", "number", "pool", "talk")

    def __init__(
        self, message: Message, handles: list[int], pool: Pool, talk: socket.socket
    ) -> None:
        self.message, self.handles = message, handles
        self.number: int = message["id"]
        self.pool, self.talk = pool, talk
        self._unsent = _packed(message)

    def flush(self) -> bool:
        """Sends what can be sent now; false while there is more."""
        try:
            self._unsent = self._unsent[self.talk.send(self._unsent) :]
        except BlockingIOError:
            return False
        except OSError:
            self._unsent = b""  # nobody is there any more, as reading will show
        return not self._unsent

    def hear(self) -> int | str | None:
        """The process's number, or why there is none; None for as long as nothing is there."""
        try:
            data = self.talk.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        text = data[1:].decode(errors="replace")
        match data[:1]:
            case b"P" if _is_there(int(text)):
                return int(text)
            case b"R":
                return text
            case b"N":
                self.pool.fault = text
                return text
            case _:
                return self.pool.last_words()

    def go(self) -> None:
        """Lets the process begin."""
        with contextlib.suppress(OSError):  # it has died, and is waited for as all are
            self.talk.send(b"G")
        self.close()

    def close(self) -> None:
        """Gives all handles back; a process that waits to begin ends."""
        self.talk.close()
        while self.handles:
            os.close(self.handles.pop())


class Pool:
    """One process that has imported. Mutable: ``fault`` is why nobody may ask it any more."""

    __slots__ = ("_tail", "asked", "fault", "link", "output", "pid")

    def __init__(self, pid: int, link: socket.socket, output: int) -> None:
        self.pid, self.link, self.output = pid, link, output
        self.fault, self._tail, self.asked = "", b"", 0.0

    def read(self) -> bool:
        """Takes what it printed; false at the end."""
        try:
            data = os.read(self.output, 65536)
        except BlockingIOError:
            return True
        self._tail = (self._tail + data)[-_TAIL:]
        return bool(data)

    def last_words(self) -> str:
        """Notes that it died, unless something else is known; gives why."""
        if self.fault:
            return self.fault
        self.died("the process that had imported died")
        return self.fault

    def died(self, how: str) -> None:
        """Notes why it is gone, with what it printed last."""
        while self.output >= 0 and self.read():
            if not select.select([self.output], [], [], 0)[0]:
                break
        said = self._tail.decode(errors="replace").strip()[-_SHOWN:]
        self.fault = f"{how}: {said}" if said else how


class Pools:
    """All of them, by what they have imported and in which surroundings. Mutable: it follows them."""

    def __init__(self, poll: select.poll, settle: Settle, *, adopts: bool) -> None:
        self._poll, self._settle, self._adopts = poll, settle, adopts
        self._pools: dict[str, Pool] = {}
        self.handles: dict[int, Pending | Pool] = {}

    def ask(self, message: Message, handles: list[int]) -> Pending | str:
        """Asks for a process and takes *handles*; or gives why the step is to be started afresh."""
        if not self._adopts:
            return "orphans cannot be adopted on this system"
        try:
            pool = self._pool(message)
            if pool.fault:
                return pool.fault
            pending = _asked(message, handles, pool)
        except (OSError, ValueError) as fault:
            return str(fault)
        self.handles[pending.talk.fileno()] = pending
        whole = pending.flush()
        self._poll.register(pending.talk, select.POLLIN | (0 if whole else select.POLLOUT))
        return pending

    def attend(self, handle: int, events: int) -> None:
        """Something is to be heard, or can be sent on."""
        one = self.handles[handle]
        if isinstance(one, Pool):
            if not one.read():
                self._deafen(one)
            return
        if events & select.POLLOUT and one.flush():
            self._poll.modify(one.talk, select.POLLIN)
        came = one.hear() if events & ~select.POLLOUT else None
        if came is None:
            return
        self._forget(one)
        self._settle(one, came)
        one.close()
        if one.pool.fault:
            self._end(one.pool)

    def drop(self, pending: Pending) -> Message:
        """Nobody wants the step any more; gives what is to be said of it."""
        self._forget(pending)
        pending.close()
        killed = {"code": -signal.SIGTERM, "cpu": 0.0, "rss": 0, "killed": True, "fresh": ""}
        return {"id": pending.number, **killed}

    def ended(self, pid: int, status: int) -> None:
        """A child of the warden has ended; it may be one of them."""
        for pool in self._pools.values():
            if pool.pid == pid:
                pool.pid = 0
                if not pool.fault:
                    pool.died(f"the process that had imported died ({_how(status)})")
                self._end(pool)

    def close(self) -> None:
        """Ends all of them."""
        for pool in self._pools.values():
            self._end(pool)

    def _pool(self, message: Message) -> Pool:
        key: str = message["warm"]["key"]
        if key not in self._pools:
            self._make_room()
            pool = self._pools[key] = _opened(message)
            self.handles[pool.output] = pool
            self._poll.register(pool.output, select.POLLIN)
        self._pools[key].asked = time.monotonic()
        return self._pools[key]

    def _make_room(self) -> None:
        living = {key: pool for key, pool in self._pools.items() if pool.pid}
        if len(living) < MOST:
            return
        busy = {id(one.pool) for one in self.handles.values() if isinstance(one, Pending)}
        idle = [key for key, pool in living.items() if id(pool) not in busy]
        if not idle:
            raise ValueError(f"{MOST} other processes are importing for other steps")
        self._end(self._pools.pop(min(idle, key=lambda key: living[key].asked)))

    def _end(self, pool: Pool) -> None:
        self._deafen(pool)
        pool.link.close()
        if pool.pid:
            tree.send(pool.pid, signal.SIGKILL)
            pool.pid = 0

    def _deafen(self, pool: Pool) -> None:
        if pool.output >= 0:
            self._poll.unregister(pool.output)
            del self.handles[pool.output]
            os.close(pool.output)
            pool.output = -1

    def _forget(self, pending: Pending) -> None:
        self._poll.unregister(pending.talk)
        del self.handles[pending.talk.fileno()]


def _asked(message: Message, handles: list[int], pool: Pool) -> Pending:
    if len(handles) < message["handles"]:
        raise ValueError("this system allows no more open files")
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        pending = Pending(message, [], pool, ours)
        what = _INPUT * bool(message["stdin"]) | _OUTPUT * bool(message["output"])
        try:
            send(pool.link, bytes((what,)), [theirs.fileno(), *handles])
        except OSError:
            ours.close()
            raise
    pending.handles, handles[:] = list(handles), []
    return pending


def _opened(message: Message) -> Pool:
    """Starts one; it finds its requests as soon as it has imported."""
    ours, theirs = socket.socketpair()
    output, written = os.pipe()
    warm = message["warm"]
    with theirs:
        try:
            os.chdir(warm["cwd"])
            pid = os.posix_spawn(
                steps.program_of(warm["argv"][0], warm["cwd"], warm["env"]),
                warm["argv"],
                warm["env"],
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), _LINK_FD),
                    (os.POSIX_SPAWN_DUP2, written, 1),
                    (os.POSIX_SPAWN_DUP2, written, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=steps.ignored(),
            )
        except BaseException:
            ours.close()
            os.close(output)
            raise
        finally:
            os.close(written)
    for handle in (ours.fileno(), output):
        os.set_blocking(handle, False)
    return Pool(pid, ours, output)


def _packed(message: Message) -> bytes:
    words = [os.fsencode(word) for word in message["warm"]["words"]]
    env = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in message["env"].items()]
    fields = [os.fsencode(message["cwd"]), b"%d" % len(words), *words, *env]
    if any(b"\0" in field for field in fields):
        raise ValueError("a NUL character is in its words or variables")
    body = b"\0".join(fields)
    return len(body).to_bytes(4, "big") + body


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit {code}" if code >= 0 else f"signal {-code}"
