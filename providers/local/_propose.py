"""Which parameters come next: a pure function of a sweep's keys and of what its trials came to so far."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from lab.kinds.sweep import Sweep
from lab.model.frozen import dataclass
from lab.provider import Json

from ._algorithms import bayesian, cmaes, sobol, tpe
from ._brackets import Waits, hyperband
from ._space import Axis, axes_of, points_of, size_of
from ._trials import Question, Trial

_TRIES = 32  # how often another point is asked for when one was tried already
_COUNTED = 100_000  # points among which one that is left is looked for


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Every point was tried."""


Proposal: TypeAlias = "Mapping[str, Json] | Waits | Exhausted"


def propose(spec: Sweep, number: int, past: Sequence[Trial]) -> Proposal:
    """The parameters of trial *number*, given those before it in order of number.

    The same arguments give the same parameters. No point is proposed twice while there are others.
    """
    axes = axes_of(spec.parameters)
    seed = int(spec.algorithm.settings.get("random_state", spec.algorithm.seed))  # type: ignore[arg-type]
    if spec.algorithm.name == "grid":
        return _of_grid(axes, seed, number)
    tried = {key_of(trial.parameters) for trial in past}
    ask = _ALGORITHMS[spec.algorithm.name]
    found: Mapping[str, Json] | Waits = Waits()
    for salt in range(_TRIES):
        question = Question(
            axes=axes,
            past=tuple(past),
            number=number,
            rng=random.Random(f"{seed}/{number}/{salt}"),
            seed=seed,
            salt=salt,
            settings=spec.algorithm.settings,
            maximize=spec.objective.type == "maximize",
        )
        found = ask(question)
        if isinstance(found, Waits) or key_of(found) not in tried:
            return found
        if spec.algorithm.name == "hyperband":
            return found  # what goes on with more to spend is the same point otherwise
        if size_of(axes) <= len(tried):
            return Exhausted()
    return _left(axes, tried, random.Random(f"{seed}/{number}/left")) or found


def key_of(parameters: Mapping[str, Json]) -> str:
    """A text that two points share only if they are the same."""
    return json.dumps(dict(sorted(parameters.items())))


def _random(question: Question) -> dict[str, Json]:
    return {axis.name: axis.at(question.rng.random()) for axis in question.axes}


def _of_grid(axes: tuple[Axis, ...], seed: int, number: int) -> Proposal:
    """Every point once, in an order that the seed gives: the first few are spread over the space."""
    size = int(size_of(axes))
    if number > size:
        return Exhausted()
    if size > _COUNTED:
        return _nth(axes, number - 1)
    order = list(range(size))
    random.Random(f"{seed}/grid").shuffle(order)
    return _nth(axes, order[number - 1])


def _nth(axes: tuple[Axis, ...], place: int) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for axis in reversed(axes):
        place, index = divmod(place, len(axis.values))
        found[axis.name] = axis.values[index]
    return {axis.name: found[axis.name] for axis in axes}


def _left(axes: tuple[Axis, ...], tried: set[str], rng: random.Random) -> dict[str, Json] | None:
    """A point that was not tried, where they can be counted."""
    if size_of(axes) > _COUNTED:
        return None
    points: Iterator[dict[str, Json]] = (p for p in points_of(axes) if key_of(p) not in tried)
    left = list(islice(points, _COUNTED))
    return rng.choice(left) if left else None


_ALGORITHMS: Mapping[str, Callable[[Question], Mapping[str, Json] | Waits]] = {
    "random": _random,
    "sobol": sobol,
    "tpe": lambda question: tpe(question, multivariate=False),
    "multivariate-tpe": lambda question: tpe(question, multivariate=True),
    "cmaes": cmaes,
    "bayesianoptimization": bayesian,
    "hyperband": hyperband,
}
