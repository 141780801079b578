"""Experiments of Katib's v1alpha3, made into what v1beta1 calls the same things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.model.diagnostic import LabfileError
from lab.model.tree import Path
from lab.reading.katib_template import GoTemplateFault, filled
from lab.reading.parse import parse

_RAW: Path = ("spec", "trialTemplate", "goTemplate", "rawTemplate")


class Unfit(Exception):
    """An Experiment, or a sweep, that the other side has no word for: where, what, and what to do."""

    def __init__(self, path: Path, summary: str, help: str = "") -> None:
        super().__init__(summary)
        self.path, self.summary, self.help = path, summary, help


def modern(tree: Mapping[str, Any]) -> dict[str, Any]:
    """*tree* in v1beta1's words; a tree that speaks them already is given back as it is.

    Raises:
        Unfit: its trial is a template that cannot be read here.
    """
    spec = mapping(tree.get("spec"))
    if str(tree.get("apiVersion", "")).rpartition("/")[2] != "v1alpha3":
        return dict(tree)
    made = dict(spec)
    made.setdefault("resumePolicy", "LongRunning")  # v1beta1's default is Never
    made["trialTemplate"] = _trial(spec)
    algorithm = mapping(spec.get("algorithm"))
    stop = mapping(algorithm.get("earlyStopping"))
    if stop:
        made["earlyStopping"] = {
            "algorithmName": stop.get("earlyStoppingAlgorithmName"),
            "algorithmSettings": stop.get("earlyStoppingSettings") or [],
        }
    return {**tree, "apiVersion": "kubeflow.org/v1beta1", "spec": made}


def _trial(spec: Mapping[str, Any]) -> dict[str, Any]:
    go = mapping(mapping(spec.get("trialTemplate")).get("goTemplate"))
    raw = go.get("rawTemplate")
    names = [str(each.get("name")) for each in maps(spec.get("parameters"))]
    if not isinstance(raw, str):
        raise Unfit(
            ("spec", "trialTemplate"),
            "the trial's template is not in this file",
            "paste it in as trialTemplate.goTemplate.rawTemplate; a ConfigMap is known to its cluster alone",
        )
    try:
        text = filled(raw, names)
        body = parse("rawTemplate", text.encode()).tree
    except GoTemplateFault as fault:
        said = f"line {fault.line + 1} of the trial's template: {fault.summary}"
        raise Unfit(_RAW, said, "write the words out that the template would make") from None
    except LabfileError as error:
        said = f"the trial's template is no YAML: {error.diagnostics[0].summary}"
        raise Unfit(_RAW, said, "mend it") from None
    parameters = [{"name": name, "reference": name} for name in names]
    return {"trialSpec": body, "trialParameters": parameters}


def mapping(value: Any) -> Mapping[str, Any]:
    """*value* if it is a map, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def maps(value: Any) -> list[Mapping[str, Any]]:
    """Those of a list's members that are maps."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """A list's members as texts; nothing of what is no list."""
    return [str(each) for each in value] if isinstance(value, list) else []
