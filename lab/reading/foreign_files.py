"""Files of other tools given as Labfiles, and top-level words of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.kinds.shape_fault import Fault
from lab.model.tree import Json, Path


@dataclass(frozen=True, slots=True)
class Foreign:
    """A sort of file: the keys that give it away, what it is, and what to do with it."""

    keys: tuple[str, ...]  # all of them are there
    what: str
    help: str


_FILES = (
    Foreign(
        ("pipelineInfo", "deploymentSpec"),
        "a compiled Kubeflow pipeline",
        "lab import kfp FILE makes a Labfile of it",
    ),
    Foreign(
        ("services",),
        "a compose file",
        "lab import compose FILE makes a Labfile of it; or keep it"
        " and write a step with kind: compose and file: compose.yaml",
    ),
    Foreign(
        ("jobs",),
        "a workflow of GitHub Actions",
        "write each of its `run` lines as a step: steps: {test: {kind: command, command: …}}",
    ),
    Foreign(
        ("hosts", "tasks"),
        "an Ansible play",
        "write each task as a step under its name: steps: {NAME: {kind: command, command: …}}",
    ),
    Foreign(
        ("stages",),
        "a pipeline of DVC or GitLab",
        "write each stage as a step: `cmd` is `command`, `deps` are `inputs`, `outs` are"
        " `artifacts`",
    ),
)


def foreign_file(tree: Mapping[str, Json]) -> Fault | None:
    """Return what to say of a file that is another tool's altogether."""
    if "labfile" in tree or "steps" in tree:
        return None
    if "apiVersion" in tree:
        return _kubernetes(tree)
    for each in _FILES:
        if all(key in tree for key in each.keys):
            return _fault(each.keys[0], each.what, each.help)
    return None


def _kubernetes(tree: Mapping[str, Json]) -> Fault:
    group = str(tree["apiVersion"])
    if tree.get("kind") == "Experiment" and group.startswith("kubeflow.org"):
        what = "a Katib Experiment"
        return _fault("apiVersion", what, "lab import katib FILE makes a sweep of it")
    return _fault(
        "apiVersion",
        "a Kubernetes manifest",
        "write a step with kind: manifests that names the file",
    )


def _fault(key: str, what: str, told: str) -> Fault:
    return Fault(
        path=(key,),
        summary=f"this is {what}, not a Labfile",
        detail="A Labfile begins with `labfile: 1` and has its steps under `steps`.",
        help=told,
        at_key=True,
    )


_TOP: Mapping[str, tuple[str, str]] = {
    "apiVersion": ("", "remove it; a Labfile begins with labfile: 1"),
    "kind": ("", "remove it; `kind` belongs into each step"),
    "metadata": ("name", "write name: NAME"),
    "spec": ("steps", "write what is to be made under `steps`"),
    "version": ("labfile", "write labfile: 1, the version of the language"),
    "services": (
        "steps",
        "write a step with kind: compose and file: compose.yaml; or lab import compose FILE",
    ),
    "image": ("steps", "write a step with kind: image"),
    "volumes": ("steps", "they belong into a step with kind: compose"),
    "networks": ("steps", "they belong into a step with kind: compose"),
    "jobs": ("steps", "write each job as a step"),
    "tasks": ("steps", "write each task as a step under its name"),
    "stages": ("steps", "write each stage as a step"),
    "pipeline": ("steps", "write its parts as steps"),
    "pipelines": ("steps", "write their parts as steps"),
    "hosts": ("targets", 'write targets: {box: {provider: docker, host: "ssh://me@box"}}'),
    "environments": ("steps", "write a step with kind: environment"),
    "on": ("", "remove it; lab runs when it is called, by a person or by CI"),
    "schedule": ("", "remove it; lab runs when it is called, by a person or by CI"),
    "env": ("defaults", "write defaults: {env: {NAME: value}}"),
    "environment": ("defaults", "write defaults: {env: {NAME: value}}"),
    "variables": ("vars", "write vars: {NAME: value}"),
    "variable": ("vars", "write vars: {NAME: value}"),
    "parameters": ("vars", "write vars: {NAME: value}"),
    "params": ("vars", "write vars: {NAME: value}"),
    "inputs": ("vars", "write vars: {NAME: value}"),
    "arguments": ("vars", "write vars: {NAME: value}"),
    "locals": ("vars", "write vars: {NAME: value}"),
    "include": ("recipes", "write recipes: {NAME: {use: ./path}}"),
    "includes": ("recipes", "write recipes: {NAME: {use: ./path}}"),
    "import": ("recipes", "write recipes: {NAME: {use: ./path}}"),
    "modules": ("recipes", "write recipes: {NAME: {use: ./path}}"),
    "extends": ("recipes", "write recipes: {NAME: {use: ./path}}"),
    "provider": ("targets", "write targets: {NAME: {provider: docker}}"),
    "providers": ("targets", "write targets: {NAME: {provider: docker}}"),
    "backend": ("state", "write state: {backend: postgresql, dsn: …}"),
    "project": ("name", "write name: NAME"),
}


def taught_top(key: str, path: Path) -> Fault | None:
    """Return what to say of an unknown top-level key, if it is another tool's word."""
    found = _TOP.get(key)
    if found is None:
        return None
    here, told = found
    return Fault(
        path=path,
        summary=f"'{key}' is `{here}` in a Labfile" if here else f"a Labfile has no '{key}'",
        help=told,
        at_key=True,
    )
