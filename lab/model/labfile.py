"""What a Labfile declares, once its structure is right: frozen, typed, templates still unrendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import TypeAlias

from lab.model.document import Document
from lab.model.frozen import dataclass
from lab.model.tree import Path
from lab.model.values import Json


class OnFailure(Enum):
    """What a failed step means for the rest."""

    FAIL = "fail"  # everything that depends on it is skipped, exit 1
    CONTINUE = "continue"  # steps that only `need` it run, exit 1
    IGNORE = "ignore"  # steps that only `need` it run, exit 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a failed step is tried again, how long to wait before, and after which failures.

    ``backoff`` is the first pause in seconds; it doubles each time, up to five minutes. ``on`` holds
    ``timeout``, ``exit:N`` or ``error``; empty means any failure.
    """

    attempts: int = 0
    backoff: float = 1.0
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a step occupies while it runs: cpu in cores, memory in bytes, gpu in whole devices."""

    cpu: float = 0.0
    memory: int = 0
    gpu: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where steps run. ``fields`` are the provider's own settings; they may hold templates."""

    name: str
    provider: str
    fields: Mapping[str, Json] = field(default_factory=dict)
    optional: bool = False


LOCAL = Target(name="local", provider="local")


@dataclass(frozen=True, slots=True)
class FromEnv:
    """A secret read from an environment variable."""

    name: str


@dataclass(frozen=True, slots=True)
class FromFile:
    """A secret read from a file; one trailing newline is dropped."""

    path: str


@dataclass(frozen=True, slots=True)
class FromCommand:
    """A secret printed by a program; one trailing newline is dropped."""

    argv: tuple[str, ...]


SecretSource: TypeAlias = "FromEnv | FromFile | FromCommand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options that every step has and that do not count in its identity; all known before planning."""

    timeout: float | None = None  # seconds
    retries: Retries = Retries()
    protect: bool = False
    tags: tuple[str, ...] = ()
    mutex: tuple[str, ...] = ()
    resources: Resources = Resources()
    cache: bool = True
    on_failure: OnFailure = OnFailure.FAIL
    description: str = ""


PLAIN = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node of the graph: a step, or one instance of its matrix.

    ``spec``, ``env``, ``inputs``, ``when`` and ``require`` may hold templates. ``where`` says at which
    path of the document a key of this step was written, for keys that ``like`` brought from elsewhere.
    ``literal`` means that nothing in the step needs rendering. ``trial`` is what a step that makes many
    children makes: a step at this one's address, with samples of the parameters that are to vary.
    """

    address: str
    name: str
    kind: str
    target: Target = LOCAL
    spec: Mapping[str, Json] = field(default_factory=dict)
    env: Mapping[str, Json] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    when: Json = True
    require: tuple[Json, ...] = ()
    matrix: Mapping[str, Json] = field(default_factory=dict)
    options: Options = PLAIN
    needs: tuple[str, ...] = ()  # names of steps, as written
    path: Path = ()
    where: Mapping[str, Path] = field(default_factory=dict)
    literal: bool = False
    unavailable: str = ""  # why it never runs here: its optional target is not there
    trial: Step | None = None

    def path_of(self, key: str) -> Path:
        """Where *key* of this step stands in the document."""
        return self.where.get(key, (*self.path, key))


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSettings:
    """Which backend remembers what was done."""

    backend: str = "local"
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labfile:
    """A whole Labfile: overlays merged, variables settled, ``like`` and ``matrix`` expanded.

    ``instances`` maps a step's name to its addresses in matrix order; a plain step maps to itself.
    ``matrices`` names the steps that have a matrix (so that fan-in gives a list even for one instance).
    """

    name: str
    overlay: str
    root: str  # absolute folder of the Labfile
    source: str  # absolute path of the Labfile
    description: str = ""
    vars: Mapping[str, Json] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)  # the ambient variables, for env.NAME
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    state: StateSettings = StateSettings()
    steps: tuple[Step, ...] = ()
    instances: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    matrices: frozenset[str] = frozenset()
    outputs: Mapping[str, Json] = field(default_factory=dict)
    document: Document
