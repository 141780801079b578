"""Tells machines: one JSON object an event, one line each; readers ignore what they do not know."""

from __future__ import annotations

import json
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
            print(json.dumps(as_json(event), ensure_ascii=False), file=self._stream, flush=True)


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
            return {"labfile": event.labfile, "command": event.command, "pid": event.pid}
        case StepStarted():
            return {
                "kind": event.kind,
                "target": event.target,
                "action": event.verb,
                "cause": event.cause,
                "log": event.log,
            }
        case StepProgress():
            said = {
                "text": event.text,
                "fraction": event.fraction,
                "metrics": dict(event.metrics),
                "line": event.line,
            }
            return {k: v for k, v in said.items() if v not in ("", None, {})}
        case StepRetried():
            return {"attempt": event.attempt, "error": event.error, "delay": event.delay}
        case StepFinished(done=done):
            return {
                "seconds": round(done.seconds, 3),
                "attempts": done.attempts,
                "outputs": rendered(done.outputs),
            }
        case StepFailed():
            return {
                "error": event.error,
                "detail": event.detail,
                "log": event.log,
                "seconds": round(event.seconds, 3),
                "interrupted": event.interrupted,
            }
        case StepKept() | StepForgotten():
            return {"cause": event.cause}
        case StepSkipped():
            return {"cause": event.cause, "because": event.because}
        case RunFinished():
            return {
                "outcome": event.outcome,
                "counts": dict(event.counts),
                "outputs": dict(event.outputs),
            }
        case _:
            return {}
