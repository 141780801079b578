"""What is proposed: the same again for the same past, no point twice, every point of a grid once."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lab.kinds.sweep import Algorithm, Categorical, Discrete, Double, Int, Objective, Sweep, Trials
from providers.local._brackets import Waits
from providers.local._propose import Exhausted, key_of, propose
from providers.local._space import axes_of
from providers.local._trials import Trial

PLANE = {
    "x": Double(type="double", min=-5, max=10),
    "y": Double(type="double", min=0, max=15),
}
MIXED = {
    "lr": Double(type="double", min=1e-4, max=0.1, distribution="logUniform"),
    "units": Int(type="int", min=16, max=64, step=16),
    "batch": Discrete(type="discrete", list_=[32.0, 64.0, 0.5]),
    "optimizer": Categorical(type="categorical", list_=["adam", "sgd", True, 1]),
    "drop": Double(type="double", min=0, max=0.5, distribution="normal"),
}
# Those that import scipy, which takes seconds.
SLOW = [pytest.param(n, marks=pytest.mark.live) for n in ("sobol", "bayesianoptimization", "cmaes")]
ALL = ["random", "tpe", "multivariate-tpe", *SLOW]
Function = Callable[[Mapping[str, Any]], float]


def sweep(name: str, space: Mapping[str, Any] = PLANE, seed: int = 1, **settings: Any) -> Sweep:
    return Sweep(
        parameters=space,
        objective=Objective(metric="loss", type="minimize"),
        algorithm=Algorithm(name=name, seed=seed, settings=settings),  # type: ignore[arg-type]
        trials=Trials(max=60),
    )


def sphere(at: Mapping[str, Any]) -> float:
    return float((at["x"] - 1) ** 2 + (at["y"] - 2) ** 2)


def rosenbrock(at: Mapping[str, Any]) -> float:
    return float((1 - at["x"]) ** 2 + 100 * (at["y"] - at["x"] ** 2) ** 2)


def branin(at: Mapping[str, Any]) -> float:
    x, y = at["x"], at["y"]
    bent = (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2
    return float(bent + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def flat(at: Mapping[str, Any]) -> float:
    return float(len(str(sorted(at.items()))))


def searched(spec: Sweep, count: int, function: Function) -> list[Trial]:
    past: list[Trial] = []
    for number in range(1, count + 1):
        found = propose(spec, number, past)
        if isinstance(found, Exhausted):
            break
        assert not isinstance(found, Waits)
        past.append(Trial(number, found, function(found)))
    return past


@pytest.mark.parametrize("name", ALL)
def test_the_same_past_gives_the_same_next(name: str) -> None:
    space = MIXED
    whole = searched(sweep(name, space), 14, flat)
    resumed = propose(sweep(name, space), 12, whole[:11])
    assert resumed == whole[11].parameters
    other = searched(sweep(name, space, seed=2), 3, flat)
    assert [t.parameters for t in other] != [t.parameters for t in whole[:3]]


@pytest.mark.parametrize("name", ALL)
def test_values_lie_in_their_space_and_no_point_comes_twice(name: str) -> None:
    past = searched(sweep(name, MIXED), 14, flat)
    assert len({key_of(trial.parameters) for trial in past}) == 14
    for trial in past:
        at = trial.parameters
        assert isinstance(at["lr"], float)
        assert 1e-4 <= at["lr"] <= 0.1
        assert at["units"] in (16, 32, 48, 64)
        assert str(at["batch"]) in ("32", "64", "0.5"), "32 is handed over as 32"
        assert str(at["optimizer"]) in ("adam", "sgd", "True", "1")
        assert isinstance(at["drop"], float)
        assert 0 <= at["drop"] <= 0.5


def test_a_grid_is_covered_exactly_and_then_exhausted() -> None:
    space = {
        "a": Int(type="int", min=1, max=4),
        "b": Categorical(type="categorical", list_=["x", "y", "z"]),
        "c": Double(type="double", min=0, max=0.3, step=0.1),
    }
    past = searched(sweep("grid", space), 100, flat)
    points = {(t.parameters["a"], t.parameters["b"], t.parameters["c"]) for t in past}
    assert len(past) == len(points) == 4 * 3 * 4
    assert {c for _, _, c in points} == {0.0, 0.1, 0.2, 0.3}


@pytest.mark.parametrize("name", ["random", "tpe", SLOW[1]])
def test_a_small_space_is_tried_whole_and_then_exhausted(name: str) -> None:
    space = {"a": Int(type="int", min=1, max=3), "b": Categorical(type="categorical", list_=[0, 1])}
    assert len(searched(sweep(name, space), 20, flat)) == 6


def test_running_trials_count_as_tried() -> None:
    space = {"a": Int(type="int", min=1, max=2)}
    past = [Trial(1, {"a": 1}, None, running=True), Trial(2, {"a": 2}, None, running=True)]
    assert isinstance(propose(sweep("tpe", space), 3, past), Exhausted)


def test_a_distribution_lies_as_it_says() -> None:
    logarithmic, normal = axes_of({"lr": MIXED["lr"], "drop": MIXED["drop"]})
    assert logarithmic.at(0.5) == pytest.approx(math.sqrt(1e-4 * 0.1))
    assert normal.at(0.5) == pytest.approx(0.25)
    spread = [float(str(normal.at(i / 1000))) for i in range(1, 1000)]
    assert statistics.stdev(spread) == pytest.approx(0.5 / 6, rel=0.05)
    for axis in axes_of(MIXED):
        for place in (0.01, 0.3, 0.99):
            value = axis.at(place)
            assert axis.at(axis.of(value)) == pytest.approx(value)


def test_hyperband_gives_the_best_of_a_rung_more_to_spend() -> None:
    spec = sweep("hyperband", PLANE, resource_name="epochs", r_l=9, eta=3)
    past = searched(spec, 13, sphere)
    assert [t.parameters["epochs"] for t in past] == [1] * 9 + [3] * 3 + [9]
    best = sorted(past[:9], key=lambda trial: trial.value or 0)[:3]
    assert [t.parameters["x"] for t in past[9:12]] == [t.parameters["x"] for t in best]
    waiting = [*past[:8], Trial(9, past[8].parameters, None, running=True)]
    assert isinstance(propose(spec, 10, waiting), Waits)


@pytest.mark.live
@pytest.mark.parametrize("name", ["tpe", "cmaes"])
@pytest.mark.parametrize("function", [sphere, branin, rosenbrock], ids=lambda f: str(f.__name__))
def test_they_beat_chance_at_sixty_trials_over_twenty_seeds(name: str, function: Function) -> None:
    def median(algorithm: str) -> float:
        return statistics.median(
            min(trial.value or 0.0 for trial in searched(sweep(algorithm, seed=s), 60, function))
            for s in range(20)
        )

    assert median(name) < median("random")
