"""Gathers how each step of a lab stands, from its Labfile and its state alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from lab.cli.standing import Holding, Standing, standing
from lab.edge.journal import LabState
from lab.model.address import broods, split
from lab.model.event import StepFailed, StepSkipped
from lab.model.frozen import dataclass
from lab.model.labfile import Step
from lab.model.state import Record, State

MOST_ASKED = 200  # failed steps whose end is looked up; more of them fail for few reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One step. ``ended`` and ``seconds`` are of its newest attempt; ``note`` is for people."""

    address: str
    kind: str
    target: str
    standing: Standing
    declared: bool
    record: Record | None = None
    ended: float | None = None
    seconds: float | None = None
    error: str = ""
    skipped: str = ""
    trials: str = ""  # what came of its child steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What rows are made of."""

    lab: LabState
    state: State
    held: Holding | None
    steps: Mapping[str, Step] | None = field(default=None)  # None: the Labfile cannot be read


def rows_of(seen: Seen) -> list[Row]:
    """The Labfile's steps in its order, then those that are only remembered."""
    records, steps = seen.state.records, seen.steps or {}
    skips = _skips(seen)
    ends = _ends(seen)
    rows = [_row(seen, step.address, step, skips, ends) for step in steps.values()]
    rows += [_row(seen, address, None, skips, ends) for address in records if address not in steps]
    return rows


def folded(rows: Sequence[Row]) -> list[Row]:
    """*rows* without the trials of sweeps, which are counted in their sweep's row."""
    whose, by_address = broods(row.address for row in rows), {row.address: row for row in rows}
    hidden = {address for each in whose.values() for address in each}
    return [
        replace(row, trials=trials_text(by_address[each].standing for each in whose[row.address]))
        if row.address in whose
        else row
        for row in rows
        if row.address not in hidden
    ]


def trials_text(standings: Iterable[Standing]) -> str:
    """`12 trials, 1 failed, 2 running`: done ones go without saying."""
    counts = Counter(standings)
    total = counts.total()
    others = [f"{counts[each]} {each.word}" for each in Standing if each is not Standing.DONE]
    shown = [text for text in others if not text.startswith("0 ")]
    return ", ".join([f"{total} trial{'s' if total != 1 else ''}", *shown])


def _row(
    seen: Seen,
    address: str,
    step: Step | None,
    skips: Mapping[str, str],
    ends: Mapping[str, StepFailed],
) -> Row:
    record = seen.state.records.get(address)
    about = standing(record, seen.held)
    kind = step.kind if step else record.kind if record else ""
    target = step.target.name if step else record.target if record else ""
    ended, seconds, error = _end(record, about, ends.get(address))
    return Row(
        address=address,
        kind=kind,
        target=target,
        standing=about,
        declared=seen.steps is None or step is not None or _is_child(seen.steps, address),
        record=record,
        ended=ended,
        seconds=seconds,
        error=error,
        skipped=skips.get(address, "") if about is Standing.NEVER else "",
    )


def _end(
    record: Record | None, about: Standing, failed: StepFailed | None
) -> tuple[float | None, float | None, str]:
    """When the newest attempt ended, how long it took, and how it failed."""
    if record is None:
        return None, None, ""
    if record.done is not None and about is Standing.DONE:
        return record.done.finished, record.done.seconds, ""
    error = record.tried.error if record.tried and about is Standing.FAILED else ""
    return (failed.time, failed.seconds, error) if failed else (None, None, error)


def _ends(seen: Seen) -> dict[str, StepFailed]:
    """How the newest attempts of failed and interrupted steps ended, where they did."""
    ends: dict[str, StepFailed] = {}
    asked = [a for a, r in seen.state.records.items() if r.tried is not None and r.tried.error]
    for address in asked[:MOST_ASKED]:
        for event in seen.lab.events(address=address):
            if isinstance(event, StepFailed):
                ends[address] = event
    return ends


def _skips(seen: Seen) -> dict[str, str]:
    """Why the newest run skipped steps that never ran; it is looked up only if there are any."""
    records = seen.state.records
    if not seen.state.run or all(address in records for address in seen.steps or ()):
        return {}
    return dict(_skipped(seen))


def _skipped(seen: Seen) -> Iterator[tuple[str, str]]:
    for event in seen.lab.events(run=seen.state.run):
        if isinstance(event, StepSkipped):
            yield event.address, event.cause


def _is_child(steps: Mapping[str, Step], address: str) -> bool:
    """A sweep's trial `sweep[#7]` belongs to its step, and stands in no Labfile."""
    name, key = split(address)
    return key.startswith("#") and name in steps
