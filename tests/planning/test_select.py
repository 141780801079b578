"""Which steps a command is about."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fakes.lab import graph_of
from hypothesis import given
from hypothesis import strategies as st

from lab.model.address import matches
from lab.model.diagnostic import PlanError
from lab.planning.select import Selection, left_out, picked

GRAPH = graph_of(
    """
    steps:
      env:   {kind: job, tags: [setup]}
      data:  {kind: job, needs: env}
      train: {kind: job, matrix: {lr: [0.1, 0.01], units: [1, 2]}, needs: data, tags: [fit, slow]}
      train2: {kind: job, needs: env}
      report: {kind: job, value: "{{ steps.train.outputs.value }}", tags: fit}
      alone: {kind: job}
    """
)
ALL = list(GRAPH.steps)
TRAIN = [a for a in ALL if a.startswith("train[")]


def chosen(patterns: Sequence[str]) -> list[str]:
    hits = picked(GRAPH.needs, patterns, ALL, "--only")
    return [address for address in ALL if address in hits]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["env"], ["env"]),
        (["train"], TRAIN),
        (["train*"], [*TRAIN, "train2"]),
        (["train?"], ["train2"]),
        (["train[lr=0.1,units=1]"], ["train[lr=0.1,units=1]"]),
        (["train[lr=0.1,*]"], ["train[lr=0.1,units=1]", "train[lr=0.1,units=2]"]),
        (["train[*]"], TRAIN),
        (["*units=2]"], ["train[lr=0.1,units=2]", "train[lr=0.01,units=2]"]),
        (["env", "alone"], ["env", "alone"]),
        (["+data"], ["env", "data"]),
        (["data+"], ["data", *TRAIN, "report"]),
        (["+data+"], ["env", "data", *TRAIN, "report"]),
        (["+train[lr=0.1,units=1]"], ["env", "data", "train[lr=0.1,units=1]"]),
        (["train[lr=0.1,units=1]+"], ["train[lr=0.1,units=1]", "report"]),
        (["*"], ALL),
        ([], []),
    ],
)
def test_patterns(patterns: list[str], expected: list[str]) -> None:
    assert sorted(chosen(patterns)) == sorted(expected)


@pytest.mark.parametrize("pattern", ["tran", "train[lr]", "[env]", "env[*]", "", "+", "t[rain]*"])
def test_a_pattern_that_picks_nothing_is_a_mistake(pattern: str) -> None:
    """Brackets stand for themselves, so that `[env]` is no set of letters."""
    with pytest.raises(PlanError) as refusal:
        chosen([pattern])
    assert refusal.value.diagnostics[0].summary == f"`--only {pattern}` picks nothing"


def test_a_misspelled_pattern_is_told_with_what_there_is() -> None:
    with pytest.raises(PlanError) as refusal:
        chosen(["+reprot"])
    (told,) = refusal.value.diagnostics
    assert told.help == "did you mean `report`?"
    assert "env, data" in told.detail


def reasons(**selection: Sequence[str]) -> dict[str, str]:
    return dict(left_out(GRAPH, Selection(**selection), ["gone"]))


def test_nothing_is_left_out_by_default() -> None:
    assert reasons() == {}
    assert Selection().everything
    assert not Selection(tags=["x"]).everything


def test_what_only_does_not_pick_is_left_out_also_if_it_is_gone_from_the_labfile() -> None:
    found = reasons(only=["+data"])
    assert set(found) == {*ALL, "gone"} - {"env", "data"}
    assert set(found.values()) == {"not picked by --only"}
    assert "gone" not in reasons(only=["gone"])


def test_exclude_takes_away_from_only() -> None:
    found = reasons(only=["+report"], exclude=["train[lr=0.1,*]", "env"])
    assert found["env"] == "left out by --exclude"
    assert found["train[lr=0.1,units=2]"] == "left out by --exclude"
    assert found["alone"] == "not picked by --only"
    assert set(ALL) - set(found) == {
        "data", "report", "train[lr=0.01,units=1]", "train[lr=0.01,units=2]",
    }  # fmt: skip


def test_tags_pick_steps_that_have_one_of_them() -> None:
    found = reasons(tags=["fit", "setup"])
    assert set(ALL) - set(found) == {"env", *TRAIN, "report"}
    assert found["alone"] == found["gone"] == "has none of the tags fit, setup"
    assert set(ALL) - set(reasons(tags=["slow"])) == set(TRAIN)


def test_a_tag_that_nothing_has_is_a_mistake() -> None:
    with pytest.raises(PlanError) as refusal:
        reasons(tags=["slwo"])
    (told,) = refusal.value.diagnostics
    assert told.summary == "`--tags slwo` picks nothing"
    assert told.help == "did you mean `slow`?"
    assert "fit, setup, slow" in told.detail


def test_excluding_what_is_not_there_is_a_mistake_too() -> None:
    with pytest.raises(PlanError, match="`--exclude nothing` picks nothing"):
        reasons(exclude=["nothing"])


@pytest.mark.parametrize(
    ("address", "pattern", "hit"),
    [
        ("train", "train", True),
        ("train", "Train", False),
        ("train", "tra*", True),
        ("train", "tr?in", True),
        ("train", "tr[a]in", False),
        ("train[a=1]", "train", True),
        ("train[a=1]", "tr*", True),
        ("train[a=1]", "train[a=1]", True),
        ("train[a=1]", "train[a=*]", True),
        ("train[a=1]", "train[a=2]", False),
        ("train2[a=1]", "train", False),
        ("kubeflow/install", "kubeflow/*", True),
        ("train[!a]", "train[!a]", True),
    ],
)
def test_only_stars_and_question_marks_are_special(address: str, pattern: str, hit: bool) -> None:
    assert matches(address, pattern) is hit


@given(st.text("abc=.,/# é[]!", min_size=1, max_size=8))
def test_an_address_is_picked_by_itself_alone(key: str) -> None:
    address = f"train[{key}]"
    assert matches(address, address)
    assert not matches(address + "x", address)
    assert not matches("train", address)
