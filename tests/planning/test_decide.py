"""What is to be done with a step, and the reason that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from fakes.kinds import Job, Service

from lab.model.plan import Change, Verb
from lab.model.state import Done, Record, Tried
from lab.model.tree import digest
from lab.model.values import ABSENT, Unknown
from lab.planning.decide import UNSEEN, NotAsked, Seen, decide, differences, replacing
from lab.planning.digest import Wanted, unknowns_in
from lab.provider import Observation

SAME: dict[str, Any] = {"kind": "job", "target": "local", "run": ["python", "train.py"]}


def wanted(**over: Any) -> Wanted:
    identity = {**SAME, **over}
    unknown = unknowns_in(identity)
    return Wanted(identity=identity, digest="" if unknown else digest(identity), unknown=unknown)


def record(
    *, done: Mapping[str, Any] | None = SAME, tried: Tried | None = None, **over: Any
) -> Record:
    finished = Done(run=1, digest=digest(done), identity=done) if done is not None else None
    return Record(address="train", kind="job", target="local", done=finished, tried=tried, **over)


def told(
    want: Wanted, have: Record | None, seen: Seen = UNSEEN, spec: type[Any] = Job, **how: bool
) -> str:
    decision = decide(want, have, seen, spec_type=spec, **how)
    return f"{decision.verb.sign} {decision.cause}"


INTERRUPTED = Tried(run=4, started=1.0, digest="d")
FAILED = Tried(run=5, started=1.0, digest="d", error="exit 1\nand more", interrupted=False)


@pytest.mark.parametrize(
    ("have", "expected"),
    [
        (None, "+ never ran"),
        (record(done=None), "+ never ran"),
        (record(), "= nothing changed"),
        (record(tried=INTERRUPTED), "~ last run was interrupted (run 4)"),
        (record(done=None, tried=INTERRUPTED), "+ last run was interrupted (run 4)"),
        (record(tried=FAILED), "~ last run failed (run 5): exit 1"),
        (record(done=None, tried=FAILED), "+ last run failed (run 5): exit 1"),
    ],
)
def test_what_is_remembered_decides_first(have: Record | None, expected: str) -> None:
    assert told(wanted(), have) == expected


def test_a_failure_without_words_is_told_too() -> None:
    silent = Tried(run=5, started=1.0, digest="d", error="", interrupted=False)
    assert told(wanted(), record(tried=silent)) == "~ last run failed (run 5)"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"run": ["python", "train.py", "-v"]}, "~ `run` changed"),
        ({"env": {"LR": "1"}}, "~ `env.LR` changed"),
        ({"env": {"LR": "1", "UNITS": "2"}}, "~ `env.LR`, `env.UNITS` changed"),
        ({"inputs": {"train.py": "sha256:1"}}, "~ input `train.py` changed"),
        ({"inputs": {"a[0]/x.py": "sha256:1"}}, "~ input `a[0]/x.py` changed"),
        ({"value": {"a": 1, "b": [1, 2]}}, "~ `value` changed"),
        (
            {"run": "x", "env": {"A": "1"}, "value": 1, "inputs": {"b": "2", "c": "3"}},
            "~ `run`, `env.A`, `value` and 2 more changed",
        ),
        ({"target": "remote"}, "± `target` changed"),
        ({"target": {"provider": "local", "host": "x"}}, "± `target` changed"),
        ({"kind": "other"}, "± `kind` changed"),
        ({"version": 2}, "~ `version` changed"),
    ],
)
def test_what_changed_is_named(now: dict[str, Any], expected: str) -> None:
    assert told(wanted(**now), record()) == expected


def test_the_change_of_an_option_that_replaces_makes_anew() -> None:
    before = {"kind": "service", "target": "local", "value": 1}
    have = record(done=before)
    assert told(wanted_service(value=2), have, spec=Service) == "~ `value` changed"
    assert told(wanted_service(value=1, region="us"), have, spec=Service) == "± `region` changed"
    both = wanted_service(value=2, region="us")
    assert told(both, have, spec=Service) == "± `value`, `region` changed"
    inside = wanted_service(value=1, region={"zone": "a"})
    assert told(inside, have, spec=Service) == "± `region` changed"
    assert replacing(Service) == {"region"}


def wanted_service(**keys: Any) -> Wanted:
    identity = {"kind": "service", "target": "local", **keys}
    return Wanted(identity=identity, digest=digest(identity))


@pytest.mark.parametrize("tried", [INTERRUPTED, FAILED], ids=["interrupted", "failed"])
def test_what_was_to_be_made_anew_still_is_after_a_try_that_did_not_end(tried: Tried) -> None:
    """Else the old thing, of which only this record tells, would stay for ever."""
    have = record(done={"kind": "service", "target": "local", "value": 1}, tried=tried)
    decision = decide(wanted_service(value=1, region="us"), have, spec_type=Service)
    assert decision.verb is Verb.REPLACE
    assert decide(wanted_service(value=2), have, spec_type=Service).verb is Verb.UPDATE
    asked = decide(wanted_service(value=1, region="us"), have, spec_type=Service, cache=False)
    assert asked.verb is Verb.REPLACE


def test_half_a_thing_of_another_kind_or_place_is_undone_by_whoever_began_it() -> None:
    half = Record(
        address="train", kind="service", target="box", place="remote", infrastructure=True,
        tried=INTERRUPTED,
    )  # fmt: skip

    def verb(record: Record, **identity: Any) -> Verb:
        whole = {"kind": "service", "target": "remote", **identity}
        wanted = Wanted(identity=whole, digest=digest(whole))
        return decide(wanted, record, spec_type=Service).verb

    assert verb(half) is Verb.CREATE
    assert verb(half, value=3) is Verb.CREATE
    assert verb(half, target={"provider": "remote", "host": "h"}) is Verb.CREATE
    assert verb(half, target="local") is Verb.REPLACE
    assert verb(half, target={"provider": "local", "host": "h"}) is Verb.REPLACE
    assert verb(half, kind="job") is Verb.REPLACE
    assert verb(replace(half, infrastructure=False), kind="job") is Verb.CREATE


def test_replacing_is_asked_for() -> None:
    assert told(wanted(), record(), replace=True) == "± asked for with --replace"
    assert told(wanted(), record(tried=FAILED), replace=True) == "± asked for with --replace"
    assert told(wanted(), None, replace=True) == "+ never ran"
    unmade = record(done=None, tried=FAILED)
    assert told(wanted(), unmade, replace=True) == "+ asked for with --replace"


def test_a_step_without_cache_runs_every_time() -> None:
    assert told(wanted(), record(), cache=False) == "~ runs every time (`cache: false`)"
    assert told(wanted(), None, cache=False) == "+ never ran"
    assert told(wanted(), record(tried=FAILED), cache=False).startswith("~ last run failed")


def test_unknown_until_something_else_has_run() -> None:
    later = wanted(value=Unknown(("prep",)))
    assert told(later, record()) == "? depends on prep"
    assert told(later, None) == "+ never ran"
    many = wanted(value=[Unknown(("a", "b")), Unknown(("c", "d"))])
    assert told(many, record(done={**SAME, "value": [1, 2]})) == "? depends on a, b, c and 1 more"


def test_what_is_known_to_differ_decides_though_more_is_unknown() -> None:
    later = wanted(value=Unknown(("prep",)), run="other")
    assert told(later, record()) == "~ `run` changed"
    new = wanted(value=Unknown(("prep",)), target="remote")
    assert told(new, record()) == "± `target` changed"


def test_an_unknown_that_replaces_is_no_reason_to_replace() -> None:
    have = record(done={"kind": "service", "target": "local", "value": 1, "region": "us"})
    later = {"kind": "service", "target": "local", "value": 2, "region": Unknown(("a",))}
    want = Wanted(identity=later, digest="", unknown=("a",))
    assert told(want, have, spec=Service) == "~ `value` changed"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Seen(gone=("model",)), "~ artifact `model` is gone"),
        (Seen(gone=("model", "log")), "~ artifact `model`, `log` is gone"),
        (Seen(altered=("model",)), "~ artifact `model` is not as it was made"),
        (Seen(gone=("a",), altered=("b",)), "~ artifact `a` is gone"),
        (Seen(observation=None), "~ gone from the world"),
        (Seen(observation=Observation()), "= nothing changed"),
        (Seen(observation=NotAsked()), "= nothing changed"),
        (
            Seen(observation=Observation(drift=(Change("replicas", 3, 2),))),
            "~ `replicas` drifted",
        ),
    ],
)
def test_what_is_there_decides_last(seen: Seen, expected: str) -> None:
    assert told(wanted(), record(), seen) == expected


def test_a_change_is_told_rather_than_what_is_there() -> None:
    assert told(wanted(run="x"), record(), Seen(observation=None)) == "~ `run` changed"


def test_drift_is_shown() -> None:
    drift = (Change("replicas", 3, 2), Change("image", "a", "b"))
    seen = Seen(observation=Observation(drift=drift))
    decision = decide(wanted(), record(), seen, spec_type=Job)
    assert decision.changes == drift


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"value": 1}, {"value": 1}, []),
        ({"value": 1}, {"value": 1.0}, ["value: 1 -> 1.0"]),
        ({"value": 1}, {"value": True}, ["value: 1 -> true"]),
        ({"value": 0.0}, {"value": False}, ["value: 0.0 -> false"]),
        ({"value": "1"}, {"value": 1}, ['value: "1" -> 1']),
        ({"value": None}, {}, ["value: null -> (absent)"]),
        ({}, {"value": None}, ["value: (absent) -> null"]),
        ({"value": [1, 2]}, {"value": [1, 3]}, ["value[1]: 2 -> 3"]),
        ({"value": [1, 2]}, {"value": [1]}, ["value: [1, 2] -> [1]"]),
        ({"value": {"a": 1}}, {"value": {"a": 1, "b": 2}}, ["value.b: (absent) -> 2"]),
        ({"value": {"a": {"b": 1}}}, {"value": {"a": {"b": 2}}}, ["value.a.b: 1 -> 2"]),
        ({"value": {"a": 1}}, {"value": {}}, ["value.a: 1 -> (absent)"]),
        ({"value": {"a": 1}}, {"value": [1]}, ['value: {"a": 1} -> [1]']),
        ({"value": {"a": 1}}, {}, ["value.a: 1 -> (absent)"]),
        ({}, {"value": {}}, ["value: (absent) -> {}"]),
        ({"value": {}}, {}, ["value: {} -> (absent)"]),
        ({"value": 1}, {"value": Unknown(("a",))}, ["value: 1 -> (known after a)"]),
        (
            {"inputs": {"train.py": "sha256:1"}},
            {"inputs": {"train.py": "sha256:2"}},
            ['inputs[train.py]: "sha256:1" -> "sha256:2"'],
        ),
        ({"env": {"A B": "1"}}, {"env": {"A B": "2"}}, ['env[\'A B\']: "1" -> "2"']),
        ({"value": [True]}, {"value": [1]}, ["value[0]: true -> 1"]),
        ({"value": [[1], [2]]}, {"value": [[1], [3]]}, ["value[1][0]: 2 -> 3"]),
    ],
)
def test_differences(before: Any, after: Any, expected: list[str]) -> None:
    want = Wanted(identity=after, digest="" if unknowns_in(after) else digest(after))
    assert [str(change) for change in differences(before, want)] == expected


def test_a_step_that_never_ran_differs_in_nothing() -> None:
    assert list(differences(None, wanted())) == []


def test_a_value_that_is_no_number_does_not_differ_from_itself() -> None:
    """nan is not equal to itself, but the identity is the same text."""
    nan = float("nan")
    before = {**SAME, "value": nan}
    have = Record(
        address="train", kind="job", target="local",
        done=Done(run=1, digest=digest(before), identity=before),
    )  # fmt: skip
    assert told(wanted(value=float("nan")), have) == "= nothing changed"


def test_absent_is_no_value_at_all() -> None:
    change = next(differences({"value": 1}, Wanted(identity={}, digest="x")))
    assert change.after is ABSENT
