"""The outside world as the core sees it, in memory: no file, no process, no real time."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import hashlib
import json
import posixpath
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lab.model.codec import event_from_json, event_to_json, is_journaled
from lab.model.diagnostic import Diagnostic, LabError, PlanError, StateError
from lab.model.event import Event
from lab.model.fold import fold
from lab.model.layout import log_path, step_dir
from lab.model.state import Record
from lab.model.values import Artifact
from lab.ports import Cancel, Redactor, Sink
from lab.provider import Cancelled, Warm

ROOT = "/lab"


class FakeClock:
    """Time goes on by a millisecond whenever it is looked at, and by whatever is waited for."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.go_on(0.001)

    def monotonic(self) -> float:
        return self._now

    def go_on(self, seconds: float) -> float:
        with self._lock:
            self._now += seconds
            return self._now


class FakeCancel:
    """A wish to stop; waiting for it takes no real time, but lets the clock go on."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._wished = threading.Event()
        self.pauses: list[float | None] = []
        self.at_pause: Callable[[], None] = lambda: None

    def is_set(self) -> bool:
        return self._wished.is_set()

    def set(self) -> None:
        self._wished.set()

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        self._clock.go_on(timeout or 0.0)
        self.at_pause()
        return self._wished.is_set()

    def add_callback(self, callback: Callable[[], None]) -> None:
        raise AssertionError("only real processes need this")

    remove_callback = add_callback


class FakeFiles:
    """Files by their path relative to the lab's folder; folders are where files are."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self.texts = {self._path(name): text for name, text in (files or {}).items()}
        self.read: list[str] = []
        self.locked: set[str] = set()

    def __setitem__(self, path: str, text: str) -> None:
        self.texts[self._path(path)] = text

    def __delitem__(self, path: str) -> None:
        del self.texts[self._path(path)]

    def __contains__(self, path: str) -> bool:
        return self._path(path) in self.texts

    def exists(self, path: str) -> bool:
        return self._path(path) in self.texts or self.is_dir(path)

    def is_dir(self, path: str) -> bool:
        return bool(self._below(self._path(path)))

    def is_file(self, path: str) -> bool:
        return self._path(path) in self.texts

    def read_text(self, path: str) -> str | None:
        self.read.append(path)
        if path in self.locked:
            raise PlanError(Diagnostic(summary=f"{path} may not be read"))
        return self.texts.get(self._path(path))

    def digest(self, path: str) -> str | None:
        absolute = self._path(path)
        if absolute in self.texts:
            return _sha(self.texts[absolute])
        below = self._below(absolute)
        return _sha(json.dumps([(p, self.texts[p]) for p in below])) if below else None

    def artifact(self, path: str) -> Artifact | None:
        digest = self.digest(path)
        return Artifact(self._path(path), digest, 1) if digest else None

    def glob(self, pattern: str) -> Sequence[str]:
        expression = re.compile(_as_regex(pattern))
        inside = sorted(p[len(ROOT) + 1 :] for p in list(self.texts) if p.startswith(ROOT + "/"))
        return [p for p in inside if expression.fullmatch(p) and not p.startswith(".lab/")]

    def _below(self, absolute: str) -> list[str]:
        return sorted(p for p in list(self.texts) if p.startswith(absolute + "/"))

    @staticmethod
    def _path(path: str) -> str:
        return posixpath.normpath(posixpath.join(ROOT, path))


def _as_regex(pattern: str) -> str:
    pieces = pattern.split("**/")
    return "(?:.*/)?".join(
        fnmatch.translate(p)[4:-3].replace(".*", "[^/]*") if p else "" for p in pieces
    )


def _sha(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(eq=False)
class InLine:
    """An event that is not stored before someone waits for it, or for one that came later."""

    event: Event
    stored: bool = False
    error: StateError | None = None


class FakeJournal:
    """Keeps events as JSON text, as the real one does, and folds what comes back from it.

    ``before`` is called before each event is stored, ``after`` with each once it is durable; after
    ``fails_after`` events nothing can be stored any more.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.records: dict[str, Record] = {}
        self.fails_after: int | None = None
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[Event], None] = lambda event: None
        self._waiting: deque[InLine] = deque()
        self._lock = threading.RLock()

    def enter(self, *events: Event) -> Callable[[], None]:
        mine = [InLine(event) for event in events if is_journaled(event)]
        with self._lock:
            self._waiting += mine
        return functools.partial(self._wait, mine)

    def append(self, *events: Event) -> None:
        self.enter(*events)()

    def _wait(self, mine: list[InLine]) -> None:
        with self._lock:
            while self._waiting and not all(each.stored or each.error for each in mine):
                self._store(self._waiting.popleft())
        for each in mine:
            if each.error is not None:
                raise each.error

    def _store(self, each: InLine) -> None:
        self.before()
        if self.fails_after is not None and len(self.lines) >= self.fails_after:
            each.error = StateError(Diagnostic(summary="the disk is full"))
            return
        self.lines.append(json.dumps(event_to_json(each.event, ROOT)))
        fold(self.records, _event(self.lines[-1]))
        each.stored = True
        self.after(each.event)

    def events(self) -> list[Event]:
        return [_event(text) for text in self.lines]

    def cut(self, length: int) -> None:
        """Forgets all but the first *length* events, as a crash right after them would."""
        self.lines = self.lines[:length]
        self.records = {}
        for text in self.lines:
            fold(self.records, _event(text))


def _event(text: str) -> Event:
    event = event_from_json(json.loads(text), ROOT)
    assert event is not None
    return event


class FakeSecrets:
    """Secrets by name; all values are known to the redactor, read or not."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})

    def value(self, name: str) -> str:
        if name not in self.values:
            raise LabError(Diagnostic(summary=f"the secret `{name}` cannot be read", help="set it"))
        return self.values[name]

    def fingerprint(self, name: str) -> str | None:
        return _sha(self.values[name])[7:15] if name in self.values else None

    def redactor(self) -> Redactor | None:
        return None

    def redact(self, text: str) -> str:
        for value in self.values.values():
            text = text.replace(value, "***")
        return text


@dataclass
class Log:
    """What one step's log holds."""

    data: bytes = b""

    def write(self, data: bytes) -> None:
        self.data += data


class FakeWork:
    """Step folders and logs of an imaginary lab; artifacts are deleted from the fake files."""

    def __init__(self, files: FakeFiles, name: str = "t") -> None:
        self.files, self.name = files, name
        self.logs: dict[tuple[int, str], Log] = {}
        self.prepared: list[str] = []
        self.forgotten: list[str] = []
        self.broken: dict[str, OSError] = {}
        self.settled: list[str] = []
        self.kept: list[str] = []
        self.at_settling: Callable[[Artifact], None] = lambda artifact: None

    def step_dir(self, address: str) -> str:
        return step_dir(ROOT, self.name, "", address)

    def log_path(self, run: int, address: str) -> str:
        return log_path(ROOT, self.name, "", run, address)

    @contextlib.contextmanager
    def open_log(self, run: int, address: str) -> Iterator[Sink]:
        if address in self.broken:
            raise self.broken[address]
        yield self.logs.setdefault((run, address), Log())

    def forget(self, address: str) -> None:
        self.forgotten.append(address)

    def prepare(self, address: str) -> str:
        self.prepared.append(address)
        return self.step_dir(address)

    def settle(self, artifact: Artifact) -> None:
        self.at_settling(artifact)
        self.settled.append(artifact.path)

    def keep(self, artifact: Artifact) -> None:
        self.kept.append(artifact.path)

    def keep_input(self, path: str, digest: str) -> None:
        self.kept.append(path)

    def keep_curve(self, run: int, address: str, redactor: Redactor | None) -> None:
        self.kept.append(f"{address}'s curve")

    def remove_artifact(self, artifact: Artifact) -> bool:
        if self.files.digest(artifact.path) not in (None, artifact.digest):
            return False
        self.files.texts.pop(artifact.path, None)
        return True

    def log(self, address: str) -> str:
        """Everything that was ever logged of a step."""
        return "".join(log.data.decode() for (_, a), log in self.logs.items() if a == address)


@dataclass(frozen=True)
class FakeMachine:
    """A computer with two cores."""

    ambient: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/bin"})
    cpus: int = 2
    gpus: int = 0
    memory: int = 1 << 30

    def shared(self, name: str) -> str:
        return f"/shared/{name}"

    def tool(self, name: str) -> str | None:
        return f"/bin/{name}" if name == "sh" else None


@dataclass(frozen=True)
class Ended:
    """How a fake program ended."""

    code: int = 0
    output: bytes = b""
    cpu_seconds: float = 0.0
    max_rss: int = 0
    fresh: str = ""


@dataclass
class FakeProcesses:
    """Programs that end at once; ``calls`` has the arguments of each."""

    code: int = 0
    output: bytes = b""
    calls: list[Mapping[str, object]] = field(default_factory=list)

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
    ) -> Ended:
        if cancelled.is_set():
            raise Cancelled
        self.calls.append(
            {"argv": list(argv), "cwd": cwd, "env": dict(env), "stdin": stdin, "timeout": timeout}
        )
        if log is not None:
            log.write(self.output)
        for line in self.output.decode(errors="replace").splitlines() if on_line else ():
            on_line(line)  # type: ignore[misc]
        return Ended(self.code, self.output)
