"""The last words of a run: the end of a failed step's log, and the command that goes on."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.cli import arguments
from lab.cli.ending import again, ending
from lab.cli.outputs import Evaluated
from lab.model.event import Event, StepFailed, StepSkipped
from lab.running.run import Report


def _args(*words: str) -> argparse.Namespace:
    parser = arguments.parser("apply", "")
    arguments.add_labfile(parser)
    arguments.add_selection(parser)
    arguments.add_running(parser)
    return parser.parse_intermixed_args(list(words))


def _session(shown: str = "Labfile.yaml") -> SimpleNamespace:
    return SimpleNamespace(
        read=SimpleNamespace(shown=shown), clock=SimpleNamespace(now=lambda: 5.0)
    )


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("Labfile.yaml", []),
        ("my lab/Labfile.yaml", ["my lab/Labfile.yaml"]),
        ("Labfile.yaml", ["-C", "a folder"]),
        ("Labfile.yaml", ["-e", "prod", "--var", "note=it's [1, 2]", "--var-file", "v.yaml"]),
        ("Labfile.yaml", ["--only", "train[lr=0.1,units=64]", "--exclude", "a b", "-j", "2"]),
        ("Labfile.yaml", ["--tags", "gpu"]),
    ],
)
def test_the_command_to_go_on_means_the_same_when_pasted(shown: str, words: list[str]) -> None:
    pasted = shlex.split(again(_session(shown), _args(*words), "apply"))
    assert pasted[:2] == ["lab", "apply"]
    assert _args(*pasted[2:]) == _args(*words)


def test_what_was_replaced_is_not_replaced_again() -> None:
    assert again(_session(), _args("--replace", "train"), "apply") == "lab apply"


def test_a_labfile_found_above_need_not_be_named() -> None:
    assert again(_session("../Labfile.yaml"), _args(), "apply") == "lab apply"


def _said(capsys: pytest.CaptureFixture[str], log: Path, *more: Event) -> str:
    failed = StepFailed(run=1, time=1.0, address="train", error="exit 3", log=str(log))
    ending(
        _session(), _args(), [failed, *more], Report(outcome="failed"), Evaluated({}, {}), since=9.0
    )
    return capsys.readouterr().out


def test_a_failure_ends_with_its_log_and_what_follows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(f"line {i}\n" for i in range(1, 41)))
    skip = StepSkipped(run=1, time=1.0, address="test", cause="…", because="train")
    said = _said(capsys, log, skip)
    assert "line 20\n" not in said and "  │ line 21\n" in said and "  │ line 40\n" in said
    assert "train.log" in said
    assert "skipped because of it: test" in said
    assert "To go on: lab apply" in said
    assert "in 0.0s" in said, "a clock that was set back gives no negative time"


def test_a_progress_bar_is_one_line_and_long_lines_are_cut(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"begin\n" + b"".join(b"\r%d%%" % i for i in range(101)) + b"\n" + b"x" * 9999)
    said = _said(capsys, log)
    assert "  │ begin\n  │ 100%\n" in said
    assert max(map(len, said.splitlines())) < 500


def test_a_log_that_is_gone_is_no_reason_to_fail(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "✗ train: exit 3" in _said(capsys, tmp_path / "none.log")
