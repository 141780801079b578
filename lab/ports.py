"""The outside world as `running` and `planning` see it; `edge` has the real ones, `testing` the fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from lab.model.event import Event
from lab.model.state import State
from lab.model.values import Artifact
from lab.provider import Provider, Warm


class Cancel(Protocol):
    """A wish to stop that many threads may wait for."""

    def is_set(self) -> bool: ...

    def set(self) -> None: ...

    def wait(self, timeout: float | None = None) -> bool: ...

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Calls *callback* once when the wish comes, at once if it is already there."""

    def remove_callback(self, callback: Callable[[], None]) -> None: ...


class Files(Protocol):
    """The lab's files, read only. Paths are absolute or relative to the lab's folder."""

    def exists(self, path: str) -> bool: ...

    def is_dir(self, path: str) -> bool: ...

    def is_file(self, path: str) -> bool:
        """Whether there is something that is no folder."""

    def read_text(self, path: str) -> str | None:
        """A small text file, or None if it is not there or is not text."""

    def digest(self, path: str) -> str | None:
        """``sha256:…`` of a file's bytes (and executable bit), or of a folder's whole tree; None if absent."""

    def artifact(self, path: str) -> Artifact | None:
        """The artifact at *path*: its absolute path, content hash and size; None if absent."""

    def glob(self, pattern: str) -> Sequence[str]:
        """Files below the lab's folder that match (``**`` too), sorted, relative, ``.lab`` and ``.git`` left out."""


class Journal(Protocol):
    """Where events are kept. ``append`` returns once the event is durable."""

    def load(self) -> State: ...

    def append(self, *events: Event) -> None:
        """Stores events in order, durable on return; safe from several threads, committed in groups.

        Raises:
            StateError: it could not be stored, or the lock is not held any more.
        """

    def enter(self, *events: Event) -> Callable[[], None]:
        """Puts events in line, at once; what it gives returns when they are durable, or raises StateError.

        What is entered first is durable first, or at the same time.
        """


class Sink(Protocol):
    """Bytes of a step's output go here."""

    def write(self, data: bytes) -> object: ...


class Redactor(Protocol):
    """Takes secrets out of a stream of bytes, also when a secret is split across writes."""

    def feed(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class Exit(Protocol):
    """How a child ended."""

    @property
    def code(self) -> int: ...

    @property
    def output(self) -> bytes: ...

    @property
    def cpu_seconds(self) -> float: ...

    @property
    def max_rss(self) -> int: ...

    @property
    def fresh(self) -> str:
        """Why it started in a fresh process, where a warm one was asked for."""


class Processes(Protocol):
    """Children, each ended with all its descendants when it must be."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        log: Sink | None,
        stdin: bytes | None = None,
        on_line: Callable[[str], None] | None = None,
        cancelled: Cancel,
        timeout: float | None = None,
        grace: float = 10.0,
        capture: bool = False,
        redact: Redactor | None = None,
        cores: Sequence[int] = (),
        warm: Warm | None = None,
    ) -> Exit: ...


class Clock(Protocol):
    """Time: ``now`` in seconds since the epoch, ``monotonic`` for durations."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...


class Reporter(Protocol):
    """Is told events; never asked."""

    def tell(self, event: Event) -> None: ...


class Secrets(Protocol):
    """Values of secrets, resolved at the last moment."""

    def value(self, name: str) -> str:
        """The secret's value.

        Raises:
            LabError: it cannot be read; the message says which source failed and how to mend it.
        """

    def fingerprint(self, name: str) -> str | None:
        """A keyed hash of the value for identity; None if it may not be read now (a command, while planning)."""

    def redactor(self) -> Redactor | None:
        """A redactor for all values read so far; None if there are none."""

    def redact(self, text: str) -> str: ...


class Work(Protocol):
    """The folders in which steps work and log; paths are absolute."""

    def step_dir(self, address: str) -> str: ...

    def log_path(self, run: int, address: str) -> str: ...

    def open_log(self, run: int, address: str) -> AbstractContextManager[Sink]:
        """The step's log; there is none before something is written to it."""

    def forget(self, address: str) -> None:
        """Removes a step's folder, if it is there."""

    def prepare(self, address: str) -> str:
        """Creates the step's folder; gives its path."""

    def settle(self, artifact: Artifact) -> None:
        """Makes an artifact's bytes and its place durable: it outlives a loss of power.

        Raises:
            OSError: they could not be written.
        """

    def keep(self, artifact: Artifact) -> None:
        """Keeps a copy by content, to be had back; without complaint not where that cannot be."""

    def keep_input(self, path: str, digest: str) -> None:
        """Likewise a file that a step reads (its path is relative to the lab's folder), unless it is large."""

    def keep_curve(self, run: int, address: str, redactor: Redactor | None) -> None:
        """Keeps the curve in the step's folder, if there is one, beside the step's log of the run."""

    def remove_artifact(self, artifact: Artifact) -> bool:
        """Deletes an artifact if its bytes are still the recorded ones; False if they are not."""


class Registry(Protocol):
    """Which provider makes a kind on a target."""

    def find(self, kind: str, place: str) -> Provider | None:
        """The provider of *kind* on the target provider *place* (``local``, ``docker``), if there is one."""


class Machine(Protocol):
    """What this computer has."""

    @property
    def ambient(self) -> Mapping[str, str]:
        """The environment for children: lab's own without LAB_VAR_* and without the sources of secrets."""

    @property
    def cpus(self) -> int: ...

    @property
    def gpus(self) -> int: ...

    @property
    def memory(self) -> int:
        """Bytes."""

    def shared(self, name: str) -> str:
        """A folder shared by all labs of this user, created if missing."""

    def tool(self, name: str) -> str | None:
        """The absolute path of a program beside lab's interpreter or on PATH."""
