"""What trainings came to in past runs: their parameters, metrics, curves and inputs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from lab.cli.arguments import usage
from lab.cli.curves import read_curve
from lab.cli.recorded import NotYetError, Recorded
from lab.model.address import child_key, matches
from lab.model.diagnostic import Diagnostic
from lab.model.event import StepFinished
from lab.model.frozen import dataclass
from lab.model.layout import curve_path, run_path
from lab.model.state import Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One training that a run finished."""

    run: int
    address: str
    done: Done
    curves: Mapping[str, list[float]]

    @property
    def metrics(self) -> dict[str, Any]:
        """The last value of each metric."""
        found = self.done.outputs.get("metrics")
        return dict(found) if isinstance(found, Mapping) else {}

    @property
    def parameters(self) -> dict[str, Any]:
        """The step's parameters as they were; of a sweep the best ones."""
        best = self.done.outputs.get("best_parameters")
        found = best if isinstance(best, Mapping) else self.done.identity.get("parameters")
        return dict(found) if isinstance(found, Mapping) else {}

    @property
    def inputs(self) -> dict[str, str]:
        """Paths and hashes of what it read."""
        found = self.done.identity.get("inputs")
        return {p: str(d) for p, d in found.items()} if isinstance(found, Mapping) else {}


def run_number(lab: Recorded, word: str) -> int:
    """The run that *word* names.

    Raises:
        LabError: it is no number, or there was no such run.
    """
    if not (word.isascii() and word.isdigit()):
        raise usage(f"`{word}` is not the number of a run", "`lab runs` lists them")
    number = int(word)
    if all(run.run != number for run in lab.lab.runs()):
        raise usage(f"there is no run {number}", "`lab runs` lists them")
    return number


def trained_in(lab: Recorded, word: str) -> list[Trained]:
    """The trainings that `RUN`, or `RUN:STEP` with a pattern, finished; of a step alone the newest.

    Raises:
        LabError: there is no such run, or it finished none.
    """
    number, _, pattern = word.partition(":")
    newest = list(_newest(lab, word)) if not number.isdigit() else []
    if newest:
        return newest
    run = run_number(lab, number)
    found = [
        each
        for each in _trained(lab, run)
        if not pattern or each.address == pattern or matches(each.address, pattern)
    ]
    if not found:
        raise NotYetError(
            Diagnostic(
                summary=f"run {run} finished no training"
                + (f" that `{pattern}` names" if pattern else ""),
                detail="What a run keeps as it is was trained in an earlier one.",
                help=f"`lab show run {run}` says what it did, `lab runs` lists the runs",
            )
        )
    return found


def _trained(lab: Recorded, run: int) -> Iterator[Trained]:
    ended = (event for event in lab.lab.events(run=run) if isinstance(event, StepFinished))
    for event in sorted(ended, key=lambda each: _trial(each.address)):
        if isinstance(event.done.outputs.get("metrics"), Mapping):
            yield _one(lab, event.address, event.done)


def _newest(lab: Recorded, pattern: str) -> Iterator[Trained]:
    """What the steps that *pattern* names came to when they were last done."""
    for address in sorted(lab.state.records, key=_trial):
        done = lab.state.records[address].done
        if done is None or not isinstance(done.outputs.get("metrics"), Mapping):
            continue
        if address == pattern or matches(address, pattern):
            yield _one(lab, address, done)


def _one(lab: Recorded, address: str, done: Done) -> Trained:
    row = lab.lab.row
    path = curve_path(lab.root, row.name, row.overlay, done.run, address)
    return Trained(run=done.run, address=address, done=done, curves=read_curve(path))


def _trial(address: str) -> int:
    """Trials in the order of their numbers, behind all other steps."""
    key = child_key(address)
    return int(key) if key.isdecimal() else -1


def record_of(lab: Recorded, run: int) -> Mapping[str, Any] | None:
    """What was kept of how a run began; None if nothing was, or it cannot be read."""
    path = run_path(lab.root, lab.lab.row.name, lab.lab.row.overlay, run)
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None
