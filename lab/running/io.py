"""The world as one step's provider sees it, made of ports; it ends the step when it must end."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence

from lab.crashpoint import passing
from lab.model.event import Event, StepProgress, StepRemembered
from lab.model.frozen import dataclass
from lab.model.values import Artifact, Json
from lab.ports import Cancel, Clock, Files, Journal, Machine, Processes, Secrets, Sink, Work
from lab.provider import Cancelled, Completed, Refused, TimedOut, Warm
from lab.running.io_children import Children, Parent
from lab.running.part import LEAD, Ending, Led, Shared, StepPart

PROGRESS_EVERY = 0.1  # seconds; people read no faster, and a provider may tell every batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All of the outside world that running a step takes."""

    files: Files
    processes: Processes
    journal: Journal
    clock: Clock
    secrets: Secrets
    work: Work
    machine: Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a step stands: its address, its folder, the run, and the variables that it is given."""

    address: str
    root: str
    directory: str
    run: int
    log_path: str
    env: Mapping[str, str]
    cores: tuple[int, ...] = ()  # that its programs are kept to; none: all


@dataclass(slots=True)
class Memory:
    """What a step's provider remembered last. Mutable: it passes from one attempt to the next.

    ``unfinished`` tells that this was in an attempt that has not ended well.
    """

    value: Json = None
    unfinished: bool = False


def texts_in(value: Json) -> Iterator[str]:
    """Every scalar in *value*, and every key, as text."""
    match value:
        case Mapping():
            for key, each in value.items():
                yield key
                yield from texts_in(each)
        case list():
            for each in value:
                yield from texts_in(each)
        case _:
            yield str(value)


class StepIo(Parent):
    """Implements :class:`lab.provider.Io`. Mutable: it knows when it last told progress."""

    def __init__(
        self,
        ports: Ports,
        place: Place,
        *,
        stop: Cancel,
        sink: Sink | None,
        tell: Callable[[Event], None],
        deadline: float | None,
        memory: Memory | None = None,
        lines: bool = False,
        part: str = "",
        children: Children | None = None,
    ) -> None:
        super().__init__(children)
        self._ports, self._place, self._stop = ports, place, stop
        self._memory = memory or Memory()
        self._sink, self._tell, self._deadline, self._lines = sink, tell, deadline, lines
        self._lead = f"{part}{LEAD}" if part else ""
        self._told = 0.0

    @property
    def log_path(self) -> str:
        return self._place.log_path

    @property
    def ambient(self) -> Mapping[str, str]:
        return self._ports.machine.ambient

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
        place = self._place
        ended = self._ports.processes.run(
            argv,
            cwd=posixpath.join(place.root, cwd or "."),
            env={**self.ambient, **place.env, **(env or {})},
            log=None if quiet else self._sink,
            stdin=None if stdin is None else stdin.encode(),
            on_line=self._heard(on_line, quiet),
            cancelled=self._stop,
            timeout=self._remaining(),
            capture=capture,
            redact=self._ports.secrets.redactor(),
            cores=place.cores,
            warm=warm,
        )
        return Completed(
            code=ended.code,
            output=ended.output.decode("utf-8", "replace"),
            cpu_seconds=ended.cpu_seconds,
            max_rss=ended.max_rss,
            fresh=ended.fresh,
        )

    def part(self, name: str) -> StepPart:
        self.check()
        ending = Ending(self._stop)
        if self._sink is not None and not isinstance(self._sink, Shared):
            self._sink = Shared(self._sink)
        led = Led(self._sink, name) if name and self._sink is not None else None
        io = StepIo(
            self._ports,
            self._place,
            stop=ending,
            sink=led or self._sink,
            tell=self._tell,
            deadline=self._deadline,
            memory=self._memory,
            lines=self._lines,
            part=name,
        )
        return StepPart(io, ending, self._stop, led)

    def _heard(
        self, on_line: Callable[[str], None] | None, quiet: bool
    ) -> Callable[[str], None] | None:
        if not self._lines or quiet:
            return on_line

        def heard(line: str) -> None:
            self._tell(self._progress(line=self._lead + line))
            if on_line is not None:
                on_line(line)

        return heard

    def remember(self, memory: Json) -> None:
        self.check()
        if any(self._ports.secrets.redact(text) != text for text in texts_in(memory)):
            raise Refused(
                "what was to be remembered holds the value of a secret",
                "It would be kept in the state in clear text. This is a bug in the step's provider.",
                reason="bug",
            )
        passing("remember.before")
        self._ports.journal.append(
            StepRemembered(
                run=self._place.run,
                time=self._ports.clock.now(),
                address=self._place.address,
                memory=memory,
            )
        )
        passing("remember.after")
        self._memory.value, self._memory.unfinished = memory, True

    def sleep(self, seconds: float) -> None:
        remaining = self._remaining()
        self._stop.wait(seconds if remaining is None else min(seconds, remaining))
        self.check()

    def check(self) -> None:
        if self._stop.is_set():
            raise Cancelled
        if self._remaining() == 0.0:
            raise TimedOut

    def note(self, text: str, *, tell: bool = False) -> None:
        clean = self._ports.secrets.redact(text)
        if self._sink is not None:
            self._sink.write(clean.encode() + b"\n")
        if tell or self._lines:
            self._tell(self._progress(line=clean))

    def progress(
        self,
        text: str = "",
        *,
        fraction: float | None = None,
        metrics: Mapping[str, float] | None = None,
        step: int = 0,
    ) -> None:
        self.check()
        now = self._ports.clock.monotonic()
        often = now - self._told < PROGRESS_EVERY
        if often and not metrics and fraction not in (None, 1.0):
            return  # one of many on the way; a phase or a metric is told in any case
        self._told = now
        redact = self._ports.secrets.redact
        clean = {redact(name): value for name, value in (metrics or {}).items()}
        self._tell(self._progress(text=redact(text), fraction=fraction, metrics=clean, step=step))

    def _progress(
        self,
        *,
        text: str = "",
        fraction: float | None = None,
        metrics: Mapping[str, float] | None = None,
        line: str = "",
        step: int = 0,
    ) -> StepProgress:
        return StepProgress(
            run=self._place.run,
            time=self._ports.clock.now(),
            address=self._place.address,
            text=text,
            fraction=fraction,
            metrics=metrics or {},
            line=line,
            step=step,
        )

    def artifact(self, path: str) -> Artifact:
        passing("artifact.before")
        found = self._ports.files.artifact(path)
        passing("artifact.after")
        if found is None:
            raise Refused(
                f"there is no `{path}`",
                "The step declares it as an artifact but did not make it."
                " Check the path; `{{ step.dir }}` is the step's own folder.",
            )
        return found

    def shared(self, name: str) -> str:
        return self._ports.machine.shared(name)

    def tool(self, name: str) -> str:
        path = self._ports.machine.tool(name)
        if path is None:
            raise Refused(
                f"`{name}` is not installed",
                f"It is neither beside lab's own Python nor on PATH. `lab doctor` says how to get {name}.",
            )
        return path

    def _remaining(self) -> float | None:
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - self._ports.clock.monotonic())
