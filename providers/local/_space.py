"""A sweep's parameters as axes: every value has a place between 0 and 1, and the other way round."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from statistics import NormalDist

from lab.kinds.sweep import Categorical, Discrete, Double, Int, Parameter
from lab.model.frozen import dataclass
from lab.provider import Json

_NORMAL = NormalDist(0.5, 1 / 6)  # centred; three deviations to either end
_LEAST = _NORMAL.cdf(0.0)
_DIGITS = 12  # of a value with a step: 0.1 + 2 * 0.1 is 0.3


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter. ``values`` has all of them, in order, where they can be counted; else it is empty.

    ``ordered`` tells whether neighbours are alike.
    """

    name: str
    values: tuple[Json, ...] = ()
    low: float = 0.0
    high: float = 1.0
    distribution: str = "uniform"
    ordered: bool = True

    def at(self, place: float) -> Json:
        """The value at *place*, from 0 to 1; equal shares of the way are equally likely."""
        if self.values and self.distribution == "uniform":
            return self.values[min(int(place * len(self.values)), len(self.values) - 1)]
        number = self._number(place)
        if self.values:
            return min(self.values, key=lambda value: abs(_float(value) - number))
        return number

    def of(self, value: Json) -> float:
        """Where *value* lies."""
        if self.values and self.distribution == "uniform":
            places = [place for place, each in enumerate(self.values) if _same(each, value)]
            return ((places or [0])[0] + 0.5) / len(self.values)
        return self._place(_float(value))

    def _number(self, place: float) -> float:
        if self.distribution in ("normal", "logNormal"):
            inside = _LEAST + place * (1 - 2 * _LEAST)
            place = min(max(_NORMAL.inv_cdf(inside), 0.0), 1.0)
        if self.distribution.startswith("log"):
            low, high = math.log(self.low), math.log(self.high)
            return min(max(math.exp(low + place * (high - low)), self.low), self.high)
        return self.low + place * (self.high - self.low)

    def _place(self, number: float) -> float:
        low, high = self.low, self.high
        if self.distribution.startswith("log"):
            low, high, number = math.log(low), math.log(high), math.log(number)
        place = (number - low) / (high - low) if high > low else 0.5
        if self.distribution in ("normal", "logNormal"):
            place = (_NORMAL.cdf(place) - _LEAST) / (1 - 2 * _LEAST)
        return min(max(place, 0.0), 1.0)


def axes_of(parameters: Mapping[str, Parameter]) -> tuple[Axis, ...]:
    """The parameters as axes, in the order of the Labfile."""
    return tuple(_axis(name, known) for name, known in parameters.items())


def _axis(name: str, known: Parameter) -> Axis:
    match known:
        case Categorical():
            return Axis(name, tuple(known.list_), ordered=False)
        case Discrete():
            return Axis(name, tuple(sorted(map(_whole, known.list_))))  # type: ignore[type-var]
        case Int():
            steps = range(known.min, known.max + 1, known.step or 1)
            return Axis(name, tuple(steps), known.min, known.max, known.distribution)
        case Double():
            values = tuple(_stepped(known)) if known.step else ()
            return Axis(name, values, known.min, known.max, known.distribution)


def _stepped(known: Double) -> Iterator[float]:
    assert known.step is not None
    count = math.floor((known.max - known.min) / known.step + 1e-9)
    for index in range(count + 1):
        yield round(known.min + index * known.step, _DIGITS)


def _whole(number: float) -> Json:
    """What people wrote as 32 is handed over as 32, and not as 32.0."""
    return int(number) if float(number).is_integer() else number


def _float(value: Json) -> float:
    assert isinstance(value, (int, float)), "only numbers have a distribution"
    return float(value)


def _same(one: Json, other: Json) -> bool:
    """1 and true are equal in Python, but not in a Labfile."""
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def size_of(axes: tuple[Axis, ...]) -> float:
    """How many points there are; infinite where they cannot be counted."""
    return math.prod(len(axis.values) or math.inf for axis in axes)


def points_of(axes: tuple[Axis, ...]) -> Iterator[dict[str, Json]]:
    """Every point of a space that can be counted, the last parameter changing first."""
    for values in product(*(axis.values for axis in axes)):
        yield dict(zip((axis.name for axis in axes), values, strict=True))
