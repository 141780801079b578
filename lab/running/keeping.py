"""What a run read and made is kept, in labs that train: so that it can be compared, had back and repeated."""

from __future__ import annotations

from collections.abc import Mapping

from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.model.values import Json, Value, artifacts_in
from lab.running.io import Ports

KINDS = ("training", "sweep")


def trains(graph: Graph) -> bool:
    """Whether a lab is of those whose runs are kept: somebody will ask what made this model."""
    return any(step.kind in KINDS for step in graph.steps.values())


def keep_inputs(identity: Mapping[str, Json], ports: Ports) -> None:
    """Keeps the files that count in a step's identity, before it runs; large ones stay where they are."""
    inputs = identity.get("inputs")
    if not isinstance(inputs, Mapping):
        return
    redacts = ports.secrets.redactor() is not None
    for path, digest in inputs.items():
        text = ports.files.read_text(path) if redacts else None
        if text is None or ports.secrets.redact(text) == text:
            ports.work.keep_input(path, str(digest))


def keep_outputs(step: Step, ports: Ports, outputs: Mapping[str, Value]) -> None:
    """Keeps the artifacts that a step declares."""
    if step.spec.get("artifacts"):
        for artifact in artifacts_in(outputs):
            ports.work.keep(artifact)


def keep_curve(step: Step, run: int, ports: Ports) -> None:
    """Keeps the curve so far beside the log: the next training writes its own in its place."""
    if step.kind in KINDS:
        ports.work.keep_curve(run, step.address, ports.secrets.redactor())
