"""What events mean for the state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.compact import history
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
from lab.model.fold import fold
from lab.model.state import Done, Record, Tried

DONE = Done(run=1, digest="d1", identity={"kind": "job"}, outputs={"value": 1})


def started(address: str = "a", **over: Any) -> StepStarted:
    usual: dict[str, Any] = {
        "run": 1, "time": 10.0, "kind": "job", "target": "box", "verb": "create", "cause": "never ran",
        "digest": "d1", "place": "docker", "fields": {"host": "h"}, "needs": ("x",), "log": "l",
        "protect": True, "infrastructure": True, "version": 3,
    }  # fmt: skip
    return StepStarted(address=address, **{**usual, **over})


def finished(address: str = "a", done: Done = DONE) -> StepFinished:
    return StepFinished(run=1, time=20.0, address=address, done=done)


def failed(address: str = "a", **over: Any) -> StepFailed:
    return StepFailed(run=1, time=20.0, address=address, error="broke", log="l2", **over)


def folded(*events: Event) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for event in events:
        fold(records, event)
    return records


BEGUN = Record(
    address="a",
    kind="job",
    target="box",
    version=3,
    infrastructure=True,
    protect=True,
    place="docker",
    fields={"host": "h"},
    needs=("x",),
    tried=Tried(run=1, started=10.0, digest="d1", log="l"),
)


def test_a_beginning_is_remembered_as_an_interrupted_try() -> None:
    assert folded(started()) == {"a": BEGUN}
    assert BEGUN.tried is not None
    assert BEGUN.tried.interrupted


def test_an_end_settles_it() -> None:
    assert folded(started(), finished()) == {"a": replace(BEGUN, tried=None, done=DONE)}


def test_a_failure_keeps_what_was_done_before() -> None:
    record = folded(started(), finished(), started(run=2, digest="d2"), failed())["a"]
    assert record.done == DONE
    assert record.tried == Tried(
        run=2, started=10.0, digest="d2", error="broke", log="l2", interrupted=False
    )


def test_an_interruption_is_no_failure() -> None:
    record = folded(started(), failed(interrupted=True))["a"]
    assert record.tried is not None
    assert record.tried.interrupted


def test_what_was_not_there_may_have_been_made_until_it_is_known() -> None:
    begun = started(unmade=("model.bin", "conf.yaml"))
    tried = folded(begun)["a"].tried
    assert tried is not None
    assert tried.made == ("model.bin", "conf.yaml")
    tried = folded(begun, failed(made=("model.bin",)))["a"].tried
    assert tried is not None
    assert tried.made == ("model.bin",)


def test_a_new_try_that_succeeds_forgets_the_failure() -> None:
    assert folded(started(), failed(), started(), finished())["a"].tried is None


def remembered(memory: Any) -> StepRemembered:
    return StepRemembered(run=1, time=11.0, address="a", memory=memory)


def test_memory_outlives_failures_and_ends() -> None:
    record = folded(started(), remembered(1), remembered({"pid": 2}))["a"]
    assert record.memory == {"pid": 2}
    assert folded(started(), remembered(1), failed(), started())["a"].memory == 1
    assert folded(started(), remembered(1), finished(), started())["a"].memory == 1


@pytest.mark.parametrize(
    ("events", "unfinished"),
    [
        ((remembered(1),), True),
        ((remembered(1), failed()), True),
        ((remembered(1), started(run=2)), True),
        ((remembered(1), failed(), started(run=2)), True),
        ((), False),
        ((remembered(1), finished(), started(run=2)), False),
        ((remembered(1), finished(), started(run=2), remembered(2)), True),
    ],
)
def test_it_is_known_whether_memory_is_of_a_try_that_did_not_end(
    events: tuple[Event, ...], unfinished: bool
) -> None:
    tried = folded(started(), *events)["a"].tried
    assert tried is not None
    assert tried.remembered is unfinished


@pytest.mark.parametrize(
    "event",
    [
        StepDestroyed(run=2, time=1.0, address="a"),
        StepForgotten(run=2, time=1.0, address="a", cause="gone"),
    ],
)
def test_what_is_destroyed_or_forgotten_has_no_record(event: Event) -> None:
    records = folded(started(), finished(), started("b"))
    assert fold(records, event) == ("a",)
    assert list(records) == ["b"]
    assert fold(records, event) == ()


def test_a_record_moves_with_all_it_holds() -> None:
    records = folded(started(), remembered(1), finished())
    moved = RecordMoved(run=2, time=1.0, address="a", to="b")
    before = records["a"]
    assert fold(records, moved) == ("a", "b")
    assert records == {"b": replace(before, address="b")}
    assert fold(records, moved) == ()


def test_protection_changes_without_a_run() -> None:
    records = folded(started(), finished())
    assert fold(records, ProtectSet(run=2, time=1.0, address="a", protect=False)) == ("a",)
    assert records == {"a": replace(BEGUN, tried=None, done=DONE, protect=False)}


def test_a_step_that_begins_again_is_what_it_is_now() -> None:
    again = started(target="local", place="local", fields={}, needs=(), protect=False, version=4)
    record = folded(started(), finished(), again)["a"]
    assert (record.place, record.fields, record.needs) == ("local", {}, ())
    assert not record.protect
    assert record.version == 4
    assert record.done == DONE


@pytest.mark.parametrize(
    "event",
    [
        RunStarted(run=1, time=1.0, command="apply", labfile="x"),
        RunFinished(run=1, time=1.0, outcome="done"),
        StepProgress(run=1, time=1.0, address="a"),
        StepRetried(run=1, time=1.0, address="a", attempt=1, error="e", delay=1.0),
        StepKept(run=1, time=1.0, address="a", cause="c"),
        StepSkipped(run=1, time=1.0, address="a", cause="c"),
        finished("other"),
        failed("other"),
        StepRemembered(run=1, time=1.0, address="other", memory=1),
        ProtectSet(run=1, time=1.0, address="other", protect=True),
    ],
    ids=lambda e: type(e).__name__,
)
def test_the_rest_changes_nothing(event: Event) -> None:
    records = folded(started(), finished())
    before = dict(records)
    assert fold(records, event) == ()
    assert records == before


BEGINNINGS = st.sampled_from(
    [started(unmade=("m",)), started(run=2, digest="d2", time=30.0, log="l3", needs=())]
)
MEMORIES = st.lists(st.sampled_from([remembered({"pid": 1}), remembered(None)]), max_size=2)
ENDS = st.sampled_from(
    [
        None,  # killed
        finished(),
        finished(done=replace(DONE, run=2, digest="d2", made=("m",))),
        failed(made=("m",)),
        failed(interrupted=True),
        StepDestroyed(run=2, time=1.0, address="a"),
    ]
)
TRIES = st.tuples(BEGINNINGS, MEMORIES, ENDS).map(
    lambda t: [t[0], *t[1], *([t[2]] if t[2] else [])]
)


@given(st.lists(TRIES, max_size=4))
def test_a_record_has_a_short_history_that_makes_it_again(tries: list[list[Event]]) -> None:
    events = [event for each in tries for event in each]
    for record in folded(*events).values():
        short = history(record)
        assert folded(*short) == {"a": record}
        assert len(short) <= len(events)
