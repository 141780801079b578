"""Linking: which steps wait for which, and what flows along the edges."""

from __future__ import annotations

import pytest
from linked import linked, told

HEAD = """
vars: {lr: 0.1, where: out}
secrets: {hub_token: {env: HUB_TOKEN}}
outputs: {all: "{{ vars }}"}
"""
BASE = (
    HEAD
    + """
steps:
  env: {kind: environment, requirements: [keras]}
  data: {kind: dataset, url: "https://example.com/x.npz"}
  train:
    kind: training
    matrix: {lr: [0.1, 0.2]}
    command: [python, train.py]
  my-step: {kind: command, command: "true"}
"""
)


@pytest.mark.parametrize(
    ("step", "needs", "refs"),
    [
        ("command: 'true'", "", ""),
        ("command: 'true', needs: data", "data", ""),
        ("command: 'true', needs: [data, env]", "data env", ""),
        ("command: 'true', needs: train", "train[lr=0.1] train[lr=0.2]", ""),
        ("command: 'true', needs: ['train[lr=0.2]']", "train[lr=0.2]", ""),
        ("command: 'cat {{ steps.data.outputs.path }}'", "data", "data"),
        ("command: [cat, '{{ steps.data.outputs.path }}']", "data", "data"),
        ("command: \"cat {{ steps['data']['outputs'].path }}\"", "data", "data"),
        ("command: \"cat {{ steps['my-step'].outputs.x }}\"", "my-step", "my-step"),
        ("command: 'true', needs: env, stdin: '{{ steps.data.outputs }}'", "env data", "data"),
        ("command: 'true', env: {A: '{{ steps.data.outputs.path }}'}", "data", "data"),
        ("command: 'true', inputs: ['{{ steps.data.outputs.path }}']", "data", "data"),
        ("command: 'true', when: steps.data.outputs.rows > 1", "data", "data"),
        ("command: 'true', when: '{{ steps.data.outputs.rows > 1 }}'", "data", "data"),
        ("command: 'true', require: [outputs.x > steps.data.outputs.rows]", "data", "data"),
        ("command: 'true', artifacts: {a: '{{ steps.data.outputs.path }}/x'}", "data", "data"),
        ("command: 'true', environment: env", "env", "env"),
        (
            "command: 'cat {{ steps.train.outputs.model }}'",
            "train[lr=0.1] train[lr=0.2]",
            "train[lr=0.1] train[lr=0.2]",
        ),
        (
            "command: 'cat {{ steps.train.outputs.model[0] }}'",
            "train[lr=0.1] train[lr=0.2]",
            "train[lr=0.1] train[lr=0.2]",
        ),
        (
            "command: \"cat {{ steps.train['lr=0.2'].outputs.model }}\"",
            "train[lr=0.2]",
            "train[lr=0.2]",
        ),
        (
            "command: \"cat {{ steps.train['lr=' ~ vars.lr].outputs.model }}\"",
            "train[lr=0.1]",
            "train[lr=0.1]",
        ),
        ("command: 'cat {{ steps.data.outputs.path | default(1) }}'", "data", "data?"),
        ("command: 'cat {{ steps.data.outputs.path is defined }}'", "data", "data?"),
        (
            "command: 'cat {{ steps.data.outputs.a | default(1) ~ steps.data.outputs.b }}'",
            "data",
            "data",
        ),
    ],
)
def test_edges(step: str, needs: str, refs: str) -> None:
    graph = linked(BASE + f"  x: {{kind: command, {step}}}\n")
    guarded = {upstream for address, upstream in graph.guarded if address == "x"}
    assert graph.needs["x"] == tuple(needs.split())
    assert [f"{a}{'?' if a in guarded else ''}" for a in graph.refs["x"]] == refs.split()


def test_instances_find_their_partners() -> None:
    graph = linked(
        BASE
        + """
  test:
    kind: command
    matrix: {lr: [0.2, 0.1]}
    command: "cat {{ steps.train['lr=' ~ matrix.lr].outputs.model }}"
"""
    )
    assert graph.refs["test[lr=0.2]"] == ("train[lr=0.2]",)
    assert graph.refs["test[lr=0.1]"] == ("train[lr=0.1]",)


def test_steps_come_in_an_order_in_which_they_may_run() -> None:
    graph = linked(
        """
steps:
  c: {kind: command, command: "echo {{ steps.b.outputs.x }}"}
  b: {kind: command, command: "true", needs: a}
  d: {kind: command, command: "true"}
  a: {kind: command, command: "true"}
"""
    )
    assert list(graph.steps) == ["d", "a", "b", "c"]


def test_what_like_copies_refers_too() -> None:
    graph = linked(BASE + "  a: {kind: command, command: x, environment: env}\n  b: {like: a}\n")
    assert graph.refs["b"] == ("env",)


def test_a_targets_fields_refer() -> None:
    graph = linked(
        BASE.replace(
            "steps:",
            "targets: {box: {provider: docker, host: '{{ steps.data.outputs.x }}'}}\nsteps:",
        )
        + "  x: {kind: command, command: 'true', target: box}\n"
    )
    assert graph.refs["x"] == ("data",)


@pytest.mark.parametrize(
    ("reader", "inside"),
    [
        ("command: [cat, out/m]", {"out/m": "maker"}),
        ("command: [cat, ./out//m/]", {"out/m": "maker"}),
        ("command: [cat, out/m/a/b.txt]", {"out/m/a/b.txt": "maker"}),
        ("command: [tool, --data=out/m/x]", {"out/m/x": "maker"}),
        ("command: 'cat out/m | wc -l'", {"out/m": "maker"}),
        ("command: [cat, m/x], cwd: out", {"out/m/x": "maker"}),
        ("command: [cat, ../out/m/x], cwd: src", {"out/m/x": "maker"}),
        ("command: x, inputs: [out/m]", {"out/m": "maker"}),
        ("command: x, inputs: ['out/m/*.csv']", {"out/m": "maker"}),
        ("command: [cat, here/n]", {"here/n": "maker"}),
        ("command: [cat, out]", {}),
        ("command: [cat, out/mm]", {}),
        ("command: [cat, /out/m]", {}),
        ("command: [cat, ../out/m]", {}),
        ("command: [cat, '{{ vars.lr }}/out/m']", {}),
        ("command: [cat, out/own], artifacts: {a: out/own}", {}),
    ],
)
def test_what_lies_in_anothers_artifact_is_a_reference(reader: str, inside: dict[str, str]) -> None:
    graph = linked(
        BASE
        + f"""
  reader: {{kind: command, {reader}}}
  maker: {{kind: command, command: "true", artifacts: {{m: out/m, n: "{{{{ 'here' }}}}/n"}}}}
"""
    )
    assert graph.inside.get("reader", {}) == inside
    assert graph.refs["reader"] == tuple(dict.fromkeys(inside.values()))


@pytest.mark.parametrize(
    ("one", "other", "clashes"),
    [
        ("out/m", "out/m", True),
        ("out/m", "./out//m/", True),
        ("out/m", "/lab/out/m", True),
        ("out/m", "{{ vars.where }}/m", True),
        ("{{ lab.root }}/out/m", "out/m", True),
        ("out/m", "out/n", False),
        ("out/m", "out/mx", False),
        ("{{ step.dir }}/m", "{{ step.dir }}/m", False),
        ("{{ steps.data.outputs.path }}/m", "{{ steps.data.outputs.path }}/m", False),
    ],
)
def test_two_steps_may_not_make_one_artifact(one: str, other: str, clashes: object) -> None:
    found = told(
        BASE
        + f"""
  one: {{kind: command, command: x, artifacts: {{m: "{one}"}}}}
  two: {{kind: command, command: x, artifacts: {{m: "{other}"}}}}
"""
    )
    assert bool(found) is clashes
    if clashes:
        assert f"\"{other}\" | 'one' and 'two' make the same artifact out/m | " in found[0]
        assert "{{ step.dir }}/m" in found[0]


def test_the_instances_of_a_matrix_may_not_make_one_artifact() -> None:
    step = "  x: {kind: command, matrix: {n: [1, 2, 3]}, command: x, artifacts: {m: out/MM}}\n"
    [fault] = told(BASE + step.replace("MM", "m"))
    assert "every instance of 'x' makes the same artifact out/m" in fault
    assert not told(BASE + step.replace("out/MM", "'out/{{ matrix.n }}'"))


def test_one_step_may_make_a_file_and_say_so_twice() -> None:
    step = "  x: {kind: command, command: x, artifacts: {a: out/m, b: out/m}}\n"
    assert not told(BASE + step)
