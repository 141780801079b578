"""What becomes of records whose steps are gone, and in which order things are undone."""

from __future__ import annotations

import itertools

import pytest

from lab.model.plan import Verb
from lab.model.state import Done, Record, Tried
from lab.planning.removals import backwards, destructions, removals


def record(address: str, *needs: str, when: float = 0.0, infra: bool = True) -> Record:
    return Record(
        address=address,
        kind="service" if infra else "job",
        target="local",
        infrastructure=infra,
        needs=needs,
        done=Done(run=1, digest="d", identity={}, finished=when),
    )


CHAIN = [record("a"), record("b", "a"), record("c", "b"), record("d", "a", "c")]


@pytest.mark.parametrize("records", list(itertools.permutations(CHAIN)))
def test_what_needs_others_goes_before_them(records: tuple[Record, ...]) -> None:
    assert [r.address for r in backwards(records)] == ["d", "c", "b", "a"]


def test_what_is_independent_goes_in_the_reverse_order_of_its_making() -> None:
    records = [record("a", when=3.0), record("b", when=1.0), record("c", when=2.0)]
    assert [r.address for r in backwards(records)] == ["a", "c", "b"]


def test_what_was_only_begun_counts_by_its_beginning() -> None:
    begun = Record(
        address="b", kind="job", target="local", tried=Tried(run=1, started=2.0, digest="d")
    )
    never = Record(address="n", kind="job", target="local")
    records = [record("a", when=1.0), begun, record("c", when=3.0), never]
    assert [r.address for r in backwards(records)] == ["c", "b", "a", "n"]


def test_needs_that_have_no_record_do_not_matter() -> None:
    assert [r.address for r in backwards([record("a", "gone", "a")])] == ["a"]


def test_records_that_need_each_other_still_go_the_newest_first() -> None:
    """Two versions of a Labfile may each have been acyclic, and their records not."""
    records = [record("a", "b", when=1.0), record("b", "a", when=2.0), record("c", when=3.0)]
    assert [r.address for r in backwards(records)] == ["c", "b", "a"]


def test_work_is_forgotten_and_infrastructure_destroyed() -> None:
    actions = removals([record("net"), record("train", "net", infra=False)])
    assert [(a.address, a.verb, a.asks) for a in actions] == [
        ("train", Verb.FORGET, False),
        ("net", Verb.DESTROY, True),
    ]
    assert str(actions[0]) == "x train: no longer in the Labfile"


def test_destroying_all_destroys_work_too() -> None:
    actions = destructions([record("net"), record("train", "net", infra=False)], "asked for")
    assert [str(a) for a in actions] == ["- train: asked for", "- net: asked for"]
    assert [a.asks for a in actions] == [False, True]
