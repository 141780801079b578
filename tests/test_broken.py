"""Broken Labfiles, each with the very text that people get to see.

A case is a folder of `tests/broken` with a `Labfile.yaml`, the `expected.txt` that it must give,
and, where the case needs them, a `Labfile.prod.yaml` and the command line's `args`. After a wanted
change of words, LAB_UPDATE_GOLDENS=1 writes all expectations anew; read every one of them then.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from reading.catalogs import portable, sweeping

from lab.model.diagnostic import Diagnostic, LabfileError, render
from lab.model.document import Document, Layer
from lab.model.tree import Json
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import merge, parse, parse_value

CORPUS = Path(__file__).parent / "broken"
CASES = sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())
ENVIRON = {"HOME": "/home/ada", "HUB_TOKEN": "t0ken"}


def diagnosed(folder: Path) -> str:
    """What lab says of a case, without colour."""
    texts = {each.name: each.read_bytes() for each in sorted(folder.glob("Labfile*.yaml"))}

    def source_text(name: str) -> str | None:
        return texts[name].decode(errors="replace") if name in texts else None

    found = faults(texts, *options(folder))
    return "\n\n".join(render(each, source_text, color=False) for each in found) + "\n"


def options(folder: Path) -> tuple[str, dict[str, Json]]:
    """The overlay and the variables of a case's command line."""
    args = folder / "args"
    words = iter(shlex.split(args.read_text()) if args.exists() else ())
    overlay, given = "", {}
    for word in words:
        if word == "-e":
            overlay = next(words)
        else:
            assert word == "--var"
            name, _, text = next(words).partition("=")
            given[name] = parse_value(text)
    return overlay, given


def faults(texts: dict[str, bytes], overlay: str, given: dict[str, Json]) -> tuple[Diagnostic, ...]:
    """All that is wrong with a Labfile, at the first stage that finds anything."""
    catalog = sweeping() if b"kind: sweep" in texts["Labfile.yaml"] else portable()
    try:
        labfile = bind(
            document(texts, overlay),
            root="/lab",
            source="/lab/Labfile.yaml",
            overlay=overlay,
            given=given,
            environ=ENVIRON,
            catalog=catalog,
        )
        return link(labfile, catalog).warnings
    except LabfileError as refusal:
        return refusal.diagnostics


def document(texts: dict[str, bytes], overlay: str) -> Document:
    names = ["Labfile.yaml", *([f"Labfile.{overlay}.yaml"] if overlay else [])]
    layers: list[Layer] = [parse(name, texts[name]) for name in names]
    return merge(layers[0], layers[1:])


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of_it(name: str) -> None:
    said = diagnosed(CORPUS / name)
    expected = CORPUS / name / "expected.txt"
    if os.environ.get("LAB_UPDATE_GOLDENS") == "1":
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_there_are_many() -> None:
    assert len(CASES) >= 80


def test_a_file_of_more_than_16_mib_is_refused_unread() -> None:
    text = b"labfile: 1\nsteps: {}\n# " + b"x" * (16 * 1024 * 1024)
    (fault,) = faults({"Labfile.yaml": text}, "", {})
    assert "16 MiB" in f"{fault.summary} {fault.detail}"


def test_no_message_is_a_wall() -> None:
    for name in CASES:
        said = (CORPUS / name / "expected.txt").read_text(encoding="utf-8")
        assert all(len(line) <= 140 for line in said.splitlines()), name
        assert not said.startswith("\n"), f"{name}: nothing is said"
