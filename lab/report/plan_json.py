"""A plan as the JSON object of `lab plan --json`, and back from a saved one."""

from __future__ import annotations

from typing import Any

from lab.model.plan import Change, Plan
from lab.model.values import Absent, Unknown

FORMAT = 1


def plan_json(plan: Plan, labfile: str) -> dict[str, Any]:
    """The object whose shape scripts rely on: see `lab plan --json` in the README."""
    return {
        "format": FORMAT,
        "labfile": labfile,
        "actions": [
            {
                "step": action.address,
                "kind": action.kind,
                "target": action.target,
                "action": action.verb.word,
                "cause": action.cause,
                "changes": [change_json(change) for change in action.changes],
            }
            for action in plan.actions
        ],
        "summary": plan.summary(),
        "warnings": list(plan.warnings),
    }


def change_json(change: Change) -> dict[str, Any]:
    """A change; a side that does not exist is left out; one that is not known yet is `{"unknown": [steps]}`."""
    shown: dict[str, Any] = {"path": change.path}
    for name, side in (("before", change.before), ("after", change.after)):
        match side:
            case Absent():
                continue
            case Unknown(after=after):
                shown[name] = {"unknown": list(after)}
            case _:
                shown[name] = known_json(side)
    return shown


def known_json(side: Any) -> Any:
    """A value in which whatever is not known yet is `{"unknown": [steps]}`."""
    match side:
        case Unknown(after=after):
            return {"unknown": list(after)}
        case dict():
            return {key: known_json(value) for key, value in side.items()}
        case list():
            return [known_json(value) for value in side]
        case _:
            return side
