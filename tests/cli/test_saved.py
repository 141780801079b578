"""Plans that were saved: recognised by what they hold, and refused when they do not hold any more."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from past import Past

STEPS = """  a: {kind: command, command: [cat, in.txt]}
  s: {kind: command, command: [x], env: {T: "{{ secrets.t }}"}, when: false}
vars: {x: 1}
secrets: {t: {command: [never, run]}}
"""


@pytest.fixture
def saved(past: Past) -> Past:
    past.labfile(STEPS)
    past("plan", "--out", "the.plan")
    return past


def change(past: Past, **over: Any) -> None:
    """Writes *over* into the saved part of the plan."""
    path = past.root / "the.plan"
    plan = json.loads(path.read_text())
    plan["saved"].update(over)
    path.write_text(json.dumps(plan))


def test_a_plan_is_known_by_what_it_holds(saved: Past) -> None:
    """Not by the end of its name; that it reaches the shell's `cat` shows that it was applied."""
    ran = saved("apply", "the.plan", expect=1)
    assert "cat" in ran.out
    assert "does not hold any more: `a`" in saved("apply", "the.plan", expect=3).err


@pytest.mark.parametrize(
    "flags", [["--var", "x=2"], ["--only", "a"], ["--replace", "a"], ["-e", "prod"]]
)
def test_a_plan_already_says_what_is_to_be_done(saved: Past, flags: list[str]) -> None:
    refused = saved("apply", "the.plan", *flags, expect=2).err
    assert "cannot change it" in refused and flags[0].lstrip("-")[0] in refused


@pytest.mark.parametrize(
    "over",
    [
        {"labfile": 3},
        {"args": {}},
        {"args": []},
        {"steps": None},
        {"args": {"only": 5}},
        {"args": {"var": ["\0"], "refresh": True}},
    ],
)
def test_a_damaged_plan_is_refused(saved: Past, over: dict[str, Any]) -> None:
    if isinstance(over.get("args"), dict) and over["args"]:
        whole = json.loads((saved.root / "the.plan").read_text())["saved"]["args"]
        over = {"args": {**whole, **over["args"]}}
    change(saved, **over)
    assert "the.plan is damaged" in saved("apply", "the.plan", expect=2).err


def test_a_plan_that_somebody_altered_is_refused(saved: Past) -> None:
    """Its steps' hashes are right, so that the lab's own seal is what tells."""
    past = saved
    past("apply", "the.plan", expect=1)
    past("plan", "--out", "the.plan")
    plan = json.loads((past.root / "the.plan").read_text())
    assert len(plan["seal"]) == 64
    for altered in (
        {**plan, "summary": {"keep": 9}},
        {**plan, "seal": "0" * 64},
        {**plan, "seal": 3},
    ):
        (past.root / "the.plan").write_text(json.dumps(altered))
        assert "not as this lab wrote it" in past("apply", "the.plan", expect=3).err
    plan.pop("seal")
    (past.root / "the.plan").write_text(json.dumps(plan))
    assert "not as this lab wrote it" in past("apply", "the.plan", expect=3).err


def test_a_plan_is_sealed_before_the_first_run_too(saved: Past) -> None:
    path, first = saved.root / "the.plan", json.loads((saved.root / "the.plan").read_text())
    forged = {**first["saved"], "args": {**first["saved"]["args"], "var": ["x=2"]}}
    for altered in ({**first, "saved": forged}, {k: v for k, v in first.items() if k != "seal"}):
        path.write_text(json.dumps(altered))
        assert "not as this lab wrote it" in saved("apply", "the.plan", expect=3).err
    path.write_text(json.dumps(first))
    shutil.rmtree(saved.root / ".lab")
    assert "not as this lab wrote it" in saved("apply", "the.plan", expect=3).err


def test_only_a_saved_plan_makes_a_state(past: Past) -> None:
    past.labfile(STEPS)
    past("plan")
    assert not (past.root / ".lab").exists()
    past("plan", "--out", "the.plan")
    assert [row.run for row in past.file.labs()] == [0]
    assert "No runs yet" in past("status").out
    assert "none yet: nothing has been applied" in past("doctor", expect=None).out


def test_a_plan_cannot_choose_a_labfile_elsewhere(
    saved: Past, tmp_path_factory: pytest.TempPathFactory
) -> None:
    evil = tmp_path_factory.mktemp("evil") / "Labfile.yaml"
    evil.write_text("labfile: 1\nsteps: {a: {kind: command, command: [touch, pwned]}}\n")
    change(saved, labfile=str(evil))
    assert "is the plan of another Labfile" in saved("apply", "the.plan", expect=2).err
