"""What can still be read of a damaged state: told by `lab state check`, written by its `--salvage FILE`."""

from __future__ import annotations

import argparse
import os
import time

from lab.cli.state_choice import state_root
from lab.cli.state_open import shared_source
from lab.edge.salvage import Found, Salvaged, salvage
from lab.edge.salvage_write import write
from lab.model.diagnostic import Diagnostic, LabfileError, StateError
from lab.model.layout import FOLDER, lab_key, state_path


def tell(args: argparse.Namespace) -> bool:
    """Says what can be salvaged of the state file here; False if there is nothing to say it of."""
    path = _path(args)
    if path is None:
        return False
    _tell(_salvaged(path))
    print(
        "\n`lab state check --salvage FILE` writes that into a new state. The damaged file stays as it is."
    )
    return True


def salvage_to(args: argparse.Namespace) -> int:
    """Writes what can be read of the state here into the new file that *args* name.

    Raises:
        LabError: there is no state file here, nothing of it can be read, or the new one cannot be written.
    """
    path = _path(args)
    if path is None:
        raise LabfileError(
            Diagnostic(
                summary="there is no state file here that could be salvaged",
                help="-C DIR says in which folder to look; a database has backups of its own",
            )
        )
    found = _salvaged(path)
    _tell(found)
    if not any(lab.events or lab.records for lab in found.labs):
        raise StateError(
            Diagnostic(
                summary=f"nothing could be read of {path}",
                help="put it back from a backup; or move it away, and adopt with `lab state import` what is there",
            )
        )
    write(found, os.path.abspath(args.salvage), os.path.dirname(os.path.dirname(path)))
    kept = os.path.relpath(os.path.join(os.path.dirname(path), "damaged"))
    shown = os.path.relpath(path)
    print(
        f"\nWritten to {args.salvage}. To go on with it, put it in the other's place (all files of which go):\n"
        f"  mkdir {kept} && mv {shown}* {kept}/ && mv {args.salvage} {shown} && lab state check"
    )
    return 0


def _path(args: argparse.Namespace) -> str | None:
    root = state_root(os.getcwd())
    if root is None or shared_source(args) is not None:
        return None
    path = state_path(root)
    return path if os.path.isfile(path) else None


def _salvaged(path: str) -> Salvaged:
    try:
        return salvage(path, os.path.dirname(os.path.dirname(path)))
    except OSError as error:
        raise StateError(
            Diagnostic(
                summary=f"{path} cannot be read: {error.strerror or error}",
                help=f"look at who owns `{FOLDER}` (`ls -la`) and whether the disk is full (`df`)",
            )
        ) from None


def _tell(found: Salvaged) -> None:
    for lab in found.labs:
        print(f"{lab_key(lab.name, lab.overlay)}: {_sentence(lab)}")
    if not found.labs:
        print("Nothing can be read of it.")
    if found.unreadable:
        rows = "1 row is" if found.unreadable == 1 else f"{found.unreadable} rows are"
        print(f"{rows} there and cannot be read.")


def _sentence(lab: Found) -> str:
    done = sum(record.done is not None for record in lab.records.values())
    count = len({event.run for event in lab.events})
    runs = f"{count} run{'s' if count != 1 else ''}"
    steps = f"{len(lab.records)} step{'s' if len(lab.records) != 1 else ''} ({done} done)"
    events = f"{len(lab.events)} event{'s' if len(lab.events) != 1 else ''}"
    newest = max((event.time for event in lab.events), default=None)
    when = (
        ""
        if newest is None
        else f", the newest of {time.strftime('%Y-%m-%d %H:%M', time.localtime(newest))}"
    )
    key = (
        ""
        if lab.key
        else "; the key of its secrets' hashes is lost, so steps with secrets run again"
    )
    return f"{steps} can be read, from {events} of {runs}{when}{key}"
