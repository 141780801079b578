"""Order, cycles, and what lies up and down a graph."""

from __future__ import annotations

import pytest
from fakes.lab import graph_of
from hypothesis import given
from hypothesis import strategies as st

from lab.model.graph import CycleError, among, closure, in_order


def ordered(text: str) -> str:
    """`a<b,c d` means that a needs b and c, and d nothing; written in this order."""
    needs = {}
    for word in text.split():
        name, _, upstreams = word.partition("<")
        needs[name] = upstreams.split(",") if upstreams else []
    return " ".join(in_order(needs, needs))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("c b a", "c b a"),
        ("a<b b", "b a"),
        ("a<c b c", "b c a"),
        ("a b<a c<a d<b,c", "a b c d"),
        ("d<b,c c<a b<a a", "a c b d"),
        ("x<z y z", "y z x"),
        ("a<b,b b", "b a"),
        ("late<z early z", "early z late"),
    ],
)
def test_as_early_as_the_author_wrote_it(text: str, expected: str) -> None:
    assert ordered(text) == expected


@pytest.mark.parametrize(
    ("text", "cycle"),
    [
        ("a<a", "a a"),
        ("a<b b<a", "a b a"),
        ("x a<b b<c c<a y<a", "a b c a"),
        ("a<b b<c,a c<d d<a", "a b a"),
        ("free a<free,b b<a tail<b", "a b a"),
    ],
)
def test_cycles_are_told_by_their_path(text: str, cycle: str) -> None:
    with pytest.raises(CycleError) as refusal:
        ordered(text)
    assert " ".join(refusal.value.cycle) == cycle
    assert str(refusal.value) == " -> ".join(cycle.split())


def test_the_cycle_is_the_shortest_through_its_first_step() -> None:
    with pytest.raises(CycleError) as refusal:
        ordered("a<b,e b<c c<d d<a e<a")
    assert refusal.value.cycle == ("a", "e", "a")


@given(st.data())
def test_any_acyclic_needs_are_kept_and_the_order_is_the_earliest(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 12))
    names = data.draw(st.permutations([f"s{i}" for i in range(count)]))
    rank = {name: int(name[1:]) for name in names}
    needs = {
        name: [
            other
            for other in names
            if rank[other] < rank[name] and data.draw(st.integers(0, 2)) == 0
        ]
        for name in names
    }
    order = in_order(names, needs)
    assert sorted(order) == sorted(names)
    place = {name: i for i, name in enumerate(order)}
    assert all(place[up] < place[name] for name in names for up in needs[name])
    for i, name in enumerate(order):
        done = set(order[:i])
        ready = [n for n in names if n not in done and set(needs[n]) <= done]
        assert name == ready[0]


def test_up_and_down_the_graph() -> None:
    graph = graph_of(
        """
        steps:
          a: {kind: job}
          b: {kind: job, needs: a}
          c: {kind: job, value: "{{ steps.b.outputs.value }}"}
          d: {kind: job, needs: a}
        """
    )
    assert graph.upstream(["c"]) == {"a", "b"}
    assert graph.downstream(["a"]) == {"b", "c", "d"}
    assert graph.downstream(["c"]) == graph.upstream(["a"]) == set()
    assert graph.dependents() == {"a": ["b", "d"], "b": ["c"], "c": [], "d": []}
    assert closure(["x"], {"x": ["y"], "y": ["x"]}) == {"x", "y"}


def test_what_waits_through_others() -> None:
    graph = graph_of(
        """
        steps:
          a: {kind: job}
          b: {kind: job, needs: a}
          c: {kind: job, needs: [b, a]}
          d: {kind: job, needs: [c, b]}
        """
    )
    assert among(graph, {"a", "d"}) == {"a": (), "d": ("a",)}
    assert among(graph, {"b", "d"}) == {"b": (), "d": ("b",)}
    assert among(graph, set("abcd")) == {"a": (), "b": ("a",), "c": ("b", "a"), "d": ("c", "b")}
    assert among(graph, set()) == {}
