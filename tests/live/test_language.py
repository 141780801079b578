"""What the language promises, tried by whole Labfiles through the real `lab`."""

from __future__ import annotations

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
