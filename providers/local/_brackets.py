"""Hyperband: many trials with little to spend, the best of them with more, in brackets laid out by number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

from lab.model.frozen import dataclass
from lab.provider import Json

from ._trials import Question, Trial


@dataclass(frozen=True, slots=True)
class Waits:
    """What comes next depends on trials that still run."""


@dataclass(frozen=True, slots=True)
class Rung:
    """Trials ``first`` to ``first + count - 1`` spend so much each; ``below`` is the rung they come from."""

    first: int
    count: int
    spend: int
    below: Rung | None = None


_Next: TypeAlias = "dict[str, Json] | Waits"


def rungs(eta: float, most: float) -> Iterator[Rung]:
    """All rungs, bracket by bracket, and then again from the first bracket on."""
    deepest = int(math.log(most) / math.log(eta) + 1e-9)
    first = 1
    while True:
        for depth in range(deepest, -1, -1):
            count = math.ceil((deepest + 1) / (depth + 1) * eta**depth)
            below: Rung | None = None
            for level in range(depth + 1):
                spend = max(1, round(most * eta ** (level - depth)))
                here = Rung(first, max(1, int(count / eta**level + 1e-9)), spend, below)
                yield here
                below, first = here, first + here.count


def hyperband(question: Question) -> _Next:
    """A new point in the lowest rung of a bracket, else the next best of the rung below."""
    name = str(question.settings["resource_name"])
    eta, most = question.setting(3, "eta"), question.setting(1, "r_l")
    rung = next(r for r in rungs(eta, most) if question.number < r.first + r.count)
    if rung.below is None:
        point = {axis.name: axis.at(question.rng.random()) for axis in question.axes}
        return {**point, name: rung.spend}
    below = range(rung.below.first, rung.below.first + rung.below.count)
    if any(trial.running and trial.number in below for trial in question.past):
        return Waits()
    best = sorted((cost, trial.number) for trial, cost in question.costs if trial.number in below)
    by_number: dict[int, Trial] = {trial.number: trial for trial in question.past}
    place = question.number - rung.first
    if place >= len(best):  # too many below failed
        point = {axis.name: axis.at(question.rng.random()) for axis in question.axes}
        return {**point, name: rung.spend}
    return {**by_number[best[place][1]].parameters, name: rung.spend}
