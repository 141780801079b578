"""Tells machines: one JSON object an event, one line each; readers ignore what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

from lab.model.event import (
    Event,
    ProtectSet,
    RecordMoved,
    RunFinished,
    RunStarted,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepKept,
    StepProgress,
    StepRemembered,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from lab.model.values import rendered
from lab.report.value_text import json_line

NAMES: dict[type[Any], str] = {
    RunStarted: "run.started",
    StepStarted: "step.started",
    StepProgress: "step.progress",
    StepRetried: "step.retried",
    StepFinished: "step.finished",
    StepFailed: "step.failed",
    StepKept: "step.kept",
    StepSkipped: "step.skipped",
    StepDestroyed: "step.destroyed",
    StepForgotten: "step.forgotten",
    RunFinished: "run.finished",
}
_SILENT = (StepRemembered, RecordMoved, ProtectSet)


class JsonLines:
    """A reporter that writes one JSON object a line, each flushed, so that a reader follows live."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def tell(self, event: Event) -> None:
        if not isinstance(event, _SILENT):
            print(json_line(as_json(event)), file=self._stream, flush=True)


def as_json(event: Event) -> dict[str, Any]:
    """One event as the object that `lab apply --json` prints."""
    head: dict[str, Any] = {"time": event.time, "run": event.run, "event": NAMES[type(event)]}
    address = getattr(event, "address", None)
    if address is not None:
        head["step"] = address
    return {**head, **_rest(event)}


def _rest(event: Event) -> dict[str, Any]:
    match event:
        case RunStarted():
            return _taken(event, "labfile", "command", "pid")
        case StepStarted(verb=verb):
            return {"action": verb, **_taken(event, "kind", "target", "cause", "log")}
        case StepProgress():
            said = _taken(event, "text", "fraction", "metrics", "line")
            return {key: value for key, value in said.items() if value not in ("", None, {})}
        case StepRetried():
            return _taken(event, "attempt", "error", "delay")
        case StepFinished(done=done):
            about = {"seconds": round(done.seconds, 3), "attempts": done.attempts}
            return {**about, "outputs": rendered(done.outputs)}
        case StepFailed(seconds=seconds):
            about = _taken(event, "error", "detail", "log", "interrupted")
            return {**about, "seconds": round(seconds, 3)}
        case StepKept() | StepForgotten():
            return _taken(event, "cause")
        case StepSkipped():
            return _taken(event, "cause", "because")
        case StepDestroyed():
            return _taken(event, "left")
        case RunFinished():
            return _taken(event, "outcome", "counts", "outputs")
        case _:
            return {}


def _taken(event: Event, *names: str) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in names}
    return {k: dict(v) if isinstance(v, Mapping) else v for k, v in values.items()}
