"""Binds a text in one call, for tests."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from catalogs import portable

from lab.model.diagnostic import LabfileError
from lab.model.labfile import Labfile, Step
from lab.model.tree import Json
from lab.reading.bind import bind
from lab.reading.parse import merge, parse

HEAD = "labfile: 1\nname: mnist\n"


def bound(
    text: str,
    *overlays: str,
    given: Mapping[str, Json] | None = None,
    environ: Mapping[str, str] | None = None,
    head: str = HEAD,
    source: str = "/lab/Labfile.yaml",
) -> Labfile:
    """The Labfile that a text declares."""
    base = parse("Labfile.yaml", (head + textwrap.dedent(text)).encode())
    layers = [
        parse(f"Labfile.{i}.yaml", textwrap.dedent(o).encode()) for i, o in enumerate(overlays)
    ]
    return bind(
        merge(base, layers),
        root="/lab",
        source=source,
        overlay="prod" if overlays else "",
        given=given or {},
        environ=environ or {},
        catalog=portable(),
    )


def steps(text: str, *overlays: str, given: Mapping[str, Json] | None = None) -> dict[str, Step]:
    """The steps that a text declares, by address."""
    return {step.address: step for step in bound(text, *overlays, given=given).steps}


def faults(text: str, *overlays: str, **more: object) -> list[str]:
    """Where and what is wrong with a text."""
    try:
        bound(text, *overlays, **more)  # type: ignore[arg-type]
    except LabfileError as refusal:
        return str(refusal).split("\n")
    return []
