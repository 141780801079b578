"""Copies by content: kept once, had back as they were, and never a reason to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.edge.files import Files
from lab.edge.objects import Objects


def digest(root: Path, name: str) -> str:
    files = Files(str(root))
    try:
        found = files.digest(name)
    finally:
        files.close()
    assert found is not None
    return found


def test_a_file_comes_back_with_its_executable_bit(tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    objects, known = Objects(str(tmp_path)), digest(tmp_path, "tool")
    assert objects.keep(str(path), known)
    path.write_text("changed in place: a hard link would have changed too")
    objects.restore(known, str(tmp_path / "back"))
    assert digest(tmp_path, "back") == known


def test_a_folder_comes_back_with_what_counts_in_it(tmp_path: Path) -> None:
    (tmp_path / "model/deep").mkdir(parents=True)
    (tmp_path / "model/deep/weights").write_bytes(b"\0\1\2")
    (tmp_path / "model/empty").mkdir()
    (tmp_path / "model/link").symlink_to("deep/weights")
    (tmp_path / "model/__pycache__").mkdir()
    (tmp_path / "model/__pycache__/x.pyc").write_text("x")
    objects, known = Objects(str(tmp_path)), digest(tmp_path, "model")
    assert objects.keep(str(tmp_path / "model"), known)
    objects.restore(known, str(tmp_path / "there/back"))
    assert digest(tmp_path, "there/back") == known
    assert not (tmp_path / "there/back/__pycache__").exists()


def test_one_content_is_kept_once(tmp_path: Path) -> None:
    objects = Objects(str(tmp_path))
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")
        assert objects.keep(str(tmp_path / name), digest(tmp_path, name))
    assert len(list(objects.entries())) == 1


@pytest.mark.parametrize("known", ["lock:sha256:12", "sha256:../../etc", "sha256:", "x"])
def test_what_is_no_hash_of_content_is_not_kept(tmp_path: Path, known: str) -> None:
    (tmp_path / "a").write_text("x")
    objects = Objects(str(tmp_path))
    assert not objects.keep(str(tmp_path / "a"), known)
    assert not objects.has(known)
    with pytest.raises(OSError, match=r".*"):
        objects.restore(known, str(tmp_path / "b"))


def test_what_is_too_large_or_gone_is_not_kept_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("one", "two"):
        (tmp_path / "d" / name).write_bytes(os.urandom(600))
    objects, known = Objects(str(tmp_path)), digest(tmp_path, "d")
    if not objects.keep(str(tmp_path / "d"), known, largest=1000):
        assert not list(objects.entries())
    else:  # a file system that shares blocks keeps it for nothing
        objects.restore(known, str(tmp_path / "back"))
    assert not objects.keep(str(tmp_path / "gone"), f"sha256:{'0' * 64}")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    objects, known = Objects(str(tmp_path)), digest(tmp_path, "a")
    objects.keep(str(tmp_path / "a"), known)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        objects.restore(known, str(tmp_path / "mine"))
