"""What a trial's metric counts as in a sweep: the best, the least or the latest value of its curve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

STOPPED = "stopped_early"
"""The output of a trial that says why it was stopped."""
GOAL = "another trial reached the goal"


def strategy_of(metric: str, objective: str, kind: str, said: Mapping[str, str]) -> str:
    """``min``, ``max`` or ``latest``: as *said*, else the best of the objective and the latest of others."""
    best = "max" if kind == "maximize" else "min"
    return said.get(metric, best if metric == objective else "latest")


def counted(latest: object, curve: Iterable[float], strategy: str) -> float | None:
    """The value by *strategy*; None if the trial never reported a finite one."""
    if isinstance(latest, bool) or not isinstance(latest, (int, float)):
        return None
    if not math.isfinite(latest):
        return None
    if strategy == "latest":
        return float(latest)
    seen = [float(latest), *(each for each in curve if math.isfinite(each))]
    return max(seen) if strategy == "max" else min(seen)
