"""A world whose programs are functions of the test, and in which sleeping takes no time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from lab.provider import Cancelled, Completed, Refused, Warm
from lab.testing.world import World


@dataclass(frozen=True, slots=True)
class Ran:
    """One program that was run and what it was given; ``env`` without the ambient variables."""

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None


Program: TypeAlias = "Callable[[Ran], Completed | str | int | None]"


class FakeIo(World):
    """An Io for transcripts: ``programs`` maps a program's base name to what it does.

    A program gives its exit status, or what it prints, or a Completed. ``ran`` lists what was run,
    ``slept`` how many seconds were waited; after ``stop_after_sleep`` of them ``stop`` is set.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        programs: Mapping[str, Program] | None = None,
        *,
        address: str = "step",
        env: Mapping[str, str] | None = None,
        tools: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(root, address=address, env=env, tools=tools)
        self.programs = dict(programs or {})
        self.ran: list[Ran] = []
        self.slept = 0.0
        self.stop_after_sleep: float | None = None

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
        where = os.path.normpath(os.path.join(self.root, cwd or "."))
        call = Ran(tuple(argv), where, {**self.env, **(env or {})}, stdin)
        self.ran.append(call)
        program = self.programs.get(os.path.basename(argv[0]))
        if program is None:
            raise Refused(f"there is no program `{argv[0]}`", "The test scripted none.")
        completed = _completed(program(call))
        if on_line is not None:
            for line in completed.output.splitlines():
                on_line(line)
        self.count()
        return completed

    def part(self, name: str) -> FakePart:
        self.check()
        return FakePart(self)

    def tool(self, name: str) -> str:
        if name in self.tools or name not in self.programs:
            return super().tool(name)
        return f"/fake/bin/{name}"

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.stop_after_sleep is not None and self.slept >= self.stop_after_sleep:
            self.stop.set()
            raise Cancelled
        self.check()
        self.count()


class FakePart:
    """One program of several; programs of a test end at once, so that there is nothing to end."""

    def __init__(self, io: FakeIo) -> None:
        self._io = io
        self.ended = False

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        warm: Warm | None = None,
    ) -> Completed:
        return self._io.run(argv, cwd=cwd, env=env, on_line=on_line, warm=warm)

    def end(self) -> None:
        """Notes that somebody wished so."""
        self.ended = True


def _completed(came: Completed | str | int | None) -> Completed:
    match came:
        case Completed():
            return came
        case str():
            return Completed(0, came)
        case int():
            return Completed(came)
        case None:
            return Completed(0)
