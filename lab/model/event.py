"""What happens in a run: the same values go to the journal, to the console and to ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TypeAlias

from lab.model.frozen import dataclass
from lab.model.state import Done
from lab.model.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins; times are seconds since the epoch everywhere."""

    run: int
    time: float
    command: str
    labfile: str
    host: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """The intent: from now on the world may change, and until an end is recorded it is not known how.

    ``target`` is the target's name, ``place`` its provider and ``fields`` its settings, without secrets.
    ``env`` are the step's own variables; one that holds a secret is ``{"template": TEXT}``.
    ``unmade`` are the files that the step's command names and that are not there yet: if it is killed, those
    that are there later count as made by it, not as its inputs. ``parameters`` are what the step that a
    child belongs to chose for it.
    """

    run: int
    time: float
    address: str
    kind: str
    target: str
    verb: str
    cause: str
    digest: str
    version: int = 1
    infrastructure: bool = False
    protect: bool = False
    needs: tuple[str, ...] = ()
    place: str = "local"
    fields: Mapping[str, Json] = field(default_factory=dict)
    env: Mapping[str, Json] = field(default_factory=dict)
    attempt: int = 1
    log: str = ""
    unmade: tuple[str, ...] = ()
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRemembered:
    """A provider stored what it needs to go on, to observe or to destroy."""

    run: int
    time: float
    address: str
    memory: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress:
    """How far a step is; never journaled. ``fraction`` is 0..1, ``text`` a few words, ``metrics`` the latest.

    ``step`` is the epoch, or how manieth report this is.
    """

    run: int
    time: float
    address: str
    text: str = ""
    fraction: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    line: str = ""  # one line of the step's log, where the reader wants them
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetried:
    """An attempt failed and another one follows after ``delay`` seconds."""

    run: int
    time: float
    address: str
    attempt: int
    error: str
    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step is done; durable before anyone is told."""

    run: int
    time: float
    address: str
    done: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """A step's last attempt failed. ``interrupted`` means that lab was told to stop.

    ``made`` are those of the files ``unmade`` before that are there now.
    """

    run: int
    time: float
    address: str
    error: str
    detail: str = ""
    log: str = ""
    attempt: int = 1
    interrupted: bool = False
    counts: bool = True  # False where on_failure is `ignore`
    seconds: float = 0.0
    made: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKept:
    """A step stays as it is; not journaled."""

    run: int
    time: float
    address: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped:
    """A step did not run; ``because`` names the failed or skipped step, if one is the reason."""

    run: int
    time: float
    address: str
    cause: str
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDestroyed:
    """What a record stood for is gone, and so is the record.

    ``left`` are artifacts that stay (paths from the lab's folder), for their bytes are not the recorded ones.
    """

    run: int
    time: float
    address: str
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForgotten:
    """A record is dropped; what it stood for stays in the world."""

    run: int
    time: float
    address: str
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMoved:
    """A record has another address now (``lab state mv``); ``needed_by`` are the records that needed it."""

    run: int
    time: float
    address: str
    to: str
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectSet:
    """A step's ``protect`` changed without the step running."""

    run: int
    time: float
    address: str
    protect: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ends. ``outcome`` is ``done``, ``failed`` or ``interrupted``; ``counts`` by what happened."""

    run: int
    time: float
    outcome: str
    counts: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, Json] = field(default_factory=dict)


Event: TypeAlias = (
    "RunStarted | StepStarted | StepRemembered | StepProgress | StepRetried | StepFinished | StepFailed"
    " | StepKept | StepSkipped | StepDestroyed | StepForgotten | RecordMoved | ProtectSet | RunFinished"
)

__all__ = [
    "Event",
    "ProtectSet",
    "RecordMoved",
    "RunFinished",
    "RunStarted",
    "StepDestroyed",
    "StepFailed",
    "StepFinished",
    "StepForgotten",
    "StepKept",
    "StepProgress",
    "StepRemembered",
    "StepRetried",
    "StepSkipped",
    "StepStarted",
]
