"""The calling thread's part while its child runs: what it writes, its time, and how it ends."""

from __future__ import annotations

import select
import time

from lab import ports
from lab.edge.process_base import Lost
from lab.edge.process_link import Channel
from lab.edge.process_output import SILENT, Output
from lab.edge.process_pipes import PIECE, Pipes
from lab.edge.warden_wire import Message
from lab.model.frozen import dataclass


@dataclass(slots=True)
class Follower:
    """One child, from its start to the warden's answer.

    Each thread follows its own child, so that a slow reader holds up that child alone, which
    waits at its full pipe.
    """

    channel: Channel
    pipes: Pipes
    output: Output
    number: int
    grace: float
    late: bool = False
    answered: bool = False
    held: bool = True  # somebody may still write to the output's other end

    def follow(self, cancelled: ports.Cancel, timeout: float | None) -> Message:
        """The warden's answer, after all of the output was dealt with.

        Raises:
            Lost: the warden is gone. Whatever else a log or a listener raises ends the child first.
        """
        cancelled.add_callback(self.stop)
        try:
            self._watch()
            answer = self._wait(timeout)
            self._take_rest()
        except Lost:
            raise
        except BaseException:
            self._abandon()
            raise
        finally:
            cancelled.remove_callback(self.stop)
            self._unwatch_stdin()
        self.output.finish()
        return answer

    def stop(self) -> None:
        """Has the child ended; safe in a signal handler."""
        self.channel.kill(self.number, self.grace)

    def leave_output(self) -> None:
        """Stops listening, and gives the pipe back."""
        if self.pipes.output is not None:
            self.channel.poll.unregister(self.pipes.output)
        self.pipes.close_output()

    def _wait(self, timeout: float | None) -> Message:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            wait = None
            if deadline is not None:
                wait = max(0.0, deadline - time.monotonic()) * 1000 + 1
            for handle, _ in self.channel.poll.poll(wait):
                answer = self._attend(handle)
                if answer is not None:
                    self.answered = True
                    return answer
            if deadline is not None and time.monotonic() >= deadline:
                deadline = None
                self.late = True
                self.stop()

    def _attend(self, handle: int) -> Message | None:
        if handle == self.channel.handle:
            return self.channel.receive()
        if handle == self.pipes.output:
            self._take()
        elif handle == self.pipes.stdin and self.pipes.write():
            self._unwatch_stdin()
        return None

    def _take(self) -> None:
        data = self.pipes.read()
        if not data:
            self.leave_output()
            return
        self.output.feed(data)
        if len(data) < PIECE:
            self.output.show()

    def _take_rest(self) -> None:
        """What the child wrote last. A daemon that it left may write on, but not to lab."""
        data = self.pipes.read_now()
        left = self.pipes.rest() if data else 0
        while data:
            self.output.feed(data)
            data = self.pipes.read_now()
            if left <= 0:
                break
            left -= len(data or b"")
        self.held = data != b""

    def _abandon(self) -> None:
        """The caller failed: the child must not run on, and nothing more of it is wanted."""
        self.output = SILENT
        if not self.answered:
            self.stop()
            self._wait(None)

    def _watch(self) -> None:
        if self.pipes.output is not None:
            self.channel.poll.register(self.pipes.output, select.POLLIN)
        if self.pipes.stdin is not None:
            self.channel.poll.register(self.pipes.stdin, select.POLLOUT)

    def _unwatch_stdin(self) -> None:
        if self.pipes.stdin is not None:
            self.channel.poll.unregister(self.pipes.stdin)
        self.pipes.close_stdin()
