"""When the journal, a reporter or a worker itself fails: nothing is told that is not so."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fakes.lab import Lab
from fakes.toy import until_stopped

from lab.model.diagnostic import StateError
from lab.model.event import Event, StepFinished, StepStarted
from lab.provider import Io, Task
from lab.running.schedule import Limits

WIDE = "steps: {a: {kind: job}, b: {kind: job, needs: a}, c: {kind: job, needs: b}, d: {kind: job}}"


@pytest.mark.parametrize("stored", range(8))
def test_nothing_is_told_that_could_not_be_stored(stored: int) -> None:
    lab = Lab(WIDE)
    lab.journal.fails_after = stored
    with pytest.raises(StateError, match="the disk is full"):
        lab.apply(limits=Limits(jobs=1, cpu=1.0))
    durable = lab.journal.events()
    assert len(durable) == stored
    assert lab.told == durable
    begun = [event.address for event in durable if isinstance(event, StepStarted)]
    assert lab.toy.ran == begun


@pytest.mark.parametrize("stored", range(8))
def test_what_was_told_to_be_done_is_done(stored: int) -> None:
    lab = Lab(WIDE)
    lab.journal.fails_after = stored
    with pytest.raises(StateError):
        lab.apply()
    done = lab.happened(StepFinished)
    again = lab.restarted()
    again.journal.fails_after = None
    again.apply()
    assert not set(done) & set(again.toy.ran)
    assert set(done) | set(again.toy.ran) == set("abcd")


def test_what_runs_is_stopped_when_nothing_can_be_stored_any_more() -> None:
    lab = Lab("steps: {slow: {kind: job}, quick: {kind: job}}")
    running = threading.Event()

    def slow(task: Task[Any], io: Io) -> dict[str, Any]:
        running.set()
        return until_stopped(io)

    def quick(task: Task[Any], io: Io) -> dict[str, Any]:
        running.wait(5)
        lab.journal.fails_after = len(lab.journal.lines)
        return {}

    lab.toy.on |= {"slow": slow, "quick": quick}
    with pytest.raises(StateError):
        lab.apply()
    assert lab.toy.running == set()
    assert lab.stop.is_set()


def test_what_runs_is_stopped_when_keeping_cannot_be_stored() -> None:
    lab = Lab("steps: {slow: {kind: job}, kept: {kind: job}, first: {kind: job}}")
    lab.apply(only=["kept"])
    lab.text = "steps: {slow: {kind: job}, kept: {kind: job, protect: true, needs: first}, first: {kind: job}}"
    running = threading.Event()

    def slow(task: Task[Any], io: Io) -> dict[str, Any]:
        running.set()
        return until_stopped(io)

    def full(event: Event) -> None:
        if isinstance(event, StepFinished):
            lab.journal.fails_after = 0

    lab.toy.on |= {"slow": slow, "first": lambda task, io: running.wait(5) and {}}
    lab.journal.after = full
    with pytest.raises(StateError):
        lab.apply()
    assert lab.toy.running == set()


def test_a_memory_that_cannot_be_stored_is_no_bug_of_the_provider() -> None:
    lab = Lab("steps: {a: {kind: job}}")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        lab.journal.fails_after = len(lab.journal.lines)
        try:
            io.remember(1)
        finally:
            lab.journal.fails_after = None
        return {}

    lab.toy.on["a"] = do
    with pytest.raises(StateError):
        lab.apply()
    assert lab.plan() == "+ a: last run was interrupted (run 1)"


def test_a_reporter_that_fails_ends_the_run_but_fails_no_step() -> None:
    """The pipe to `head` closes: that is nothing the step did."""
    lab = Lab("steps: {a: {kind: job}, b: {kind: job, needs: a}}")

    class Closed(list[Any]):
        def append(self, event: Any) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        io.note("x")
        return {"value": 1}

    lab.told = Closed()
    lab.toy.on["a"] = do
    with pytest.raises(BrokenPipeError):
        lab.apply()
    assert lab.toy.ran == ["a"]
    assert lab.records["a"].done is not None
    assert set(lab.records) == {"a"}


def test_a_reporter_that_fails_while_a_step_runs_stops_it_as_a_person_would() -> None:
    lab = Lab("steps: {a: {kind: job}}")
    pipe: list[Any] = []

    class Closing(list[Any]):
        def append(self, event: Any) -> None:
            pipe.append(event)
            if len(pipe) > 1:
                raise BrokenPipeError(32, "Broken pipe")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        io.progress("x")
        io.check()
        raise AssertionError("it went on")

    lab.told = Closing()
    lab.toy.on["a"] = do
    with pytest.raises(BrokenPipeError):
        lab.apply()
    assert lab.plan() == "+ a: last run was interrupted (run 1)"


def test_no_more_threads_is_told_and_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab("steps: {a: {kind: job}}")

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    draft = lab.draft()
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        lab.apply(draft)
    assert lab.records == {}


def test_a_bug_in_lab_itself_stops_everything_and_is_not_hidden() -> None:
    lab = Lab(WIDE)

    def log_path(run: int, address: str) -> str:
        raise ZeroDivisionError

    lab.work.log_path = log_path  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        lab.apply()
    assert lab.toy.ran == []


def test_a_bug_in_lab_itself_does_not_lose_what_has_ended() -> None:
    lab = Lab(WIDE)
    right = lab.work.log_path

    def log_path(run: int, address: str) -> str:
        if address == "b":
            raise ZeroDivisionError
        return right(run, address)

    lab.work.log_path = log_path  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        lab.apply(limits=Limits(jobs=1, cpu=1.0))
    assert lab.records["a"].done is not None
    assert lab.happened(StepFinished) == ["a"]
