"""What a trial in a cluster runs: a container, its command without lab's templates, and the job around it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from lab.model.frozen import dataclass
from lab.model.labfile import Labfile, Step
from lab.model.regex import regex
from lab.model.tree import text_of
from lab.reading.katib_old import Unfit, mapping
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, is_template, references, render

FOLDER = "/tmp/trial"  # what `{{ step.dir }}` is in the container
CONTAINER = "training-container"
OWN_NAME = "${trialParameters.trialName}"
_ALONE = regex(r"\{\{\s*parameters\.(\w+)\s*\}\}")
_SECRET = regex(r"\{\{\s*secrets\.([A-Za-z0-9_-]+)\s*\}\}\Z")


@dataclass(frozen=True, slots=True)
class Words:
    """Renders what the trial says: swept parameters become Katib's marks."""

    labfile: Labfile
    trial: Step
    swept: Mapping[str, Any]

    def text(self, value: Any, *where: str | int) -> str:
        """*value* without lab's templates.

        Raises:
            Unfit: it needs what only lab knows.
        """
        if not isinstance(value, str):
            return text_of(value)
        if not is_template(value):
            return value
        # A parameter that stands alone between its braces becomes Katib's mark; nothing else may use one.
        rest = _ALONE.sub(lambda m: "" if m.group(1) in self.swept else m.group(0), value)
        for each in references(rest) if is_template(rest) else ():
            self._require_fit(each.parts, each.expression, where)
        try:
            return text_of(render(value, self._scope()))
        except TemplateFault as fault:
            raise Unfit(where, fault.summary, fault.help) from None

    def _scope(self) -> dict[str, Any]:
        scope = base_scope(self.labfile, step=self.trial, root=".", directory=FOLDER)
        own = mapping(self.trial.spec.get("parameters"))
        marks = {name: f"${{trialParameters.{name}}}" for name in self.swept}
        plain = {name: value for name, value in own.items() if name not in marks}
        scope["parameters"] = {**mapping(render(plain, scope)), **marks}
        scope["step"] = {"name": OWN_NAME, "dir": FOLDER}
        return scope

    def _require_fit(self, parts: tuple[str, ...], said: str, where: tuple[str | int, ...]) -> None:
        if parts[0] in ("steps", "secrets", "outputs"):
            raise Unfit(
                where,
                f"`{said}` is known to lab alone",
                "have the program read a path that is in the image, or a variable of its own",
            )
        if parts[0] == "parameters" and (len(parts) < 2 or parts[1] in self.swept):
            raise Unfit(
                where,
                f"it computes with `{said}`, which Katib cannot",
                "hand the parameter over as it is: `{{ parameters.NAME }}`, and compute in the program",
            )


def trial_spec(trial: Step, words: Words, image: str, notes: list[str]) -> dict[str, Any]:
    container: dict[str, Any] = {"name": CONTAINER, "image": image}
    container["command"] = _command(trial, words)
    cwd = trial.spec.get("cwd", ".")
    if cwd != ".":
        container["workingDir"] = words.text(cwd, "trial", "cwd")
    env = list(_environment(trial, words, notes))
    if env:
        container["env"] = env
    needed = trial.options.resources
    limits = {
        **({"cpu": f"{needed.cpu:g}"} if needed.cpu else {}),
        **({"memory": _memory(needed.memory)} if needed.memory else {}),
        **({"nvidia.com/gpu": needed.gpu} if needed.gpu else {}),
    }
    if limits:
        container["resources"] = {"limits": limits}
    notes.append(f"{image} must hold the program and what it imports; paths are those of the image")
    pod = {"restartPolicy": "Never", "containers": [container]}
    replicas = mapping(trial.spec.get("replicas"))
    if sum(replicas.values()) > 1:
        return _tfjob(pod, replicas)
    # Istio's sidecar would keep a finished Job from ever ending.
    labels = {"sidecar.istio.io/inject": "false"}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template}}


def _memory(size: int) -> str:
    for unit, power in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if size % 2**power == 0:
            return f"{size >> power}{unit}"
    return str(size)


def _tfjob(pod: Mapping[str, Any], replicas: Mapping[str, Any]) -> dict[str, Any]:
    words = {"chief": "Chief", "worker": "Worker", "ps": "PS", "evaluator": "Evaluator"}
    # The operator knows its container by this name alone; Katib is told the same one.
    container = {**pod["containers"][0], "name": "tensorflow"}
    spec = {"containers": [container]}
    groups = {
        words[name]: {"replicas": count, "restartPolicy": "Never", "template": {"spec": spec}}
        for name, count in replicas.items()
    }
    return {"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "spec": {"tfReplicaSpecs": groups}}


def _command(trial: Step, words: Words) -> list[str]:
    spec = trial.spec
    command = spec.get("command")
    if isinstance(command, str):
        return ["sh", "-eu", "-c", words.text(command, "trial", "command")]
    if isinstance(command, list):
        return [words.text(each, "trial", "command", i) for i, each in enumerate(command)]
    script, module = spec.get("script"), spec.get("module")
    start: list[Any] = ["python", script] if script else ["python", "-m", module]
    flags = [
        word
        for name in mapping(spec.get("parameters"))
        for word in (f"--{name}", f"{{{{ parameters.{name} }}}}")
    ]
    more = spec.get("args")
    start += [*flags, *(more if isinstance(more, list) else ())]
    return [words.text(each, "trial", "args") for each in start]


def _environment(trial: Step, words: Words, notes: list[str]) -> Iterator[dict[str, Any]]:
    for name, value in trial.env.items():
        secret = _SECRET.match(value) if isinstance(value, str) else None
        if secret is None:
            yield {"name": name, "value": words.text(value, "trial", "env", name)}
            continue
        where, key = words.labfile.name.lower().replace("_", "-"), secret.group(1)
        notes.append(
            f"${name} is read from the cluster's Secret {where}: `kubectl create secret generic {where}"
            f" --from-literal={shlex.quote(key)}=…`"
        )
        source = {"secretKeyRef": {"name": where, "key": key}}
        yield {"name": name, "valueFrom": source}
