"""What the locks and the programs beside a Labfile show will fail, told before anything runs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from lab.kinds.training_program import SEVERAL, TWO_WAYS, fit_in, is_third, program_files
from lab.model.diagnostic import Diagnostic, LabError, Severity
from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.model.regex import regex
from lab.ports import Files

_KERAS = regex(r"(?m)^keras==([\w.]+)")


def unfit(graph: Graph, files: Files, ambient: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Trainings of several processes whose program calls the `fit` of a Keras that cannot do it.

    A warning, for the step may be left out of the run, or its environment be another by then; where it
    is not, the step's provider refuses it.
    """
    for step in graph.steps.values():
        for training in (step, step.trial):
            if training is None or training.spec.get("strategy") not in SEVERAL:
                continue
            legacy = str({**ambient, **training.env}.get("TF_USE_LEGACY_KERAS", ""))
            version = _keras(graph, files, training)
            if not is_third(version) or legacy.lower() in ("1", "true"):
                continue
            if (place := _fit(files, training.spec)) is not None:
                yield Diagnostic(
                    severity=Severity.WARNING,
                    summary=f"`{training.address}` is going to fail: Keras {version} cannot `fit` under"
                    f" `strategy: {training.spec['strategy']}`, and {place} does",
                    help=TWO_WAYS[0].lower() + TWO_WAYS[1:],
                    span=graph.labfile.document.span_of(training.path_of("strategy")),
                )


def _keras(graph: Graph, files: Files, training: Step) -> str | None:
    """The version in the lock of the training's environment; None where there is no lock yet."""
    named = training.spec.get("environment")
    name = str(named.get("$outputs")) if isinstance(named, Mapping) else str(named)
    made = graph.steps.get(name)
    if made is None or made.kind != "environment":
        return None
    found = _KERAS.search(_text(files, str(made.spec.get("lock") or f"{name}.lock")))
    return found[1] if found else None


def _fit(files: Files, spec: Mapping[str, Any]) -> str | None:
    command, script = spec.get("command"), spec.get("script")
    words = [str(word) for word in command[1:]] if isinstance(command, list) else [str(script)]
    module = spec.get("module")
    cwd = str(spec.get("cwd", "."))
    inside = "." if script is not None else cwd  # a script is named from the lab's folder
    for path in program_files(inside, module if isinstance(module, str) else None, words):
        line = fit_in(_text(files, path))
        if line is not None:
            return f"{posixpath.basename(path)}:{line}"
    return None


def _text(files: Files, path: str) -> str:
    """What cannot be read tells nothing here; whether that is an error, the plan says."""
    with suppress(LabError, OSError):
        return files.read_text(path) or ""
    return ""
