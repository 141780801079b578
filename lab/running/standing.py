"""A provider as it is in all but the making of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.model.frozen import dataclass
from lab.model.values import Value
from lab.provider import Io, Observation, Provider, Record, Task


@dataclass(frozen=True, slots=True)
class Standing:
    """Implements Provider: stands for *provider*, and does *making* where that would be asked to apply."""

    provider: Provider
    making: Callable[[Task[Any], Io], Mapping[str, Value]]

    @property
    def Spec(self) -> type[Any]:
        return self.provider.Spec

    def observe(self, record: Record, io: Io) -> Observation | None:
        return self.provider.observe(record, io)

    def apply(self, task: Task[Any], io: Io) -> Mapping[str, Value]:
        return self.making(task, io)

    def destroy(self, record: Record, io: Io) -> None:
        self.provider.destroy(record, io)
