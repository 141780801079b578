"""Reading what a person names: also pipes, and never for ever."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from lab.edge.contents import contents


def test_no_more_than_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert contents(str(path), 4) == b"0123"
    assert contents(str(path), 99) == b"0123456789"


def test_a_pipe_without_a_writer_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert contents(str(tmp_path / "pipe"), 99) == b""


def test_a_pipe_is_read_to_its_end_however_slowly_it_comes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    keep = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)

    def write() -> None:
        for piece in (b"a", b"b"):
            time.sleep(0.05)
            os.write(writer, piece)
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    assert contents(str(tmp_path / "pipe"), 99) == b"ab"
    thread.join()
    os.close(keep)


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        contents(str(tmp_path / "none"), 9)
    with pytest.raises(IsADirectoryError):
        contents(str(tmp_path), 9)
