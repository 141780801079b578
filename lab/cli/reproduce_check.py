"""Whether what was made again is what a run made: numbers within a tolerance, artifacts by their content."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from lab.cli.reproduce_scratch import Again
from lab.model.address import child_key, owner
from lab.model.frozen import dataclass
from lab.model.state import Done, Record
from lab.model.values import Artifact, Value
from lab.report.tables import Cell, Column, table
from lab.report.value_text import brief
from lab.report.words import paint

_HASH = len("sha256:") + 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One output, then and now; artifacts inform, for files may hold the time at which they were written."""

    step: str
    name: str
    then: object
    now: object
    same: bool
    counts: bool = True

    def json(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {
            "step": self.step,
            "output": self.name,
            "then": self.then,
            "now": self.now,
            "same": self.same,
        }


def checks_of(
    again: Again, made: Mapping[str, Record], folder: str, tolerance: float
) -> list[Check]:
    """What the run's steps came to, and what they came to now in *folder*; places are as in the lab's folder."""
    found: list[Check] = []
    for address in _in_order(again.made):
        done, record = again.made[address], made.get(address)
        now = dict(_flat("", record.done.outputs)) if record and record.done else {}
        for name, before in _flat("", done.outputs):
            then, found_now = _placed(before, again.root), _placed(now.get(name), folder)
            check = _check(address, name, then, found_now, tolerance)
            if check is not None:
                found.append(check)
    return found


def _in_order(made: Mapping[str, Done]) -> list[str]:
    """Steps as they finished; a sweep's trials by their number, before it."""
    finished: dict[str, int] = {}
    for address in made:
        finished.setdefault(owner(address), len(finished))

    def place(address: str) -> tuple[int, float]:
        key = child_key(address)
        return finished[owner(address)], int(key) if key.isdigit() else math.inf

    return sorted(made, key=place)


def _check(step: str, name: str, then: object, now: object, tolerance: float) -> Check | None:
    match then, now:
        case Artifact(digest=was), Artifact(digest=found) if was.startswith("sha256:"):
            return Check(step=step, name=name, then=was, now=found, same=was == found, counts=False)
        case Artifact(), _:
            return None
        case (int() | float(), int() | float()):
            same = then == now or math.isclose(then, now, rel_tol=tolerance)
            same = same or (math.isnan(then) and math.isnan(now))
            return Check(step=step, name=name, then=then, now=now, same=same)
        case _:
            return Check(step=step, name=name, then=then, now=now, same=then == now)


def _placed(value: object, root: str) -> object:
    """A text that names places below *root* names them from there."""
    return value.replace(f"{root}/", "") if isinstance(value, str) else value


def _flat(name: str, value: Value) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), each)
    else:
        yield name, value


def checks_text(found: Sequence[Check], *, colour: bool, width: int | None) -> str:
    """A table, and the verdict."""
    columns = (
        Column(sign=True),
        Column(gives=True),
        Column(title="then", right=True),
        Column(title="now", right=True),
        Column(),
    )
    off = [each for each in found if not each.same and each.counts]
    verdict = (
        paint("It came out the same.", "green", colour)
        if not off
        else paint(f"{len(off)} of {len(found)} did not come out the same.", "red", colour)
    )
    rows = [_row(each) for each in found]
    return "\n".join(["", table(columns, rows, colour=colour, width=width), "", verdict])


def _row(each: Check) -> list[Cell]:
    sign = ("=", "green") if each.same else ("≠", "red" if each.counts else "dim")
    said = "" if each.same or each.counts else "other bytes; that may be a time in the file"
    return [
        Cell(*sign),
        Cell(f"{each.step}.{each.name}"),
        Cell(_shown(each.then)),
        Cell(_shown(each.now)),
        Cell(said, "dim"),
    ]


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    text = brief(value) if value is not None else "–"
    return text[:_HASH] if text.startswith("sha256:") else text
