"""What the worlds of tests share: files, memory, notes, the wish to stop, and sudden death."""

from __future__ import annotations

import copy
import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab.kinds.spec import Lifecycle
from lab.model.layout import log_path, step_dir
from lab.model.state import Done, Record, Tried
from lab.model.values import Artifact, Json, Value, pack, unpack
from lab.provider import Cancelled, Child, Refused, Task
from lab.provider import Told as Heard

LAB = "conformance"


class Killed(BaseException):
    """Stands for lab's sudden death; ``except Exception`` does not catch it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One call of ``io.progress``."""

    text: str
    fraction: float | None
    metrics: Mapping[str, float] = field(default_factory=dict)


class World:
    """All of :class:`lab.provider.Io` but ``run`` and ``sleep``.

    ``memory`` is what was remembered last, ``notes`` and ``told`` what people would read. Setting
    ``stop`` makes every method raise Cancelled. With ``dies_after = n`` the n-th call of ``run``,
    ``remember``, ``artifact`` or ``sleep`` takes effect and then raises :class:`Killed`; ``calls``
    counts them.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        address: str = "step",
        env: Mapping[str, str] | None = None,
        tools: Mapping[str, str] | None = None,
    ) -> None:
        self.root = os.path.realpath(root)
        self.address = address
        self.directory = step_dir(self.root, LAB, "", address)
        self.env = dict(env or {})
        self.tools = dict(tools or {})
        self.memory: Json = None
        self.notes: list[str] = []
        self.told: list[Told] = []
        self.stop = threading.Event()
        self.dies_after: int | None = None
        self.calls = 0
        os.makedirs(self.directory, exist_ok=True)
        os.makedirs(os.path.dirname(self.log_path), exist_ok=True)

    @property
    def log_path(self) -> str:
        return log_path(self.root, LAB, "", 1, self.address)

    @property
    def ambient(self) -> Mapping[str, str]:
        return {k: v for k, v in os.environ.items() if not k.startswith("LAB_")}

    def check(self) -> None:
        if self.stop.is_set():
            raise Cancelled

    def remember(self, memory: Json) -> None:
        """Keeps a copy as the journal would: whatever is no JSON fails here."""
        self.check()
        self.memory = unpack(copy.deepcopy(pack(memory, self.root)), self.root)  # type: ignore[assignment]
        self.count()

    def child(
        self,
        key: str,
        parameters: Mapping[str, Json],
        hear: Callable[[Child | Heard], None],
        *,
        cause: str = "",
    ) -> Callable[[Mapping[str, Value] | None], None]:
        raise Refused("a test's world makes no children", "Test such a kind with `lab` itself.")

    def children(self) -> Mapping[str, Child]:
        return {}

    def forget(self, key: str) -> None:
        self.check()

    def note(self, text: str, *, tell: bool = False) -> None:
        self.check()
        self.notes.append(text)
        if tell:
            self.told.append(Told(text, None, {}))

    def progress(
        self,
        text: str = "",
        *,
        fraction: float | None = None,
        metrics: Mapping[str, float] | None = None,
        step: int = 0,
    ) -> None:
        self.check()
        self.told.append(Told(text, fraction, dict(metrics or {})))

    def artifact(self, path: str) -> Artifact:
        self.check()
        full = os.path.normpath(os.path.join(self.root, path))
        if not os.path.exists(full):
            raise Refused(f"there is no `{path}`", "A test's world looked for it.")
        found = Artifact(full, content_digest(full), _size(full))
        self.count()
        return found

    def shared(self, name: str) -> str:
        """A folder beside the lab's, so that labs of one test share it."""
        path = f"{os.path.dirname(self.root)}/shared/{name}"
        os.makedirs(path, exist_ok=True)
        return path

    def tool(self, name: str) -> str:
        beside = os.path.join(os.path.dirname(sys.executable), name)
        found = self.tools.get(name) or (beside if os.path.exists(beside) else shutil.which(name))
        if found is None:
            raise Refused(f"`{name}` is not installed", "A test's world looked for it.")
        return found

    def count(self) -> None:
        """Counts a call that took effect, and dies if it was to be the last."""
        self.calls += 1
        if self.calls == self.dies_after:
            raise Killed(f"after call {self.calls}")


def content_digest(path: str) -> str:
    """A hash of a file's bytes and executable bit, or of a folder's whole tree."""
    total = hashlib.sha256()
    for relative, full in _tree(path):
        executable = os.access(full, os.X_OK)
        with open(full, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
        total.update(f"{relative}\0{executable}\0{content}\0".encode())
    return f"sha256:{total.hexdigest()}"


def _tree(path: str) -> Iterator[tuple[str, str]]:
    if not os.path.isdir(path):
        yield "", path
        return
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            full = os.path.join(folder, name)
            yield os.path.relpath(full, path), full


def _size(path: str) -> int:
    return sum(os.path.getsize(full) for _, full in _tree(path))


def task_for(world: World, spec: Any, *, digest: str = "sha256:0", **more: Any) -> Task[Any]:
    """A task for *spec* in *world*, as lab would hand it over; *more* are fields of Task."""
    task = Task(
        address=world.address,
        spec=spec,
        directory=world.directory,
        root=world.root,
        env=world.env,
        digest=digest,
        memory=world.memory,
    )
    return replace(task, **more)


def made(
    world: World,
    spec: Any,
    outputs: Mapping[str, Value] | None,
    *,
    kind: str = "",
    digest: str = "sha256:0",
) -> Record:
    """What lab would remember: finished with *outputs*, or with None tried and not finished.

    The outputs go through the form in which the state stores them.
    """
    kind = kind or getattr(type(spec), "kind", "")
    done = tried = None
    if outputs is None:
        tried = Tried(run=1, started=0.0, digest=digest)
    else:
        stored: Any = unpack(pack(outputs, world.root), world.root)
        done = Done(run=1, digest=digest, identity={}, outputs=stored, log=world.log_path)
    lasting = getattr(type(spec), "lifecycle", None) is Lifecycle.INFRASTRUCTURE
    return Record(
        address=world.address,
        kind=kind,
        target="local",
        version=getattr(type(spec), "version", 1),
        infrastructure=lasting,
        done=done,
        tried=tried,
        memory=world.memory,
    )
