"""A plan as people read it: what changes first, each with its reason and its diff, then what stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lab.model.address import broods
from lab.model.diagnostic import printable
from lab.model.plan import Action, Change, Plan, Verb, shown
from lab.report.words import VERB_COLOURS, counted, paint

PHRASES = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "destroy": "to destroy",
    "forget": "to forget",
    "unknown": "known later",
    "skip": "skipped",
    "keep": "kept",
}
FEW = 12  # up to so many kept steps are listed without being asked
WIDEST = 28  # an address column wider than this only pushes the reasons away
_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
LONGEST = 100  # characters of one side of a change


def plan_text(plan: Plan, *, colour: bool, verbose: bool = False) -> str:
    """The whole plan. Kept steps are listed when they are few or when *verbose*; else they are counted."""
    whole, plan = plan, plan if verbose else _folded(plan)
    quiet = [a for a in plan.actions if a.verb in (Verb.KEEP, Verb.SKIP)]
    listed = verbose or len(quiet) <= FEW
    rows = [a for a in plan.actions if listed or a.verb not in (Verb.KEEP, Verb.SKIP)]
    lines = list(_rows(rows, colour))
    lines += _left_out(plan, colour)
    lines += [f"  {paint('!', 'yellow', colour)} {printable(warning)}" for warning in plan.warnings]
    if lines:
        lines.append("")
    lines.append(headline(plan, colour, trials=len(whole.actions) - len(plan.actions)))
    return "\n".join(lines)


def steps_of(plan: Plan) -> int:
    """How many steps a plan names, trials not counted where their sweep is among them."""
    return len(_folded(plan).actions)


def _folded(plan: Plan) -> Plan:
    """The plan without the trials that share their sweep's fate, which is said with the sweep."""
    verbs = {action.address: action.verb for action in plan.actions}
    whose = {
        address: [each for each in keys if verbs[each] is verbs[address]]
        for address, keys in broods(verbs).items()
    }
    hidden = {address for each in whose.values() for address in each}
    return replace(
        plan,
        actions=tuple(
            replace(action, cause=f"{action.cause}, with {_trials(len(whose[action.address]))}")
            if whose.get(action.address)
            else action
            for action in plan.actions
            if action.address not in hidden
        ),
    )


def _trials(count: int) -> str:
    return f"{count} trial{'s' if count != 1 else ''}"


def headline(plan: Plan, colour: bool, *, trials: int = 0) -> str:
    """The last line: what it comes to."""
    counts = plan.summary()
    if plan.empty:
        kept = counts.get("keep", 0)
        skipped = f", {counts['skip']} skipped" if counts.get("skip") else ""
        stay = f" ({kept} step{'s' if kept != 1 else ''} kept{skipped})" if kept or skipped else ""
        return (
            paint("Nothing to do", "bold", colour) + f": everything is as the Labfile says{stay}."
        )
    more = f", with {_trials(trials)}" if trials else ""
    return paint("Plan", "bold", colour) + f": {counted(counts, PHRASES)}{more}."


def _rows(actions: Sequence[Action], colour: bool) -> Iterator[str]:
    wide = min(WIDEST, max((len(a.address) for a in actions), default=0))
    kinds = max((len(a.kind) for a in actions), default=0)
    for action in actions:
        style = VERB_COLOURS[action.verb.word]
        faint = action.verb in (Verb.KEEP, Verb.SKIP)
        place = "" if action.target == "local" else f" on {action.target}"
        name = paint(f"{action.address:<{wide}}", "dim" if faint else "bold", colour)
        about = paint(f"{action.kind + place:<{kinds}}", "dim", colour)
        cause = paint(printable(action.cause), "dim", colour) if faint else printable(action.cause)
        yield f"  {paint(action.verb.sign, style, colour)} {name}  {about}  {cause}"
        for change in action.changes:
            yield f"      {change_line(change, colour)}"


def change_line(change: Change, colour: bool) -> str:
    """One difference: its path, what was, and what is or will be."""
    before, after = (_side(side) for side in (change.before, change.after))
    return f"{printable(change.path)}: {paint(before, 'red', colour)} → {paint(after, 'green', colour)}"


def _side(side: object) -> str:
    text = _HASH.sub(r"\1…", printable(shown(side)))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _left_out(plan: Plan, colour: bool) -> list[str]:
    if not plan.left_out:
        return []
    reasons: dict[str, list[str]] = {}
    for address, reason in plan.left_out.items():
        reasons.setdefault(reason, []).append(address)
    return [
        paint(
            f"  left out: {', '.join(names[:8])}{', …' if len(names) > 8 else ''} ({reason})",
            "dim",
            colour,
        )
        for reason, names in reasons.items()
    ]
