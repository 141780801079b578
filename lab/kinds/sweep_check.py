"""What is wrong with a sweep's keys taken together, though each is right by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from lab.model.address import is_name
from lab.model.diagnostic import did_you_mean
from lab.model.tree import Path

Finding: TypeAlias = "tuple[Path, str, str]"
"""Where, what, and what to do about it."""

SETTINGS: Mapping[str, frozenset[str]] = {
    "random": frozenset(("random_state",)),
    "grid": frozenset(("random_state",)),
    "sobol": frozenset(("random_state",)),
    "tpe": frozenset(("random_state", "n_startup_trials", "n_EI_candidates", "n_ei_candidates")),
    "multivariate-tpe": frozenset(
        ("random_state", "n_startup_trials", "n_EI_candidates", "n_ei_candidates")
    ),
    "cmaes": frozenset(("random_state", "sigma", "restart_strategy", "population_size")),
    "bayesianoptimization": frozenset(
        ("random_state", "base_estimator", "n_initial_points", "acq_func")
    ),
    "hyperband": frozenset(("random_state", "resource_name", "eta", "r_l")),
}
"""What each algorithm can be told."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "restart_strategy": ("none", "ipop"),
    "base_estimator": ("GP",),
    "acq_func": ("EI", "LCB", "PI"),
}
"""Settings whose values are words."""

_LEAST: Mapping[str, float] = {
    "random_state": 0,
    "n_startup_trials": 1,
    "n_EI_candidates": 1,
    "n_ei_candidates": 1,
    "sigma": 0,
    "population_size": 2,
    "n_initial_points": 1,
    "eta": 2,
    "r_l": 1,
}


def findings(tree: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything at once; what is a template, or of a wrong type, is passed over."""
    parameters = _map(tree.get("parameters"))
    if not parameters and isinstance(tree.get("parameters"), Mapping):
        yield ("parameters",), "nothing is varied", "write parameters: {lr: {type: double, …}}"
    for name, known in parameters.items():
        if not is_name(name):
            yield (
                ("parameters", name),
                f"'{name}' cannot be used as {{{{ parameters.{name} }}}}",
                "take a name of letters, digits, `_` and `-`",
            )
        yield from _parameter(("parameters", name), name, _map(known))
    yield from _trials(_map(tree.get("trials")))
    yield from _objective(_map(tree.get("objective")))
    yield from _algorithm(_map(tree.get("algorithm")), parameters)


def _parameter(path: Path, name: str, known: Mapping[str, Any]) -> Iterator[Finding]:
    low, high, step = (_number(known.get(key)) for key in ("min", "max", "step"))
    if low is not None and high is not None and low > high:
        yield (
            (*path, "min"),
            f"the least '{name}' is above the greatest: {low:g} > {high:g}",
            ("swap `min` and `max`"),
        )
    if step is not None and step <= 0:
        yield (*path, "step"), f"the step of '{name}' must be above 0", ""
    logarithmic = str(known.get("distribution")).startswith("log")
    if logarithmic and low is not None and low <= 0:
        yield (
            (*path, "min"),
            f"'{name}' has no logarithm at {low:g}",
            f"`{known['distribution']}` needs a `min` above 0",
        )
    values = known.get("list")
    if isinstance(values, list):
        yield from _values((*path, "list"), name, values)


def _values(path: Path, name: str, values: list[Any]) -> Iterator[Finding]:
    if not values:
        yield path, f"'{name}' has no value to take", "list at least one"
    seen: list[tuple[type, Any]] = []
    for index, value in enumerate(values):
        if isinstance(value, (list, Mapping)) or value is None:
            yield (*path, index), f"a value of '{name}' must be a text, a number, true or false", ""
        elif (type(value), value) in seen:
            yield (*path, index), f"'{name}' lists {value} twice", "take one out"
        seen.append((type(value), value))


def _trials(trials: Mapping[str, Any]) -> Iterator[Finding]:
    most, failed = _number(trials.get("max")), _number(trials.get("max_failed"))
    if most is not None and failed is not None and failed > most:
        yield (
            ("trials", "max_failed"),
            f"more trials may fail than there are: {failed:g} of {most:g}",
            f"write a number up to {most:g}",
        )


def _objective(objective: Mapping[str, Any]) -> Iterator[Finding]:
    metric, more = objective.get("metric"), objective.get("additional_metrics")
    if isinstance(more, list) and metric in more:
        yield (
            ("objective", "additional_metrics", more.index(metric)),
            f"'{metric}' is the objective already",
            "take it out",
        )
    known = {metric, *(more if isinstance(more, list) else ())}
    for name in _map(objective.get("metric_strategies")):
        if name not in known:
            yield (
                ("objective", "metric_strategies", name),
                f"'{name}' is neither the objective nor an additional metric",
                did_you_mean(name, [str(each) for each in known])
                or f"write additional_metrics: [{name}]",
            )


def _algorithm(algorithm: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Finding]:
    name = algorithm.get("name", "random")
    known = SETTINGS.get(name) if isinstance(name, str) else None
    if known is None:
        return
    settings = _map(algorithm.get("settings"))
    for key, value in settings.items():
        yield from _setting(("algorithm", "settings", key), key, value, known, name)
    fits = _FITS.get(name)
    if fits is not None:
        yield from fits(parameters, settings)


def _setting(
    path: Path, key: str, value: Any, known: frozenset[str], name: str
) -> Iterator[Finding]:
    told = ", ".join(sorted(known))
    if key not in known:
        yield path, f"`{name}` has no setting '{key}'", did_you_mean(key, known) or f"it has {told}"
        return
    if isinstance(value, str) and "{{" in value:
        return
    if key == "resource_name":
        return
    if key in WORDS:
        if value not in WORDS[key]:
            words = " or ".join(WORDS[key])
            yield path, f"`{key}` must be {words} here, not {value}", ""
    elif _number(value) is None or value < _LEAST[key]:
        yield path, f"`{key}` must be a number from {_LEAST[key]:g} on, not {value}", ""


def _grid(parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Finding]:
    for name, known in parameters.items():
        if _map(known).get("type") == "double" and "step" not in known:
            yield (
                ("parameters", name),
                f"`grid` cannot try every value of '{name}'",
                "write a `step`, or list the values: {type: discrete, list: [0.001, 0.01, 0.1]}",
            )


def _cmaes(parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Finding]:
    numbers = [each for each in parameters.values() if _map(each).get("type") in ("double", "int")]
    if parameters and len(numbers) < 2:
        yield (
            ("parameters",),
            "`cmaes` needs two parameters of the types double or int at least",
            "take another algorithm: tpe, or random",
        )


def _hyperband(parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Finding]:
    name = settings.get("resource_name")
    if not isinstance(name, str) or "r_l" not in settings:
        yield (
            ("algorithm",),
            "`hyperband` must know what to spend on a trial, and how much at most",
            "write settings: {resource_name: epochs, r_l: 27, eta: 3}",
        )
    elif name in parameters:
        yield (
            ("parameters", name),
            f"'{name}' is what `hyperband` spends: it chooses it itself",
            "take it out of the parameters",
        )


_Fits: TypeAlias = "Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Finding]]"
_FITS: Mapping[str, _Fits] = {"grid": _grid, "cmaes": _cmaes, "hyperband": _hyperband}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
