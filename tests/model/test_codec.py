"""Events and records survive being stored, wherever the checkout lies when they are read again."""

from __future__ import annotations

import contextlib
import json
from dataclasses import fields, replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.model.codec import (
    KINDS,
    CodecError,
    Later,
    dumps,
    event_from_json,
    event_to_json,
    is_journaled,
    loads,
    record_from_json,
    record_from_texts,
    record_to_json,
    record_to_texts,
)
from lab.model.diagnostic import StateError
from lab.model.event import Event, RunStarted, StepFinished, StepKept, StepProgress
from lab.model.state import Done, Record, Tried
from lab.model.values import Artifact

ROOT = "/home/ann/lab"

numbers = st.integers() | st.floats(allow_nan=False)
paths = st.sampled_from(["", ROOT, f"{ROOT}/a/b", f"{ROOT}x/a", "/tmp/x", "a/b", "/"]) | st.text()
keys = st.sampled_from(["$root", "$artifact", "$map", "$", "a", "\ud800"]) | st.text(max_size=5)
plain = st.recursive(
    st.none() | st.booleans() | numbers | paths,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
artifacts = st.builds(Artifact, paths, st.text(max_size=8), st.integers(min_value=0))
values = st.recursive(
    plain | artifacts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(keys, plain, max_size=3)
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(),
    "float": st.floats(allow_nan=False),
    "float | None": st.none() | st.floats(allow_nan=False),
    "str": paths,
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(st.text(max_size=5), max_size=3).map(tuple),
    "Mapping[str, int]": st.dictionaries(keys, st.integers(), max_size=3),
    "Mapping[str, float]": st.dictionaries(keys, st.floats(allow_nan=False), max_size=3),
    "Mapping[str, Json]": objects,
    "Mapping[str, Value]": st.dictionaries(keys, values, max_size=3),
    "Json": plain,
    "Done": st.deferred(lambda: of(Done)),
    "Done | None": st.none() | st.deferred(lambda: of(Done)),
    "Tried | None": st.none() | st.deferred(lambda: of(Tried)),
}


def of(cls: type) -> st.SearchStrategy[Any]:
    chosen = {each.name: BY_TYPE[cast(str, each.type)] for each in fields(cls)}
    return st.builds(cls, **chosen)


events: st.SearchStrategy[Event] = st.one_of([of(cls) for cls in KINDS])


@given(events)
def test_every_event_survives(event: Event) -> None:
    assert event_from_json(loads(dumps(event_to_json(event, ROOT))), ROOT) == event


@given(of(Record))
def test_every_record_survives_both_ways_of_writing_it(record: Record) -> None:
    assert record_from_json(loads(dumps(record_to_json(record, ROOT))), ROOT) == record
    texts = record_to_texts(record, ROOT)
    again = record_from_texts(*texts, ROOT)
    assert again == record
    assert record_to_texts(again, ROOT) == texts


@given(of(Record))
@settings(max_examples=20)
def test_text_is_ascii_and_one_line(record: Record) -> None:
    for text in record_to_texts(record, ROOT):
        assert text is None or (text.isascii() and "\n" not in text)


def a_record(root: str) -> Record:
    return Record(
        address="train[lr=0.1]",
        kind="training",
        target="local",
        fields={"kubeconfig": f"{root}/kube/config"},
        memory={"file": f"{root}/x", "$root": "a user's own key"},
        done=Done(
            run=1,
            digest="sha256:1",
            identity={"command": ["python", "train.py"]},
            outputs={"model": Artifact(f"{root}/out/m", "sha256:2", 3), "host": "/etc/hosts"},
            log=f"{root}/.lab/log",
        ),
        tried=Tried(run=2, started=1.0, digest="sha256:3", log=f"{root}/.lab/log2"),
    )


def test_moving_the_checkout_changes_nothing_that_is_stored() -> None:
    assert record_to_texts(a_record("/old"), "/old") == record_to_texts(
        a_record("/new/x"), "/new/x"
    )
    assert record_from_texts(*record_to_texts(a_record("/old"), "/old"), "/new") == a_record("/new")
    event = RunStarted(run=1, time=0.0, command="lab apply", labfile="/old/Labfile.yaml")
    moved = event_from_json(event_to_json(event, "/old"), "/new")
    assert moved == replace(event, labfile="/new/Labfile.yaml")


def test_a_newer_lab_may_add_fields_and_kinds() -> None:
    data = record_to_json(a_record(ROOT), ROOT)
    done = cast("dict[str, Any]", data["done"])
    widened = {**data, "colour": {"x": 1}, "done": {**done, "taste": []}}
    assert record_from_json(widened, ROOT) == a_record(ROOT)
    assert event_from_json({"event": "step.danced", "run": 1, "time": 2.0}, ROOT) is None


def test_an_older_lab_may_have_left_fields_out() -> None:
    read = record_from_json({"address": "a", "kind": "command", "target": "local"}, ROOT)
    assert read == Record(address="a", kind="command", target="local")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"event": 1},
        {"event": "step.kept"},
        {"event": "step.kept", "run": "1", "time": 0.0, "address": "a", "cause": ""},
        {"event": "step.finished", "run": 1, "time": 0.0, "address": "a", "done": None},
        {"event": "step.finished", "run": 1, "time": 0.0, "address": "a", "done": {"run": 1}},
        {"event": "run.started", "run": 1, "time": 0.0, "command": [], "labfile": ""},
    ],
)
def test_what_is_no_event_is_refused(data: Any) -> None:
    with pytest.raises(CodecError):
        event_from_json(data, ROOT)


@given(st.recursive(plain, lambda inner: st.dictionaries(st.sampled_from(
    ["event", "address", "done", "tried", "needs", "memory", "outputs", "log", "identity", "run"]
), inner, max_size=6), max_leaves=10))  # fmt: skip
def test_any_json_is_a_record_or_an_error(data: Any) -> None:
    for word in KINDS.values():
        with contextlib.suppress(CodecError):
            event_from_json({**data, "event": word} if isinstance(data, dict) else data, ROOT)
    with contextlib.suppress(CodecError):
        record_from_json(data, ROOT)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"' + "\\ud800" * 2, "1" * 5000 + "x"])
def test_any_text_is_json_or_an_error(text: str) -> None:
    with pytest.raises(CodecError):
        loads(text)


def test_an_identity_is_parsed_when_looked_into() -> None:
    text, identity = record_to_texts(a_record(ROOT), ROOT)
    read = record_from_texts(text, identity, ROOT)
    assert read.done is not None
    assert isinstance(read.done.identity, Later)
    assert read.done.identity == {"command": ["python", "train.py"]}
    assert json.loads(dumps(read.done.identity)) == dict(read.done.identity)


def test_a_damaged_identity_is_told_when_looked_into() -> None:
    text, _ = record_to_texts(a_record(ROOT), ROOT)
    for broken in ("{", "[]"):
        read = record_from_texts(text, broken, ROOT)
        assert read.done is not None
        with pytest.raises(StateError, match="damaged"):
            len(read.done.identity)


def test_what_is_not_json_is_refused_when_written() -> None:
    done = Done(run=1, digest="", identity={}, outputs={"x": cast(Any, object())})
    event = StepFinished(run=1, time=0.0, address="a", done=done)
    with pytest.raises(TypeError):
        event_to_json(event, ROOT)


def test_passing_events_are_not_journaled() -> None:
    passing = {cls for cls in KINDS if not is_journaled(cast(Any, cls.__new__(cls)))}
    assert passing == {StepProgress, StepKept}


def test_the_words_of_the_contract() -> None:
    assert set(KINDS.values()) >= {
        "run.started", "step.started", "step.progress", "step.finished", "step.failed",
        "step.kept", "step.skipped", "step.destroyed", "run.finished",
    }  # fmt: skip
    assert len(set(KINDS.values())) == len(KINDS)
