"""What is generated is current, and what the documentation shows is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.edge.discover import discover
from lab.model.document import Document
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import parse
from lab.reading.schema import json_schema

ROOT = Path(__file__).resolve().parent.parent


def test_the_reference_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], check=False, cwd=ROOT
    )
    assert done.returncode == 0, "run `python docs/generate.py`"


def test_the_schema_is_current() -> None:
    committed = json.loads((ROOT / "labfile.schema.json").read_text())
    assert committed == json_schema(discover(()).catalog()), "run `make schema`"


def _labfiles() -> list[tuple[str, str]]:
    found = []
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for i, block in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL)):
            if block.startswith("labfile: 1"):
                found.append((f"{path.name}-{i}", block))
    return found


@pytest.mark.parametrize("text", [t for _, t in _labfiles()], ids=[n for n, _ in _labfiles()])
def test_labfiles_in_the_documentation_are_right(text: str) -> None:
    layer = parse("Labfile.yaml", text.encode())
    catalog = discover(()).catalog()
    labfile = bind(
        Document(layer.tree, (layer,)),
        root="/lab",
        source="/lab/Labfile.yaml",
        overlay="",
        given={},
        environ={},
        catalog=catalog,
    )
    link(labfile, catalog)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*/Labfile.yaml")), ids=str)
def test_examples_are_right(path: Path) -> None:
    test_labfiles_in_the_documentation_are_right(path.read_text())


def test_links_in_the_documentation_lead_somewhere() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks/README.md"]:
        for target in re.findall(r"\]\(([^)#]+?)\)", path.read_text()):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name} links to {target}"


def _shown() -> list[str]:
    """The tests that docs/promises.md names; a bare name belongs to the file named before it."""
    found, last = [], ""
    for match in re.finditer(r"`(?:(tests/[\w/]+\.py)(?:::)?)?(test_\w+)?`", _PROMISES.read_text()):
        last = match[1] or last
        if match[1] or match[2]:
            found.append(f"{last}::{match[2] or ''}")
    return found


_PROMISES = ROOT / "docs" / "promises.md"


def test_each_promise_is_shown_by_tests() -> None:
    sections = re.split(r"^## ", _PROMISES.read_text(), flags=re.MULTILINE)[1:]
    assert [section[0] for section in sections] == list("123456789")
    for section in sections:
        assert "tests/" in section, section[:60]
        assert "*Would break it*" in section, section[:60]


@pytest.mark.parametrize("shown", _shown())
def test_the_tests_of_the_promises_are_there(shown: str) -> None:
    path, name = shown.split("::")
    text = (ROOT / path).read_text()
    conformance = (ROOT / "lab" / "testing" / "conformance.py").read_text()
    assert not name or f"def {name}(" in text or f"def {name}(" in conformance, shown
