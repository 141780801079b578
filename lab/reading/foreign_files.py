"""Files of other tools given as Labfiles, and top-level words of theirs."""

from __future__ import annotations

from collections.abc import Mapping

from lab.kinds.shape_fault import Fault
from lab.kinds.shape_words import as_written
from lab.model.frozen import dataclass
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
        "write each of its tasks as a step: steps: {train: {kind: command, command: …}}",
    ),
    Foreign(
        ("services",),
        "a compose file",
        "keep it, and let a step bring it up: steps: {services: {kind: command, command:"
        " docker compose up --wait, destroy: docker compose down}}",
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
        return _fault(
            "apiVersion",
            what,
            "write its trial as a step with kind: training, and its parameters as `parameters`",
        )
    return _fault(
        "apiVersion",
        "a Kubernetes manifest",
        "let a step apply it: steps: {app: {kind: command, command: kubectl apply -f FILE}}",
    )


def _fault(key: str, what: str, told: str) -> Fault:
    return Fault(
        path=(key,),
        summary=f"this is {what}, not a Labfile",
        detail="A Labfile begins with `labfile: 1` and has its steps under `steps`.",
        help=told,
        at_key=True,
    )


_LONGEST = 70
_COMPOSE = "keep the compose file, and let a step bring it up: command: docker compose up --wait"
_ALWAYS = "remove it; lab runs when it is called, by a person or by CI"

_RENAMED: Mapping[str, str] = {
    **dict.fromkeys(
        ("variables", "variable", "parameters", "params", "arguments", "locals"), "vars"
    ),
    "project": "name",
}
"""Keys that only have another name here."""

_ELSEWHERE: Mapping[str, str] = {
    "apiVersion": "remove it; a Labfile begins with labfile: 1",
    "kind": "remove it; each step has a `kind`",
    "metadata": "write name: NAME",
    "spec": "write what is to be made under `steps`",
    "version": "write labfile: 1, the version of the language",
    "services": _COMPOSE,
    "volumes": f"they belong to the services; {_COMPOSE}",
    "networks": f"they belong to the services; {_COMPOSE}",
    "image": "write a step that builds it: command: docker build …",
    "jobs": "write each job as a step under `steps`",
    "tasks": "write each task as a step under `steps`",
    "stages": "write each stage as a step under `steps`",
    "pipeline": "write its parts as steps under `steps`",
    "pipelines": "write their parts as steps under `steps`",
    "hosts": 'write targets: {box: {provider: docker, host: "ssh://me@box"}}',
    "environments": "write steps with kind: environment",
    "on": _ALWAYS,
    "schedule": _ALWAYS,
    "inputs": "write vars: {NAME: value}; a step's files are its own `inputs`",
    "include": "write recipes: {NAME: {use: ./path}}",
    "includes": "write recipes: {NAME: {use: ./path}}",
    "import": "write recipes: {NAME: {use: ./path}}",
    "modules": "write recipes: {NAME: {use: ./path}}",
    "extends": "write recipes: {NAME: {use: ./path}}; within the file, a step can be `like` another",
    "provider": "write targets: {NAME: {provider: docker}}",
    "providers": "write targets: {NAME: {provider: docker}}",
    "backend": 'write state: {backend: postgresql, dsn: "{{ secrets.state_dsn }}"}',
}
"""Keys for which there is something else, or nothing."""


def taught_top(key: str, value: Json, path: Path) -> Fault | None:
    """Return what to say of an unknown top-level key, if it is another tool's word."""
    if key in _RENAMED:
        here = _RENAMED[key]
        summary = f"'{key}' is `{here}` in a Labfile"
        return Fault(path=path, summary=summary, help=f"write {here} instead", at_key=True)
    told = _ELSEWHERE.get(key, "")
    if key in ("env", "environment"):
        text = f"write defaults: {as_written({'env': value})}"
        told = text if len(text) <= _LONGEST else "write defaults: {env: {NAME: value}}"
    if not told:
        return None
    return Fault(
        path=path,
        summary=f"a Labfile has no '{key}' at the top level",
        help=told,
        at_key=True,
    )
