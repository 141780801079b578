"""Plans as people and as scripts read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.model.plan import Action, Change, Plan, Verb
from lab.model.values import ABSENT, Unknown
from lab.report.plan_json import plan_json
from lab.report.plan_text import plan_text, steps_of


def action(address: str, verb: Verb, cause: str = "why", *changes: Change, **over: Any) -> Action:
    usual = {"kind": "job", "target": "local", **over}
    return Action(address=address, verb=verb, cause=cause, changes=changes, **usual)


PLAN = Plan(
    actions=(
        action("prep", Verb.CREATE, "never ran", kind="command"),
        action("train", Verb.UPDATE, "`lr` changed", Change("lr", 0.1, 0.01), target="box"),
        action("net", Verb.REPLACE, "`region` changed", Change("region", ABSENT, "us")),
        action("use", Verb.UNKNOWN, "depends on train", Change("v", 1, Unknown(("train",)))),
        action("same", Verb.KEEP, "nothing changed"),
        action("off", Verb.SKIP, "`when` is false"),
        action("old", Verb.FORGET, "no longer in the Labfile"),
        action("node", Verb.DESTROY, "no longer in the Labfile"),
    ),
    left_out={"x": "not picked by --only", "y": "not picked by --only", "z": "left out"},
    warnings=("`a` is what `b` was",),
)

TEXT = """\
  + prep   command  never ran
  ~ train  job on box  `lr` changed
      lr: 0.1 → 0.01
  ± net    job      `region` changed
      region: (absent) → "us"
  ? use    job      depends on train
      v: 1 → (known after train)
  = same   job      nothing changed
  · off    job      `when` is false
  x old    job      no longer in the Labfile
  - node   job      no longer in the Labfile
  left out: x, y (not picked by --only)
  left out: z (left out)
  ! `a` is what `b` was

Plan: 1 to create, 1 to update, 1 to replace, 1 to destroy, 1 to forget, 1 known later, 1 skipped, 1 kept."""


def test_a_plan() -> None:
    assert plan_text(PLAN, colour=False) == TEXT


def test_colours_change_no_word() -> None:
    import re

    painted = plan_text(PLAN, colour=True)
    assert "\x1b[32m+\x1b[0m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == TEXT


def many(verb: Verb, count: int) -> tuple[Action, ...]:
    return tuple(action(f"s{i}", verb) for i in range(count))


def test_many_kept_steps_are_only_counted_unless_asked_for() -> None:
    plan = Plan(actions=(*many(Verb.KEEP, 13), action("new", Verb.CREATE)))
    assert plan_text(plan, colour=False).splitlines() == [
        "  + new  job  why",
        "",
        "Plan: 1 to create, 13 kept.",
    ]
    assert "= s12" in plan_text(plan, colour=False, verbose=True)
    assert "= s11" in plan_text(Plan(actions=many(Verb.KEEP, 12)), colour=False)


@pytest.mark.parametrize(
    ("actions", "last"),
    [
        ((), "Nothing to do: everything is as the Labfile says."),
        (many(Verb.KEEP, 1), "Nothing to do: everything is as the Labfile says (1 step kept)."),
        (
            (*many(Verb.KEEP, 2), action("x", Verb.SKIP)),
            "Nothing to do: everything is as the Labfile says (2 steps kept, 1 skipped).",
        ),
        (many(Verb.FORGET, 1), "Plan: 1 to forget."),
    ],
)
def test_the_last_line(actions: tuple[Action, ...], last: str) -> None:
    assert plan_text(Plan(actions=actions), colour=False).splitlines()[-1] == last


def test_long_sides_and_hashes_are_cut() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    changes = (Change("inputs[x]", digest, "y" * 200), Change("m", f"<artifact {digest}>", 1))
    text = plan_text(Plan(actions=(action("a", Verb.UPDATE, "c", *changes),)), colour=False)
    assert 'inputs[x]: "sha256:0123456789ab…" → "' + "y" * 99 + "…" in text
    assert 'm: "<artifact sha256:0123456789ab…>" → 1' in text


def test_what_a_terminal_would_obey_is_shown() -> None:
    """A value comes from anywhere, and must not move the cursor."""
    evil = "\x1b[2J"
    plan = Plan(
        actions=(
            action("a", Verb.KEEP, evil),
            action("b", Verb.UPDATE, evil, Change(evil, evil, evil)),
        ),
        warnings=(evil,),
    )
    assert "\x1b" not in plan_text(plan, colour=False)


def test_the_object_that_scripts_read() -> None:
    made = plan_json(PLAN, "Labfile.yaml")
    assert list(made) == ["format", "labfile", "actions", "summary", "warnings"]
    assert made["format"] == 1
    assert made["actions"][:4] == [
        {
            "step": "prep", "kind": "command", "target": "local", "action": "create",
            "cause": "never ran", "changes": [],
        },
        {
            "step": "train", "kind": "job", "target": "box", "action": "update",
            "cause": "`lr` changed", "changes": [{"path": "lr", "before": 0.1, "after": 0.01}],
        },
        {
            "step": "net", "kind": "job", "target": "local", "action": "replace",
            "cause": "`region` changed", "changes": [{"path": "region", "after": "us"}],
        },
        {
            "step": "use", "kind": "job", "target": "local", "action": "unknown",
            "cause": "depends on train",
            "changes": [{"path": "v", "before": 1, "after": {"unknown": ["train"]}}],
        },
    ]  # fmt: skip
    assert made["summary"] == {
        "create": 1, "update": 1, "replace": 1, "keep": 1, "destroy": 1, "forget": 1, "unknown": 1,
        "skip": 1,
    }  # fmt: skip
    assert json.loads(json.dumps(made)) == made


def test_unknowns_deep_inside_a_value() -> None:
    change = Change("v", ABSENT, [{"a": Unknown(("x", "y"))}, 1])
    (made,) = plan_json(Plan(actions=(action("a", Verb.UPDATE, "c", change),)), "L")["actions"]
    assert made["changes"] == [{"path": "v", "after": [{"a": {"unknown": ["x", "y"]}}, 1]}]


def test_null_is_a_side_and_absent_is_none() -> None:
    change = Change("v", None, ABSENT)
    (made,) = plan_json(Plan(actions=(action("a", Verb.UPDATE, "c", change),)), "L")["actions"]
    assert made["changes"] == [{"path": "v", "before": None}]


def test_trials_that_go_with_their_sweep_are_counted_in_its_line() -> None:
    going = [action(f"sweep[#{n}]", Verb.DESTROY) for n in range(1, 13)]
    stays = [action("other[#1]", Verb.DESTROY), action("kept", Verb.KEEP)]
    alone = [action("kept[#2]", Verb.FORGET)]  # its sweep does not share its fate
    plan = Plan(actions=(*going, *stays, *alone, action("sweep", Verb.DESTROY)))
    text = plan_text(plan, colour=False)
    assert "why, with 12 trials" in text and "sweep[#" not in text
    assert "other[#1]" in text and "kept[#2]" in text
    assert text.endswith("Plan: 2 to destroy, 1 to forget, 1 kept, with 12 trials.")
    assert "sweep[#12]" in plan_text(plan, colour=False, verbose=True)
    assert steps_of(plan) == 5 - 1
