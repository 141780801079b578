"""Drift as people read it: what is gone, what is changed, with what was recorded and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.model.diagnostic import printable
from lab.model.drift import Drift, Drifted, Sort
from lab.model.plan import Action
from lab.report.plan_text import WIDEST, change_line
from lab.report.words import VERB_COLOURS, paint

FEW = 12  # so many steps that only follow are named
HEADS = {Sort.GONE: "Gone", Sort.CHANGED: "Not as it was made"}
STYLES = {Sort.GONE: "red", Sort.CHANGED: "yellow"}


def drift_text(drift: Drift, looked: str, *, colour: bool, verbose: bool = False) -> str:
    """All of it; *looked* says at how much was looked. *verbose*: also what changes nothing."""
    lines: list[str] = []
    wide = min(WIDEST, max((len(each.action.address) for each in drift.steps), default=0))
    for sort, head in HEADS.items():
        group = [each for each in drift.steps if each.sort is sort]
        if group:
            lines += [paint(head, "bold", colour), *_rows(group, wide, colour), ""]
    lines += _following(drift.following, colour)
    if verbose and drift.idle:
        what = "they run in any case, are left out, or left the Labfile"
        lines += [paint(f"Changes nothing ({what}): {_names(drift.idle)}", "dim", colour), ""]
    lines.append(_headline(drift, looked, colour))
    return "\n".join(lines)


def _rows(group: Sequence[Drifted], wide: int, colour: bool) -> Iterator[str]:
    for each in group:
        action = each.action
        place = "" if action.target == "local" else f" on {action.target}"
        sign = paint("!", STYLES[each.sort], colour)
        name = paint(f"{action.address:<{wide}}", "bold", colour)
        does = paint(f"apply will {action.verb.word} it", VERB_COLOURS[action.verb.word], colour)
        about = paint(action.kind + place, "dim", colour)
        yield f"  {sign} {name}  {about}  {printable(action.cause)}: {does}"
        for change in each.changes:
            yield f"      {change_line(change, colour)}"


def _following(actions: Sequence[Action], colour: bool) -> list[str]:
    if not actions:
        return []
    names = _names([action.address for action in actions])
    return [f"{paint('Decided again because of it', 'bold', colour)}: {names}", ""]


def _names(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - FEW} more" if len(addresses) > FEW else ""
    return ", ".join(addresses[:FEW]) + more


def _headline(drift: Drift, looked: str, colour: bool) -> str:
    count = len(drift.steps)
    if not count:
        return f"{paint('No drift', 'bold', colour)}: {looked}."
    steps = "1 step is" if count == 1 else f"{count} steps are"
    return (
        f"{paint('Drift', 'bold', colour)}: {steps} not as made ({looked}). `lab apply` mends it."
    )
