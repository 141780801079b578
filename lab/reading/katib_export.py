"""A sweep as a Katib Experiment (v1beta1), and notes on what a cluster must have for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.model.frozen import dataclass
from lab.model.labfile import Labfile, Step
from lab.model.regex import regex
from lab.model.tree import text_of
from lab.reading.katib_container import CONTAINER, OWN_NAME, Words, trial_spec
from lab.reading.katib_old import Unfit, mapping
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, render

_NAME = regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?\Z")  # Katib's own rule
_SEEDED = frozenset(("random", "grid", "bayesianoptimization", "tpe", "multivariate-tpe", "cmaes"))
_NAMED_GROUP = regex(r"\(\?P<(name|value)>")


@dataclass(frozen=True, slots=True)
class Exported:
    """An Experiment's tree, and what a reader of it should know."""

    tree: dict[str, Any]
    notes: tuple[str, ...]


def exported(labfile: Labfile, step: Step, *, image: str, namespace: str = "") -> Exported:
    """The Experiment for the sweep *step*, whose trials run in *image*.

    Raises:
        Unfit: the sweep says what Katib has no word for; the path is below the step's keys.
    """
    assert step.trial is not None, "a sweep has a trial"
    spec, notes = _rendered(labfile, step), list[str]()
    resource = list(_resource(mapping(spec.get("algorithm"))))
    swept = {**mapping(spec["parameters"]), **{each["name"]: each for each in resource}}
    words = Words(labfile, step.trial, swept)
    algorithm = _algorithm(mapping(spec.get("algorithm")), notes)
    metadata = {"name": _name(step.name), **({"namespace": namespace} if namespace else {})}
    trials = mapping(spec["trials"])
    whole: dict[str, Any] = {
        "objective": _objective(mapping(spec["objective"])),
        "algorithm": algorithm,
        **_stopping(spec.get("early_stopping")),
        "parallelTrialCount": trials.get("parallel", 1),
        "maxTrialCount": trials["max"],
        "maxFailedTrialCount": trials.get("max_failed", 0),
        "resumePolicy": spec.get("resume_policy", "LongRunning"),
        "parameters": [*_parameters(mapping(spec["parameters"])), *resource],
        "metricsCollectorSpec": _collector(mapping(step.trial.spec.get("metrics")), words),
        "trialTemplate": {
            "primaryContainerName": CONTAINER,
            "trialParameters": [{"name": name, "reference": name} for name in swept],
            "trialSpec": trial_spec(step.trial, words, image, notes),
        },
    }
    template: dict[str, Any] = whole["trialTemplate"]
    if OWN_NAME in str(template["trialSpec"]):
        template["trialParameters"] += [{"name": "trialName", "reference": "${trialSpec.Name}"}]
    tree = {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": metadata,
        "spec": whole,
    }
    return Exported(tree, tuple(notes))


def _rendered(labfile: Labfile, step: Step) -> Mapping[str, Any]:
    scope = base_scope(labfile, step=step, root=".", directory=".")
    try:
        return mapping(render(dict(step.spec), scope))
    except TemplateFault as fault:
        raise Unfit(tuple(fault.path), fault.summary, fault.help) from None


def _name(name: str) -> str:
    name = name.lower().replace("_", "-")
    if not _NAME.match(name):
        said = f"Katib takes no Experiment of the name {name}"
        raise Unfit((), said, "a name has 40 letters, digits and `-` at most, a letter first")
    return name


def _objective(told: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": told["type"]}
    if told.get("goal") is not None:
        made["goal"] = told["goal"]
    made["objectiveMetricName"] = told["metric"]
    more = list(told.get("additional_metrics") or ())
    if more:
        made["additionalMetricNames"] = more
    ways = {**dict.fromkeys(more, "latest"), **mapping(told.get("metric_strategies"))}
    if ways:
        made["metricStrategies"] = [{"name": name, "value": way} for name, way in ways.items()]
    return made


def _algorithm(told: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    name = told.get("name", "random")
    settings = dict(mapping(told.get("settings")))
    if told.get("seed") is not None and name in _SEEDED:
        settings["random_state"] = told["seed"]
    elif told.get("seed") is not None:
        notes.append(f"Katib's {name} takes no seed")
    made: dict[str, Any] = {"algorithmName": name}
    if settings:
        made["algorithmSettings"] = [
            {"name": key, "value": text_of(value)} for key, value in settings.items()
        ]
    return made


def _stopping(told: Any) -> dict[str, Any]:
    if not told:
        return {}
    name = told.get("name")
    if name != "medianstop":
        raise Unfit(("early_stopping", "name"), f"Katib has no {name}", "medianstop it has")
    settings = [
        {"name": key, "value": text_of(value)} for key, value in told.items() if key != "name"
    ]
    return {"earlyStopping": {"algorithmName": name, "algorithmSettings": settings}}


def _parameters(swept: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, told in swept.items():
        space: dict[str, Any] = {
            key: [text_of(each) for each in value] if isinstance(value, list) else text_of(value)
            for key, value in told.items()
            if key != "type"
        }
        yield {"name": name, "parameterType": told["type"], "feasibleSpace": space}


def _resource(algorithm: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What hyperband spends is a parameter in Katib."""
    settings = mapping(algorithm.get("settings"))
    if algorithm.get("name") == "hyperband" and "resource_name" in settings:
        space = {"min": "1", "max": text_of(settings.get("r_l", 1))}
        yield {
            "name": settings["resource_name"],
            "parameterType": "int",
            "feasibleSpace": space,
        }


def _collector(told: Mapping[str, Any], words: Words) -> dict[str, Any]:
    match told.get("from", "stdout"):
        case "tensorboard":
            path = words.text(told["dir"], "trial", "metrics", "dir")
            source: dict[str, Any] = {"fileSystemPath": {"path": path, "kind": "Directory"}}
            return {"collector": {"kind": "TensorFlowEvent"}, "source": source}
        case "jsonl":
            path = words.text(told["path"], "trial", "metrics", "path")
            source = {"fileSystemPath": {"path": path, "kind": "File", "format": "JSON"}}
            return {"collector": {"kind": "File"}, "source": source}
        case _ if told.get("pattern"):
            pattern = _unnamed(str(told["pattern"]))
            source = {"filter": {"metricsFormat": [pattern]}}
            return {"collector": {"kind": "StdOut"}, "source": source}
        case _:
            return {"collector": {"kind": "StdOut"}}


def _unnamed(pattern: str) -> str:
    order = [match.group(1) for match in _NAMED_GROUP.finditer(pattern)]
    if order != ["name", "value"]:
        said = "Katib's patterns have the metric's name first and its value second"
        raise Unfit(("trial", "metrics", "pattern"), said, "print `name=value`, which needs none")
    return str(_NAMED_GROUP.sub("(", pattern))
