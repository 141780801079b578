"""A state that cannot be used is told, never overwritten, and never ends in a traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from journal_bench import (
    SmallDisk,
    finished,
    journal,
    opened,
    random_event,
    run_started,
    started,
)

from lab.edge import journal_errors, journal_schema
from lab.edge.lock import Lock
from lab.model.diagnostic import StateError
from lab.model.layout import state_path


def _file(root: Path) -> Path:
    return Path(state_path(str(root)))


def _made(root: Path, events: int = 60) -> Path:
    """A closed state with some history."""
    with journal(root) as there:
        state = there.open("mnist", create=True)
        rng = random.Random(1)
        state.append(run_started(1), *(random_event(rng, 1) for _ in range(events)))
        state.append(started("train"), finished("train"))
    return _file(root)


def _use_all(root: Path) -> None:
    """Everything that a command does with a state."""
    with journal(root) as there:
        there.labs()
        state = there.open("mnist", create=True)
        for record in state.load().records.values():
            assert record.done is None or len(record.done.identity) >= 0
        state.events()
        state.runs()
        state.check()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a database at all",
        b"\0" * 8192,
        b"SQLite format 3\0" + b"\xff" * 9000,
        b"{}",
    ],
)
def test_what_is_no_state_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = _file(tmp_path)
    path.parent.mkdir()
    path.write_bytes(content)
    for use in (journal(tmp_path).labs, lambda: opened(tmp_path), lambda: _use_all(tmp_path)):
        with pytest.raises(StateError) as caught:
            use()
        said = caught.value.diagnostics[0]
        assert str(path) in said.summary
        assert "damaged" in said.summary
        assert "lab state check" in said.help
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = _file(tmp_path)
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs(x)")
    content = path.read_bytes()
    with pytest.raises(StateError, match="damaged"):
        opened(tmp_path)
    assert path.read_bytes() == content


def test_a_folder_where_the_state_should_be(tmp_path: Path) -> None:
    _file(tmp_path).mkdir(parents=True)
    with pytest.raises(StateError) as caught:
        opened(tmp_path)
    assert "It is a folder" in caught.value.diagnostics[0].detail
    assert _file(tmp_path).is_dir()


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_is_a_result_or_an_error(tmp_path: Path, seed: int) -> None:
    path = _made(tmp_path)
    rng = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 8, 64])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    if seed % 4 == 0:
        del content[rng.randrange(len(content)) :]
    path.write_bytes(content)
    with contextlib.suppress(StateError):
        _use_all(tmp_path)


def test_a_newer_format_names_the_version_that_reads_it(tmp_path: Path) -> None:
    path = _made(tmp_path)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
        db.execute("UPDATE meta SET value = '7.3.0' WHERE name = 'needs'")
    content = path.read_bytes()
    with pytest.raises(StateError, match="newer lab") as caught:
        opened(tmp_path)
    assert "7.3.0" in caught.value.diagnostics[0].help
    assert path.read_bytes() == content


def test_tables_that_an_old_sqlite_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 0))
    with (
        pytest.raises(StateError, match="newer SQLite"),
        journal_errors.explained(str(_file(tmp_path))),
    ):
        raise sqlite3.DatabaseError('malformed database schema (meta) - near "STRICT"')


PLANTED: list[tuple[str, str]] = [
    ("DELETE FROM records WHERE address = 'train'", "record of train is missing"),
    ("UPDATE records SET json = '[]' WHERE address = 'train'", "record of train cannot be read"),
    ("UPDATE records SET identity = '{' WHERE address = 'train'", "train cannot be read"),
    ("UPDATE events SET json = '{\"event\": 1}' WHERE seq = 3", "event 3 cannot be read"),
    (
        "UPDATE records SET json = replace(json, 'sha256:1', 'sha256:9') WHERE address = 'train'",
        "record of train is not what its events made",
    ),
    (
        "INSERT INTO records SELECT lab, 'ghost', json, identity FROM records"
        " WHERE address = 'train'",
        "record of ghost is there, though no event made it",
    ),
]


@pytest.mark.parametrize(("change", "said"), PLANTED)
def test_check_finds_what_is_wrong(tmp_path: Path, change: str, said: str) -> None:
    path = _made(tmp_path)
    assert opened(tmp_path).check() == []
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        assert db.execute(change).rowcount > 0
    assert any(said in fault for fault in opened(tmp_path).check())


def test_a_damaged_key_is_told_by_whatever_opens_the_state(tmp_path: Path) -> None:
    path = _made(tmp_path)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE labs SET key = 'a' || substr(key, 2, 9) || '!'")
    for use in (lambda: opened(tmp_path), lambda: journal(tmp_path).labs()):
        with pytest.raises(StateError, match="is damaged"):
            use()


def test_no_space_is_told_and_what_was_there_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = opened(tmp_path)
    state.append(started("a"))
    disk = SmallDisk(state, pages=2)
    monkeypatch.setattr(sqlite3, "connect", disk)
    with pytest.raises(StateError, match="no space is left"):
        state.append(*(finished("a", root="/x" * 200) for _ in range(200)))
    assert state.load().records["a"].done is None
    disk.limit = 100000
    state.append(finished("a"))
    assert opened(tmp_path).check() == []
    assert len(opened(tmp_path).events()) == 2


def _as_somebody_else(work: Callable[[], Any]) -> str:
    """Runs *work* in a child without root's rights; gives what it returns or raises, as text."""
    out, inlet = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(inlet, repr(work()).encode())
        except BaseException as error:  # noqa: BLE001 - the parent compares it
            os.write(inlet, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(inlet)
    with os.fdopen(out) as told:
        said = told.read()
    os.waitpid(child, 0)
    return said


def _reachable(root: Path) -> None:
    """Lets everybody pass the folders that pytest keeps to its user."""
    for folder in [*root.parents][:3]:
        with contextlib.suppress(PermissionError):
            folder.chmod(folder.stat().st_mode | 0o011)


def test_a_read_only_state_can_be_read(tmp_path: Path) -> None:
    path = _made(tmp_path)
    _reachable(tmp_path)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    tmp_path.chmod(0o555)
    try:
        read = _as_somebody_else(lambda: len(journal(tmp_path).open("mnist").events()))
        written = _as_somebody_else(lambda: journal(tmp_path).open("mnist").append(started("a")))
        made = _as_somebody_else(lambda: opened(tmp_path, name="other"))
    finally:
        path.parent.chmod(0o755)
        tmp_path.chmod(0o755)
    assert read == "63"
    for said in (written, made):
        assert said.startswith("StateError:")
        assert "cannot be written" in said


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    _reachable(tmp_path)
    tmp_path.chmod(0o555)
    try:
        said = _as_somebody_else(lambda: opened(tmp_path))
    finally:
        tmp_path.chmod(0o755)
    assert said.startswith("StateError:")
    assert "cannot be made" in said


def test_a_state_that_may_not_be_read(tmp_path: Path) -> None:
    path = _made(tmp_path)
    _reachable(tmp_path)
    path.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    path.chmod(0o000)
    said = _as_somebody_else(lambda: opened(tmp_path))
    assert said.startswith("StateError:")
    assert "cannot be opened" in said


def test_a_remote_disk_gets_a_journal_that_needs_no_shared_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_schema, "is_remote", lambda _folder: True)
    state = opened(tmp_path)
    state.append(started("a"))
    assert state._file is not None
    assert state._file._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert opened(tmp_path).events() == [started("a")]


def test_every_commit_is_synced(tmp_path: Path) -> None:
    state = opened(tmp_path)
    state.append(started("a"))
    assert state._file is not None
    assert state._file._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert state._file._connection.execute("PRAGMA synchronous").fetchone() == (3,)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("dangling", [True, False])
def test_what_lies_where_the_folder_belongs_is_named(
    tmp_path: Path, *, create: bool, dangling: bool
) -> None:
    folder = _file(tmp_path).parent
    if dangling:
        folder.symlink_to(tmp_path / "nowhere")
    else:
        folder.write_text("")
    with journal(tmp_path) as there, pytest.raises(StateError) as caught:
        there.open("mnist", create=create)
    assert caught.value.diagnostics[0].summary == f"{folder} is not a folder"
    assert folder.is_symlink() or folder.read_text() == ""


def test_a_file_where_the_locks_belong_is_named(tmp_path: Path) -> None:
    _made(tmp_path)
    locks = _file(tmp_path).parent / "locks"
    locks.write_text("")
    with journal(tmp_path) as there, pytest.raises(StateError, match="locks is not a folder"):
        Lock(there.open("mnist", create=True)).acquire()


@pytest.mark.parametrize(("free", "said"), [(0, "no space is left"), (9, "cannot be used")])
def test_a_full_disk_is_told_from_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, said: str
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bavail=free))
    with (
        pytest.raises(StateError, match=said),
        journal_errors.explained(str(tmp_path / "state.db")),
    ):
        raise sqlite3.OperationalError("disk I/O error")


def test_no_room_to_make_a_state_is_no_matter_of_permissions(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught, journal_errors.made(str(tmp_path / "state.db")):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "Free some space" in caught.value.diagnostics[0].help
