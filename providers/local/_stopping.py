"""Whether a running trial is to be ended early: pure functions of its curve and of the others'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import TypeAlias

from lab.kinds.sweep import Asha, MedianStop

Series: TypeAlias = "Mapping[int, float]"
"""What was reported of a metric, by epoch or by how manieth report it was."""


def hopeless(
    rule: MedianStop | Asha,
    mine: Series,
    complete: Sequence[Series],
    others: Sequence[Series],
    *,
    maximize: bool,
) -> str:
    """Why the trial with the curve *mine* is to end now; empty if it may go on.

    *complete* are the curves of trials that ran to their end, *others* those of all other trials.
    """
    if not mine:
        return ""
    match rule:
        case MedianStop():
            return _below_median(rule, mine, complete, maximize=maximize)
        case Asha():
            return _below_rung(rule, mine, others, maximize=maximize)


def _below_median(
    rule: MedianStop, mine: Series, complete: Sequence[Series], *, maximize: bool
) -> str:
    step = max(mine)
    averages = [fmean(seen) for each in complete if (seen := _up_to(each, step))]
    if step < rule.start_step or len(averages) < rule.min_trials_required:
        return ""
    best, middle = _best(mine.values(), maximize=maximize), median(averages)
    if best >= middle if maximize else best <= middle:
        return ""
    return f"at step {step} its best, {best:.4g}, is worse than the median, {middle:.4g}"


def _below_rung(rule: Asha, mine: Series, others: Sequence[Series], *, maximize: bool) -> str:
    rung = rule.start_step
    while rung <= max(mine):
        own = _best(_up_to(mine, rung), maximize=maximize) if _up_to(mine, rung) else None
        there = [
            _best(_up_to(each, rung), maximize=maximize)
            for each in others
            if each and max(each) >= rung and _up_to(each, rung)
        ]
        if own is not None and there:
            better = sum(each > own if maximize else each < own for each in there)
            most = max(1, (len(there) + 1) // rule.reduction_factor)
            if better >= most:
                return f"at step {rung} {better} of {len(there)} others are better than {own:.4g}"
        rung *= rule.reduction_factor
    return ""


def _up_to(series: Series, step: int) -> list[float]:
    return [value for at, value in series.items() if at <= step]


def _best(values: Iterable[float], *, maximize: bool) -> float:
    return max(values) if maximize else min(values)
