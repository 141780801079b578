"""The matrix: which instances there are, what they are called, and what they see."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from binding import bound, faults, steps

from lab.model.tree import Json


def addresses(matrix: str, vars: str = "{}") -> list[str]:
    text = f"vars: {vars}\nsteps:\n  t: {{kind: command, command: [x], matrix: {matrix}}}\n"
    return [step.address for step in bound(text).steps]


def values(matrix: str) -> list[Mapping[str, Json]]:
    text = f"steps:\n  t: {{kind: command, command: [x], matrix: {matrix}}}\n"
    return [step.matrix for step in bound(text).steps]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("{lr: [0.1]}", ["t[lr=0.1]"]),
        (
            "{lr: [0.1, 0.01], units: [64, 128], exclude: [{lr: 0.01, units: 128}]}",
            [f"t[{k}]" for k in ("lr=0.1,units=64", "lr=0.1,units=128", "lr=0.01,units=64")],
        ),
        (
            "{x: [1e-4, 0x10, 1.0, true, yes, a b]}",
            [f"t[x={text}]" for text in ("0.0001", "16", "1.0", "true", "yes", "a b")],
        ),
        ("{team: {vision: {gpus: 2}, speech: 1}}", ["t[team=vision]", "t[team=speech]"]),
        ('{team: "{{ vars.teams }}"}', ["t[team=v]", "t[team=s]"]),
        ('{n: ["{{ vars.teams[0] }}", "{{ 1 + 1 }}"]}', ["t[n=v]", "t[n=2]"]),
        ("{a: [1, 2], b: [1, 2], exclude: [{a: 1, b: 2}, {b: 1}]}", ["t[a=2,b=2]"]),
        ("{a: [1, 2], exclude: [{a: '1'}]}", ["t[a=2]"]),
        ("{a: [1, 2], include: [{a: 1, x: 5}]}", ["t[a=1]", "t[a=2]"]),
        ("{a: [1], include: [{a: 3, x: 5}, {a: 4}]}", ["t[a=1]", "t[a=3,x=5]", "t[a=4]"]),
        ("{include: [{os: linux, n: 1}, {os: mac, n: 2}]}", ["t[os=linux,n=1]", "t[os=mac,n=2]"]),
        ("{a: [1, 2], exclude: [{a: 1}], include: [{a: 1}]}", ["t[a=2]", "t[a=1]"]),
    ],
    ids=str,
)
def test_addresses(matrix: str, expected: list[str]) -> None:
    assert addresses(matrix, "{teams: [v, s]}") == expected


def test_instances_are_known_by_their_step() -> None:
    labfile = bound("steps: {t: {kind: command, command: [x], matrix: {a: [1]}}, u: {like: t}}")
    assert labfile.instances == {"t": ("t[a=1]",), "u": ("u[a=1]",)}
    assert labfile.matrices == {"t", "u"}


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("{a: [1, b]}", [{"a": 1}, {"a": "b"}]),
        ("{t: {v: {g: 2}}}", [{"t": {"key": "v", "value": {"g": 2}}}]),
        ("{a: [1, 2], include: [{x: 5}]}", [{"a": 1, "x": 5}, {"a": 2, "x": 5}]),
        (
            "{a: [1, 2], b: [3], include: [{a: 1, x: 5}, {a: 1, x: 6}, {b: 3, y: [7]}]}",
            [{"a": 1, "b": 3, "x": 6, "y": [7]}, {"a": 2, "b": 3, "y": [7]}],
        ),
        ("{a: [1], include: [{a: 2.50, x: {y: 1}}]}", [{"a": 1}, {"a": 2.5, "x": {"y": 1}}]),
    ],
    ids=str,
)
def test_what_templates_see(matrix: str, expected: list[Mapping[str, Json]]) -> None:
    assert values(matrix) == expected


def test_static_options_see_the_matrix() -> None:
    found = steps(
        """
        targets: {box: {provider: docker}}
        steps:
          t:
            kind: command
            command: [x]
            matrix: {where: [local, box], minutes: [5]}
            target: "{{ matrix.where }}"
            timeout: "{{ matrix.minutes }}m"
            mutex: "{{ step.name }}-{{ matrix.where }}"
        """
    )
    assert [step.target.name for step in found.values()] == ["local", "box"]
    assert [step.options.mutex for step in found.values()] == [("t-local",), ("t-box",)]
    assert {step.options.timeout for step in found.values()} == {300.0}


def test_a_giant_matrix_is_refused_at_once() -> None:
    many = "[" + ", ".join(map(str, range(1000))) + "]"
    text = f"steps: {{t: {{kind: command, command: [x], matrix: {{a: {many}, b: {many}, c: {many}}}}}}}"
    started = time.process_time()
    (told,) = faults(text)
    assert time.process_time() - started < 1
    assert "the matrix makes 1,000,000,000 steps; a Labfile may have 10,000" in told


def test_the_limit_is_for_all_matrices_together() -> None:
    hundred = "[" + ", ".join(map(str, range(100))) + "]"
    half = f"{{kind: command, command: [x], matrix: {{a: {hundred}, b: [{'1'}, 2]}}}}"
    text = "steps:\n" + "".join(f"  s{i}: {half}\n" for i in range(50))
    assert len(bound(text).steps) == 10_000
    (told,) = faults(text + f"  more: {half}\n")
    assert told.startswith("Labfile.yaml:54:")


def test_ten_thousand_entries_take_a_moment() -> None:
    values_ = ", ".join(map(str, range(5000)))
    entries = ", ".join(f"{{a: {i}, x: {i}}}" for i in range(5000))
    out = ", ".join(f"{{a: {i}}}" for i in range(0, 5000, 2))
    text = f"matrix: {{a: [{values_}], include: [{entries}], exclude: [{out}]}}"
    started = time.process_time()
    labfile = bound(f"steps:\n  t:\n    kind: command\n    command: [x]\n    {text}\n")
    assert len(labfile.steps) == 5000
    assert time.process_time() - started < 10


def test_two_instances_never_have_one_address() -> None:
    told = faults(
        "steps: {t: {kind: command, command: [x], matrix: {a: ['1,b=2', '1'], b: ['2,b=2', '2']}}}"
    )
    assert len(told) == 1
    assert "two combinations have the same address: [a=1,b=2,b=2]" in told[0]
