"""A third party's infrastructure: a ``box`` is a file in a folder that plays the cloud."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lab.provider import (
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
    """A machine that costs money until it is destroyed."""

    kind: ClassVar[str] = "box"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.INFRASTRUCTURE
    version: ClassVar[int] = 1

    size: int = option("How big it is.", example=3)
    region: str = option(
        "Where it is; elsewhere is another box.", example="eu", default="eu", replaces=True
    )
    delay: float = option("Seconds that undoing takes.", example=0.5, default=0.0)


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Makes it, or changes it in place."""
    file = _cloud(task.root) / f"{task.address}.json"
    io.remember({"file": str(file), "delay": task.spec.delay})
    file.write_text(json.dumps({"size": task.spec.size, "region": task.spec.region}))
    return {"endpoint": f"box://{task.address}", "size": task.spec.size}


def adopt(task: Task[Spec], id: str, io: Io) -> Mapping[str, Value]:
    """Takes over the box whose file is called *id*, if it is as big as it should be."""
    file = _cloud(task.root) / f"{id}.json"
    if not file.exists():
        raise Refused(f"there is no box `{id}`", "The cloud lists no such file.")
    there = json.loads(file.read_text())
    if there != {"size": task.spec.size, "region": task.spec.region}:
        raise Refused(f"the box `{id}` is another one", f"It is {there}.")
    io.remember({"file": str(file), "delay": task.spec.delay})
    return {"endpoint": f"box://{task.address}", "size": task.spec.size}


def observe(record: Record, io: Io) -> Observation | None:
    """Whether it is there, in the size that was made."""
    file = _file(record)
    if file is None or not file.exists():
        return None
    if (file.parent / "down").exists():
        raise ConnectionError("the cloud does not answer")
    size = json.loads(file.read_text())["size"]
    made = record.done.outputs["size"] if record.done else None
    return Observation(drift=() if size == made else (Change("size", made, size),))


def destroy(record: Record, io: Io) -> None:
    """Takes it down; refuses while something uses it."""
    file = _file(record)
    if file is None or not file.exists():
        return
    if file.with_suffix(".busy").exists():
        raise Refused("it is in use", f"{file.with_suffix('.busy').read_text()} still runs on it.")
    with (file.parent / "story").open("a") as story:
        story.write(f"{time.time()} begin {record.address}\n")
        story.flush()
        memory = record.memory if isinstance(record.memory, Mapping) else {}
        io.sleep(float(str(memory.get("delay", 0.0))))
        file.unlink()
        story.write(f"{time.time()} end {record.address}\n")


def _cloud(root: str) -> Path:
    folder = Path(root, "cloud")
    folder.mkdir(exist_ok=True)
    return folder


def _file(record: Record) -> Path | None:
    match record.memory:
        case {"file": str(file)}:
            return Path(file)
        case _:
            return None
