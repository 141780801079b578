"""What `lab doctor` looks at of a lab's state: where it lies, whether it can be read, who has it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lab.cli.session import Session
from lab.cli.standing import Holding, holding
from lab.edge.journal_schema import is_remote
from lab.edge.process_survivors import find_marked
from lab.model.diagnostic import LabError
from lab.model.layout import FOLDER, state_path
from lab.report.checks import Check, Status
from lab.report.words import size

_READ_WHOLE = 64 * 10**6  # bytes; `lab state check` reads larger ones, which takes its time


def of_state(session: Session, about: str) -> Iterator[Check]:
    """All about the state, each part only if the one before it is well."""
    yield from _place(session.labfile.root, about)
    try:
        session.open_state(write=False)
        check = _contents(session, about)
    except LabError as error:
        fault = error.diagnostics[0]
        yield Check(
            about=about, name="state", text=fault.summary, status=Status.FAIL, fix=fault.help
        )
        return
    yield check
    if session.journal is None or session.journal.tenancy is None:
        return
    held = holding(session.journal)
    yield _lock(held, about)
    if held is None:
        yield from _survivors(session, about)


def _place(root: str, about: str) -> Iterator[Check]:
    folder = os.path.join(root, FOLDER)
    there = folder if os.path.isdir(folder) else root
    if not writable(there):
        text = f"nothing can be written to {there}"
        fix = f"chown or chmod {there}, or copy the lab to a folder of yours"
        yield Check(about=about, name="folder", text=text, status=Status.FAIL, fix=fix)
    elif is_remote(there):
        text = "it lies on a network file system: slower, and other machines do not see its lock"
        fix = "use a folder on a local disk, or run lab on one machine only"
        yield Check(about=about, name="folder", text=text, status=Status.WARN, fix=fix)
    else:
        yield Check(about=about, name="folder", text="on a local disk")


def writable(folder: str) -> bool:
    """Whether files can be made in *folder*."""
    return os.access(folder, os.W_OK | os.X_OK)


def _contents(session: Session, about: str) -> Check:
    local = session.labfile.state.backend == "local"
    path = state_path(session.labfile.root)
    if session.journal is None or session.journal.tenancy is None or not session.state.run:
        return Check(about=about, name="state", text="none yet: nothing has been applied")
    whole = os.path.getsize(path) if local else 0
    faults = session.journal.check() if whole <= _READ_WHOLE else []
    if faults:
        return Check(
            about=about,
            name="state",
            text=f"damaged: {faults[0]}" + (f" and {len(faults) - 1} more" if faults[1:] else ""),
            status=Status.FAIL,
            fix="lab state check",
        )
    count, runs = len(session.state.records), session.state.run
    steps = f"{count} step{'' if count == 1 else 's'}"
    text = f"{steps} remembered from {runs} run{'' if runs == 1 else 's'}, "
    text += size(whole) if local else f"in {session.place}"
    return Check(about=about, name="state", text=text)


def _lock(held: Holding | None, about: str) -> Check:
    if held is None:
        return Check(about=about, name="lock", text="free")
    if held.alive:
        return Check(about=about, name="lock", text=f"held by {held.holder}")
    return Check(
        about=about,
        name="lock",
        text=f"held by {held.holder}; from here nobody can see whether it lives",
        status=Status.WARN,
        fix="if it does not: lab state unlock --force",
    )


def _survivors(session: Session, about: str) -> Iterator[Check]:
    """Processes of a run that was killed together with its warden; the next run ends them."""
    found = find_marked(f"{session.mark}:")
    if not found:
        yield Check(about=about, name="processes", text="none left over from a killed run")
        return
    shown = " ".join(str(pid) for pid in found[:8])
    yield Check(
        about=about,
        name="processes",
        text=f"{len(found)} left over from a killed run; the next `lab apply` ends them",
        status=Status.WARN,
        fix=f"kill {shown}",
    )
