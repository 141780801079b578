"""What a child hears and says."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from process_bench import Bench, a_bench, dead, number_in, wait_for

from lab.edge import process_output
from lab.edge.process_output import LINE_LIMIT, Lines


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path) as made:
        yield made


class Log:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


class HideSecret:
    """Holds back what may be the beginning of the secret."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> bytes:
        text = (self.held + data).replace(b"secret", b"***")
        keep = next((n for n in range(5, 0, -1) if text.endswith(b"secret"[:n])), 0)
        self.held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> bytes:
        return self.held


def test_input_is_empty_unless_given(bench: Bench) -> None:
    assert bench.said("cat; echo end") == "end\n"


@pytest.mark.parametrize("size", [0, 5, 65536, 3_000_000])
def test_input_arrives_whole(bench: Bench, size: int) -> None:
    assert bench.said("wc -c", stdin=b"x" * size).strip() == str(size)


def test_large_input_and_output_at_the_same_time(bench: Bench) -> None:
    data = os.urandom(2_000_000)
    assert bench.run("cat", stdin=data, capture=True).output == data


def test_input_that_nobody_reads(bench: Bench) -> None:
    assert bench.sh("exit 3", stdin=b"x" * 1_000_000).code == 3


def test_output_and_errors_keep_their_order(bench: Bench) -> None:
    log = Log()
    bench.sh("for i in 1 2 3; do echo out $i; echo err $i >&2; done", log=log)
    assert log.data == b"out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"


def test_log_can_be_read_while_the_child_runs(bench: Bench) -> None:
    path = bench.folder / "log"
    with path.open("wb") as file, ThreadPoolExecutor(1) as pool:
        text = "echo first; while [ ! -e go ]; do sleep 0.02; done"
        job = pool.submit(bench.sh, text, log=file)
        wait_for(lambda: path.read_bytes() == b"first\n")
        (bench.folder / "go").touch()
        assert job.result().code == 0


def test_lines_are_told_while_the_child_runs(bench: Bench) -> None:
    lines: list[str] = []

    def listen(line: str) -> None:
        lines.append(line)
        (bench.folder / "go").touch()

    text = "echo first; while [ ! -e go ]; do sleep 0.02; done; printf second"
    bench.sh(text, on_line=listen)
    assert lines == ["first", "second"]


def test_progress_bars_are_lines(bench: Bench) -> None:
    lines: list[str] = []
    text = r"printf '\r10%%'; sleep 0.1; printf '\r50%%\r'; sleep 0.1; printf '\n100%%\r\ndone'"
    bench.sh(text, on_line=lines.append)
    assert lines == ["10%", "50%", "100%", "done"]


def test_bytes_that_are_not_text(bench: Bench) -> None:
    lines: list[str] = []
    bench.sh(r"printf 'a\377b\n'", on_line=lines.append)
    assert lines == ["a\N{REPLACEMENT CHARACTER}b"]


def test_secrets_are_taken_out_everywhere(bench: Bench) -> None:
    lines: list[str] = []
    log = Log()
    text = "printf 'a sec'; sleep 0.2; echo 'ret b'; printf 'secre'"
    ended = bench.sh(text, log=log, on_line=lines.append, capture=True, redact=HideSecret())
    assert log.data == ended.output == b"a *** b\nsecre"
    assert lines == ["a *** b", "secre"]


def test_capture_keeps_the_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_output, "CAPTURE_LIMIT", 1000)
    ended = bench.sh("seq 100000; echo the end", capture=True)
    assert len(ended.output) == 1000
    assert ended.output.endswith(b"99999\n100000\nthe end\n")
    assert ended.truncated
    assert not bench.sh("echo short", capture=True).truncated


@pytest.mark.live
def test_million_lines_hold_up_nobody(bench: Bench) -> None:
    told = threading.Event()
    go_on = threading.Event()
    lines = 0
    last = ""

    def listen(line: str) -> None:
        nonlocal lines, last
        lines, last = lines + 1, line
        told.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bench.sh, "seq 1000000; touch done", on_line=listen)
        assert told.wait(30)
        assert bench.said("echo meanwhile") == "meanwhile\n"
        # The child waits for the listener: nothing piles up in between.
        assert not (bench.folder / "done").exists()
        go_on.set()
        assert job.result(60).code == 0
    assert (lines, last) == (1_000_000, "1000000")


def test_listener_that_fails_ends_the_child(bench: Bench) -> None:
    def listen(line: str) -> None:
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError):
        bench.sh("echo $$ > pid; echo hi; exec sleep 1000", on_line=listen)
    assert dead(number_in(bench.folder / "pid"))
    assert bench.said("echo on") == "on\n"


def test_full_disk_ends_the_child(bench: Bench) -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space"):
        bench.sh("echo $$ > pid; echo hi; exec sleep 1000", log=full)
    assert dead(number_in(bench.folder / "pid"))


class TestLines:
    @staticmethod
    def told(*pieces: bytes) -> list[str]:
        lines: list[str] = []
        cutter = Lines(lines.append)
        for piece in pieces:
            cutter.feed(piece)
        cutter.finish()
        return lines

    def test_pieces_do_not_matter(self) -> None:
        data = "α\n\nβ\r\nγ\rδ\r\rε".encode()
        expected = ["α", "", "β", "γ", "δ", "ε"]
        for size in range(1, len(data) + 1):
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
            assert self.told(*pieces) == expected, size

    def test_a_return_ends_a_line_at_once(self) -> None:
        lines: list[str] = []
        cutter = Lines(lines.append)
        cutter.feed(b"10%\r")
        assert lines == ["10%"]

    @pytest.mark.parametrize("ending", [b"\n", b"\r", b""])
    def test_long_lines_come_in_parts(self, ending: bytes) -> None:
        data = b"x" * (3 * LINE_LIMIT + 5) + ending
        pieces = [data[at : at + 10_000] for at in range(0, len(data), 10_000)]
        for told in (self.told(data), self.told(*pieces)):
            assert "".join(told) == "x" * (3 * LINE_LIMIT + 5)
            assert max(map(len, told)) == LINE_LIMIT

    def test_other_separators_are_text(self) -> None:
        assert self.told("a\x0bb\x0cc\u2028d\n".encode()) == ["a\x0bb\x0cc\u2028d"]
