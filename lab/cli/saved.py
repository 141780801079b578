"""Saved plans: what was decided, and enough to tell whether anything has moved since."""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

from lab import __version__
from lab.cli.arguments import usage
from lab.cli.session import Session
from lab.edge.contents import contents
from lab.model.diagnostic import Diagnostic, PlanError
from lab.model.plan import Action
from lab.model.tree import digest
from lab.model.values import Unknown
from lab.planning.plan import Draft
from lab.report.plan_json import plan_json

MARK = "lab-plan"
_LARGEST = 64 * 1024 * 1024  # bytes
_REMEMBERED: Mapping[str, type] = {
    "overlay": str,
    "var": list,
    "var_file": list,
    "only": list,
    "exclude": list,
    "tags": list,
    "replace": list,
    "refresh": bool,
    "allow_commands": bool,
}
"""What a plan was made with, and the type of each."""

_OWN = ("refresh", "allow_commands")  # cannot be told from what they are when nothing is said


def save(path: str, session: Session, draft: Draft, args: argparse.Namespace) -> None:
    """Writes the plan to *path*, whole or not at all. It holds references to secrets, never values.

    *session* has a state, whose key seals the plan.

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
    saved["seal"] = _seal(saved, session.state.key)
    partial = f"{path}.{os.getpid()}.part"
    try:
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(saved, file, ensure_ascii=False, indent=1)
        os.replace(partial, path)
    except OSError as error:
        raise usage(f"--out {path}: {error.strerror}") from None


def is_saved_plan(path: str | None) -> bool:
    """Whether the file was written by `lab plan --out`, whatever its name."""
    if path is None or not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(1) == b"{" and _load(path) is not None
    except OSError:
        return False


def recall(path: str, args: argparse.Namespace) -> Mapping[str, str]:
    """Sets *args* to what the saved plan was made with; gives the fingerprints of its steps.

    Raises:
        LabfileError: the file is damaged, or *args* ask for another plan.
    """
    saved = _load(path)
    assert saved is not None, "the caller asked is_saved_plan"
    if not _whole(saved):
        raise usage(
            f"{path} is damaged: it is no plan any more", "make it anew: `lab plan --out FILE`"
        )
    asked = [name for name in _REMEMBERED if name not in _OWN and getattr(args, name)]
    if asked:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
        raise usage(
            f"{path} is a plan, which already says what is to be done: {flags} cannot change it",
            "leave it out, or give it to `lab plan --out FILE`",
        )
    for name in _REMEMBERED:
        setattr(args, name, saved["args"][name])
    args.labfile = saved["labfile"]
    _require_near(path, saved["labfile"])
    steps: Mapping[str, str] = saved["steps"]
    return steps


def _require_near(path: str, labfile: str) -> None:
    """Refuses a plan for a Labfile that is neither here nor above: whoever wrote the plan chose it.

    Raises:
        LabfileError: it names such a Labfile.
    """
    try:
        real, here = os.path.realpath(labfile), os.path.realpath(os.getcwd())
    except ValueError:  # no file has such a name
        raise usage(f"{path} is damaged: it names no Labfile") from None
    above = here == os.path.dirname(real) or here.startswith(
        os.path.dirname(real).rstrip("/") + "/"
    )
    if not above and not real.startswith(here.rstrip("/") + "/"):
        raise usage(
            f"{path} is the plan of another Labfile, {labfile}",
            "if that is meant, go there first, or say so with `-C DIR`",
        )


def require_sealed(path: str, session: Session) -> None:
    """Refuses a saved plan that is not as this lab wrote it.

    Raises:
        PlanError: it was altered, or written by another lab.
    """
    whole = _whole_file(path) or {}
    seal = whole.pop("seal", None)
    if not isinstance(seal, str) or not hmac.compare_digest(
        seal.encode(), _seal(whole, session.state.key).encode()
    ):
        raise PlanError(
            Diagnostic(
                summary=f"{path} is not as this lab wrote it",
                detail="It was altered, or saved by another lab, or the state that it was made with is gone.",
                help="make and read a new one: `lab plan --out FILE`",
            )
        )


def _seal(whole: Mapping[str, Any], key: str) -> str:
    """A keyed hash over the plan, which only who has the state can make."""
    text = json.dumps(whole, sort_keys=True, ensure_ascii=True)
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()


def _whole(saved: Mapping[str, Any]) -> bool:
    """Whether everything that is used later is there; anyone may have written the file."""
    args, steps = saved.get("args"), saved.get("steps")
    if not (isinstance(saved.get("labfile"), str) and isinstance(args, dict)):
        return False
    values = [args.get(name) for name in _REMEMBERED]
    right = all(map(isinstance, values, _REMEMBERED.values()))
    texts = [each for value in values if isinstance(value, list) for each in value]
    clean = all(isinstance(each, str) and "\0" not in each for each in texts)
    return right and clean and isinstance(steps, dict)


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
            "wanted": _plain(wanted.identity) if wanted else None,
            "done": [done.run, done.digest] if done else None,
            "tried": record.tried.run if record and record.tried else None,
        }
    )


def _plain(value: Any) -> Any:
    """*value* as JSON."""
    match value:
        case Unknown(after=after):
            return {"$unknown": list(after)}
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def _load(path: str) -> Any:
    """The saved part of a plan file, or None if it is not one."""
    try:
        saved = (_whole_file(path) or {})["saved"]
        return saved if saved["mark"] == MARK else None
    except (KeyError, TypeError):
        return None


def _whole_file(path: str) -> dict[str, Any] | None:
    try:
        data = contents(path, _LARGEST + 1)
        found = json.loads(data.decode("utf-8")) if len(data) <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
