"""The providers that ship with lab: providers/<where>/<kind>.py, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from lab.provider import Provider


class Specs(Mapping[str, type[Any]]):
    """The kinds' keys: the class named like the kind in ``lab.kinds.<kind>``, imported when asked for.

    A Labfile uses few kinds, and every command pays for what is imported.
    """

    def __init__(self, *kinds: str) -> None:
        self._kinds = dict.fromkeys(kinds)
        self._known: dict[str, type[Any]] = {}

    def __getitem__(self, kind: str) -> type[Any]:
        if kind not in self._known:
            if kind not in self._kinds:
                raise KeyError(kind)
            module = import_module(f"lab.kinds.{kind}")
            self._known[kind] = getattr(module, kind.title().replace("_", ""))
        return self._known[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


SPECS = Specs("command", "dataset", "environment", "sweep", "training")
"""The built-in kinds, and what their keys are."""

PLACES: Mapping[str, tuple[str, ...]] = {
    "command": ("local",),
    "dataset": ("local",),
    "environment": ("local",),
    "sweep": ("local",),
    "training": ("local",),
}
"""For each built-in kind, the target providers on which it can be made."""


@cache
def find(kind: str, place: str) -> Provider | None:
    """The built-in provider of *kind* on *place*, or None; `providers.table` proves that it is one."""
    if place not in PLACES.get(kind, ()):
        return None
    module: Any = import_module(f"{__name__}.{place}.{kind}")
    provider: Provider = module
    return provider
