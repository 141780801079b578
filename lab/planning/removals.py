"""What becomes of recorded steps that are no longer wanted: work is forgotten, infrastructure destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lab.model.graph import CycleError, in_order
from lab.model.plan import Action, Verb
from lab.model.state import Record
from lab.planning.digest import Wanted

GONE = "no longer in the Labfile"


def removals(records: Sequence[Record]) -> list[Action]:
    """Actions for records whose steps left the Labfile, the last made first."""
    return [
        _action(record, Verb.DESTROY if record.infrastructure else Verb.FORGET, GONE)
        for record in backwards(records)
    ]


def destructions(records: Sequence[Record], cause: str) -> list[Action]:
    """Actions that destroy all of *records*, the last made first."""
    return [_action(record, Verb.DESTROY, cause) for record in backwards(records)]


def still_needed(
    records: Mapping[str, Record], going: Iterable[Record]
) -> dict[str, tuple[str, ...]]:
    """Those *going* that records which stay were made with, and which those are."""
    ends = {record.address for record in going}
    found: dict[str, list[str]] = {}
    for record in records.values():
        if record.address not in ends:
            for needed in ends.intersection(record.needs):
                found.setdefault(needed, []).append(record.address)
    return {address: tuple(found[address]) for address in sorted(found)}


def renamed(
    going: Sequence[Record], actions: Iterable[Action], wanted: Mapping[str, Wanted]
) -> list[str]:
    """Sentences about new steps that equal one that is gone: they were most likely renamed."""
    by_digest = {record.done.digest: record.address for record in going if record.done}
    found = []
    for action in actions:
        new = wanted.get(action.address)
        if action.verb is Verb.CREATE and new and new.digest in by_digest:
            old = by_digest[new.digest]
            found.append(
                f"`{action.address}` is what `{old}` was: if you renamed it,"
                f" `lab state mv '{old}' '{action.address}'` keeps its results"
            )
    return found


def _action(record: Record, verb: Verb, cause: str) -> Action:
    return Action(
        address=record.address,
        kind=record.kind,
        target=record.target,
        verb=verb,
        cause=cause,
        infrastructure=record.infrastructure,
    )


def backwards(records: Iterable[Record]) -> list[Record]:
    """*records* so that each comes before what it needed; records made by different Labfiles may even
    need each other in a circle, and then the newest comes first."""
    by_address = {record.address: record for record in records}
    needs = {
        address: [n for n in record.needs if n in by_address and n != address]
        for address, record in by_address.items()
    }
    oldest_first = sorted(by_address, key=lambda a: _age(by_address[a]))
    try:
        ordered = in_order(oldest_first, needs)
    except CycleError:
        ordered = oldest_first
    return [by_address[address] for address in reversed(ordered)]


def _age(record: Record) -> float:
    if record.done is not None:
        return record.done.finished
    return record.tried.started if record.tried is not None else 0.0
