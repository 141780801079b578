"""Trials as algorithms see them."""

from __future__ import annotations

import random
from collections.abc import Mapping

from lab.model.frozen import dataclass
from lab.provider import Json

from ._space import Axis


@dataclass(frozen=True, slots=True)
class Trial:
    """One that was begun. ``value`` is None while it runs, and where it failed."""

    number: int
    parameters: Mapping[str, Json]
    value: float | None = None
    running: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that the choice of the next parameters depends on; ``salt`` counts the points that were known."""

    axes: tuple[Axis, ...]
    past: tuple[Trial, ...]
    number: int
    rng: random.Random
    seed: int
    salt: int
    settings: Mapping[str, Json]
    maximize: bool

    def setting(self, default: float, *names: str) -> float:
        """A number among the settings, by the first of its names that is there."""
        found = next((self.settings[name] for name in names if name in self.settings), default)
        assert isinstance(found, (int, float)), "it was checked with the Labfile"
        return found

    @property
    def costs(self) -> list[tuple[Trial, float]]:
        """Those that ended with a value, as what is to become small."""
        sign = -1.0 if self.maximize else 1.0
        return [(trial, sign * trial.value) for trial in self.past if trial.value is not None]

    def place(self, trial: Trial) -> list[float]:
        """Where a trial's point lies."""
        return [axis.of(trial.parameters[axis.name]) for axis in self.axes]

    def point(self, place: list[float]) -> dict[str, Json]:
        """The parameters at *place*."""
        named = zip(self.axes, place, strict=True)
        return {axis.name: axis.at(min(max(each, 0.0), 1.0)) for axis, each in named}
