"""What of the copies in `.lab/objects` no run that is kept read or made; only looks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from lab.cli.gc_find import Garbage, size_of
from lab.edge.journal import LabState
from lab.edge.objects import Objects
from lab.model.event import StepFinished
from lab.model.state import Done

COPIES = "copies of what old runs read and made"


def needed_by(lab: LabState, keep_runs: int) -> Iterator[str]:
    """The hashes that the records of a lab and its so many newest runs name."""
    for record in lab.load().records.values():
        if record.done is not None:
            yield from _named(record.done)
    newest = {run.run for run in lab.runs()[-keep_runs:]} if keep_runs else set()
    for event in lab.events():
        if isinstance(event, StepFinished) and event.run in newest:
            yield from _named(event.done)


def _named(done: Done) -> Iterator[str]:
    yield from (artifact.digest for artifact in done.artifacts)
    inputs = done.identity.get("inputs")
    if isinstance(inputs, Mapping):
        yield from map(str, inputs.values())


def in_objects(root: str, needed: Collection[str]) -> Iterator[Garbage]:
    """Copies that nothing names, and those that were never finished."""
    for digest, path in Objects(root).entries():
        if digest not in needed:
            yield Garbage(path=path, what=COPIES, size=size_of(path))
