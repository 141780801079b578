"""Children of lab: started, heard, waited for, and ended with all their descendants."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import NoReturn

from lab import ports
from lab.crashpoint import passing
from lab.edge.process_base import Cancel, Exit, Lost, NotStarted
from lab.edge.process_follow import Follower
from lab.edge.process_link import Channel, Link
from lab.edge.process_output import Output
from lab.edge.process_pipes import Pipes
from lab.edge.process_program import require_program, why_not
from lab.edge.process_survivors import end_marked, find_marked
from lab.edge.process_warm import request
from lab.edge.warden_tree import MARK
from lab.edge.warden_wire import Message
from lab.provider import Cancelled, TimedOut, Warm

__all__ = [
    "Cancel",
    "Cancelled",
    "Exit",
    "Lost",
    "NotStarted",
    "Processes",
    "TimedOut",
    "end_marked",
    "find_marked",
]

_CLOSE_PATIENCE = 15.0
_LOST_GRACE = 2.0


class Processes:
    """The port to child processes; any number of threads may use it at the same time.

    Args:
        mark: what the mark of each child starts with; unlike that of any other run of lab.
        ambient: lab's own environment.
    """

    def __init__(self, *, mark: str, ambient: Mapping[str, str]) -> None:
        self._mark, self._ambient = mark, ambient
        self._lock = Lock()
        self._links: dict[bool, Link] = {}
        self._numbers = itertools.count(1)
        self._closed = False

    def warm(self) -> None:
        """Starts the warden, without waiting until it is there."""
        self._link(outlives=False)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        log: ports.Sink | None,
        stdin: bytes | None = None,
        on_line: Callable[[str], None] | None = None,
        cancelled: ports.Cancel,
        timeout: float | None = None,
        grace: float = 10.0,
        capture: bool = False,
        redact: ports.Redactor | None = None,
        outlives: bool = False,
        cores: Sequence[int] = (),
        warm: Warm | None = None,
    ) -> Exit:
        """Runs a program to its end and gives how it ended, whatever its exit status.

        *log*, *on_line* and *redact* are used by the calling thread alone. What the program leaves
        in its process group is ended with it. *outlives* is for tools that start a virtual machine
        or a server which is to stay when lab goes: what detaches itself is then left alone. *cores*
        are those that it and its descendants may use, where the system can see to that; none: all.
        *warm* says what its process may have imported before; where that cannot be, it starts
        afresh, and ``fresh`` of what is given says why.

        Raises:
            NotStarted: there is no such program or folder; the reason is a sentence.
            Cancelled, TimedOut: it was ended, with its tree: SIGTERM, *grace* seconds, SIGKILL.
            Lost: the warden was killed, and the child was ended for it.
        """
        if cancelled.is_set():
            raise Cancelled(f"{' '.join(argv[:1])} was not started: lab was told to stop")
        output = Output(log=log, on_line=on_line, capture=capture, redact=redact)
        order = self._order(argv, cwd, env, outlives=outlives) | {"cores": list(cores)}
        if warm is not None and not outlives:
            order["warm"] = request(warm, argv, cwd, order["env"], self._mark_of(0))
        pipes = _pipes(output, stdin)
        try:
            passing("spawn.before")
            link, channel = self._spawn(order, pipes, outlives=outlives)
            passing("spawn.after")
            child = Follower(channel, pipes, output, order["id"], grace)
            answer = self._follow(link, child, cancelled, timeout)
            passing("child.ended")
        finally:
            pipes.close()
        _check(answer, order, None if not child.late else timeout)
        return Exit(answer["code"], answer["cpu"], answer["rss"], *output.kept(), answer["fresh"])

    def close(self) -> None:
        """Ends everything that is left; children that still run end as cancelled."""
        with self._lock:
            self._closed = True
            links = list(self._links.values())
        for link in links:
            link.close(_CLOSE_PATIENCE)

    def _order(
        self, argv: Sequence[str], cwd: str, env: Mapping[str, str], *, outlives: bool
    ) -> Message:
        if not argv or not argv[0]:
            raise NotStarted("The command is empty: name a program to run.")
        number = next(self._numbers)
        # What is sent must be plain text, and not of a class that is derived from it.
        child_env = {n: v if type(v) is str else str(v) for n, v in env.items()}
        if outlives:
            child_env.pop(MARK, None)
        else:
            child_env[MARK] = self._mark_of(number)
        return {
            "id": number,
            "argv": [str(word) for word in argv],
            "cwd": cwd,
            "env": child_env,
        }

    def _spawn(self, order: Message, pipes: Pipes, *, outlives: bool) -> tuple[Link, Channel]:
        order |= {"stdin": pipes.stdin is not None, "output": pipes.output is not None}
        for _ in range(2):  # A warden that has died since the last child is replaced.
            try:
                link = self._link(outlives=outlives)
                channel = link.lend()
            except OSError as fault:
                _refuse(fault)
            if channel.spawn(order, pipes.theirs):
                pipes.close_theirs()
                return link, channel
            channel.close()
            link.lose()
        raise Lost("the program that watches over lab's children cannot be reached")

    def _follow(
        self, link: Link, child: Follower, cancelled: ports.Cancel, timeout: float | None
    ) -> Message:
        try:
            return child.follow(cancelled, timeout)
        except Lost as loss:
            link.lose()
            end_marked(self._mark_of(child.number), min(child.grace, _LOST_GRACE))
            if self._closed:
                raise Cancelled("lab is closing") from None
            raise Lost(f"{loss} {link.fault or ''}".rstrip()) from None
        finally:
            if child.answered and child.held and child.pipes.output is not None:
                link.drain(child.pipes.output)
            child.leave_output()
            if child.answered:
                link.take_back(child.channel)
            else:
                child.channel.close()

    def _link(self, *, outlives: bool) -> Link:
        with self._lock:
            if self._closed:
                raise Cancelled("lab is closing")
            link = self._links.get(outlives)
            if link is None or link.fault is not None:
                mark = "" if outlives else self._mark
                link = Link(mark=mark, ambient=self._ambient, adopts=not outlives)
                self._links[outlives] = link
            return link

    def _mark_of(self, number: int) -> str:
        return f"{self._mark}.{number:08d}"


def _pipes(output: Output, stdin: bytes | None) -> Pipes:
    try:
        return Pipes(output=output.wanted, stdin=stdin)
    except OSError as fault:
        _refuse(fault)


def _refuse(fault: OSError) -> NoReturn:
    """Raises what *fault* means where handles are opened."""
    if fault.errno not in (errno.EMFILE, errno.ENFILE):
        raise fault
    limit = "Too many files are open. Run fewer steps at once (-j), or raise `ulimit -n`."
    raise NotStarted(limit) from fault


def _check(answer: Message, order: Message, limit: float | None) -> None:
    """Raises what the warden's answer means, unless the child ended by itself."""
    name = order["argv"][0]
    if "errno" in answer:
        # The warden only knows that it could not; whoever looks again can say why.
        require_program(order["argv"], order["cwd"], order["env"])
        number, where = answer["errno"], answer["where"]
        raise NotStarted(why_not(number, where, name, order["cwd"], answer["message"]))
    if answer["killed"] and limit is not None:
        raise TimedOut(f"{name} ran longer than {limit:g} s and was ended")
    if answer["killed"]:
        raise Cancelled(f"{name} was ended: lab was told to stop")
