"""A curve as a line of blocks: how a metric went, at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
NO_NUMBER = "·"


def sparkline(
    values: Sequence[float], width: int = 32, bounds: tuple[float, float] | None = None
) -> str:
    """The curve in at most *width* characters; a longer one is averaged piece by piece.

    Lowest and highest are the curve's own, or else *bounds*, which several curves can share.
    """
    points = _pieces(values, width) if len(values) > width else list(values)
    finite = [value for value in points if math.isfinite(value)]
    if not finite:
        return NO_NUMBER * len(points)
    low, high = bounds or (min(finite), max(finite))
    return "".join(_block(value, low, high) for value in points)


def _pieces(values: Sequence[float], width: int) -> list[float]:
    """The mean of each of *width* stretches of nearly equal length."""
    edges = [i * len(values) // width for i in range(width + 1)]
    return [_mean(values[a:b]) for a, b in zip(edges, edges[1:], strict=False)]


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(value / len(finite) for value in finite) if finite else math.nan


def _block(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return NO_NUMBER
    # Halved first, for the difference of two huge numbers may be none.
    span = high / 2 - low / 2
    if span == 0.0:
        return BLOCKS[len(BLOCKS) // 2 - 1]
    part = (value / 2 - low / 2) / span
    return BLOCKS[min(len(BLOCKS) - 1, int(part * len(BLOCKS)))]
