"""All that a provider author imports: the protocol, what a task is, and what the world looks like from inside.

A provider is a module (or any object) with four names: ``Spec``, a frozen dataclass whose fields make the
step's keys; ``observe``, which looks whether what was made is still there; ``apply``, which makes it; and
``destroy``, which undoes it. A fifth, ``adopt``, takes over what is there already; it may be left out.
``docs/provider.md`` shows one on a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from lab.kinds.spec import Lifecycle, StepOutputs, option
from lab.kinds.warm import Warm
from lab.model.child import Child, Parent, Told
from lab.model.frozen import dataclass
from lab.model.labfile import Resources
from lab.model.plan import Change
from lab.model.state import Record
from lab.model.values import Artifact, Json, Value

__all__ = [
    "Adopts",
    "Artifact",
    "Cancelled",
    "Change",
    "Child",
    "Completed",
    "Io",
    "Json",
    "Lifecycle",
    "Observation",
    "Parent",
    "Part",
    "Provider",
    "Record",
    "Refused",
    "Resources",
    "Retry",
    "StepOutputs",
    "Task",
    "TimedOut",
    "Told",
    "Value",
    "Warm",
    "leave_in_place",
    "not_importable",
    "option",
    "unobservable",
]

S = TypeVar("S")


class Retry(Exception):
    """This attempt failed, another may succeed. ``after``: seconds to wait, if the provider knows better."""

    def __init__(self, summary: str, *, after: float | None = None, detail: str = "") -> None:
        super().__init__(summary)
        self.summary, self.after, self.detail = summary, after, detail


class Refused(Exception):
    """The step cannot succeed as things are. ``retry_on`` names the failure for ``retries.on`` (``exit:75``).

    A refused attempt is tried again only if the step's ``retries`` say so.
    """

    def __init__(self, summary: str, detail: str = "", *, reason: str = "error") -> None:
        super().__init__(summary)
        self.summary, self.detail, self.reason = summary, detail, reason


class Cancelled(Exception):
    """lab was told to stop, or another step failed under ``--fail-fast``; raised by every method of Io."""


class TimedOut(Exception):
    """The step's ``timeout`` is over; raised by every method of Io that waits."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended. ``code`` is its exit status, negative for the signal that ended it.

    ``output`` is standard output and error, merged, where it was captured (at most 16 MiB, its end).
    ``cpu_seconds`` and ``max_rss`` (bytes) are the operating system's accounting. ``fresh`` says why it
    started in a fresh process, where ``warm`` asked for another.
    """

    code: int
    output: str = ""
    cpu_seconds: float = 0.0
    max_rss: int = 0
    fresh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is there. ``drift`` lists where it differs from what was made; empty means it is as it was."""

    drift: tuple[Change, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[S]):
    """One step, ready to be made.

    ``spec`` is rendered and checked. ``env`` is the step's ``env`` alone; ``io.run`` adds it to the ambient
    environment. ``directory`` is ``step.dir``; it exists. ``left`` is what ``io.remember`` stored in an
    earlier attempt that did not finish, else None. ``memory`` is what was remembered last, finished or not.
    ``target`` holds the target's rendered fields. ``digest`` is the step's identity: two tasks with one digest
    are the same work. ``basis`` is the digest without the keys whose change goes on from what was made
    (``goes_on`` of the Spec). ``attempt`` counts from 1. ``resources`` are what the step may use, 0 where
    nothing was said, and ``gpus`` the devices that are its own (``io.run`` sets CUDA_VISIBLE_DEVICES to them).
    """

    address: str
    spec: S
    directory: str
    root: str
    env: Mapping[str, str] = field(default_factory=dict)
    target: Mapping[str, Json] = field(default_factory=dict)
    digest: str = ""
    basis: str = ""
    left: Json = None
    memory: Json = None
    record: Record | None = None
    replacing: bool = False
    attempt: int = 1
    run: int = 0
    resources: Resources = Resources()
    gpus: tuple[str, ...] = ()


class Part(Protocol):
    """One of several programs that a step runs at the same time; see :meth:`Io.part`."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        warm: Warm | None = None,
    ) -> Completed:
        """As :meth:`Io.run`. After :meth:`end` its code is -15, however the program took that."""

    def end(self) -> None:
        """Ends what it runs or will run, with all descendants, and returns at once; any thread may call it."""


@runtime_checkable
class Io(Parent, Protocol):
    """The world as a provider sees it. Every method raises Cancelled or TimedOut when the step must end."""

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
        """Runs a program to its end, whatever its exit status.

        ``env`` comes on top of the ambient environment and the step's own. The output goes to the step's
        log unless ``quiet``. ``on_line`` is told each line while it runs. It and all its descendants are
        ended when the step is cancelled, when it times out, and when lab dies. With ``warm`` it is forked
        from a process of lab's that has imported already, if that can be, and cannot tell the difference.

        Raises:
            Refused: the program does not exist, or ``cwd`` does not.
        """

    def part(self, name: str) -> Part:
        """For a program that runs beside others of this step, each in a thread of its own.

        In the log *name* leads each of its lines (``worker-1 | …``); without a name they are as they are.
        """

    def remember(self, memory: Json) -> None:
        """Stores *memory* in the step's record; durable on return. Never put a secret's value in it."""

    def sleep(self, seconds: float) -> None:
        """Waits, unless the step must end."""

    def check(self) -> None:
        """Raises Cancelled or TimedOut if the step must end; for loops of one's own."""

    def note(self, text: str, *, tell: bool = False) -> None:
        """Writes a line to the step's log; with *tell*, whoever follows the run is shown it too."""

    def progress(
        self,
        text: str = "",
        *,
        fraction: float | None = None,
        metrics: Mapping[str, float] | None = None,
        step: int = 0,
    ) -> None:
        """Tells people how far the step is; cheap enough for every batch (it is thinned out).

        *step* is the epoch that *metrics* are of, or how manieth report of them this is.
        """

    def artifact(self, path: str) -> Artifact:
        """The file or folder at *path* (relative to the lab's folder) with its content hash.

        Raises:
            Refused: nothing is there.
        """

    def shared(self, name: str) -> str:
        """A folder that all labs of this user share (created if missing), for caches."""

    def tool(self, name: str) -> str:
        """The absolute path of a program: beside lab's own interpreter, else on PATH.

        Raises:
            Refused: it is not installed; the message says how to get it.
        """

    @property
    def log_path(self) -> str:
        """Where the step's log is."""

    @property
    def ambient(self) -> Mapping[str, str]:
        """The environment that programs get, without LAB_VAR_* and without secrets' sources."""


class Provider(Protocol):
    """What lab asks of a kind on a target; a module with these names satisfies it."""

    @property
    def Spec(self) -> type[Any]:
        """The step's own keys: a frozen dataclass whose fields are made by :func:`option`."""

    def observe(self, record: Record, io: Io) -> Observation | None:
        """Looks at what *record* says was made, without changing anything; None when it is gone."""

    def apply(self, task: Task[Any], io: Io) -> Mapping[str, Value]:
        """Makes it so, from nothing or from whatever a killed attempt left; gives the step's outputs."""

    def destroy(self, record: Record, io: Io) -> None:
        """Undoes it; must succeed when it is already gone."""


class Adopts(Provider, Protocol):
    """A provider that can also take over what it did not make (`lab state import STEP ID`)."""

    def adopt(self, task: Task[Any], id: str, io: Io) -> Mapping[str, Value]:
        """Looks at what people call *id*, without changing it; gives the outputs that making it would give.

        What destroying and observing need is remembered with ``io.remember``, as ``apply`` would. From then
        on the thing is lab's: it is observed, and `lab destroy` undoes it.

        Raises:
            Refused: nothing is there, or it is not what ``task.spec`` says; the message says how it differs.
        """


def not_importable(task: Task[Any], id: str, io: Io) -> Mapping[str, Value]:
    """Assign as ``adopt`` where nothing that is there already can be taken over; so it is where it is absent."""
    raise Refused(
        "this kind cannot be imported",
        "Its provider has no way to tell whether what is there is what the step would make.",
    )


def unobservable(record: Record, io: Io) -> Observation | None:
    """Assign as ``observe`` where the record is all there is to know."""
    return Observation()


def leave_in_place(record: Record, io: Io) -> None:
    """Assign as ``destroy`` where nothing but the artifacts, which lab removes itself, is left behind."""
