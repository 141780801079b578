"""Steps' folders and logs, and the deletion of nothing but what a step made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.edge.files import Files
from lab.edge.work import Log, Work
from lab.model.diagnostic import LabError
from lab.model.values import Artifact


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "lab"
    path.mkdir()
    return path


@pytest.fixture
def work(root: Path) -> Work:
    return Work(str(root), "mnist", "prod", Files(str(root)))


def made(root: Path, path: str) -> Artifact:
    artifact = Files(str(root)).artifact(path)
    assert artifact is not None
    return artifact


class TestFolders:
    def test_each_step_has_its_own(self, root: Path, work: Work) -> None:
        path = work.prepare("train[lr=0.1]")
        assert path == f"{root}/.lab/work/mnist@prod/steps/train@lr=0.1"
        assert os.path.isdir(path)
        Path(path, "kept").touch()
        assert work.prepare("train[lr=0.1]") == path
        assert Path(path, "kept").exists()

    def test_forgetting_one_leaves_the_others(self, work: Work) -> None:
        addresses = ["train", "train[lr=0.1]", "train/sub", "train2"]
        for address in addresses:
            Path(work.prepare(address), "x").touch()
        work.forget("train")
        assert [os.path.exists(work.step_dir(a)) for a in addresses] == [False, True, True, True]
        work.forget("train")

    def test_a_linked_folder_is_not_followed(self, tmp_path: Path, work: Work) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "data").touch()
        work.prepare("a")
        os.symlink(outside, work.step_dir("b"))
        work.forget("b")
        assert (outside / "data").exists()
        assert not os.path.lexists(work.step_dir("b"))

    def test_a_file_in_the_way_is_told(self, root: Path, work: Work) -> None:
        (root / ".lab").write_text("")
        for use in (work.prepare, lambda address: work.open_log(1, address).write(b"x")):
            with pytest.raises(LabError, match="cannot write below"):
                use("a")


class TestLogs:
    def test_they_grow_and_are_private(self, root: Path, work: Work) -> None:
        for text in (b"one\n", b"two\n"):
            with work.open_log(7, "train[lr=0.1]") as log:
                log.write(text)
        path = Path(work.log_path(7, "train[lr=0.1]"))
        assert path == root / ".lab/work/mnist@prod/logs/0007/train@lr=0.1.log"
        assert path.read_bytes() == b"one\ntwo\n"
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_step_that_writes_nothing_has_none(self, root: Path, work: Work) -> None:
        with work.open_log(7, "quiet"):
            pass
        assert not (root / ".lab").exists()

    def test_a_full_disk_stops_no_step(self, tmp_path: Path) -> None:
        log = Log(str(tmp_path / "log"))
        log.write(b"before\n")
        kept, log._handle = log._handle, os.open("/dev/full", os.O_WRONLY)
        log.write(b"lost\n")
        log.write(b"lost\n")
        os.close(log._handle)
        log._handle = kept
        log.write(b"after\n")
        log.close()
        text = (tmp_path / "log").read_text()
        assert text.startswith("before\n\n[")
        assert "bytes of the log were lost here]\nafter\n" in text


class TestRemoval:
    def test_a_file_as_it_was_made_goes(self, root: Path, work: Work) -> None:
        (root / "out").mkdir()
        (root / "out/model").write_text("m")
        assert work.remove_artifact(made(root, "out/model"))
        assert not (root / "out/model").exists()
        assert (root / "out").exists()

    def test_what_was_changed_stays(self, root: Path, work: Work) -> None:
        (root / "model").write_text("m")
        (root / "folder").mkdir()
        (root / "folder/a").write_text("a")
        file, folder = made(root, "model"), made(root, "folder")
        (root / "model").write_text("edited")
        (root / "folder/mine").write_text("new")
        assert not work.remove_artifact(file)
        assert not work.remove_artifact(folder)
        assert (root / "model").read_text() == "edited"
        assert (root / "folder/a").exists()
        assert (root / "folder/mine").exists()

    def test_what_is_gone_is_deleted(self, root: Path, work: Work) -> None:
        assert work.remove_artifact(Artifact(f"{root}/none", "sha256:1"))

    def test_a_folder_goes_with_all_that_counts(self, root: Path, work: Work) -> None:
        (root / "out/deep/empty").mkdir(parents=True)
        (root / "out/deep/a").touch()
        (root / "out/__pycache__").mkdir()
        (root / "out/__pycache__/x.pyc").touch()
        (root / "out/link").symlink_to(root / "precious")
        (root / "precious").mkdir()
        (root / "precious/data").touch()
        assert work.remove_artifact(made(root, "out"))
        assert not (root / "out").exists()
        assert (root / "precious/data").exists()

    def test_what_was_not_hashed_in_a_folder_stays(self, root: Path, work: Work) -> None:
        for name in ("out/a", "out/repo/.git/objects", "out/repo/b", "out/lab/.lab/state.db"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        assert work.remove_artifact(made(root, "out"))
        left = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
        assert left == ["out/lab/.lab/state.db", "out/repo/.git/objects"]

    def test_nothing_outside_the_lab_goes(self, tmp_path: Path, root: Path, work: Work) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "data").write_text("d")
        (root / "way").symlink_to(outside)
        (tmp_path / "lab2").mkdir()
        (tmp_path / "lab2/data").write_text("d")
        for path in (f"{outside}/data", f"{root}/way/data", f"{root}/../outside/data",
                     f"{tmp_path}/lab2/data", str(outside)):  # fmt: skip
            digest = made(root, path).digest
            assert not work.remove_artifact(Artifact(path, digest, 1)), path
        assert (outside / "data").exists()
        assert (tmp_path / "lab2/data").exists()

    def test_a_link_goes_and_what_it_names_stays(
        self, tmp_path: Path, root: Path, work: Work
    ) -> None:
        (tmp_path / "data").write_text("d")
        (root / "link").symlink_to(tmp_path / "data")
        assert work.remove_artifact(made(root, "link"))
        assert not (root / "link").is_symlink()
        assert (tmp_path / "data").exists()

    @pytest.mark.parametrize("path", ["", ".", ".lab", ".lab/state.db", ".lab/work", ".git/x"])
    def test_what_lab_and_git_live_on_stays(self, root: Path, work: Work, path: str) -> None:
        for name in (".lab/state.db", ".lab/work/a", ".git/x"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        full = f"{root}/{path}".rstrip("/")
        assert not work.remove_artifact(Artifact(full, made(root, full).digest))
        assert (root / ".lab/state.db").exists()
        assert (root / ".git/x").exists()

    def test_what_lies_in_a_steps_folder_goes(self, root: Path, work: Work) -> None:
        path = Path(work.prepare("train"), "model")
        path.write_text("m")
        assert work.remove_artifact(made(root, str(path)))
        assert not path.exists()

    def test_what_the_provider_vouches_for_is_its_own(self, root: Path, work: Work) -> None:
        (root / "venv").mkdir()
        assert work.remove_artifact(Artifact(f"{root}/venv", "lock:abc"))
        assert (root / "venv").exists()
