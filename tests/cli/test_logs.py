"""What `lab logs` prints, and how it follows what still grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from past import Past, Ran

from lab.cli.logs_read import BLOCK, Tail
from lab.edge.lock import Lock
from lab.model.event import StepFinished
from lab.model.layout import log_path
from lab.model.state import Done

STEPS = """  a: {kind: command, command: [x]}
  b: {kind: command, command: [x]}
  m: {kind: command, matrix: {k: [1, 2]}, command: [x]}
"""


@pytest.fixture
def full(past: Past) -> Past:
    """Two runs of `a`, one of each instance of `m`; `b` never ran."""
    past.labfile(STEPS)
    past.run()
    past.done("a", text="one\ntwo\nthree\n")
    past.done("m[k=1]", text="1\nrest")
    past.done("m[k=2]", text="2\n")
    past.end()
    past.run()
    past.done("a", text="again\r50%\r100%\n")
    past.end()
    return past


# --- what is there ------------------------------------------------------------------------------


def test_the_newest_log_as_it_is(full: Past) -> None:
    assert full("logs", "a").out == "again\r50%\r100%\n"


def test_the_log_of_a_run(full: Past) -> None:
    assert full("logs", "--run", "1", "a").out == "one\ntwo\nthree\n"
    assert full("logs", "--run", "1", "-n", "2", "a").out == "two\nthree\n"
    assert full("logs", "Labfile.yaml", "a", "-n", "0", "--run", "1").out == ""


def test_instances_are_told_apart(full: Past) -> None:
    expected = "m[k=1] │ 1\nm[k=1] │ rest\nm[k=2] │ 2\n"
    assert full("logs", "m").out == expected
    assert full("logs", "m[k=2]").out == "2\n"
    assert full("logs", "m*").out == expected


def test_a_failed_attempt_that_is_newer_than_what_is_done(full: Past) -> None:
    full.run()
    full.failed("a", text="broken\n")
    full.end("failed")
    assert full("logs", "a").out == "broken\n"


def test_the_log_of_a_forgotten_step(full: Past) -> None:
    full.run()
    full.forgotten("a")
    full.end()
    assert full("logs", "a").out == "again\r50%\r100%\n"


def test_why_there_is_none(full: Past) -> None:
    ran = full("logs", "b", expect=1)
    assert "`b` never ran" in ran.err and "--only +b" in ran.err
    assert "did you mean `a`" in full("logs", "aa", expect=2).err
    ran = full("logs", "--run", "2", "m[k=1]", expect=1)
    assert "did nothing in run 2" in ran.err and "It did something in: 1." in ran.err
    (full.root / ".lab/work/t/logs/0002/a.log").unlink()
    ran = full("logs", "a")  # a step that says nothing is no fault
    assert ran.out == "" and "`a` wrote nothing in run 2, or its log was deleted" in ran.err
    assert "wants one step" in full("logs", "a", "b", expect=2).err
    assert "leave one of them out" in full("logs", "-f", "--run", "1", "a", expect=2).err


def test_a_full_output_is_not_the_logs_fault(full: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lab.cli.logs_read._write", fails)
    monkeypatch.setattr(
        "lab.cli.main._streams",
        lambda: SimpleNamespace(fails=lambda error: True, mute=lambda: None, note=print),
    )
    ran = full("logs", "a", expect=1)
    assert "its output cannot be written: No space left on device" in ran.out
    assert "cannot be read" not in ran.err


def test_a_labfile_that_is_wrong_does_not_hide_logs(full: Past) -> None:
    full.flush()
    (full.root / "Labfile.yaml").write_text("a: b: c")
    assert full("logs", "a").out == "again\r50%\r100%\n"


def test_a_folder_may_stand_before_the_step(full: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(full.root.parent)
    assert full("logs", full.root.name, "a").out == "again\r50%\r100%\n"
    assert full("logs", str(full.root / "Labfile.yaml"), "a").out == "again\r50%\r100%\n"


# --- the last lines of long logs ------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("long", [1, 80, BLOCK - 1, BLOCK, BLOCK + 1])
def test_the_last_lines_however_blocks_cut_them(tmp_path: Path, long: int, end: bytes) -> None:
    lines = [bytes([65 + i]) * long for i in range(5)]
    path = tmp_path / "log"
    path.write_bytes(b"\n".join(lines) + end)
    for count in range(1, 8):
        tail = Tail(str(path), count)
        assert b"".join(tail.blocks()) == b"\n".join(lines[-count:]) + end
        assert b"".join(tail.blocks()) == b""


def test_empty_lines_count(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\n\n\n")
    assert b"".join(Tail(str(path), 2).blocks()) == b"\n\n"


# --- following ------------------------------------------------------------------------------------


@pytest.fixture
def following(past: Past, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ran]]:
    """Follows while *meanwhile* happens in another thread, under a lock as `lab apply` holds it."""
    monkeypatch.setattr("lab.cli.logs_follow.PAUSE", 0.01)
    monkeypatch.setattr("lab.cli.logs_follow.LOOK", 0.02)
    past.labfile(STEPS)
    past.flush()
    lock = Lock(past.lab, "lab apply")

    def follow(meanwhile: Callable[[], None], *words: str) -> Ran:
        thread = threading.Thread(target=meanwhile)
        thread.start()
        try:
            return past("logs", "-f", *words)
        finally:
            thread.join()

    lock.acquire()
    past.now = time.time()
    yield follow
    lock.release()


def finish(past: Past, address: str) -> None:
    log = log_path(str(past.root), "t", "", past.number, address)
    done = Done(
        run=past.number,
        digest="",
        identity={},
        started=past.now,
        finished=past.now + 5.0,
        log=log,
    )
    past.lab.append(StepFinished(run=past.number, time=past.now, address=address, done=done))


def test_a_running_step_is_followed_to_its_end(past: Past, following: Callable[..., Ran]) -> None:
    past.run()
    log = past.start("a")
    past.write_log(log, "old\nfirst\n")

    def meanwhile() -> None:
        time.sleep(0.1)
        past.write_log(log, "half")
        time.sleep(0.1)
        past.write_log(log, " of it\nlast\n")
        finish(past, "a")

    ran = following(meanwhile, "a", "-n", "1")
    assert ran.out == "first\nhalf of it\nlast\n"
    assert ran.err == "`a` is done, after 5.0s\n"


def test_a_step_that_has_not_started_is_waited_for(
    past: Past, following: Callable[..., Ran]
) -> None:
    past.run()
    past.flush()

    def meanwhile() -> None:
        time.sleep(0.1)
        log = past.start("b")
        past.flush()
        past.write_log(log, "here\n")
        finish(past, "b")

    ran = following(meanwhile, "b")
    assert ran.out == "here\n"
    assert "`b` has not started yet" in ran.err


def test_instances_that_start_later_are_followed_too(
    past: Past, following: Callable[..., Ran]
) -> None:
    past.run()
    first = past.start("m[k=1]")
    past.write_log(first, "1\npart")

    def meanwhile() -> None:
        time.sleep(0.1)
        second = past.start("m[k=2]")
        past.flush()
        past.write_log(second, "2\n")
        past.write_log(first, "ly\n")
        finish(past, "m[k=2]")
        finish(past, "m[k=1]")

    said = following(meanwhile, "m").out.splitlines()
    assert [line for line in said if "k=1" in line] == ["m[k=1] │ 1", "m[k=1] │ partly"]
    assert [line for line in said if "k=2" in line] == ["m[k=2] │ 2"]


def test_following_ends_when_lab_is_gone(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.cli.logs_follow.LOOK", 0.02)
    past.labfile(STEPS)
    past.run()
    past.write_log(past.start("a"), "to here\n")
    ran = past("logs", "-f", "a")
    assert ran.out == "to here\n" and "`a` was interrupted" in ran.err
    assert "`b` never ran" in past("logs", "-f", "b", expect=1).err


def test_following_what_has_ended_is_printing_it(full: Past) -> None:
    assert full("logs", "-f", "a").out == "again\r50%\r100%\n"


def test_an_old_log_is_called_old_while_a_run_goes_on(
    past: Past, following: Callable[..., Ran]
) -> None:
    past.run()
    past.done("a", text="old\n")
    past.end()
    past.run()
    ran = following(lambda: None, "a")
    assert ran.out == "old\n"
    assert "that was run 1, and run 2, which goes on, has not started it" in ran.err


# --- replicas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("a",), ("a", "-f")])
def test_one_replica_s_lines_alone(past: Past, words: tuple[str, ...]) -> None:
    past.labfile(STEPS)
    past.run()
    past.done(
        "a", text="worker-0 | one\nworker-1 | two\nworker-10 | no\n[lab] said\nworker-1 | end"
    )
    past.end()
    assert past("logs", *words, "--replica", "worker-1").out == "two\nend\n"
