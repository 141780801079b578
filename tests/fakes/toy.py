"""A provider whose every step is a function of the test, and which knows what ran beside what."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from lab.model.state import Record
from lab.model.values import Value
from lab.provider import Io, Observation, Provider, Refused, Task

from .ports import FakeFiles

Making: TypeAlias = Callable[[Task[Any], Io], Mapping[str, Value]]


class Toy:
    """Makes steps in memory; satisfies :class:`lab.provider.Provider`.

    ``on[address]`` says what a step does, ``fails`` which are refused; else the output `value` is the
    key `value`, and each artifact a file that holds it. ``ran`` and ``destroyed`` are in order,
    ``beside`` has for each step those that were running when it began. Each takes ``pause`` seconds.
    ``there`` is what services there are in the world: their addresses and regions.
    """

    def __init__(self, spec: type[Any], files: FakeFiles, shared: Toy | None = None) -> None:
        self.Spec, self.files = spec, files
        self.lock = shared.lock if shared else threading.Lock()
        self.on: dict[str, Making] = shared.on if shared else {}
        self.fails: set[str] = shared.fails if shared else set()
        self.ran: list[str] = shared.ran if shared else []
        self.ended: list[str] = shared.ended if shared else []
        self.beside: dict[str, set[str]] = shared.beside if shared else {}
        self.running: set[str] = shared.running if shared else set()
        self.tasks: dict[str, Task[Any]] = shared.tasks if shared else {}
        self.destroyed: list[str] = shared.destroyed if shared else []
        self.there: set[tuple[str, str]] = shared.there if shared else set()
        self.pause = 0.0
        self.undoing: dict[str, Callable[[Record], None]] = shared.undoing if shared else {}
        self.world: dict[str, Observation | None] = shared.world if shared else {}

    def observe(self, record: Record, io: Io) -> Observation | None:
        return self.world.get(record.address, Observation())

    def apply(self, task: Task[Any], io: Io) -> Mapping[str, Value]:
        with self.lock:
            self.beside.setdefault(task.address, set()).update(self.running)
            self.running.add(task.address)
            self.ran.append(task.address)
            self.tasks[task.address] = task
            self.world.pop(task.address, None)
        try:
            if self.pause:
                time.sleep(self.pause)
            if hasattr(task.spec, "region"):
                self.build(task, io)
            if task.address in self.fails:
                raise Refused("it broke")
            return self.on.get(task.address, self.make)(task, io)
        finally:
            with self.lock:
                self.running.discard(task.address)
                self.ended.append(task.address)

    def build(self, task: Task[Any], io: Io) -> None:
        """What a service is in the world, remembered before it is there; what a killed try left goes."""
        region = json.dumps(task.spec.region)
        if isinstance(task.left, Mapping):
            self.there.discard((task.address, str(task.left["region"])))
        io.remember({"region": region})
        self.there.add((task.address, region))

    def make(self, task: Task[Any], io: Io) -> dict[str, Value]:
        outputs: dict[str, Value] = {"value": task.spec.value}
        for name, path in task.spec.artifacts.items():
            self.files[path] = str(task.spec.value)
            outputs[name] = io.artifact(path)
        return outputs

    def destroy(self, record: Record, io: Io) -> None:
        self.destroyed.append(record.address)
        self.undoing.get(record.address, lambda record: None)(record)
        if isinstance(record.memory, Mapping):
            self.there.discard((record.address, str(record.memory["region"])))


def until_stopped(io: Io) -> dict[str, Value]:
    """What a step does that would go on for ever, if nobody stopped it."""
    for _ in range(1000):
        io.check()
        time.sleep(0.005)
    raise AssertionError("it was never stopped")


class FakeRegistry:
    """Every kind of the tests on `local` and on `remote`."""

    def __init__(self, toys: Mapping[tuple[str, str], Provider]) -> None:
        self.toys = dict(toys)

    def find(self, kind: str, place: str) -> Provider | None:
        return self.toys.get((kind, place))
