"""What is reported done was synced first: the artifact before its record, the record before the report."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from fakes.lab import Lab

from lab import durable
from lab.edge.files import Files
from lab.edge.work import Work
from lab.model.event import Event, StepFailed, StepFinished, StepStarted
from lab.model.values import Artifact

LABFILE = """
steps:
  a: {kind: job, artifacts: {m: "{{ step.dir }}/m", n: "{{ step.dir }}/n"}}
  b: {kind: job, needs: a, artifacts: {m: "{{ step.dir }}/m"}}
"""


def watched(lab: Lab) -> list[str]:
    """In which order things are settled, stored and told from now on."""
    order: list[str] = []

    class Told(list[Event]):
        def append(self, event: Event) -> None:
            order.append(f"told {name(event)}")
            super().append(event)

    def name(event: Event) -> str:
        return f"{type(event).__name__} {getattr(event, 'address', '')}"

    lab.told = Told()
    lab.journal.after = lambda event: order.append(f"stored {name(event)}")
    lab.work.at_settling = lambda artifact: order.append(f"settled {artifact.path}")
    return order


def test_artifacts_then_the_journal_then_the_report() -> None:
    lab = Lab(LABFILE)
    order = watched(lab)
    lab.apply()
    steps = "/lab/.lab/work/t/steps"
    for address, made in (("a", ["m", "n"]), ("b", ["m"])):
        begun = order.index(f"stored StepStarted {address}")
        stored = order.index(f"stored StepFinished {address}")
        told = order.index(f"told StepFinished {address}")
        settled = [order.index(f"settled {steps}/{address}/{each}") for each in made]
        assert begun < min(settled) <= max(settled) < stored < told


def test_nothing_begins_that_is_not_stored_and_nothing_is_told_before_it_is() -> None:
    lab = Lab(LABFILE)
    order = watched(lab)
    lab.toy.on["a"] = lambda task, io: order.append("made a") or {}
    lab.apply()
    assert order.index("stored StepStarted a") < order.index("made a")
    for said in [each for each in order if each.startswith("told Step")]:
        assert order.index(said.replace("told", "stored")) < order.index(said)


def test_what_cannot_be_written_to_the_disk_is_not_done() -> None:
    lab = Lab(LABFILE)

    def lost(artifact: Artifact) -> None:
        raise OSError(errno.EIO, "Input/output error", artifact.path)

    lab.work.at_settling = lost
    lab.apply()
    assert lab.happened(StepFinished) == []
    assert lab.happened(StepStarted) == lab.happened(StepFailed) == ["a"]
    assert "Input/output error" in lab.error("a")
    lab.work.at_settling = lambda artifact: None
    assert lab.verbs()["a"] == "create"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are synced from now on, in order."""
    paths: list[str] = []
    before = os.fsync

    def fsync(handle: int) -> None:
        paths.append(os.readlink(f"/proc/self/fd/{handle}"))
        before(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return paths


def settle(root: Path, path: Path) -> None:
    files = Files(str(root))
    found = files.artifact(str(path))
    assert found is not None
    Work(str(root), "t", "", files).settle(found)
    files.close()


def test_a_file_is_synced_with_the_folders_that_lead_to_it(
    tmp_path: Path, synced: list[str]
) -> None:
    path = tmp_path / "one" / "two" / "file"
    path.parent.mkdir(parents=True)
    path.write_text("x")
    settle(tmp_path, path)
    wanted = [path, path.parent, tmp_path / "one", tmp_path]
    assert synced[: len(wanted)] == [str(each) for each in wanted]


def test_folders_above_are_synced_again_only_if_they_changed(
    tmp_path: Path, synced: list[str]
) -> None:
    long_ago = time.time() - 100
    for name in ("one", "two"):
        (tmp_path / "steps" / name).mkdir(parents=True)
        (tmp_path / "steps" / name / "file").write_text("x")
    files = Files(str(tmp_path))
    work = Work(str(tmp_path), "t", "", files)
    os.utime(tmp_path, (long_ago, long_ago))
    for name in ("one", "two"):
        found = files.artifact(str(tmp_path / "steps" / name / "file"))
        assert found is not None
        work.settle(found)
    files.close()
    assert synced.count(str(tmp_path)) == 1
    assert synced.count(str(tmp_path / "steps")) == 2, "it is new, and may change again"


def test_a_folder_is_synced_with_all_that_is_in_it(tmp_path: Path, synced: list[str]) -> None:
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("x")
    (folder / "other").write_text("x")
    (folder / "link").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    settle(tmp_path, folder)
    files = {str(folder / "deep" / "file"), str(folder / "other")}
    assert files | {str(folder), str(folder / "deep"), str(tmp_path)} == set(synced)
    assert max(synced.index(each) for each in files) < synced.index(str(folder))


def test_of_very_many_files_the_whole_file_system_is_synced(
    tmp_path: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "MOST_ALONE", 3)
    for number in range(4):
        (tmp_path / str(number)).write_text("x")
    durable.sync_tree(str(tmp_path))
    assert synced == []


def test_what_its_provider_vouches_for_is_left_to_it(tmp_path: Path, synced: list[str]) -> None:
    Work(str(tmp_path), "t", "", Files(str(tmp_path))).settle(Artifact("/nowhere", "lock:1", 1))
    assert synced == []
