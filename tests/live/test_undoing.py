"""`lab destroy` on infrastructure: in reverse, in parallel, telling what blocks it, going on after a kill."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from boxes import story, with_boxes
from project import Project

pytestmark = pytest.mark.live

LABFILE = """
    labfile: 1
    steps:
      net: {kind: box, size: 2}
      left: {kind: box, size: 3, needs: net, delay: 0.6}
      right: {kind: box, size: 3, needs: net, delay: 0.6}
      data: {kind: command, command: "echo 1 > d", artifacts: {d: d}}
      top: {kind: box, size: "{{ steps.left.outputs.size }}", protect: false}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = with_boxes(tmp_path / "p")
    project.labfile(LABFILE)
    project.lab("apply", "--yes")
    return project


def cloud(lab: Project) -> set[str]:
    return {path.stem for path in (lab.folder / "cloud").glob("*.json")}


def remembered(lab: Project) -> set[str]:
    return {row["step"] for row in lab.lab("state", "list", "--json").json}


def test_reverse_order_in_parallel(lab: Project) -> None:
    events = lab.lab("destroy", "--yes", "--json", "-j", "4")
    assert set(events.steps("destroyed")) == {"net", "left", "right", "top", "data"}
    when = {(what, box): at for at, what, box in story(lab)}
    assert when["end", "top"] < when["begin", "left"]
    assert (
        when["begin", "left"] < when["end", "right"]
        and when["begin", "right"] < when["end", "left"]
    )
    assert max(when["end", "left"], when["end", "right"]) < when["begin", "net"]
    assert cloud(lab) == remembered(lab) == set()
    assert not (lab.folder / "d").exists()
    assert "nothing was made" in lab.lab("destroy", "--yes").out


def test_what_is_needed_by_what_stays_is_refused(lab: Project) -> None:
    said = lab.lab("destroy", "--yes", "--only", "left", expect=3).err
    assert "`left` cannot be destroyed alone: `top` was made with it and would stay" in said
    assert "--only left+" in said
    assert len(cloud(lab)) == 4
    lab.labfile(LABFILE.split("      top:")[0])  # also if what needs it has left the Labfile
    assert "`top` was made with it" in lab.lab("destroy", "--yes", "--only", "left", expect=3).err
    said = lab.lab("destroy", "--yes", "--exclude", "left", expect=3).err
    assert "`net` cannot be destroyed alone: `left` was made with it" in said
    lab.lab("destroy", "--yes", "--only", "left+")
    assert cloud(lab) == {"net", "right"}
    lab.lab("destroy", "--yes", "--exclude", "+right")
    assert cloud(lab) == {"net", "right"} and remembered(lab) == {"net", "right"}


def test_the_blocker_is_named_and_what_it_needs_stays(lab: Project) -> None:
    (lab.folder / "cloud" / "left.busy").write_text("pod/web-1")
    ran = lab.lab("destroy", "--yes", expect=1)
    assert "✗ left: it is in use\n  pod/web-1 still runs on it." in ran.out
    assert "skipped because of it: net" in ran.out
    assert cloud(lab) == remembered(lab) == {"left", "net"}
    (lab.folder / "cloud" / "left.busy").unlink()
    lab.lab("destroy", "--yes")
    assert cloud(lab) == remembered(lab) == set()


def test_fail_fast_leaves_the_rest(lab: Project) -> None:
    (lab.folder / "cloud" / "top.busy").write_text("pod/web-1")
    lab.lab("destroy", "--yes", "--fail-fast", "-j", "1", "--only", "top", expect=1)
    assert len(cloud(lab)) == 4


def test_protect_is_told_with_its_line(lab: Project) -> None:
    lab.labfile(LABFILE.replace("protect: false", "protect: true"))
    said = lab.lab("destroy", "--yes", expect=3).err
    assert said.startswith("Labfile.yaml:7:")
    assert "`top` is protected, and would be destroyed" in said
    lab.lab("apply")
    lab.labfile(LABFILE.split("      top:")[0])
    said = lab.lab("destroy", "--yes", expect=3).err
    assert "that it is protected is remembered" in said
    assert len(cloud(lab)) == 4
    lab.lab("destroy", "--yes", "--exclude", "+top")
    assert cloud(lab) == remembered(lab) == {"net", "left", "top"}


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_killed_in_the_middle_it_goes_on(lab: Project, moment: int) -> None:
    process = lab.popen("destroy", "--yes", "-j", "1")
    deadline = time.monotonic() + 20
    while sum(what == "begin" for _, what, _ in story(lab)) < moment:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert "net" in remembered(lab)
    lab.lab("destroy", "--yes")
    assert cloud(lab) == remembered(lab) == set()


def test_ctrl_c_says_interrupted_and_how_to_go_on(lab: Project) -> None:
    process = lab.popen("destroy", "--yes", "-j", "1")
    deadline = time.monotonic() + 20
    while not any(
        (what, box) in (("begin", "left"), ("begin", "right")) for _, what, box in story(lab)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 130 and "To go on: lab destroy" in said
    lab.lab("destroy", "--yes")
    assert cloud(lab) == remembered(lab) == set()
