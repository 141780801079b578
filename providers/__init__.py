"""The providers that ship with lab: providers/<where>/<kind>.py, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from lab.kinds.command import Command
from lab.kinds.dataset import Dataset
from lab.kinds.environment import Environment
from lab.kinds.training import Training
from lab.provider import Provider

SPECS: Mapping[str, type[Any]] = {
    "command": Command,
    "dataset": Dataset,
    "environment": Environment,
    "training": Training,
}
"""The built-in kinds, and what their keys are."""

PLACES: Mapping[str, tuple[str, ...]] = {
    "command": ("local",),
    "dataset": ("local",),
    "environment": ("local",),
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
