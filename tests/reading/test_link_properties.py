"""Whatever steps refer to, linking ends in a graph whose order holds, or in faults with a place."""

from __future__ import annotations

import json
import re
from typing import Any

import networkx as nx
from catalogs import portable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linked import ENVIRON

from lab.model.diagnostic import LabfileError
from lab.model.graph import Graph
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import merge, parse

NAMES = ("a", "b", "c-d", "grid")
words = st.sampled_from(
    [
        *(
            "steps.a.outputs.x",
            "steps.b.outputs.x",
            "steps['c-d'].outputs.x",
            "steps.c-d.outputs.x",
        ),
        *("steps.grid.outputs.x", "steps.grid['n=1'].outputs.x", "steps.grid[matrix.n].outputs.x"),
        *("steps.a", "steps", "steps['a']['outputs']", "vars.v", "vars", "secrets.s", "matrix.n"),
        *("parameters.p", "step.dir", "lab.name", "env.HOME", "outputs.x", "nix", "1", "'t'", "-"),
        *(" ~ ", " | default(1)", " if ", " else ", "[0]", "(", ")", "}}", "{{", "{% if x %}"),
    ]
)
right = st.sampled_from(
    [
        *(
            "{{ steps.a.outputs.x }}",
            "{{ steps.b.outputs.x | default(1) }}",
            "{{ vars.v }}",
            "{{ 1 }}",
        ),
        *("{{ steps['c-d'].outputs.x }}", "{{ steps.grid['n=1'].outputs.x }}", "{{ lab.name }}"),
        *("{{ steps.grid.outputs.x }}", "{{ steps.grid['n=' ~ vars.v].outputs.x is defined }}"),
    ]
)
wrong = st.lists(words, max_size=4).map(lambda found: "{{ " + "".join(found) + " }}")
plain = st.sampled_from(["x", "out/a", "out/a/b", "in", "out/{{ vars.v }}"])


def labfiles(texts: st.SearchStrategy[str], names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Labfiles of four steps, whose templates are *texts*, and which name the steps *names*."""
    steps = st.fixed_dictionaries(
        {"kind": st.just("command"), "command": st.lists(texts | plain, min_size=1, max_size=3)},
        optional={
            "needs": st.sampled_from(names) | st.lists(st.sampled_from(names), max_size=2),
            "env": st.dictionaries(st.sampled_from(["A", "B_TOKEN"]), texts | plain, max_size=2),
            "when": st.booleans() | texts,
            "require": st.lists(texts, max_size=2),
            "inputs": st.lists(texts | plain, max_size=2),
            "artifacts": st.dictionaries(st.sampled_from(["m", "n"]), texts, max_size=2),
        },
    )
    return st.fixed_dictionaries(
        {
            "labfile": st.just(1),
            "vars": st.just({"v": 1}),
            "secrets": st.just({"s": {"env": "S"}}),
            "steps": st.fixed_dictionaries(
                dict.fromkeys(NAMES[:3], steps)
                | {"grid": steps.map(lambda step: {**step, "matrix": {"n": [1, 2]}})}
            ),
        },
        optional={"outputs": st.dictionaries(st.just("o"), texts, max_size=1)},
    )


def linked_tree(tree: dict[str, Any]) -> Graph:
    labfile = bind(
        merge(parse("Labfile.yaml", json.dumps(tree).encode()), []),
        root="/lab",
        source="/lab/Labfile.yaml",
        overlay="",
        given={},
        environ=ENVIRON,
        catalog=portable(),
    )
    return link(labfile, portable())


@settings(suppress_health_check=list(HealthCheck))
@given(labfiles(right, NAMES) | labfiles(right | wrong, (*NAMES, "nix", "grid[n=1]")))
def test_linking_ends(tree: dict[str, Any]) -> None:
    try:
        graph = linked_tree(tree)
    except LabfileError as error:
        assert all(each.summary and each.span for each in error.diagnostics)
        return
    seen: set[str] = set()
    for address in graph.steps:
        assert set(graph.needs[address]) <= seen
        assert set(graph.refs[address]) <= set(graph.needs[address])
        seen.add(address)
    assert graph.guarded <= {(a, b) for a, found in graph.refs.items() for b in found}
    assert seen == {step.address for step in graph.labfile.steps}


WAYS = (
    "needs",
    "{{ steps['NAME'].outputs.x }}",
    "{{ steps.NAME.outputs.x | default(1) }}",
    "when",
    "artifact",
)
edges = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from(WAYS)), max_size=12
)


def waiting(found: list[tuple[int, int, str]]) -> dict[str, Any]:
    """A Labfile of eight steps that wait for each other in these ways."""
    steps: dict[str, Any] = {
        f"s{i}": {
            "kind": "command",
            "command": ["x"],
            "needs": [],
            "when": "1 == 1",
            "artifacts": {"m": f"out/{i}"},
        }
        for i in range(8)
    }
    for at, upstream, way in found:
        step, name = steps[f"s{at}"], f"s{upstream}"
        match way:
            case "needs":
                step["needs"].append(name)
            case "when":
                step["when"] += f" and steps.{name}.outputs.x"
            case "artifact":
                step["command"].append(f"out/{upstream}/x")
            case text:
                step["command"].append(text.replace("NAME", name))
    return {"labfile": 1, "steps": steps}


@settings(suppress_health_check=list(HealthCheck))
@given(edges)
def test_the_graph_has_the_edges_that_are_written(found: list[tuple[int, int, str]]) -> None:
    # a step that names its own artifact says where it writes, not what it reads
    wanted = {(a, b) for a, b, way in found if (a, b, way) != (a, a, "artifact")}
    drawn = nx.DiGraph(wanted)
    try:
        graph = linked_tree(waiting(found))
    except LabfileError as error:
        [fault] = error.diagnostics
        assert not nx.is_directed_acyclic_graph(drawn)
        assert "wait" in fault.summary
        path = [int(each) for each in re.findall(r"s(\d)(?= ->|$)", fault.summary)]
        assert all(edge in wanted for edge in zip(path, path[1:], strict=False))
        return
    assert nx.is_directed_acyclic_graph(drawn)
    assert {(a, b) for a, needs in graph.needs.items() for b in needs} == {
        (f"s{a}", f"s{b}") for a, b in wanted
    }
    flows = {(a, b) for a, b, way in found if way not in ("needs", "artifact")}
    flows |= {(a, b) for a, b, way in found if way == "artifact" and a != b}
    assert {(a, b) for a, refs in graph.refs.items() for b in refs} == {
        (f"s{a}", f"s{b}") for a, b in flows
    }
    unguarded = {(a, b) for a, b, way in found if way not in (WAYS[0], WAYS[2])}
    assert graph.guarded == {(f"s{a}", f"s{b}") for a, b in flows - unguarded}
