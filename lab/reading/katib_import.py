"""A Katib Experiment as a Labfile with a sweep, and notes on what has no meaning outside a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.kinds.sweep_check import SETTINGS
from lab.model.address import is_name
from lab.model.diagnostic import did_you_mean
from lab.model.frozen import dataclass
from lab.model.scalar import scalar
from lab.model.tree import Path
from lab.reading.katib_old import Unfit, mapping, maps, modern, texts
from lab.reading.katib_trial import identifier, metrics_of, pod_of, training_of

PARALLEL = 3  # Katib's own default (parallelTrialCount)


@dataclass(frozen=True, slots=True)
class Imported:
    """A Labfile's tree, and what a reader of it should know."""

    tree: dict[str, Any]
    notes: tuple[str, ...]


def imported(tree: Mapping[str, Any]) -> Imported:
    """The Labfile for the Experiment *tree*, of the versions v1beta1 and v1alpha3.

    Raises:
        Unfit: it is no Experiment, or searches something that lab cannot search.
    """
    _require_experiment(tree)
    new = modern(tree)
    spec = mapping(new.get("spec"))
    notes: list[str] = []
    names = _names(spec, notes)
    template = mapping(spec.get("trialTemplate"))
    trial = training_of(pod_of(template), template, names, notes)
    trial["metrics"] = metrics_of(mapping(spec.get("metricsCollectorSpec")), trial, notes)
    algorithm = _algorithm(mapping(spec.get("algorithm")), names, notes)
    spent = mapping(algorithm.get("settings")).get("resource_name")
    if spent in names.values():  # hyperband chooses it itself
        trial["parameters"] = {spent: algorithm["settings"].get("r_l", 1)}
    title = str(mapping(new.get("metadata")).get("name") or "experiment")
    step: dict[str, Any] = {
        "kind": "sweep",
        "trial": trial,
        "parameters": {
            names[str(each.get("name"))]: _parameter(each, index)
            for index, each in enumerate(maps(spec.get("parameters")))
            if names[str(each.get("name"))] != spent
        },
        "objective": _objective(mapping(spec.get("objective"))),
        "algorithm": algorithm,
        "trials": _trials(spec, notes),
        **_stopping(spec),
        "resume_policy": spec.get("resumePolicy") or "Never",
    }
    name = title if is_name(title) else "sweep"
    said = f"steps['{name}']" if "-" in name else f"steps.{name}"  # a dash is a minus
    whole = {
        "labfile": 1,
        "name": name,
        "steps": {name: step},
        "outputs": {
            "best": f"{{{{ {said}.outputs.best_parameters }}}}",
            "metric": f"{{{{ {said}.outputs.best_metric }}}}",
        },
    }
    return Imported(whole, tuple(dict.fromkeys(notes)))


def _require_experiment(tree: Mapping[str, Any]) -> None:
    kind, version = tree.get("kind"), str(tree.get("apiVersion", ""))
    if kind != "Experiment" or not version.startswith("kubeflow.org/"):
        said = f"this is no Katib Experiment: its kind is {kind or 'not given'}"
        raise Unfit(("kind",), said, "give a file with `kind: Experiment`")
    if version.rpartition("/")[2] not in ("v1beta1", "v1alpha3"):
        raise Unfit(("apiVersion",), f"{version} is not known here", "v1beta1 and v1alpha3 are")
    if "nasConfig" in mapping(tree.get("spec")):
        said = "it searches a network's architecture, which lab has no algorithm for"
        raise Unfit(
            ("spec", "nasConfig"), said, "sweep over parameters that your program turns into layers"
        )


def _names(spec: Mapping[str, Any], notes: list[str]) -> dict[str, str]:
    """The parameters by their names in Katib; lab's must be names."""
    found: dict[str, str] = {}
    for index, each in enumerate(maps(spec.get("parameters"))):
        name = str(each.get("name"))
        short = identifier(name)
        if short in found.values():
            path: Path = ("spec", "parameters", index, "name")
            raise Unfit(path, f"two parameters would be called {short}", "rename one")
        if short != name.lstrip("-").replace("-", "_"):
            notes.append(f"the parameter {name} is called {short}")
        found[name] = short
    if not found:
        raise Unfit(("spec",), "it has no parameters to search", "")
    return found


def _parameter(told: Mapping[str, Any], index: int) -> dict[str, Any]:
    kind, space = told.get("parameterType"), mapping(told.get("feasibleSpace"))
    path: Path = ("spec", "parameters", index)
    distribution = space.get("distribution")
    further = {} if distribution in (None, "unknown", "") else {"distribution": distribution}
    match kind:
        case "double" | "int":
            bounds = {
                key: _number(space[key], whole=kind == "int", path=(*path, "feasibleSpace", key))
                for key in ("min", "max", "step")
                if key in space
            }
            return {"type": kind, **bounds, **further}
        case "discrete" | "categorical":
            values = texts(space.get("list"))
            if kind == "discrete":
                at = (*path, "feasibleSpace", "list")
                return {"type": kind, "list": [_number(v, whole=False, path=at) for v in values]}
            return {"type": kind, "list": values}
        case _:
            kinds = ("double", "int", "discrete", "categorical")
            way = did_you_mean(str(kind), kinds) or f"it is one of {', '.join(kinds)}"
            raise Unfit((*path, "parameterType"), f"a parameter cannot be of the type {kind}", way)


def _number(text: Any, *, whole: bool, path: Path) -> int | float:
    try:
        number = float(str(text))
    except ValueError:
        raise Unfit(path, f"{text} is not a number", "") from None
    return int(number) if number.is_integer() and (whole or "." not in str(text)) else number


def _objective(told: Mapping[str, Any]) -> dict[str, Any]:
    metric, kind = told.get("objectiveMetricName"), told.get("type")
    if not metric or kind not in ("maximize", "minimize"):
        said = "the objective needs a metric, and whether to maximize or minimize it"
        raise Unfit(("spec", "objective"), said, "write objectiveMetricName and type")
    made: dict[str, Any] = {"metric": metric, "type": kind}
    if told.get("goal") is not None:
        made["goal"] = told["goal"]
    more = texts(told.get("additionalMetricNames"))
    if more:
        made["additional_metrics"] = more
    ways = {str(e.get("name")): e.get("value") for e in maps(told.get("metricStrategies"))}
    # Where nothing is said, Katib takes for every metric what suits the objective; lab the latest.
    best = "max" if kind == "maximize" else "min"
    ways = {name: ways.get(name, best) for name in (*more, *ways)}
    if ways:
        made["metric_strategies"] = ways
    return made


def _algorithm(
    told: Mapping[str, Any], names: Mapping[str, str], notes: list[str]
) -> dict[str, Any]:
    name = str(told.get("algorithmName", "random"))
    known = SETTINGS.get(name)
    if known is None:
        way = did_you_mean(name, SETTINGS) or f"lab has {', '.join(SETTINGS)}"
        at: Path = ("spec", "algorithm", "algorithmName")
        raise Unfit(at, f"lab has no algorithm {name}", way)
    settings: dict[str, Any] = {}
    made: dict[str, Any] = {"name": name}
    for each in maps(told.get("algorithmSettings")):
        key, value = str(each.get("name")), scalar(str(each.get("value")))
        if key == "random_state":
            made["seed"] = value
        elif key == "resource_name":
            settings[key] = names.get(str(value), identifier(str(value)))
        elif key in known:
            settings[key] = value
        else:
            notes.append(f"the setting {key} of {name} means nothing to lab's, and is left out")
    return {**made, **({"settings": settings} if settings else {})}


def _trials(spec: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    most, failed = _count(spec, "maxTrialCount"), _count(spec, "maxFailedTrialCount")
    if most is None:
        most = 100
        notes.append("it has no maxTrialCount, which in Katib is no bound: 100 are written here")
    if failed is not None:
        notes.append(
            f"Katib ends at failure {failed}; here so many may fail (`max_failed`), and one more ends it"
        )
    return {
        "max": most,
        "parallel": _count(spec, "parallelTrialCount") or PARALLEL,
        "max_failed": most if failed is None else min(failed, most),
    }


def _count(spec: Mapping[str, Any], key: str) -> int | None:
    count = spec.get(key)
    if count is None or (isinstance(count, int) and not isinstance(count, bool)):
        return count
    raise Unfit(("spec", key), f"{key} must be a whole number, not {count}")


def _stopping(spec: Mapping[str, Any]) -> dict[str, Any]:
    told = mapping(spec.get("earlyStopping"))
    if not told:
        return {}
    name = told.get("algorithmName")
    if name != "medianstop":
        said = f"lab has no rule {name} to stop trials by"
        raise Unfit(
            ("spec", "earlyStopping", "algorithmName"), said, "lab has medianstop, and asha"
        )
    settings = {
        str(each.get("name")): scalar(str(each.get("value")))
        for each in maps(told.get("algorithmSettings"))
        if each.get("name") in ("min_trials_required", "start_step")
    }
    return {"early_stopping": {"name": name, **settings}}
