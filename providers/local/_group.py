"""The replicas of a training at work: started together, ended together, started again where that is wanted."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from lab.model.frozen import dataclass
from lab.provider import Completed, Io, Part, Warm

from ._cluster import Replica

PATIENCE = 30.0  # seconds that others have to end when the one that decides has succeeded
_TAKEN = re.compile(
    r"address already in use|failed to (?:add|bind) (?:any )?(?:port|address)", re.I
)


@dataclass(frozen=True, slots=True)
class Program:
    """What one replica runs; ``on_line`` is told its lines, ``part`` runs it."""

    replica: Replica
    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    on_line: Callable[[str], None] | None
    part: Part
    warm: Warm | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a replica ended, after how many seconds; ``told`` where lab had it ended."""

    replica: Replica
    came: Completed | BaseException
    seconds: float
    told: bool

    @property
    def well(self) -> bool:
        """Whether it ended by itself, with 0."""
        return isinstance(self.came, Completed) and self.came.code == 0 and not self.told


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a group: how all ended, and whose fault a failure is."""

    ends: tuple[End, ...]
    culprit: End | None
    port_taken: bool


class Group:
    """Programs that run together; the first decides. Mutable: it follows them.

    The first one's success is the group's: whatever serves is ended then, and the others have PATIENCE
    seconds to end. Whoever fails before that takes all others along.
    """

    def __init__(self, programs: Sequence[Program], io: Io) -> None:
        self._programs, self._io = programs, io
        self._news: queue.SimpleQueue[End] = queue.SimpleQueue()
        self._told: set[Replica] = set()
        self._taken = False

    def run(self) -> Came:
        """Returns when all have ended.

        Raises:
            Cancelled, TimedOut, Refused: what running any of them raised, after all have ended.
        """
        if len(self._programs) == 1:
            self._run(self._programs[0])
        else:
            for each in self._programs:
                threading.Thread(target=self._run, args=(each,), name=each.replica.name).start()
        return self._follow()

    def end(self) -> None:
        """Ends all of them; any thread may call it."""
        self._end(self._programs)

    def _end(self, programs: Sequence[Program]) -> None:
        for each in programs:
            self._told.add(each.replica)
            each.part.end()

    def _run(self, program: Program) -> None:
        began = time.monotonic()

        def heard(line: str) -> None:
            if _TAKEN.search(line[:1000]):
                self._taken = True
            if program.on_line is not None:
                program.on_line(line)

        came: Completed | BaseException
        try:
            came = program.part.run(
                program.argv,
                cwd=program.cwd,
                env=program.env,
                on_line=heard,
                warm=program.warm,
            )
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            came = error
        told = program.replica in self._told
        self._news.put(End(program.replica, came, time.monotonic() - began, told))

    def _follow(self) -> Came:
        ends: list[End] = []
        culprit: End | None = None
        done, until = False, None
        while len(ends) < len(self._programs):
            end = self._next(until)
            if end is None:
                self.end()
                until = None
                continue
            ends.append(end)
            if done or culprit is not None:
                continue
            if not end.well:
                culprit = end
                self.end()
            elif end.replica == self._programs[0].replica:
                done, until = True, time.monotonic() + PATIENCE
                self._end([p for p in self._programs if p.replica.serves])
        for end in ends:
            if isinstance(end.came, BaseException):
                raise end.came
        return Came(tuple(ends), culprit, port_taken=self._taken)

    def _next(self, until: float | None) -> End | None:
        """The next that ends; None when there was none in time."""
        try:
            return self._news.get(
                timeout=None if until is None else max(0.0, until - time.monotonic())
            )
        except queue.Empty:
            return None
