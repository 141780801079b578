"""What `lab output` prints: the Labfile's outputs over what is recorded."""

from __future__ import annotations

import json

import pytest
from past import Past

from lab.model.values import Artifact

STEPS = """  a: {kind: command, command: [x]}
  b: {kind: command, command: [x]}
  s: {kind: command, command: [x], when: false}
  m: {kind: command, matrix: {k: [1, 2]}, command: [x]}
outputs:
  score: "{{ steps.a.outputs.score }}"
  name: "{{ steps.a.outputs.name }}"
  model: "{{ steps.a.outputs.model }}"
  all: "{{ steps.m.outputs.v }}"
  text: "score {{ steps.a.outputs.score }}"
  later: "{{ steps.b.outputs.v }}"
  skipped: "{{ steps.s.outputs.v }}"
  fixed: 3
"""


@pytest.fixture
def full(past: Past) -> Past:
    past.labfile(STEPS)
    past.run()
    model = Artifact(f"{past.root}/m", "sha256:1", 3)
    past.done("a", {"score": 0.123456789, "name": "a b", "model": model}, digest="sha256:old")
    past.done("m[k=1]", {"v": 1})
    past.done("m[k=2]", {"v": 2})
    past.end()
    return past


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("score", "0.123456789"),
        ("name", "a b"),
        ("all", "[1, 2]"),
        ("text", "score 0.123456789"),
        ("skipped", "null"),
        ("fixed", "3"),
    ],
)
def test_one_is_bare_and_exact(full: Past, name: str, bare: str) -> None:
    ran = full("output", name)
    assert ran.out == bare + "\n" and ran.err == ""


def test_one_as_json(full: Past) -> None:
    assert full("output", "name", "--json").out == '"a b"\n'
    assert full("output", "model").out == f"{full.root}/m\n"
    assert full("output", "Labfile.yaml", "score").out == "0.123456789\n"


def test_json_is_a_flat_map_and_what_is_missing_is_noted_aside(full: Past) -> None:
    ran = full("output", "--json")
    assert json.loads(ran.out) == {
        "score": 0.123456789,
        "name": "a b",
        "model": f"{full.root}/m",
        "all": [1, 2],
        "text": "score 0.123456789",
        "skipped": None,
        "fixed": 3,
    }
    assert ran.err.startswith("later: no value yet (") and "b" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_all_for_people(full: Past) -> None:
    ran = full("output")
    assert ["score", "0.1235"] in [row.split() for row in ran.out.splitlines()]
    assert "later" not in ran.out and "later: no value yet" in ran.err


def test_what_is_not_known_yet(full: Past) -> None:
    ran = full("output", "later", expect=1)
    assert ran.out == "" and "the output `later` has no value yet" in ran.err
    assert "`lab apply`" in ran.err


def test_a_part_that_is_not_known_yet(past: Past) -> None:
    past.labfile(
        "  a: {kind: command, command: [x]}\n",
        'outputs:\n  whole: {one: 1, part: ["{{ steps.a.outputs.x }}"]}\n',
    )
    assert past("output", "--json").out == "{}\n"
    assert "whole: no value yet (known after a)" in past("output").err


def test_a_name_that_is_none(full: Past) -> None:
    assert "did you mean `score`" in full("output", "scor", expect=2).err
    assert "`fixed`" in full("output", "zzzzzz", expect=2).err
    assert "one name" in full("output", "score", "name", expect=2).err


def test_a_lab_without_outputs(past: Past) -> None:
    past.labfile("  a: {kind: command, command: [x]}\n")
    assert "declares no `outputs`" in past("output").out
    assert past("output", "--json").out == "{}\n"
    assert "there is no output `x`" in past("output", "x", expect=2).err
    assert not (past.root / ".lab").exists()


def test_a_damaged_state(full: Past) -> None:
    full.damage()
    assert "is damaged" in full("output", "score", expect=4).err
