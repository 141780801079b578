"""What is not as it was made, as far as that changes what would be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lab.model.drift import Drift, Drifted, Sort
from lab.model.plan import Action, Change, Plan
from lab.model.state import Record
from lab.model.values import ABSENT, Artifact
from lab.planning.decide import UNSEEN, NotAsked, Seen

Digest = Callable[[str], "str | None"]
"""The content hash of what lies at a path now; None if nothing does."""


def differs(seen: Seen) -> bool:
    """Whether what was looked at is not as it was made."""
    looked = not isinstance(seen.observation, NotAsked)
    moved = looked and (seen.observation is None or bool(_drift(seen)))
    return moved or bool(seen.gone or seen.altered)


def drift_of(
    before: Plan,
    now: Plan,
    seen: Mapping[str, Seen],
    records: Mapping[str, Record],
    digest: Digest,
) -> Drift:
    """Compares the plan as if nobody had looked with the plan for what is there.

    Args:
        before: the plan without anything seen.
        now: the plan with it.
        seen: what was seen.
        records: what was recorded of the steps.
        digest: looks at an artifact that has other bytes.
    """
    blind = {action.address: action for action in before.actions}
    moved = [a for a in now.actions if _verdict(a) != _verdict(blind.get(a.address))]
    steps = [
        _drifted(action, seen[action.address], records[action.address], digest)
        for action in moved
        if differs(seen.get(action.address, UNSEEN))
    ]
    told = {each.action.address for each in steps}
    return Drift(
        steps=tuple(steps),
        following=tuple(action for action in moved if action.address not in told),
        idle=tuple(a for a, each in seen.items() if a not in told and differs(each)),
    )


def _verdict(action: Action | None) -> object:
    return (action.verb, action.changes) if action is not None else None


def _drifted(action: Action, seen: Seen, record: Record, digest: Digest) -> Drifted:
    gone = seen.observation is None or (bool(seen.gone) and not seen.altered and not _drift(seen))
    outputs = record.done.outputs if record.done is not None else {}
    files = [
        Change(f"outputs.{name}", value.digest, digest(value.path) or ABSENT)
        for name in (*seen.gone, *seen.altered)
        if isinstance(value := outputs.get(name), Artifact)
    ]
    return Drifted(
        action=action,
        sort=Sort.GONE if gone else Sort.CHANGED,
        changes=(*_drift(seen), *files),
    )


def _drift(seen: Seen) -> tuple[Change, ...]:
    match seen.observation:
        case None | NotAsked():
            return ()
        case observation:
            return observation.drift
