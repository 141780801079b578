"""A step's keys as its provider gets them, and what of them its record keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.model.values import Json
from lab.planning.conditions import real_scope
from lab.planning.digest import variable
from lab.ports import Secrets
from lab.reading.template import render
from lab.running.attempt import Job
from lab.running.io import Ports
from lab.running.variables import Resolved, kept


def rendered(job: Job, ports: Ports) -> dict[str, Any]:
    """Spec, env and the target's fields: real paths, secrets resolved now.

    Raises:
        TemplateFault, SpecFault, LabError, OSError: they cannot be; the first that is found.
    """
    step = job.step
    raw = {"spec": step.spec, "env": step.env, "fields": step.target.fields}
    if step.literal:
        return {**raw, "env": _texts(step.env)}
    scope = real_scope(job.graph, step, job.outcomes, ports.work.step_dir(step.address))
    tree: dict[str, Any] = render(raw, {**scope, "secrets": Resolved(ports.secrets)})
    return {**tree, "env": _texts(tree["env"])}


def _texts(env: Mapping[str, Any]) -> dict[str, str]:
    return {name: variable(value) for name, value in env.items()}


def kept_env(job: Job, env: Mapping[str, str], ports: Ports) -> dict[str, Json]:
    """The step's variables as its record keeps them."""
    if not env:
        return {}
    directory = ports.work.step_dir(job.step.address)
    return kept(job.step, env, real_scope(job.graph, job.step, job.outcomes, directory))


def without_secrets(value: Any, secrets: Secrets) -> Any:
    """The same with every secret taken out of its texts."""
    match value:
        case str():
            return secrets.redact(value)
        case Mapping():
            return {key: without_secrets(each, secrets) for key, each in value.items()}
        case list():
            return [without_secrets(each, secrets) for each in value]
        case _:
            return value
