"""What cannot be started, and what is said about it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from process_bench import Bench, a_bench

from lab.edge.process import NotStarted


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path) as made:
        yield made


def test_missing_program_names_itself_and_the_way_out(bench: Bench) -> None:
    with pytest.raises(NotStarted, match=r"'no-such-tool' was not found on PATH$") as caught:
        bench.run("no-such-tool")
    assert caught.value.detail.startswith("Install it, or give its full path. PATH is /")


def test_program_here_but_not_on_path_is_pointed_at(bench: Bench) -> None:
    (bench.folder / "tool").write_text("#!/bin/sh\n")
    with pytest.raises(NotStarted) as caught:
        bench.run("tool")
    assert "write './tool'" in caught.value.detail


def test_path_of_the_child_is_what_counts(bench: Bench) -> None:
    with pytest.raises(NotStarted, match="not found on PATH"):
        bench.run("ls", env={"PATH": "/nowhere"})
    script(bench.folder / "bin" / "ls", "#!/bin/sh\necho mine\n")
    assert bench.run("ls", env={"PATH": "bin"}, capture=True).output == b"mine\n"


def test_relative_program_is_relative_to_the_working_folder(bench: Bench) -> None:
    script(bench.folder / "bin" / "hello", "#!/bin/sh\necho hello\n")
    assert bench.run("bin/hello", capture=True).output == b"hello\n"
    with pytest.raises(NotStarted, match="bin/hallo does not exist"):
        bench.run("bin/hallo")


def test_file_that_is_not_executable(bench: Bench) -> None:
    (bench.folder / "job.py").write_text("print()\n")
    with pytest.raises(NotStarted, match=r"not executable. Run `chmod \+x ./job.py`"):
        bench.run("./job.py")


def test_folder_is_no_program(bench: Bench) -> None:
    with pytest.raises(NotStarted, match="is a folder"):
        bench.run("/tmp")


def test_missing_interpreter_is_not_a_missing_program(bench: Bench) -> None:
    script(bench.folder / "job", "#!/no/such/python\n")
    with pytest.raises(NotStarted, match="the interpreter in its first line does not exist"):
        bench.run("./job")


def test_script_without_first_line(bench: Bench) -> None:
    script(bench.folder / "job", "echo hi\n")
    with pytest.raises(NotStarted, match="neither a program for this machine nor a script"):
        bench.run("./job")


def test_missing_working_folder(bench: Bench) -> None:
    with pytest.raises(NotStarted, match=r"working folder .*gone does not exist"):
        bench.run("true", cwd=str(bench.folder / "gone"))


@pytest.mark.live
def test_too_many_arguments(bench: Bench) -> None:
    with pytest.raises(NotStarted, match="longer than this system allows"):
        bench.run("true", *["x" * 100_000] * 100)


def test_nul_and_empty_commands(bench: Bench) -> None:
    with pytest.raises(NotStarted, match="NUL"):
        bench.run("true", "a\0b")
    with pytest.raises(NotStarted, match="empty"):
        bench.run()


def test_failure_to_start_leaves_all_in_order(bench: Bench) -> None:
    script(bench.folder / "job", "#!/no/such/python\n")
    for _ in range(3):
        with pytest.raises(NotStarted):
            bench.run("./job", stdin=b"x" * 200_000, capture=True)
        assert bench.said("echo on") == "on\n"


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
