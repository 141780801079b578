"""The warden: a small program that starts lab's children, and ends them all when lab is gone."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable

from lab.edge import warden_steps as steps
from lab.edge import warden_tree as tree
from lab.edge.warden_channel import Channel
from lab.edge.warden_warm import Pending, Pools
from lab.edge.warden_wire import NEW_CHANNEL, Message, Reader

LAST_GRACE = 2.0
_LOOK_AGAIN = 0.05
_LOOK_SOON = 0.005
_PARENT_POLL = 1.0
_DEAF_TO = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM),
)


class Warden:
    """One thread, a socket for news of lab, a channel for each of its threads, and the children."""

    def __init__(self, link: socket.socket, lab: int, mark: str, *, adopts: bool) -> None:
        self._lab, self._mark, self._adopts = lab, mark, adopts
        self._news = Reader(link)
        self._channels: dict[int, Channel] = {}
        self._drains: set[int] = set()
        self._owners: dict[int, Channel | None] = {}
        self._running: dict[int, steps.Step] = {}
        self._ending: set[steps.Step] = set()
        self._poll = select.poll()
        self._poll.register(link, select.POLLIN)
        self._link = link.fileno()
        self._waiting: dict[Pending, Channel] = {}
        self._warm = Pools(self._poll, self._warmed, adopts=adopts)
        self._bell = self._hear_children()
        # Not the socket alone: a process that lab forked may hold lab's end of it open.
        self._lab_handle = tree.handle_of(lab)
        if self._lab_handle >= 0:
            self._poll.register(self._lab_handle, select.POLLIN)

    def serve(self) -> None:
        """Does what lab asks until lab is gone, then ends all that is left."""
        while os.getppid() == self._lab and self._turn():
            self._reap()
            if self._ending:
                self._tend()
        self._warm.close()
        self._end_everything()

    def _turn(self) -> bool:
        for handle, events in self._poll.poll(self._pause()):
            if handle in self._channels:
                self._listen(self._channels[handle], events)
            elif handle == self._bell:
                self._quiet_bell()
            elif handle in self._warm.handles:
                self._warm.attend(handle, events)
            elif handle in self._drains:
                self._drain(handle)
            elif handle == self._lab_handle or not self._hear_news():
                return False
        return True

    def _pause(self) -> float | None:
        now = time.monotonic()
        waits = [step.look_at - now for step in self._ending]
        if self._lab_handle < 0:
            waits.append(_PARENT_POLL)
        return max(0.0, min(waits)) * 1000 + 1 if waits else None

    def _hear_children(self) -> int:
        bell, rope = os.pipe()
        for end in (bell, rope):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
        self._poll.register(bell, select.POLLIN)
        return bell

    def _quiet_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 4096)

    def _hear_news(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            data = self._news.read()
            # Handles are missing where this process may have no more; lab sees that channel end.
            for what, handle in zip(data, self._news.handles, strict=False):
                self._take(what, handle)
            self._news.handles.clear()
            return bool(data)
        return True

    def _take(self, what: int, handle: int) -> None:
        if what == NEW_CHANNEL[0]:
            self._channels[handle] = Channel(handle)
        else:
            os.set_blocking(handle, False)
            self._drains.add(handle)
        self._poll.register(handle, select.POLLIN)

    def _drain(self, handle: int) -> None:
        """Reads what a daemon writes whose step is over; a closed pipe would end it."""
        with contextlib.suppress(BlockingIOError):
            if not os.read(handle, 65536):
                self._poll.unregister(handle)
                self._drains.discard(handle)
                os.close(handle)

    def _listen(self, channel: Channel, events: int) -> None:
        if events & select.POLLOUT and channel.flush():
            self._poll.modify(channel.link, select.POLLIN)
        try:
            data = channel.reader.read()
        except BlockingIOError:
            return
        if not data:
            self._hang_up(channel)
            return
        for message in channel.reader.messages(data):
            self._obey(channel, message)

    def _hang_up(self, channel: Channel) -> None:
        """The thread has given up, so nobody wants its child."""
        self._poll.unregister(channel.link)
        del self._channels[channel.link.fileno()]
        channel.reader.close()
        if isinstance(channel.step, Pending):
            self._drop(channel.step)
        elif channel.step is not None:
            channel.step.end_whole(time.monotonic(), LAST_GRACE)
            self._ending.add(channel.step)
            self._owners[channel.step.pid] = None

    def _obey(self, channel: Channel, message: Message) -> None:
        if message["do"] == "spawn":
            self._spawn(channel, message)
        elif channel.step is None or channel.step.number != message["id"]:
            return  # it ended while the wish was on its way
        elif isinstance(channel.step, Pending):
            self._say(channel, self._drop(channel.step))
            channel.step = None
        else:
            channel.step.end_whole(time.monotonic(), message["grace"])
            self._ending.add(channel.step)

    def _spawn(self, channel: Channel, message: Message) -> None:
        fresh = ""
        with channel.reader.taken() as handles:
            if message.get("warm"):
                came = self._warm.ask(message, handles)
                if isinstance(came, Pending):
                    channel.step, self._waiting[came] = came, channel
                    return
                fresh = came
            self._started(channel, steps.start(message, handles), fresh)

    def _warmed(self, pending: Pending, came: int | str) -> None:
        """A process that was forked waits to begin; or it must be started afresh, for the reason that came."""
        channel, message = self._waiting.pop(pending), pending.message
        if isinstance(came, int):
            self._started(channel, steps.forked(message, came, pending.handles), "")
            pending.go()
        else:
            self._started(channel, steps.start(message, pending.handles), came)

    def _drop(self, pending: Pending) -> Message:
        del self._waiting[pending]
        return self._warm.drop(pending)

    def _started(self, channel: Channel, answer: steps.Step | Message, fresh: str) -> None:
        if isinstance(answer, steps.Step):
            answer.fresh = fresh
            channel.step = self._running[answer.pid] = answer
            self._owners[answer.pid] = channel
        else:
            channel.step = None
            self._say(channel, answer)

    def _say(self, channel: Channel, message: Message) -> None:
        if not channel.say(message):
            self._poll.modify(channel.link, select.POLLIN | select.POLLOUT)

    def _reap(self) -> None:
        ended = []
        for pid, status, usage in steps.reap():
            # An orphan's end may be what a step that is ending waits for.
            for waiting in self._ending:
                waiting.look_at = min(waiting.look_at, time.monotonic() + _LOOK_SOON)
            self._warm.ended(pid, status)
            step = self._running.pop(pid, None)
            if step is not None:
                step.close(status, usage)
                ended.append(step)
        # Only now, for until all have been waited for the dead count as members of their group.
        for step in ended:
            if step in self._ending:
                continue
            if steps.group_is_empty(step.pid):
                self._report(step)
            else:
                step.end_leftovers(time.monotonic())
                self._ending.add(step)

    def _tend(self) -> None:
        now = time.monotonic()
        due = [step for step in self._ending if step.look_at <= now]
        if not due:
            return
        rows = self._table()
        strays = self._strays(rows)
        for step in due:
            if step.look(now, rows, strays):
                self._report(step)

    def _table(self) -> tree.Table:
        rows = tree.table()
        if not self._adopts:
            return rows
        # All that is ours descends from here, so a stranger with a reused number is never hit.
        ours = tree.descendants(rows, (os.getpid(),)) - {os.getpid()}
        return {pid: one for pid, one in rows.items() if pid in ours}

    def _strays(self, rows: tree.Table) -> dict[int, str]:
        """The marks of those that lost the parent by which they were known."""
        if not self._mark:
            return {}
        lost = [
            pid
            for pid, one in rows.items()
            if pid not in self._running and (one.parent == os.getpid() or not self._adopts)
        ]
        return {pid: tree.mark_of(pid) for pid in lost}

    def _report(self, step: steps.Step) -> None:
        self._ending.discard(step)
        channel = self._owners.pop(step.pid)
        step.let_go()
        if channel is not None:
            channel.step = None
            self._say(channel, {"id": step.number, **step.outcome})

    def _end_everything(self) -> None:
        bell = select.poll()
        bell.register(self._bell, select.POLLIN)
        kill_at = time.monotonic() + LAST_GRACE
        asked: set[tuple[int, float]] = set()
        while left := self._everything():
            for one in left:
                if time.monotonic() >= kill_at:
                    tree.send(one.pid, signal.SIGKILL)
                elif (one.pid, one.started) not in asked:
                    tree.ask_to_end(one.pid)
            asked.update((one.pid, one.started) for one in left)
            bell.poll(_LOOK_AGAIN * 1000)
            self._quiet_bell()

    def _everything(self) -> Iterable[tree.Row]:
        for pid, _, _ in steps.reap():
            self._owners.pop(pid, None)
        if self._adopts and not steps.any_child():
            return []
        rows = self._table()
        found = set(rows) if self._adopts else tree.unadopted(rows, self._owners, self._mark)
        return tree.endable(rows, found)


def main(arguments: list[str]) -> None:
    """Runs the warden: its socket, lab's number, the mark, `adopt` or not, more import paths."""
    handle, lab, mark, adopt, *paths = arguments
    sys.path += [path for path in paths if path]
    for deaf in _DEAF_TO:
        signal.signal(deaf, signal.SIG_IGN)
    os.set_inheritable(int(handle), False)
    os.closerange(int(handle) + 1, max(1024, min(os.sysconf("SC_OPEN_MAX"), 65536)))
    link = socket.socket(fileno=int(handle))
    link.setblocking(False)
    adopts = adopt == "adopt" and tree.adopt_orphans()
    warden = Warden(link, int(lab), mark, adopts=adopts)
    try:
        warden.serve()
    except BaseException:
        import traceback

        # Its own death orphans the children, which lab then finds by their marks.
        with contextlib.suppress(OSError):
            link.send(traceback.format_exc().encode(errors="replace"))
        raise
