"""A lab with a past: runs and steps written into a journal as lab would have, and verbs run on it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cli.main import main
from lab.edge.journal import Journal, LabState
from lab.model.event import (
    Event,
    RunFinished,
    RunStarted,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepRemembered,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from lab.model.layout import log_path, state_path, step_dir
from lab.model.state import Done


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


class Past:
    """Writes what happened. Every step takes a second, and the clock of the past ends *ago* seconds ago."""

    def __init__(self, root: Path, capsys: Any, name: str = "t", overlay: str = "") -> None:
        self.root, self.capsys, self.name, self.overlay = root, capsys, name, overlay
        self.file = Journal(state_path(str(root)), str(root))
        self.now = time.time() - 3600.0
        self.number = 0
        self._lab: LabState | None = None
        self._waiting: list[Event] = []

    @property
    def lab(self) -> LabState:
        if self._lab is None:
            self._lab = self.file.open(self.name, self.overlay, "Labfile.yaml", create=True)
        return self._lab

    def labfile(self, steps: str, more: str = "", name: str = "t") -> None:
        text = f"labfile: 1\nname: {name}\nsteps:\n{steps}{more}"
        (self.root / "Labfile.yaml").write_text(text)

    def run(self, command: str = "apply") -> int:
        self.number += 1
        self._add(
            RunStarted(
                run=self.number,
                time=self._tick(),
                command=command,
                labfile="Labfile.yaml",
                host="box",
                pid=7,
            )
        )
        return self.number

    def end(
        self, outcome: str = "done", outputs: Mapping[str, Any] | None = None, **counts: int
    ) -> None:
        self._add(
            RunFinished(
                run=self.number,
                time=self._tick(),
                outcome=outcome,
                counts=counts,
                outputs=outputs or {},
            )
        )

    def start(self, address: str, cause: str = "never ran", **more: Any) -> str:
        log = log_path(str(self.root), self.name, self.overlay, self.number, address)
        fields = {"kind": "command", "target": "local", "verb": "create", "digest": "sha256:0"}
        self._add(
            StepStarted(
                run=self.number,
                time=self._tick(),
                address=address,
                cause=cause,
                log=log,
                **{**fields, **more},
            )
        )
        return log

    def done(
        self,
        address: str,
        outputs: Mapping[str, Any] | None = None,
        identity: Mapping[str, Any] | None = None,
        text: str = "",
        digest: str = "sha256:0",
        attempts: int = 1,
        **more: Any,
    ) -> None:
        log = self.start(address, digest=digest, **more)
        began = self.now
        self.write_log(log, text)
        done = Done(
            run=self.number,
            digest=digest,
            identity=identity or {"kind": "command", "target": "local"},
            outputs=outputs or {},
            started=began,
            finished=self._tick(),
            attempts=attempts,
            log=log,
        )
        self._add(StepFinished(run=self.number, time=self.now, address=address, done=done))

    def failed(
        self,
        address: str,
        error: str = "exit 1",
        text: str = "",
        interrupted: bool = False,
        begun: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        log = self.start(address, **(begun or {}))
        self.write_log(log, text)
        self._add(
            StepFailed(
                run=self.number,
                time=self._tick(),
                address=address,
                error=error,
                log=log,
                interrupted=interrupted,
                seconds=1.0,
                **more,
            )
        )

    def retried(self, address: str) -> None:
        self._add(
            StepRetried(
                run=self.number,
                time=self._tick(),
                address=address,
                attempt=1,
                error="no",
                delay=1.0,
            )
        )

    def skipped(self, address: str, cause: str, because: str = "") -> None:
        self._add(
            StepSkipped(
                run=self.number, time=self._tick(), address=address, cause=cause, because=because
            )
        )

    def remembered(self, address: str, memory: Any) -> None:
        self._add(
            StepRemembered(run=self.number, time=self._tick(), address=address, memory=memory)
        )

    def forgotten(self, address: str) -> None:
        self._add(StepForgotten(run=self.number, time=self._tick(), address=address))

    def write_log(self, path: str, text: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            file.write(text.encode())

    def directory(self, address: str) -> Path:
        folder = Path(step_dir(str(self.root), self.name, self.overlay, address))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def __call__(self, *words: str, expect: int | None = 0) -> Ran:
        """Runs `lab` with *words* in this process."""
        self.flush()
        self.capsys.readouterr()
        code = main(list(words))
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        assert expect is None or code == expect, f"lab {words} exited {code}\n{said.out}{said.err}"
        return Ran(code, said.out, said.err)

    def damage(self) -> None:
        """Makes the state unreadable."""
        self.lab.append(RunStarted(run=9, time=1.0, command="x", labfile="x"))
        self.close()
        for path in (self.root / ".lab").glob("state.db*"):
            path.write_bytes(b"nothing that SQLite would know" * 100)

    def close(self) -> None:
        self.flush()
        self._lab = None
        self.file.close()

    def _tick(self) -> float:
        self.now += 1.0
        return self.now

    def _add(self, event: Event) -> None:
        self._waiting.append(event)

    def flush(self) -> None:
        """Stores what happened, at once: each commit waits for the disk."""
        if self._waiting:
            self.lab.append(*self._waiting)
            self._waiting.clear()
