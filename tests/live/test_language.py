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
