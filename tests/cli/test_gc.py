"""What `lab gc` deletes, and what it leaves alone."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from lab.cli import gc
from lab.cli.main import main
from lab.edge.journal import Journal
from lab.edge.lock import Lock
from lab.model.event import RecordMoved, RunStarted, StepFailed, StepFinished, StepStarted
from lab.model.layout import log_path, state_path, step_dir
from lab.model.state import Done
from lab.model.values import Artifact

DAY = 86400


class Lab:
    """A lab's folder with a state, in which steps have run."""

    def __init__(self, root, capsys, name: str = "t") -> None:
        self.root, self.name, self._capsys, self.run = str(root), name, capsys, 0
        (root / "Labfile.yaml").write_text(f"labfile: 1\nname: {name}\nsteps: {{}}\n")

    def store(self, *events: object) -> None:
        with Journal(state_path(self.root), self.root) as journal:
            journal.open(self.name, create=True).append(*events)

    def ran(self, address: str, *, outputs=None, fails: bool = False) -> Lab:
        """A run in which *address* was made; it leaves a file in its folder, and a log."""
        self.run += 1
        log = log_path(self.root, self.name, "", self.run, address)
        started = StepStarted(
            run=self.run, time=1, address=address, kind="command", target="local", verb="create",
            cause="", digest="d", log=log,
        )  # fmt: skip
        done = Done(run=self.run, digest="d", identity={}, outputs=outputs or {}, log=log)
        end = (
            StepFailed(run=self.run, time=2, address=address, error="no", log=log)
            if fails
            else StepFinished(run=self.run, time=2, address=address, done=done)
        )
        self.store(RunStarted(run=self.run, time=1, command="apply", labfile="x"), started, end)
        self.write(log)
        self.write(f"{step_dir(self.root, self.name, '', address)}/made", "x" * 1000)
        return self

    def write(self, path: str, text: str = "log") -> str:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def step(self, address: str) -> str:
        return step_dir(self.root, self.name, "", address)

    def gc(self, *words: str) -> int:
        self._capsys.readouterr()
        code = main(["gc", self.root, *words])
        self.said = "".join(self._capsys.readouterr())
        return code

    def files(self) -> set[str]:
        """All files of steps and logs, relative to the lab's work folder."""
        work = f"{self.root}/.lab/work/{self.name}"
        return {
            os.path.relpath(os.path.join(where, name), work)
            for where, _, names in os.walk(work)
            for name in names
        }


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def lab(tmp_path, capsys):
    (tmp_path / "lab").mkdir()
    return Lab(tmp_path / "lab", capsys)


def test_a_lab_that_never_ran_has_nothing_to_delete(lab):
    assert lab.gc() == 0
    assert "Nothing to delete" in lab.said
    assert os.listdir(lab.root) == ["Labfile.yaml"]


def test_folders_of_forgotten_steps_go_and_others_stay(lab):
    lab.ran("a").ran("m[lr=0.1]").ran("r/in")
    gone = [lab.write(f"{lab.step(one)}/made") for one in ("b", "m[lr=0.2]", "r/out", "r2/x")]
    assert lab.gc("--yes") == 0
    assert not any(os.path.exists(path) for path in gone)
    assert {"steps/a/made", "steps/m@lr=0.1/made", "steps/r.in/made"} <= lab.files()
    assert lab.gc() == 0
    assert "Nothing to delete" in lab.said


def test_a_failed_step_keeps_its_folder(lab):
    """A training that was killed goes on from what lies there."""
    lab.ran("train", fails=True)
    assert lab.gc("--yes") == 0
    assert "steps/train/made" in lab.files()


def test_what_a_record_names_stays_wherever_it_lies(lab):
    lab.ran("a").ran("b", outputs={"all": [Artifact(f"{lab.step('old')}/model", "sha256:x", 1)]})
    lab.write(f"{lab.step('old')}/model")
    lab.store(RecordMoved(run=9, time=1, address="a", to="renamed"))
    lab.store()
    with Journal(state_path(lab.root), lab.root) as journal:
        assert set(journal.open(lab.name).load().records) == {"renamed", "b"}
    assert lab.gc("--yes") == 0
    assert "steps/old/model" in lab.files()


def test_logs_of_old_runs_go_but_for_those_that_a_record_names(lab):
    for _ in range(5):
        lab.ran("often")
    lab.run = 5
    lab.ran("once")
    extra = lab.write(log_path(lab.root, lab.name, "", 6, "other"))
    for _ in range(3):
        lab.ran("often")
    assert lab.gc("--keep-runs", "2", "--yes") == 0
    logs = {path for path in lab.files() if path.startswith("logs")}
    assert logs == {"logs/0006/once.log", "logs/0008/often.log", "logs/0009/often.log"}
    assert not os.path.exists(extra)


def test_folders_of_unknown_labs_go_and_those_of_known_ones_stay(lab, capsys):
    lab.ran("a")
    other = Lab(Path(lab.root), capsys, "other")
    other.ran("x")
    Lab(Path(lab.root), capsys)  # the Labfile is named `t` again
    strange = lab.write(f"{lab.root}/.lab/work/strange@prod/steps/x/f")
    assert lab.gc("--yes") == 0
    assert not os.path.exists(os.path.dirname(os.path.dirname(strange)))
    assert "steps/x/made" in other.files()


def test_nothing_goes_where_the_state_is_lost(lab):
    lab.ran("a")
    before = lab.files()
    os.unlink(state_path(lab.root))
    assert lab.gc("--yes") == 0
    assert lab.files() == before


def test_it_shows_sizes_and_asks(lab, monkeypatch):
    lab.ran("a")
    lab.write(f"{lab.step('old')}/f", "x" * 123_000)
    before = lab.files()
    assert lab.gc("--dry-run") == 0
    assert " 123 kB  folders of steps that nothing is remembered of (1)" in lab.said
    assert ".lab/work/t/steps/old" in lab.said
    assert "would free 123 kB" in lab.said
    assert lab.gc() == 2
    assert "nobody can be asked" in lab.said
    assert lab.files() == before
    monkeypatch.setattr(gc, "interactive", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert lab.gc() == 2
    assert lab.files() == before
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert lab.gc() == 0
    assert "Deleted: 123 kB freed." in lab.said
    assert lab.files() < before


def test_json(lab):
    lab.ran("a")
    path = os.path.dirname(lab.write(f"{lab.step('old')}/f", "12345"))
    assert lab.gc("--json", "--dry-run") == 0
    said = json.loads(lab.said)
    assert said["bytes"] == 5
    assert [(e["path"], e["bytes"], e["freed"]) for e in said["entries"]] == [(path, 5, None)]
    assert lab.gc("--json", "--yes") == 0
    assert json.loads(lab.said)["entries"][0]["freed"] == 5


def test_links_are_deleted_and_not_followed(lab, tmp_path):
    lab.ran("a")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "f").write_text("x")
    os.symlink(tmp_path / "precious", lab.step("link"))
    assert lab.gc("--yes") == 0
    assert not os.path.lexists(lab.step("link"))
    assert (tmp_path / "precious" / "f").read_text() == "x"


def test_read_only_folders_go_too(lab):
    lab.ran("a")
    lab.write(f"{lab.step('old')}/in/f")
    os.chmod(f"{lab.step('old')}/in", 0o555)
    assert lab.gc("--yes") == 0
    assert not os.path.exists(lab.step("old"))


def test_what_has_other_links_frees_nothing(lab, tmp_path):
    lab.ran("a")
    (tmp_path / "data").write_text("x" * 5000)
    os.makedirs(lab.step("old"))
    os.link(tmp_path / "data", f"{lab.step('old')}/data")
    assert lab.gc("--dry-run", "--json") == 0
    assert json.loads(lab.said)["bytes"] == 0


def test_a_running_lab_is_waited_for(lab):
    lab.ran("a")
    lab.write(f"{lab.step('new')}/f")
    with Journal(state_path(lab.root), lab.root) as journal:
        lock = Lock(journal.open(lab.name), "lab apply")
        lock.acquire()
        assert lab.gc("--yes", "--lock-timeout", "0") == 4
        assert os.path.exists(f"{lab.step('new')}/f")
        lock.release()
    assert lab.gc("--yes", "--lock-timeout", "0") == 0


# --- the store ------------------------------------------------------------------------------------


def stored(cache, text: str, *, days: float = 0) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = cache / "store" / "sha256" / digest[:2] / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


@pytest.fixture
def later(monkeypatch):
    """Lets gc run as many days later: nobody can set a file's change time back."""

    def run(days: float) -> None:
        now = time.time()
        monkeypatch.setattr("lab.cli.gc.time.time", lambda: now + days * DAY)

    return run


def test_the_store_is_left_alone_unless_asked_for(lab, cache, later):
    path = stored(cache, "data")
    later(100)
    assert lab.gc("--yes") == 0
    assert os.path.exists(path)
    assert "holds one dataset, 4.1 kB" in lab.said
    assert "lab gc --older-than 30d" in lab.said


def test_old_data_that_nobody_links_to_goes(lab, cache, later):
    path = stored(cache, "data")
    os.makedirs(f"{path}.d")
    lab.write(f"{path}.d/file")
    assert lab.gc("--yes", "--older-than", "30d") == 0
    assert os.path.exists(path)
    later(31)
    assert lab.gc("--yes", "--older-than", "30d") == 0
    assert not os.path.exists(path)
    assert not os.path.exists(f"{path}.d")


def test_data_that_a_lab_links_to_stays(lab, cache, later, tmp_path):
    one, other = stored(cache, "one"), stored(cache, "two")
    os.link(one, tmp_path / "linked")
    os.makedirs(f"{other}.d")
    lab.write(f"{other}.d/file")
    os.link(f"{other}.d/file", tmp_path / "too")
    later(100)
    assert lab.gc("--yes", "--older-than", "1d") == 0
    assert os.path.exists(one)
    assert os.path.exists(other)


def test_data_that_this_lab_has_stays(lab, cache, later):
    path = stored(cache, "mine")
    lab.ran("data", outputs={"sha256": os.path.basename(path)})
    later(100)
    assert lab.gc("--yes", "--older-than", "1d") == 0
    assert os.path.exists(path)


def test_data_that_is_being_fetched_stays(lab, cache, later):
    path = stored(cache, "x")
    with open(f"{path}.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        later(100)
        assert lab.gc("--yes", "--older-than", "1d") == 0
        assert os.path.exists(path)
    assert lab.gc("--yes", "--older-than", "1d") == 0
    assert not os.path.exists(path)
