"""What the language promises, tried by whole Labfiles through the real `lab`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.live

COMMAND_SECRET = """
    labfile: 1
    name: secrets
    secrets:
      fixed: {env: FIXED}
      asked: {command: [sh, -c, "echo asked >> asked; cat rotated"]}
    steps:
      without: {kind: command, command: [echo, "{{ lab.name }}"]}
      with:
        kind: command
        command: 'echo "$FIXED and $ASKED"'
        env: {FIXED: "{{ secrets.fixed }}", ASKED: "{{ secrets.asked }}"}
"""


def asked(project: Project) -> int:
    """How often the secret's command ran."""
    path = project.folder / "asked"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_step_without_secrets_needs_none(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile(COMMAND_SECRET)
    assert project.apply("--only", "without").steps("finished") == ["without"]
    refused = project.lab("plan", expect=3)
    assert "the environment variable FIXED is not set" in refused.err
    assert asked(project) == 0


def test_a_secret_of_a_command_is_unknown_until_the_run(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab", env={"FIXED": "first-value"})
    project.labfile(COMMAND_SECRET)
    project.write("rotated", "one-value")
    project.lab("plan", "--out", "plan.json")
    project.lab("apply", "plan.json")  # though the key of the state's hashes is newer than the plan
    assert asked(project) == 1
    cause = ("unknown", "depends on reading the secret `asked`")
    assert project.plan("--out", "plan.json")["with"] == cause
    assert asked(project) == 1
    assert sorted(project.apply("plan.json").steps("kept")) == ["with", "without"]
    project.write("rotated", "another-value")
    assert project.apply("plan.json").steps("finished") == ["with"]
    assert project.plan("--allow-commands")["with"][0] == "keep"


DESTROYED = """
    labfile: 1
    name: destroyed
    vars: {greeting: hello}
    secrets: {token: {env: TOKEN}}
    steps:
      used:
        kind: command
        command: 'echo made > made; echo ours > ours'
        artifacts: {made: made, ours: ours}
        env: {WORD: "{{ vars.greeting }}", TOKEN_OF_IT: "Bearer {{ secrets.token }}"}
        destroy: 'echo "$WORD $TOKEN_OF_IT $LAB_STEP_DIR" > "{{ lab.root }}/undone"'
      stuck: {kind: command, command: [echo, hi], destroy: "exit 3"}
"""


def test_destroy_has_what_the_step_had(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab", env={"TOKEN": "a-token-value"})
    project.labfile(DESTROYED)
    project.lab("apply")
    assert b"a-token-value" not in (project.folder / ".lab/state.db").read_bytes()
    project.write("ours", "mine now")
    project.labfile("labfile: 1\nname: destroyed\nsecrets: {token: {env: TOKEN}}\nsteps: {}\n")
    moved = Project(project.folder.rename(tmp_path / "moved"), env={"TOKEN": "a-token-value"})
    ran = moved.lab("destroy", "--yes", "--json", expect=1)
    assert "`lab state rm 'stuck'`" in next(e["detail"] for e in ran.events if "detail" in e)
    word, *token, folder = (moved.folder / "undone").read_text().split()
    assert [word, *token] == ["hello", "Bearer", "a-token-value"]
    assert folder.startswith(str(moved.folder))
    (gone,) = [e for e in ran.events if e["event"] == "step.destroyed"]
    assert (gone["step"], gone["left"]) == ("used", ["ours"])
    assert not (moved.folder / "made").exists() and (moved.folder / "ours").exists()


NOTES = """
    labfile: 1
    name: notes
    vars: {seconds: 0}
    steps:
      first: {kind: command, command: "echo one >> notes.txt; sleep {{ vars.seconds }}"}
      second: {kind: command, command: "cat in.txt >> 'notes.txt'", needs: first}
      never: {kind: command, command: [echo, hi], when: false}
"""


def test_what_a_text_writes_to_is_no_input_and_kept_steps_are_told(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile(NOTES)
    project.write("in.txt", "1")
    project.write("notes.txt", "was here before\n")
    project.lab("apply")
    ran = project.apply()
    assert ran.steps("kept") == ["first", "second"] and ran.steps("skipped") == ["never"]
    assert ran.events[-1]["counts"] == {"kept": 2, "skipped": 1}
    project.write("in.txt", "2")
    project.labfile(NOTES.replace("first", "begin"))
    assert "`lab state mv 'first' 'begin'`" in project.lab("apply").err
    assert project.lab("plan", "--check").code == 0


def test_a_plan_made_while_the_lab_is_changed_says_so(tmp_path: Path) -> None:
    project = Project(tmp_path / "lab")
    project.labfile(NOTES)
    project.write("in.txt", "1")
    running = project.popen("apply", "--var", "seconds=60")
    while not (project.folder / "notes.txt").exists():
        time.sleep(0.05)
    assert "`lab apply` is changing this lab now" in project.lab("plan").err
    second = project.lab("apply", "--lock-timeout", "0", expect=4)
    assert "`lab apply`" in second.err and f"process {running.pid}" in second.err
    running.terminate()
    assert running.wait(20) == 130
    assert project.lab("destroy", "--yes", "--json").events[-1]["outcome"] == "done"
    assert project.lab("destroy", "--json").events[-1]["counts"] == {}
