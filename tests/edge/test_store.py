"""What lies in the shared store, and that nothing which somebody uses goes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from pathlib import Path

import pytest

from lab.edge.store import Store
from providers.local import _store as filled


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def stored(store: Store, content: bytes) -> str:
    """Stores a file as the dataset kind does; gives its path."""
    key = hashlib.sha256(content).hexdigest()
    part = filled.part_file(store.folder, "https://x", key)
    os.makedirs(os.path.dirname(part), exist_ok=True)
    Path(part).write_bytes(content)
    Path(f"{part}.lock").touch()
    path = filled.stored_file(store.folder, key)
    filled.keep(part, path)
    return path


def test_an_absent_store_is_empty(store: Store) -> None:
    assert store.entries() == []
    assert not os.path.exists(store.folder)


def test_files_folders_and_parts_are_listed(store: Store) -> None:
    path = stored(store, b"x" * 5000)
    folder = Path(filled.stored_folder(store.folder, os.path.basename(path)))
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.csv").write_bytes(b"y" * 9000)
    Path(f"{folder}.sum").write_text("sha256:1")
    part = Path(filled.part_file(store.folder, "https://y", None))
    part.parent.mkdir()
    part.write_bytes(b"z" * 100)
    Path(f"{part}.json").write_text("{}")
    whole, partial = store.entries()
    assert (whole.whole, whole.linked, partial.whole) == (True, False, False)
    assert whole.key == os.path.relpath(path, store.folder)
    assert whole.paths == (path, str(folder), f"{folder}.sum")
    assert whole.size >= 14000
    assert abs(whole.used - time.time()) < 60
    assert partial.paths == (str(part), f"{part}.json")


def test_removing_frees_and_leaves_the_rest(store: Store) -> None:
    one, other = stored(store, b"one" * 2000), stored(store, b"other")
    folder = Path(filled.stored_folder(store.folder, os.path.basename(one)))
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a").touch()
    (folder / "sub").chmod(0o555)
    entry = next(each for each in store.entries() if one in each.paths)
    assert store.remove(entry) == entry.size
    assert not os.path.exists(one)
    assert not folder.exists()
    assert [each.paths for each in store.entries()] == [(other,)]


def test_what_a_lab_links_to_is_seen(store: Store, tmp_path: Path) -> None:
    path = stored(store, b"data")
    before = store.entries()[0]
    os.link(path, tmp_path / "in-a-lab")
    assert store.entries()[0].linked
    assert store.remove(before) == 0, "it was linked since it was listed"
    assert os.path.exists(path)
    assert store.remove(store.entries()[0]) > 0, "who asks for it knows"


def test_what_somebody_writes_stays(store: Store) -> None:
    path = stored(store, b"data")
    with open(f"{path}.part.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert store.remove(store.entries()[0]) == 0
    assert store.remove(store.entries()[0]) > 0


def test_what_was_used_lately_stays(store: Store) -> None:
    path = stored(store, b"data")
    entry = store.entries()[0]
    assert store.remove(entry, unused_since=time.time() - 3600) == 0
    assert os.path.exists(path)
    assert store.remove(entry, unused_since=time.time() + 3600) > 0
