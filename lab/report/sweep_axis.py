"""One axis of parallel coordinates: where values of a parameter stand between 0 and 1, and its ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, TypeGuard

from lab.model.frozen import dataclass
from lab.report.value_text import brief
from lab.report.words import number

DECADES = 20  # numbers that span more than this many times stand by their powers of ten
MOST_TICKS = 12
LONGEST = 24  # characters of a value


@dataclass(frozen=True, slots=True)
class Axis:
    """``label`` and the texts of ``ticks`` are escaped; ``places`` has one for each value."""

    label: str
    places: list[float]
    ticks: list[tuple[float, str]]


def axis_of(name: str, values: Sequence[Any]) -> Axis:
    """Numbers stand on a scale, all else on a place for each different value."""
    label = escape(name, quote=False)
    if _are_numbers(values):
        return _scale(label, [float(value) for value in values])
    words = list(dict.fromkeys(brief(value) for value in values))
    step = 1 / max(1, len(words) - 1)
    places = [0.5 if len(words) == 1 else words.index(brief(each)) * step for each in values]
    ticks = dict(zip(places, (_tick(brief(each)) for each in values), strict=True))
    return Axis(label, places, sorted(ticks.items())[:: math.ceil(len(ticks) / MOST_TICKS)])


def _scale(label: str, values: list[float]) -> Axis:
    low, high = min(values), max(values)
    if low == high:
        return Axis(label, [0.5] * len(values), [(0.5, number(low))])
    if low > 0 and high / low > DECADES:
        first, last = math.log10(low), math.log10(high)
        places = [(math.log10(value) - first) / (last - first) for value in values]
        inner = [float(e) for e in range(math.ceil(first), math.floor(last) + 1)]
        ticks = [((e - first) / (last - first), number(10.0**e)) for e in inner]
        free = [tick for tick in ticks if 0.06 < tick[0] < 0.94]
        return Axis(label, places, [(0.0, number(low)), *free[:MOST_TICKS], (1.0, number(high))])
    half = high / 2 - low / 2  # halved first: the difference of two huge numbers may be none
    places = [(value / 2 - low / 2) / half for value in values]
    shown = [(part, number((1 - part) * low + part * high)) for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
    if all(value == int(value) for value in values) and high - low < MOST_TICKS:
        whole = range(int(low), int(high) + 1)
        shown = [((each / 2 - low / 2) / half, str(each)) for each in whole]
    return Axis(label, places, shown)


def _are_numbers(values: Sequence[Any]) -> TypeGuard[Sequence[float]]:
    return all(
        isinstance(each, (int, float)) and not isinstance(each, bool) and math.isfinite(each)
        for each in values
    )


def _tick(text: str) -> str:
    return escape(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…", quote=False)
