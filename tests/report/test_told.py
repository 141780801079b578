"""Events as plain lines and as JSON lines."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

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
from lab.model.state import Done
from lab.model.values import Artifact
from lab.report.console import Console
from lab.report.jsonlines import JsonLines

AT: dict[str, Any] = {"run": 3, "time": 100.0}
STARTED = StepStarted(
    **AT, address="train", kind="job", target="local", verb="create", cause="never ran",
    digest="d", log="/lab/log",
)  # fmt: skip
DONE = Done(
    run=3,
    digest="d",
    identity={},
    started=1.0,
    finished=13.25,
    outputs={"loss": float("nan"), "model": Artifact("/lab/m", "sha256:1", 3), "n": 3},
)
EVENTS: dict[str, Event] = {
    "run.started": RunStarted(**AT, command="apply", labfile="Labfile.yaml", pid=7),
    "step.started": STARTED,
    "step.progress": StepProgress(**AT, address="train", text="epoch 1", fraction=0.5),
    "step.retried": StepRetried(**AT, address="train", attempt=1, error="busy", delay=2.0),
    "step.finished": StepFinished(**AT, address="train", done=DONE),
    "step.failed": StepFailed(**AT, address="train", error="exit 1\nmore", seconds=0.25),
    "step.kept": StepKept(**AT, address="train", cause="nothing changed"),
    "step.skipped": StepSkipped(**AT, address="train", cause="because `a` failed", because="a"),
    "step.destroyed": StepDestroyed(**AT, address="train"),
    "step.forgotten": StepForgotten(**AT, address="train", cause="gone"),
    "run.finished": RunFinished(**AT, outcome="done", counts={"created": 1}, outputs={"a": 1}),
}


def printed(*events: Event, **how: Any) -> list[str]:
    stream = io.StringIO()
    console = Console(stream, colour=False, wide=5, **how)
    for event in events:
        console.tell(event)
    return stream.getvalue().splitlines()


def test_lines_for_people() -> None:
    assert printed(*EVENTS.values()) == [
        "▶ train          never ran",
        "↻ train          attempt 1 failed (busy); again in 2.0s",
        "✓ train   12.2s  loss=nan n=3 model (3 B)",
        "✗ train    0.2s  exit 1",
        "= train          kept: nothing changed",
        "· train          skipped: because `a` failed",
        "- train          destroyed",
        "x train          forgotten; its files stay",
    ]


def test_a_stop_is_no_failure() -> None:
    stopped = StepFailed(**AT, address="train", error="stopped", interrupted=True)
    assert printed(stopped) == ["■ train    0.0s  stopped"]


def test_kept_steps_are_quiet_where_there_are_many() -> None:
    assert printed(EVENTS["step.kept"], EVENTS["step.skipped"], kept=False) == [
        "· train          skipped: because `a` failed"
    ]
    assert printed(*EVENTS.values(), quiet=True) == []


def test_progress_is_told_now_and_then() -> None:
    def progress(time: float, text: str) -> StepProgress:
        return StepProgress(run=3, time=time, address="train", text=text)

    lines = printed(
        STARTED, progress(105.0, "early"), progress(111.0, "one"), progress(112.0, "two"),
        progress(122.0, "three"),
    )  # fmt: skip
    assert [line.split()[-1] for line in lines[1:]] == ["one", "three"]


def test_lines_of_logs_name_their_step() -> None:
    assert printed(StepProgress(**AT, address="train", line="hello \x1b[2J")) == [
        "train │ hello \\x1b[2J"
    ]


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_nothing_that_is_told_can_move_the_cursor(event: Event) -> None:
    evil = "\x1b[2J"
    texts = {n: evil for n in ("cause", "error", "text", "line") if hasattr(event, n)}
    changed = type(event)(**{**{n: getattr(event, n) for n in event.__slots__}, **texts})  # type: ignore[union-attr]
    assert not any("\x1b" in line for line in printed(changed))


def objects(*events: Event) -> list[dict[str, Any]]:
    stream = io.StringIO()
    reporter = JsonLines(stream)
    for event in events:
        reporter.tell(event)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_that_is_told_has_its_name(name: str) -> None:
    (told,) = objects(EVENTS[name])
    assert told["event"] == name
    assert list(told)[:3] == ["time", "run", "event"]
    assert told["time"] == 100.0
    assert told["run"] == 3
    if name.startswith("step."):
        assert told["step"] == "train"


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("run.started", {"labfile": "Labfile.yaml", "command": "apply", "pid": 7}),
        (
            "step.started",
            {
                "action": "create", "kind": "job", "target": "local", "cause": "never ran",
                "log": "/lab/log",
            },
        ),
        ("step.progress", {"text": "epoch 1", "fraction": 0.5}),
        ("step.retried", {"attempt": 1, "error": "busy", "delay": 2.0}),
        (
            "step.finished",
            {"seconds": 12.25, "attempts": 1, "outputs": {"loss": None, "model": "/lab/m", "n": 3}},
        ),
        (
            "step.failed",
            {
                "error": "exit 1\nmore", "detail": "", "log": "", "interrupted": False,
                "seconds": 0.25,
            },
        ),
        ("step.kept", {"cause": "nothing changed"}),
        ("step.skipped", {"cause": "because `a` failed", "because": "a"}),
        ("step.forgotten", {"cause": "gone"}),
        ("run.finished", {"outcome": "done", "counts": {"created": 1}, "outputs": {"a": 1}}),
    ],
)  # fmt: skip
def test_what_scripts_read_of_it(name: str, rest: dict[str, Any]) -> None:
    (told,) = objects(EVENTS[name])
    found = {k: v for k, v in told.items() if k not in ("time", "run", "event", "step")}
    assert {k: found.get(k) for k in rest} == rest


@pytest.mark.parametrize(
    "event",
    [
        StepRemembered(**AT, address="a", memory={"pid": 1}),
        RecordMoved(**AT, address="a", to="b"),
        ProtectSet(**AT, address="a", protect=True),
    ],
)
def test_what_is_nobodys_business_is_not_told(event: Event) -> None:
    assert objects(event) == []
    assert printed(event) == []
