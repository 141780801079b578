"""What a run began with, kept in labs that train: enough to repeat it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from typing import Any

from lab import __version__
from lab.cli.complain import show
from lab.cli.session import Session
from lab.edge.git import Commit, commit_of
from lab.edge.private import make_private, private
from lab.model.diagnostic import Diagnostic
from lab.model.layout import run_path
from lab.model.values import Artifact
from lab.running.keeping import trains

FORMAT = 1
LARGEST_LOCK = 4 * 2**20


class RunRecord:
    """Asks git while the run goes on, and writes the record when it has ended: by then all secrets are known."""

    def __init__(self, session: Session, run: int) -> None:
        self._session, self._run = session, run
        self._commit: Commit | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Returns at once; in a lab that trains nothing, nothing is kept."""
        if trains(self._session.graph):
            self._thread = threading.Thread(target=self._ask, name="git", daemon=True)
            self._thread.start()

    def write(self) -> None:
        """Writes it. That it cannot be written is said, and is no reason to fail a run."""
        if self._thread is None:
            return
        self._thread.join()
        labfile = self._session.labfile
        path = run_path(labfile.root, labfile.name, labfile.overlay, self._run)
        text = json.dumps(_redacted(self._found(), self._session), ensure_ascii=False, indent=1)
        try:
            make_private(os.path.dirname(path))
            with open(f"{path}.tmp", "w", encoding="utf-8", opener=private) as file:
                file.write(text + "\n")
            os.replace(f"{path}.tmp", path)
        except OSError as error:
            what = f"what run {self._run} began with cannot be kept: {error.strerror}"
            show((Diagnostic(summary=what),))

    def _ask(self) -> None:
        self._commit = commit_of(self._session.labfile.root, self._session.machine.ambient)

    def _found(self) -> dict[str, Any]:
        import platform  # it takes long to import, and only labs that train need it

        session, commit = self._session, self._commit
        labfile, machine = session.labfile, session.machine
        return {
            "format": FORMAT,
            "run": self._run,
            "lab": __version__,
            "labfile": labfile.document.tree,
            "overlay": labfile.overlay,
            "vars": dict(labfile.vars),
            "locks": _locks(session),
            "git": None
            if commit is None
            else {"commit": commit.commit, "dirty": commit.dirty, "diff": commit.diff},
            "machine": {
                "host": platform.node(),
                "system": platform.platform(),
                "python": platform.python_version(),
                "cpus": machine.cpus,
                "memory": machine.memory,
                "gpus": list(machine.devices),
            },
        }


def _locks(session: Session) -> dict[str, str]:
    """The environments' locks, by their paths in the lab's folder."""
    session.reload()
    found: dict[str, str] = {}
    for record in session.state.records.values():
        lock = record.done.outputs.get("lock") if record.done else None
        if record.kind != "environment" or not isinstance(lock, Artifact):
            continue
        relative = os.path.relpath(lock.path, session.labfile.root)
        try:
            if not relative.startswith("..") and os.path.getsize(lock.path) <= LARGEST_LOCK:
                with open(lock.path, encoding="utf-8") as file:
                    found[relative] = file.read()
        except (OSError, UnicodeDecodeError):
            continue
    return found


def _redacted(value: Any, session: Session) -> Any:
    match value:
        case str():
            return session.secrets.redact(value)
        case Mapping():
            return {str(key): _redacted(each, session) for key, each in value.items()}
        case list() | tuple():
            return [_redacted(each, session) for each in value]
        case _:
            return value
