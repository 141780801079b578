"""Faults met while planning or running, put back to where they stand."""

from __future__ import annotations

import pytest
from linked import bound, pointed

from lab.model.diagnostic import Diagnostic
from lab.reading.faults import diagnose
from lab.reading.template import TemplateFault, render

TEXT = """
vars: {x: 1}
defaults: {env: {B: "{{ nope }}"}}
targets: {box: {provider: docker, host: "{{ nope }}"}}
outputs: {o: "{{ nope }}"}
steps:
  a:
    kind: command
    matrix: {n: [1]}
    command: [echo, "{{ vars.x }} {{ nope }}"]
    env: {A: "{{ nope }}"}
    when: vars.x
    artifacts:
      m: |
        {{ vars.x }}
        {{ nope }}
    target: box
  b: {like: a}
"""
SOURCE = ("labfile: 1\nname: mnist\n" + TEXT).splitlines()


def fault_in(tree: object) -> TemplateFault:
    with pytest.raises(TemplateFault) as caught:
        render(tree, {"vars": {"x": 1}})  # type: ignore[arg-type]
    return caught.value


def place(found: Diagnostic) -> tuple[int, str]:
    assert found.span is not None
    return found.span.line, pointed(found, SOURCE)


@pytest.mark.parametrize(
    ("key", "wrap"),
    [("command", False), ("command", True), ("", True)],
)
def test_in_a_kinds_key(key: str, wrap: object) -> None:
    labfile = bound(TEXT)
    step = labfile.steps[0]
    fault = fault_in({"spec": step.spec} if wrap else step.spec["command"])
    found = diagnose(labfile, step, key or "command", fault)
    assert place(found) == (12, "nope")
    assert found.summary == "`nope` is not known here"
    assert found.help
    assert ("in a[n=1]", None) in found.notes


@pytest.mark.parametrize(
    ("key", "pick", "line"),
    [
        ("env", lambda s: {"env": {"A": s.env["A"]}}, 13),
        ("env", lambda s: {"A": s.env["A"]}, 13),
        ("env", lambda s: {"env": {"B": s.env["B"]}}, 5),
        ("artifacts", lambda s: {"spec": {"artifacts": s.spec["artifacts"]}}, 18),
        ("target", lambda s: {"target": dict(s.target.fields)}, 6),
        ("fields", lambda s: {"fields": dict(s.target.fields)}, 6),
    ],
)
def test_in_other_keys(key: str, pick: object, line: int) -> None:
    labfile = bound(TEXT)
    step = labfile.steps[0]
    found = diagnose(labfile, step, key, fault_in(pick(step)))  # type: ignore[operator]
    assert place(found) == (line, "nope")


def test_in_a_condition_written_without_braces() -> None:
    labfile = bound(TEXT)
    fault = TemplateFault("no", expression="vars.x")
    assert place(diagnose(labfile, labfile.steps[0], "when", fault)) == (14, "vars.x")


def test_in_what_like_copied() -> None:
    labfile = bound(TEXT)
    step = labfile.steps[1]
    assert step.name == "b"
    found = diagnose(labfile, step, "command", fault_in(step.spec["command"]))
    assert place(found) == (12, "nope")
    assert "copied into 'b'" in found.notes[0][0]


def test_at_the_top_level() -> None:
    labfile = bound(TEXT)
    found = diagnose(labfile, None, "outputs", fault_in(dict(labfile.outputs)))
    assert place(found) == (7, "nope")
    assert place(diagnose(labfile, None, "", fault_in({"outputs": dict(labfile.outputs)})))[0] == 7


def test_what_has_no_place_is_told_all_the_same() -> None:
    labfile = bound(TEXT)
    found = diagnose(labfile, labfile.steps[0], "", TemplateFault("no", expression="zzz"))
    assert found.span is not None
    found = diagnose(labfile, None, "", TemplateFault("no"))
    assert found.span is not None
