"""What is remembered of each step, and what each event makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from lab.model.frozen import dataclass
from lab.model.values import Artifact, Json, Value, artifacts_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished step: what it was (``digest``, ``identity``) and what came of it.

    ``identity`` is the identity rendering, kept so that a later cause can say what changed. ``inputs``
    maps relative paths to content hashes. ``seconds`` is the time of all attempts.
    """

    run: int
    digest: str
    identity: Mapping[str, Json]
    outputs: Mapping[str, Value] = field(default_factory=dict)
    started: float = 0.0
    finished: float = 0.0
    attempts: int = 1
    log: str = ""
    made: tuple[str, ...] = ()  # files named in the command that were not there before: not inputs

    @property
    def seconds(self) -> float:
        return max(0.0, self.finished - self.started)

    @property
    def artifacts(self) -> list[Artifact]:
        return artifacts_in(self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The newest attempt, if it has not finished: still running, interrupted (no ``error``) or failed.

    ``made`` are files that the command names and that are no inputs: those that it made, or, while it is not
    known how the attempt ended, those that it may have made. ``remembered`` tells that the record's memory
    is of this attempt, or of one before it that has not finished either.
    """

    run: int
    started: float
    digest: str
    error: str = ""
    log: str = ""
    interrupted: bool = True
    made: tuple[str, ...] = ()
    remembered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is remembered of one step; it holds what destroying needs, for the step may be gone."""

    address: str
    kind: str
    target: str
    version: int = 1
    infrastructure: bool = False
    protect: bool = False
    place: str = (
        "local"  # the target's provider, and below its settings: the target may be gone too
    )
    fields: Mapping[str, Json] = field(default_factory=dict)
    env: Mapping[str, Json] = field(default_factory=dict)  # the step's own variables, no secrets
    needs: tuple[str, ...] = ()  # what it waited for, so that destroying can go the other way
    done: Done | None = None
    tried: Tried | None = None
    memory: Json = None
    parameters: Mapping[str, Json] = field(
        default_factory=dict
    )  # of a child: what was chosen for it


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The fold of a journal. ``key`` is keyed hashing's secret (hex); ``run`` the newest run's number."""

    records: Mapping[str, Record] = field(default_factory=dict)
    run: int = 0
    key: str = ""
