"""A third party's provider, whole: the ``greeting`` kind writes a file and looks after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lab.provider import (
    Artifact,
    Change,
    Io,
    Lifecycle,
    Observation,
    Record,
    Refused,
    Task,
    Value,
    option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Writes a greeting into the step's folder."""

    kind: ClassVar[str] = "greeting"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1

    name: str = option("Whom to greet.", example="Ada")
    times: int = option("How many lines to write.", example=3, default=1, minimum=1)


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Writes the file; doing it again does no harm."""
    if not task.spec.name.strip():
        raise Refused("there is nobody to greet", "Give `name` at least one letter.")
    path = Path(task.directory, "greeting.txt")
    io.remember({"path": str(path)})
    path.write_text(f"Hello, {task.spec.name}!\n" * task.spec.times)
    return {"file": io.artifact(str(path)), "length": task.spec.times}


def observe(record: Record, io: Io) -> Observation | None:
    """lab itself compares an artifact's bytes; here only as an example of drift."""
    file = record.done.outputs.get("file") if record.done else None
    if not isinstance(file, Artifact) or not Path(file.path).exists():
        return None
    size = Path(file.path).stat().st_size
    return Observation(drift=() if size == file.size else (Change("size", file.size, size),))


def destroy(record: Record, io: Io) -> None:
    """A file that is gone already is as good as destroyed."""
    match record.memory:
        case {"path": str(path)}:
            Path(path).unlink(missing_ok=True)
