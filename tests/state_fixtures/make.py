"""Writes a state in today's format; what it wrote once is kept and must open for ever.

Run it only for a new format: ``python tests/state_fixtures/make.py vN``.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from lab.edge.journal import Journal
from lab.model.event import (
    Event,
    ProtectSet,
    RecordMoved,
    RunFinished,
    RunStarted,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepRemembered,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from lab.model.layout import state_path
from lab.model.state import Done
from lab.model.values import Artifact

HERE = Path(__file__).parent


def events(root: str) -> list[Event]:
    """One of each kind of event that is stored."""
    return [
        RunStarted(
            run=1,
            time=1000.0,
            command="lab apply",
            labfile=f"{root}/Labfile.yaml",
            host="box",
            pid=7,
        ),
        _started("data", 1001.0, root),
        _finished("data", 1002.0, {"path": Artifact(f"{root}/data.npz", f"sha256:{'a' * 64}", 9)}),
        _started("train[lr=0.1]", 1003.0, root),
        StepRemembered(run=1, time=1004.0, address="train[lr=0.1]", memory={"dir": f"{root}/m"}),
        StepRetried(
            run=1, time=1005.0, address="train[lr=0.1]", attempt=1, error="broke", delay=1.0
        ),
        _finished("train[lr=0.1]", 1009.0, {"metrics": {"accuracy": 0.9}, "$odd": [None, True]}),
        _started("old", 1010.0, root),
        RecordMoved(run=1, time=1011.0, address="old", to="new"),
        _started("cluster", 1012.0, root, infrastructure=True),
        StepFailed(
            run=1,
            time=1013.0,
            address="cluster",
            error="no quota",
            detail="ask",
            log=f"{root}/.lab/c.log",
        ),
        ProtectSet(run=1, time=1014.0, address="cluster", protect=True),
        _started("gone", 1015.0, root),
        StepDestroyed(run=1, time=1016.0, address="gone"),
        _started("forgotten", 1017.0, root),
        StepForgotten(run=1, time=1018.0, address="forgotten", cause="no longer in the Labfile"),
        StepSkipped(
            run=1, time=1019.0, address="deploy", cause="cluster failed", because="cluster"
        ),
        RunFinished(
            run=1,
            time=1020.0,
            outcome="failed",
            counts={"create": 2, "failed": 1},
            outputs={"n": 1},
        ),
        RunStarted(run=2, time=2000.0, command="lab plan", labfile=f"{root}/Labfile.yaml"),
    ]


def _started(address: str, time: float, root: str, *, infrastructure: bool = False) -> StepStarted:
    return StepStarted(
        run=1,
        time=time,
        address=address,
        kind="cluster" if infrastructure else "command",
        target="kf" if infrastructure else "local",
        place="kubeflow" if infrastructure else "local",
        fields={"kubeconfig": f"{root}/kube"} if infrastructure else {},
        verb="create",
        cause="never ran",
        digest="sha256:1",
        infrastructure=infrastructure,
        needs=("data",),
        log=f"{root}/.lab/x.log",
    )


def _finished(address: str, time: float, outputs: dict[str, object]) -> StepFinished:
    done = Done(
        run=1,
        digest="sha256:1",
        identity={"command": ["python", "a.py"], "inputs": {"a.py": "sha256:2"}},
        outputs=outputs,  # type: ignore[arg-type]
        started=time - 1,
        finished=time,
        made=("out.txt",),
    )
    return StepFinished(run=1, time=time, address=address, done=done)


def make(folder: Path) -> None:
    """Writes ``state.db`` into *folder*, which must not hold one."""
    with tempfile.TemporaryDirectory() as root:
        with Journal(state_path(root), root) as journal:
            journal.open("mnist", "", "Labfile.yaml", create=True).append(*events(root))
            journal.open("mnist", "prod", "Labfile.yaml", create=True)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "state.db").exists():
            raise SystemExit(f"{folder}/state.db is there already, and is to stay as it is")
        shutil.copy(state_path(root), folder / "state.db")


if __name__ == "__main__":
    make(HERE / sys.argv[1])
