"""Saved plans: what was decided, and enough to tell whether anything has moved since."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from lab import __version__
from lab.cli.arguments import selection, usage
from lab.cli.session import Session
from lab.model.diagnostic import Diagnostic, PlanError
from lab.model.plan import Action
from lab.model.tree import digest
from lab.model.values import Unknown
from lab.planning.plan import Draft
from lab.report.plan_json import plan_json

MARK = "lab-plan"
_REMEMBERED = (
    "overlay",
    "var",
    "var_file",
    "only",
    "exclude",
    "tags",
    "replace",
    "refresh",
    "allow_commands",
)
_SECRET = re.compile(r"<secret (\S+) [0-9a-f]+>")


def save(path: str, session: Session, draft: Draft, args: argparse.Namespace) -> None:
    """Writes the plan to *path*, whole or not at all. It holds references to secrets, never values.

    Raises:
        LabfileError: it cannot be written.
    """
    remembered = {name: getattr(args, name) for name in _REMEMBERED}
    remembered["var_file"] = [os.path.abspath(each) for each in args.var_file]
    saved = {
        **plan_json(draft.plan, session.read.shown),
        "saved": {
            "mark": MARK,
            "version": __version__,
            "labfile": session.read.path,
            "args": remembered,
            "steps": fingerprints(session, draft),
        },
    }
    partial = f"{path}.{os.getpid()}.part"
    try:
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(saved, file, ensure_ascii=False, indent=1)
        os.replace(partial, path)
    except OSError as error:
        raise usage(f"--out {path}: {error.strerror}") from None


def is_saved_plan(path: str | None) -> bool:
    """Whether the file was written by `lab plan --out`."""
    if path is None or not path.endswith(".json") or not os.path.isfile(path):
        return False
    return _load(path) is not None


def recall(path: str, args: argparse.Namespace) -> Mapping[str, str]:
    """Sets *args* to what the saved plan was made with; gives the fingerprints of its steps."""
    saved = _load(path)
    assert saved is not None, "the caller asked is_saved_plan"
    for name in _REMEMBERED:
        if name in saved["args"]:
            setattr(args, name, saved["args"][name])
    args.labfile = saved["labfile"]
    selection(args)
    steps: Mapping[str, str] = saved["steps"]
    return steps


def refuse_if_moved(path: str, session: Session, draft: Draft, before: Mapping[str, str]) -> None:
    """Refuses a saved plan when the state, the Labfile or an input is not as it was.

    Raises:
        PlanError: it names the steps that would go another way now.
    """
    now = fingerprints(session, draft)
    moved = [
        a for a in [*before, *(n for n in now if n not in before)] if before.get(a) != now.get(a)
    ]
    if moved:
        shown = ", ".join(f"`{address}`" for address in moved[:6]) + (
            ", …" if len(moved) > 6 else ""
        )
        raise PlanError(
            Diagnostic(
                summary=f"{path} does not hold any more: {shown} would go another way now",
                detail="The Labfile, an input or the state has changed since the plan was saved.",
                help="make and read a new one: `lab plan --out FILE`",
            )
        )


def fingerprints(session: Session, draft: Draft) -> dict[str, str]:
    """For each step of the plan, a hash over what was decided, what is wanted and what was recorded."""
    return {action.address: _fingerprint(action, session, draft) for action in draft.plan.actions}


def _fingerprint(action: Action, session: Session, draft: Draft) -> str:
    record = session.state.records.get(action.address)
    wanted = draft.wanted.get(action.address)
    done = record.done if record else None
    return digest(
        {
            "verb": action.verb.word,
            "wanted": _plain(wanted.identity, keyed=done is not None) if wanted else None,
            "done": [done.run, done.digest] if done else None,
            "tried": record.tried.run if record and record.tried else None,
        }
    )


def _plain(value: Any, *, keyed: bool) -> Any:
    """*value* as JSON. Before the first run there is no key to hash secrets with that a later run would have."""
    match value:
        case Unknown(after=after):
            return {"$unknown": list(after)}
        case str():
            return value if keyed else _SECRET.sub(r"<secret \1>", value)
        case Mapping():
            return {str(key): _plain(each, keyed=keyed) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each, keyed=keyed) for each in value]
        case _:
            return value


def _load(path: str) -> Any:
    """The saved part of a plan file, or None if it is not one; checked, for anyone may have written it."""
    try:
        if os.path.getsize(path) > 64 * 1024 * 1024:
            return None
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        saved = found["saved"]
        right = (
            saved["mark"] == MARK
            and isinstance(saved["labfile"], str)
            and isinstance(saved["args"], dict)
            and isinstance(saved["steps"], dict)
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return saved if right else None
