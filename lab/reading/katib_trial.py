"""The pod that a Katib trial runs, as a training's keys; what means nothing outside its cluster becomes a note."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from lab.model.address import is_name
from lab.model.frozen import dataclass
from lab.model.regex import regex
from lab.model.tree import Path
from lab.reading.katib_old import Unfit, mapping, maps, texts

DEFAULT_FILTER = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
"""Katib's own pattern, which reads what lab reads without one."""

_HOLE = regex(r"\$\{trialParameters\.([^}]*)\}")
_META = regex(r"\$\{trialSpec\.([^}]*)\}")
_GROUP = regex(r"\\.|\((?!\?)")
_REPLICAS = {
    "tfReplicaSpecs": {
        "Chief": "chief",
        "Master": "chief",
        "Worker": "worker",
        "PS": "ps",
        "Evaluator": "evaluator",
    }
}
_OTHER_REPLICAS = ("pytorchReplicaSpecs", "xgbReplicaSpecs", "mpiReplicaSpecs")
_TRIAL: Path = ("spec", "trialTemplate", "trialSpec")
_CLUSTERS = (
    "volumes",
    "initContainers",
    "nodeSelector",
    "tolerations",
    "affinity",
    "serviceAccountName",
    "imagePullSecrets",
)
_CONTAINERS = ("volumeMounts", "envFrom", "lifecycle", "livenessProbe", "ports")


@dataclass(frozen=True, slots=True)
class Pod:
    """What runs a trial: the pod's spec, the container that counts, and how many of which replica."""

    spec: Mapping[str, Any]
    container: Mapping[str, Any]
    replicas: Mapping[str, int]


def pod_of(template: Mapping[str, Any]) -> Pod:
    """The pod that decides a trial.

    Raises:
        Unfit: the trial is of a kind that runs no container of its own.
    """
    trial = mapping(template.get("trialSpec"))
    if not trial:
        raise Unfit(
            ("spec", "trialTemplate"),
            "the trial's template is not in this file",
            "paste it in as `trialSpec`; a ConfigMap is known to its cluster alone",
        )
    spec = mapping(trial.get("spec"))
    replicas: dict[str, int] = {}
    pod = mapping(mapping(spec.get("template")).get("spec"))
    for key, names in _REPLICAS.items():
        groups = mapping(spec.get(key))
        replicas |= {
            names[name]: _whole(mapping(group).get("replicas", 1))
            for name, group in groups.items()
            if name in names
        }
        pod = pod or _first_pod(groups)
    for key in _OTHER_REPLICAS:
        pod = pod or _first_pod(mapping(spec.get(key)))
    trainer = mapping(spec.get("trainer"))
    if trainer and not pod:
        pod = {"containers": [{**trainer, "name": "trainer"}]}
    wanted = template.get("primaryContainerName")
    containers = maps(pod.get("containers"))
    named = [each for each in containers if each.get("name") == wanted]
    if not containers:
        kind = trial.get("kind", "?")
        said = f"a trial of the kind {kind} runs no container that lab could run as a program"
        raise Unfit((*_TRIAL, "kind"), said, "give the trial as a Job, a TFJob or a TrainJob")
    return Pod(pod, (named or containers)[0], replicas)


def training_of(
    pod: Pod, template: Mapping[str, Any], names: Mapping[str, str], notes: list[str]
) -> dict[str, Any]:
    """The keys of the trial's training. *names*: the Experiment's parameters, as lab calls them."""
    container = pod.container
    holes = _holes(template, names)
    words = [
        *texts(container.get("command")),
        *texts(container.get("args")),
    ]
    if not words:
        image = container.get("image", "?")
        said = f"the trial says no command: what the image {image} runs is not known here"
        raise Unfit(_TRIAL, said, "write the container's `command`")
    made: dict[str, Any] = {"command": [_filled(word, holes) for word in words]}
    unknown = sorted({m.group(0) for m in _META.finditer(str(template)) if m.group(1) != "Name"})
    if unknown:
        notes.append(f"known to a cluster alone, and left as it is: {', '.join(unknown)}")
    env = dict(_environment(container, holes, notes))
    if env:
        made["env"] = env
    resources = _resources(mapping(container.get("resources")))
    if resources:
        made["resources"] = resources
    if sum(pod.replicas.values()) > 1:
        made["replicas"] = dict(pod.replicas)
    notes += _left_out(pod, words)
    return made


def metrics_of(
    collector: Mapping[str, Any], training: dict[str, Any], notes: list[str]
) -> dict[str, Any]:
    """Where the metrics are read; a folder that the command names is put into the trial's own."""
    kind = mapping(collector.get("collector")).get("kind", "StdOut")
    source = mapping(collector.get("source"))
    file = mapping(source.get("fileSystemPath"))
    path = str(file.get("path", ""))
    match kind:
        case "StdOut":
            pattern = _pattern(source, notes)
            return {"from": "stdout", **({"pattern": pattern} if pattern else {})}
        case "TensorFlowEvent":
            folder = path or "/var/log/katib/tfevent/"
            return {"from": "tensorboard", "dir": _moved(folder, training, notes)}
        case "File" if file.get("format") == "JSON":
            return {"from": "jsonl", "path": _moved(path, training, notes)}
        case _:
            notes.append(
                f"its metrics come by the collector {kind}, which is none of lab's: the program must"
                " print lines `name=value`, or write JSON lines or TensorBoard's event files"
            )
            return {"from": "stdout"}


def identifier(name: str) -> str:
    """*name* as lab can call a parameter: `--num-layers` is `num_layers`, which is no subtraction."""
    bare = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lstrip("-"))
    return bare if is_name(bare) else f"p_{bare}"


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return value
    raise Unfit(_TRIAL, f"a number of replicas must be whole, not {value}")


def _first_pod(groups: Mapping[str, Any]) -> Mapping[str, Any]:
    order = ("Chief", "Master", "Launcher", "Worker")
    for name in sorted(groups, key=lambda name: order.index(name) if name in order else 9):
        pod = mapping(mapping(mapping(groups[name]).get("template")).get("spec"))
        if pod:
            return pod
    return {}


def _holes(template: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    holes: dict[str, str] = {}
    for each in maps(template.get("trialParameters")):
        name, reference = str(each.get("name")), str(each.get("reference"))
        if reference in names:
            holes[name] = f"{{{{ parameters.{names[reference]} }}}}"
        else:
            holes[name] = "{{ step.name }}" if reference == "${trialSpec.Name}" else reference
    return holes


def _filled(text: str, holes: Mapping[str, str]) -> str:
    text = text.replace("{{", "{{ '{{' }}") if "{{" in text else text
    text = _HOLE.sub(lambda hole: holes.get(hole.group(1), hole.group(0)), text)
    return _META.sub(lambda m: "{{ step.name }}" if m.group(1) == "Name" else m.group(0), text)


def _environment(
    container: Mapping[str, Any], holes: Mapping[str, str], notes: list[str]
) -> Iterator[tuple[str, str]]:
    for each in maps(container.get("env")):
        name = str(each.get("name"))
        if "value" in each:
            yield name, _filled(str(each["value"]), holes)
        else:
            notes.append(
                f"${name} comes from the cluster: give it by `env`, or as a secret by `secrets`"
            )


def _resources(told: Mapping[str, Any]) -> dict[str, Any]:
    found = {**mapping(told.get("requests")), **mapping(told.get("limits"))}
    made: dict[str, Any] = {}
    for key, name in (("cpu", "cpu"), ("memory", "memory"), ("nvidia.com/gpu", "gpu")):
        if key in found:
            made[name] = _quantity(str(found[key]), name)
    return made


def _quantity(text: str, name: str) -> str | int | float:
    if name == "memory":
        return text
    if text.endswith("m") and text[:-1].isdecimal():
        return int(text[:-1]) / 1000
    try:
        number = float(text)
    except ValueError:
        raise Unfit(_TRIAL, f"{text} is no amount of {name}") from None
    return int(number) if number.is_integer() else number


def _pattern(source: Mapping[str, Any], notes: list[str]) -> str | None:
    formats = texts(mapping(source.get("filter")).get("metricsFormat"))
    if not formats or formats == [DEFAULT_FILTER]:
        return None
    if len(formats) > 1:
        notes.append("it has several metricsFormat: the first is taken")
    numbers = iter(("name", "value"))

    def named(match: Any) -> str:
        if match.group(0) != "(":
            return str(match.group(0))
        name = next(numbers, None)
        return f"(?P<{name}>" if name else "("

    return str(_GROUP.sub(named, formats[0]))


def _moved(path: str, training: dict[str, Any], notes: list[str]) -> str:
    """*path* inside the trial's own folder, if its command names it or a folder around it."""
    words, around = training["command"], path.rstrip("/")
    while around not in ("", "/"):
        below = "{{ step.dir }}/" + posixpath.basename(around)
        if any(around in word for word in words):
            training["command"] = [word.replace(around, below) for word in words]
            notes.append(f"{around} is a folder of the container: here it is {below}")
            return below + path.rstrip("/")[len(around) :]
        around = posixpath.dirname(around)
    notes.append(
        f"{path} is a path in the container: have the program write it to `{{{{ step.dir }}}}`"
    )
    return "{{ step.dir }}/" + posixpath.basename(path.rstrip("/"))


def _left_out(pod: Pod, words: list[str]) -> Iterator[str]:
    image = pod.container.get("image")
    if image:
        yield (
            f"the image {image} has no meaning on this machine: what the program needs goes into an"
            " `environment` step, which the trial names as `environment: NAME`"
        )
    paths = [word for word in words if word.startswith("/") and "." in posixpath.basename(word)]
    for path in paths:
        yield f"{path} is a path in that image: put the file beside the Labfile, and name it so"
    others = [str(each.get("name")) for each in maps(pod.spec.get("containers"))]
    others.remove(str(pod.container.get("name")))
    if others:
        yield f"the other containers of the pod are left out: {', '.join(others)}"
    left = [key for key in _CLUSTERS if key in pod.spec]
    left += [key for key in _CONTAINERS if key in pod.container]
    if left:
        yield f"left out, for they belong to a cluster: {', '.join(left)}"
