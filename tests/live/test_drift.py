"""`lab drift` on real files and on boxes that are changed behind lab's back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from boxes import with_boxes
from project import Project

pytestmark = pytest.mark.live

LABFILE = """
    labfile: 1
    steps:
      net: {kind: box, size: 2}
      node: {kind: box, size: 3, needs: net}
      data:
        kind: command
        command: "mkdir -p out; echo 1 > out/data"
        artifacts: {data: out/data}
      train:
        kind: command
        command: "cat {{ steps.data.outputs.data }} > out/model"
        artifacts: {model: out/model}
      note: {kind: command, command: "true"}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = with_boxes(tmp_path / "p")
    project.labfile(LABFILE)
    project.lab("apply")
    return project


def test_nothing_drifted(lab: Project) -> None:
    said = lab.lab("drift", "--check").out
    assert said == (
        "No drift: 5 steps: 2 asked, 2 known by their artifacts,"
        " 1 leave nothing that could be looked at.\n"
    )
    assert lab.lab("drift", "--json").json["drift"] == []


def test_what_is_gone_changed_and_follows(lab: Project) -> None:
    (lab.folder / "cloud" / "net.json").unlink()
    (lab.folder / "cloud" / "node.json").write_text(json.dumps({"size": 7}))
    (lab.folder / "out" / "data").write_text("2")
    said = lab.lab("drift").out
    assert "Gone\n  ! net   box  gone from the world: apply will update it" in said
    assert "  ! node  box  `size` drifted: apply will update it\n      size: 3 → 7" in said
    assert re.search(r'outputs.data: "sha256:\w{12}…" → "sha256:\w{12}…"', said)
    assert "Decided again because of it: train" in said
    assert "Drift: 3 steps are not as made (5 steps: 2 asked" in said
    found = lab.lab("drift", "--json", "--check", expect=5).json
    assert [(each["step"], each["sort"]) for each in found["drift"]] == [
        ("net", "gone"),
        ("node", "changed"),
        ("data", "changed"),
    ]
    assert found["drift"][1]["changes"] == [{"path": "size", "before": 3, "after": 7}]
    assert found["following"] == ["train"]
    lab.lab("drift", "--check", "--only", "note")
    lab.lab("apply")
    lab.lab("drift", "--check")


def test_what_changes_no_action_is_not_drift(lab: Project) -> None:
    (lab.folder / "out" / "data").write_text("2")
    lab.labfile(LABFILE.replace("echo 1", "echo 3"))
    found = lab.lab("drift", "--json", "--check").json
    assert found["drift"] == [] and found["without_effect"] == ["data"]
    assert "Changes nothing" in lab.lab("drift", "-v").out


def test_what_cannot_be_looked_at_is_no_drift_and_not_well_either(lab: Project) -> None:
    (lab.folder / "cloud" / "down").touch()
    ran = lab.lab("drift", "--check", expect=1)
    assert "could not look at `net`: the cloud does not answer" in ran.err
    assert "2 could not be looked at" in ran.out
    assert "could not look" in lab.lab("plan", "--check").err


def test_refresh_asks_and_no_refresh_does_not(lab: Project) -> None:
    (lab.folder / "cloud" / "net.json").unlink()
    assert lab.plan("--refresh")["net"] == lab.plan()["net"] == ("update", "gone from the world")
    assert lab.plan("--no-refresh")["net"] == ("keep", "nothing changed")
    (lab.folder / "out" / "data").unlink()
    assert lab.plan("--no-refresh")["data"] == ("update", "artifact `data` is gone")


def test_only_what_the_command_is_about_is_looked_at(lab: Project) -> None:
    (lab.folder / "cloud" / "down").touch()
    assert "could not look" not in lab.lab("plan", "--only", "data").err
    lab.lab("drift", "--check", "--exclude", "n*")
