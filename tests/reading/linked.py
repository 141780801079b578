"""Labfiles given as text, bound and linked, for tests of linking."""

from __future__ import annotations

import textwrap

from catalogs import portable

from lab.model.diagnostic import Diagnostic, LabfileError
from lab.model.graph import Graph
from lab.model.labfile import Labfile
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import merge, parse

ENVIRON = {"HOME": "/home/ann"}


def bound(text: str) -> Labfile:
    """Bind the steps (and other keys) of *text*, below a fixed head."""
    layer = parse("Labfile.yaml", ("labfile: 1\nname: mnist\n" + textwrap.dedent(text)).encode())
    return bind(
        merge(layer, []),
        root="/lab",
        source="/lab/Labfile.yaml",
        overlay="",
        given={},
        environ=ENVIRON,
        catalog=portable(),
    )


def linked(text: str) -> Graph:
    return link(bound(text), portable())


def faults(text: str) -> list[Diagnostic]:
    """Return what is wrong with *text*, which must bind."""
    labfile = bound(text)
    try:
        link(labfile, portable())
    except LabfileError as error:
        return list(error.diagnostics)
    return []


def told(text: str) -> list[str]:
    """Return the faults of *text* in a line each: what is pointed at, what is said, what to do."""
    source = ("labfile: 1\nname: mnist\n" + textwrap.dedent(text)).splitlines()
    return [f"{pointed(each, source)} | {each.summary} | {each.help}" for each in faults(text)]


def pointed(each: Diagnostic, source: list[str]) -> str:
    """Return the text under a diagnostic's caret."""
    span = each.span
    if span is None:
        return "-"
    line = source[span.line - 1]
    end = span.end_column - 1 if span.end_line == span.line else None
    return line[span.column - 1 : end]
