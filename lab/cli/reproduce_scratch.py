"""The folder in which a run is repeated: its Labfile, the files that its steps read, its locks."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from lab.cli.recorded import NotYetError, Recorded
from lab.cli.trained import record_of
from lab.edge.files import Files
from lab.edge.objects import Objects
from lab.edge.private import make_private
from lab.model.address import owner
from lab.model.diagnostic import Diagnostic
from lab.model.event import StepFinished
from lab.model.fold import fold
from lab.model.frozen import dataclass
from lab.model.state import Done, Record

SHOWN = 8  # missing files are named up to so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A run that is to be repeated: how it began, what it made, and all that was there at its end."""

    run: int
    root: str
    name: str
    overlay: str
    labfile: Mapping[str, Any]
    vars: Mapping[str, Any]
    locks: Mapping[str, str]
    made: Mapping[str, Done]
    records: Mapping[str, Record]

    @property
    def inputs(self) -> dict[str, str]:
        """Every file that a step read, with its hash."""
        found: dict[str, str] = {}
        for record in self.records.values():
            inputs = record.done.identity.get("inputs") if record.done else None
            if isinstance(inputs, Mapping):
                found.update({path: str(digest) for path, digest in inputs.items()})
        return found


def again_of(lab: Recorded, run: int) -> Again:
    """What is known of *run*.

    Raises:
        LabError: it was not kept, or made nothing.
    """
    kept = record_of(lab, run)
    if kept is None:
        raise NotYetError(
            Diagnostic(
                summary=f"how run {run} began was not kept",
                detail="It is kept in labs that have a training or a sweep, when a run of `lab apply` ends,"
                " and goes with the run's logs (`lab gc --keep-runs`).",
            )
        )
    records: dict[str, Record] = {}
    made: dict[str, Done] = {}
    for event in lab.lab.events():
        if event.run <= run:
            fold(records, event)
        if isinstance(event, StepFinished) and event.run == run:
            made[event.address] = event.done
    if not made:
        raise NotYetError(Diagnostic(summary=f"run {run} made nothing that could be made again"))
    return Again(
        run=run,
        root=lab.root,
        name=lab.lab.row.name,
        overlay=str(kept.get("overlay", "")),
        labfile=kept["labfile"],
        vars=kept.get("vars", {}),
        locks=kept.get("locks", {}),
        made=made,
        records=records,
    )


def fill(lab: Recorded, again: Again, folder: str) -> None:
    """Writes all that the run needs into *folder*.

    Raises:
        LabError: a file that a step read was not kept, and is not here any more as it was.
    """
    make_private(folder)
    labfile = {key: value for key, value in again.labfile.items() if key != "state"}
    if isinstance(secrets := labfile.get("secrets"), Mapping):
        labfile["secrets"] = {name: _from(again.root, source) for name, source in secrets.items()}
    _write(folder, "Labfile.yaml", json.dumps({**labfile, "name": again.name}, indent=1))
    if again.overlay:  # it is merged already; its name counts in expressions
        _write(folder, f"Labfile.{again.overlay}.yaml", "{}\n")
    missing = list(_restore(lab, again, folder))
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise NotYetError(
            Diagnostic(
                summary=f"what run {again.run} read is not there any more: "
                + ", ".join(missing[:SHOWN])
                + more,
                detail="Files over 16 MiB are not copied, nor those that hold a secret; here they are gone or"
                " have changed.",
                help="put them back as they were, then again",
            )
        )
    for path, text in again.locks.items():
        _write(folder, path, text)


def _from(root: str, source: Any) -> Any:
    """A secret's source as it is found from elsewhere: secrets are not copied, so it stays in the lab's folder."""
    match source:
        case {"file": str(path)}:
            return {**source, "file": os.path.join(root, os.path.expanduser(path))}
        case {"command": [*argv]}:
            return {**source, "command": ["sh", "-c", 'cd "$0" && exec "$@"', root, *argv]}
        case _:
            return source


def apply_words(again: Again, folder: str) -> list[str]:
    """The words behind `lab apply` that repeat the run in *folder*."""
    words = [f"{folder}/Labfile.yaml", "--yes"]
    for step in dict.fromkeys(owner(address) for address in again.made):
        words += ["--only", f"+{step}"]
    for name, value in again.vars.items():
        words += ["--var", f"{name}={json.dumps(value)}"]
    return [*words, "-e", again.overlay] if again.overlay else words


def _restore(lab: Recorded, again: Again, folder: str) -> Iterator[str]:
    """Puts every input in place, as it was kept or as it still is; gives those that neither has."""
    objects, here, there = Objects(lab.root), Files(lab.root), Files(folder)
    try:
        for path, digest in again.inputs.items():
            to = os.path.normpath(os.path.join(folder, path))
            if not to.startswith(f"{folder}/") or os.path.lexists(to):
                continue  # beside the lab's folder, or written already
            if objects.has(digest):
                objects.restore(digest, to)
            elif here.digest(path) == digest:
                os.makedirs(os.path.dirname(to), exist_ok=True)
                shutil.copy2(os.path.join(lab.root, path), to)
            if there.digest(to) != digest:
                yield path
    finally:
        here.close()
        there.close()


def _write(folder: str, path: str, text: str) -> None:
    to = os.path.normpath(os.path.join(folder, path))
    if to.startswith(f"{folder}/"):
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(to, "w", encoding="utf-8") as file:
            file.write(text)
