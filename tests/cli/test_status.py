"""What `lab status` tells, from the state alone."""

from __future__ import annotations

import json
import time

import pytest
from past import Past

from lab.edge.lock import Lock

STEPS = """  a: {kind: command, command: [x]}
  b: {kind: command, command: [x]}
  c: {kind: command, command: [x]}
"""


def lines(text: str) -> dict[str, str]:
    """Each step's line by its address, without the sign."""
    found = (line.split() for line in text.splitlines() if line.startswith("  "))
    return {words[1]: " ".join(words[2:]) for words in found}


def test_each_step_stands_as_it_was_left(past: Past) -> None:
    past.labfile(STEPS + "  d: {kind: command, command: [x]}\n")
    past.run()
    past.done("a")
    past.failed("b", error="exit 3\nmore")
    past.done("gone")
    past.start("d")
    past.end("failed")
    said = lines(past("status").out)
    assert said["a"].startswith("done ") and said["a"].endswith("ago 1.0s")
    assert said["b"].startswith("failed") and said["b"].endswith("exit 3")
    assert said["c"] == "never ran"
    assert said["d"] == "interrupted"
    assert said["gone"].endswith("no longer in the Labfile")


def test_a_failed_step_says_when_it_was_last_done(past: Past) -> None:
    past.labfile(STEPS)
    past.run()
    past.done("a")
    past.end()
    past.run()
    past.start("a")
    assert lines(past("status").out)["a"] == "interrupted last done in run 1"


def test_the_reason_of_a_skip_is_told(past: Past) -> None:
    past.labfile(STEPS)
    past.run()
    past.failed("a")
    past.skipped("b", "because `a` failed", "a")
    past.end("failed")
    assert lines(past("status").out)["b"] == "never ran skipped: because `a` failed"


def test_a_step_runs_only_while_its_command_lives(past: Past) -> None:
    past.labfile(STEPS)
    lock = Lock(past.lab, "lab apply")
    lock.acquire()
    past.now = time.time()
    past.run()
    past.start("a")
    ran = past("status")
    assert lines(ran.out)["a"].startswith("running")
    assert "run 1 of t is going on" in ran.out and "`lab apply` by" in ran.out
    lock.release()
    ran = past("status")
    assert lines(ran.out)["a"] == "interrupted"
    assert "going on" not in ran.out and "Run 1 (`apply`): killed" in ran.out


def test_what_a_dead_command_left_does_not_run_because_another_one_does(past: Past) -> None:
    past.labfile(STEPS)
    past.run()
    past.start("a")
    lock = Lock(past.lab, "lab apply")
    lock.acquire()
    said = json.loads(past("status", "--json").out)
    lock.release()
    assert said["steps"][0]["status"] == "interrupted"
    assert said["run"]["outcome"] == "killed"
    assert said["lock"]["command"] == "lab apply" and said["lock"]["alive"] is True


def test_json_is_one_value(past: Past) -> None:
    past.labfile(STEPS)
    past.run()
    past.done("a")
    past.failed("b", error="exit 3")
    past.end("failed", created=1, failed=1)
    said = json.loads(past("status", "--json").out)
    a, b, c = said["steps"]
    assert (a["step"], a["status"], a["run"], a["seconds"]) == ("a", "done", 1, 1.0)
    assert (b["status"], b["error"], b["done_in_run"]) == ("failed", "exit 3", None)
    assert (c["status"], c["run"], c["declared"]) == ("never", None, True)
    assert said["summary"] == {"done": 1, "failed": 1, "never": 1}
    assert said["lock"] is None and said["run"]["counts"] == {"created": 1, "failed": 1}


def test_a_lab_that_was_never_applied_is_told_and_nothing_is_written(past: Past) -> None:
    past.labfile(STEPS)
    ran = past("status")
    assert lines(ran.out) == dict.fromkeys("abc", "never ran")
    assert "No runs yet" in ran.out
    assert not (past.root / ".lab").exists()


@pytest.mark.parametrize("broken", ["steps: {a: {kindd: x}}", "a: b: c", "labfile: 1\nsteps: ["])
def test_what_is_remembered_is_told_though_the_labfile_is_wrong(past: Past, broken: str) -> None:
    past.labfile(STEPS)
    past.run()
    past.done("a")
    past.end()
    (past.root / "Labfile.yaml").write_text(f"name: t\n{broken}")
    ran = past("status", expect=2)
    assert lines(ran.out)["a"].startswith("done")
    assert "no longer" not in ran.out
    assert "error:" in ran.err


def test_without_a_labfile_the_only_lab_is_told(past: Past) -> None:
    past.run()
    past.done("a")
    past.end()
    ran = past("status", expect=2)
    assert lines(ran.out)["a"].startswith("done")
    assert "there is no Labfile.yaml" in ran.err


def test_neither_a_labfile_nor_a_state(past: Past) -> None:
    ran = past("status", expect=2)
    assert "there is no Labfile.yaml" in ran.err and ran.out == ""


def test_overlays_have_their_own_state(past: Past) -> None:
    past.labfile(STEPS)
    (past.root / "Labfile.prod.yaml").write_text("vars: {}\n")
    past.run()
    past.done("a")
    past.end()
    assert lines(past("status", "-e", "prod").out)["a"] == "never ran"
    assert lines(past("status").out)["a"].startswith("done")


def test_a_renamed_lab_does_not_show_the_state_of_its_old_name(past: Past) -> None:
    past.run()
    past.done("a")
    past.end()
    past.labfile(STEPS, name="other")
    assert lines(past("status").out)["a"] == "never ran"


def test_a_trial_belongs_to_its_sweep(past: Past) -> None:
    past.labfile(STEPS)
    past.run()
    past.done("a[#7]")
    past.done("a[lr=1]")
    past.end()
    said = lines(past("status", "--trials").out)
    assert "no longer" not in said["a[#7]"]
    assert said["a[lr=1]"].endswith("no longer in the Labfile")


def test_a_damaged_state_is_an_error_with_help(past: Past) -> None:
    past.labfile(STEPS)
    past.damage()
    ran = past("status", expect=4)
    assert "is damaged" in ran.err and "help:" in ran.err
