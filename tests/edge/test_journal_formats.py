"""States written by every lab there ever was open in this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from journal_bench import finished, journal, started

from lab.edge.journal_schema import FORMAT
from lab.model.event import RunFinished
from lab.model.layout import state_path
from lab.model.values import Artifact

FIXTURES = Path(__file__).resolve().parents[1] / "state_fixtures"
VERSIONS = sorted(each.name for each in FIXTURES.iterdir() if each.name.startswith("v"))


@pytest.fixture(params=VERSIONS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = Path(state_path(str(tmp_path)))
    path.parent.mkdir()
    shutil.copy(FIXTURES / request.param / "state.db", path)
    return tmp_path


def test_todays_format_has_a_fixture() -> None:
    assert f"v{FORMAT}" in VERSIONS


def test_every_record_is_as_it_was(root: Path) -> None:
    state = journal(root).open("mnist")
    loaded = state.load()
    assert loaded.run == 2
    assert len(loaded.key) == 64
    assert sorted(loaded.records) == ["cluster", "data", "new", "train[lr=0.1]"]
    data = loaded.records["data"].done
    assert data is not None
    assert data.outputs == {"path": Artifact(f"{root}/data.npz", "sha256:" + "a" * 64, 9)}
    assert data.identity == {"command": ["python", "a.py"], "inputs": {"a.py": "sha256:2"}}
    assert (data.started, data.finished, data.made) == (1001.0, 1002.0, ("out.txt",))
    train = loaded.records["train[lr=0.1]"]
    assert train.memory == {"dir": f"{root}/m"}
    assert train.tried is None
    assert train.done is not None
    assert train.done.outputs == {"metrics": {"accuracy": 0.9}, "$odd": [None, True]}
    new = loaded.records["new"]
    assert new.tried is not None
    assert (new.address, new.done, new.needs) == ("new", None, ("data",))
    assert (new.tried.interrupted, new.tried.error) == (True, "")


def test_infrastructure_can_still_be_destroyed(root: Path) -> None:
    cluster = journal(root).open("mnist").load().records["cluster"]
    assert (cluster.infrastructure, cluster.protect) == (True, True)
    assert (cluster.target, cluster.place) == ("kf", "kubeflow")
    assert cluster.fields == {"kubeconfig": f"{root}/kube"}
    assert cluster.tried is not None
    assert (cluster.tried.error, cluster.tried.interrupted) == ("no quota", False)
    assert cluster.tried.log == f"{root}/.lab/c.log"


def test_its_history_can_be_read(root: Path) -> None:
    there = journal(root)
    assert [(row.overlay, row.labfile) for row in there.labs()] == [
        ("", "Labfile.yaml"),
        ("prod", "Labfile.yaml"),
    ]
    state = there.open("mnist")
    assert len(state.events()) == 19
    assert state.events(run=1)[-1] == RunFinished(
        run=1, time=1020.0, outcome="failed", counts={"create": 2, "failed": 1}, outputs={"n": 1}
    )
    first, second = state.runs()
    assert (first.outcome, first.counts) == ("failed", {"create": 2, "failed": 1})
    assert (second.outcome, second.command) == ("", "lab plan")


def test_it_goes_on_from_there(root: Path) -> None:
    state = journal(root).open("mnist", create=True)
    assert state.check() == []
    state.append(started("new", 3), finished("new", 3))
    assert journal(root).open("mnist").load().records["new"].done is not None
    assert state.check() == []
    assert state.compact(keep_runs=1) > 0
    assert state.check() == []
