"""What lab keeps is for its user alone, and planted links lead it nowhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.edge.files import Files
from lab.edge.journal import Journal
from lab.edge.lock_flock import Flock
from lab.edge.private import make_private, require_own
from lab.edge.work import Work
from lab.model.diagnostic import LabError, StateError
from lab.model.layout import state_path


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_private_from_the_first_that_was_missing(tmp_path: Path) -> None:
    make_private(str(tmp_path / "a" / "b" / "c"))
    make_private(str(tmp_path / "a" / "b" / "c"))
    assert [_mode(tmp_path / each) for each in ("a", "a/b", "a/b/c")] == [0o700] * 3
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        make_private(str(tmp_path / "file"))


def test_all_that_the_edge_keeps_is_private(tmp_path: Path) -> None:
    root = str(tmp_path)
    (tmp_path / "input").write_text("x")
    os.utime(tmp_path / "input", (1, 1))
    with Journal(state_path(root), root) as journal, Files(root) as files:
        journal.open("mnist", create=True)
        work = Work(root, "mnist", "", files)
        work.prepare("train")
        with work.open_log(1, "train") as log:
            log.write(b"hello")
        files._cache.put("input", (1, 1, 1, 1), "a" * 64)
        files.digest("input")
        Flock(f"{root}/.lab/locks/mnist.lock").take()
        found = list((tmp_path / ".lab").rglob("*"))
        assert len(found) > 8
    for path in [tmp_path / ".lab", *(tmp_path / ".lab").rglob("*")]:
        assert _mode(path) & 0o077 == 0, path


def test_a_folder_that_others_may_read_is_shut(tmp_path: Path) -> None:
    (tmp_path / ".lab").mkdir(mode=0o755)
    require_own(str(tmp_path))
    assert _mode(tmp_path / ".lab") == 0o700
    require_own(str(tmp_path / "none"))


@pytest.mark.parametrize(
    "link",
    ["state.db", "cache", "locks", "work", "work/mnist", "work/mnist/steps", "work/mnist/logs", "cache/hashes.db"],
)  # fmt: skip
def test_a_link_inside_is_refused(tmp_path: Path, link: str) -> None:
    path = tmp_path / "lab" / ".lab" / link
    path.parent.mkdir(parents=True)
    (tmp_path / "precious").mkdir()
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(StateError, match="symbolic link"):
        require_own(str(tmp_path / "lab"))


def test_the_folder_itself_may_lie_on_another_disk_if_it_is_labs(tmp_path: Path) -> None:
    there, root = tmp_path / "there", tmp_path / "lab"
    there.mkdir()
    root.mkdir()
    (root / ".lab").symlink_to(there)
    require_own(str(root))
    (there / "thesis.tex").touch()
    with pytest.raises(StateError, match="symbolic link"):
        require_own(str(root))
    for name in ("state.db", ".gitignore"):
        (there / name).touch()
    require_own(str(root))


def test_a_steps_folder_and_a_runs_logs_are_no_links(tmp_path: Path) -> None:
    root, precious = str(tmp_path), tmp_path / "precious"
    precious.mkdir()
    work = Work(root, "mnist", "", Files(root))
    for planted in (work.step_dir("train"), os.path.dirname(work.log_path(1, "train"))):
        make_private(os.path.dirname(planted))
        os.symlink(precious, planted)
    with pytest.raises(LabError, match="symbolic link"):
        work.prepare("train")
    with pytest.raises(LabError, match="symbolic link"), work.open_log(1, "train") as log:
        log.write(b"x")
    work.forget("train")
    assert precious.is_dir()
    assert list(precious.iterdir()) == []


def test_hashes_are_stored_without_their_files_names(tmp_path: Path) -> None:
    root = str(tmp_path)
    names = ["made/hunter22/a", "made/hunter22", "hunter22", "\udcff", "\ud800"]
    make_private(f"{root}/.lab/cache")
    with Files(root) as files:
        for name in names:
            files._cache.put(name, (1, 2, 3, 4), "a" * 64)
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".lab" / "cache").iterdir())
    assert kept.count(b"a" * 64) == len(names)
    assert b"hunter22" not in kept
    with Files(root) as files:
        assert [files._cache.get(name, (1, 2, 3, 4)) for name in names] == ["a" * 64] * len(names)
        assert files._cache.get("made", (1, 2, 3, 4)) is None
