"""Puts the ``box`` plug-in, infrastructure in a folder, where a `lab` that a test starts finds it."""

from __future__ import annotations

from pathlib import Path

from project import Project

PLUGIN = Path(__file__).parent / "plugin_box"


def with_boxes(folder: Path) -> Project:
    """A project whose `lab` knows the kind `box`."""
    about = folder.parent / "plugin" / "lab_box-1.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-box\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[lab.providers]\nbox = lab_box\n")
    return Project(
        folder, {"PYTHONPATH": f"{about.parent}:{PLUGIN}", "PYTHONDONTWRITEBYTECODE": "1"}
    )


def story(project: Project) -> list[tuple[float, str, str]]:
    """What happened in the cloud: when, `begin` or `end`, and to which box."""
    path = project.folder / "cloud" / "story"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(float(when), what, box) for when, what, box in (line.split(" ", 2) for line in lines)]
