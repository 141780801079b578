"""Faults that templates show while planning or running, put back to where they stand in the Labfile."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, Span
from lab.model.document import Document
from lab.model.labfile import Labfile, Step
from lab.model.tree import Path
from lab.reading.pinpoint import pinpoint
from lab.reading.template import TemplateFault

_TARGET = ("target", "fields")


def diagnose(labfile: Labfile, step: Step | None, key: str, fault: TemplateFault) -> Diagnostic:
    """What to tell of *fault*, met while *key* of *step* (or of the top level) was rendered.

    The fault's ``path`` may begin at the key's value, at the step's keys, or at a tree in which the
    kind's keys stand below ``spec``.
    """
    inner = fault.path[1:] if fault.path[:1] == ("spec",) else fault.path
    if not key and inner and isinstance(inner[0], str):
        key = inner[0]
    inner = inner[1:] if inner[:1] == (key,) else inner
    if step is None:
        path = written(labfile.document, (key, *inner) if key else inner)
        notes: tuple[tuple[str, Span | None], ...] = ()
    else:
        path = place_of(labfile.document, step, key, inner)
        notes = _notes(labfile.document, step, path)
    span = pinpoint(labfile.document, path, fault.expression, fault.line)
    return Diagnostic(summary=fault.summary, help=fault.help, span=span, notes=notes)


def place_of(document: Document, step: Step, key: str, inner: Path) -> Path:
    """Where the value *inner* of a step's *key* is written: at the step, at its target, in `defaults`."""
    own = (*step.path_of(key), *inner) if key else step.path
    if document.layer_of(own) is not None:
        return own
    others: list[Path] = [("defaults", key, *inner)]
    if key in _TARGET:
        others = [(*step.path_of("target"), *inner), ("targets", step.target.name, *inner)]
    found = next((path for path in others if document.layer_of(path) is not None), own)
    return written(document, found)


def written(document: Document, path: Path) -> Path:
    """*path*, or as much of its beginning as the document has."""
    while path and document.layer_of(path) is None:
        path = path[:-1]
    return path


def _notes(document: Document, step: Step, path: Path) -> tuple[tuple[str, Span | None], ...]:
    notes: list[tuple[str, Span | None]] = []
    if path[:1] == ("steps",) and path[: len(step.path)] != step.path:
        place = document.span_of((*step.path, "like"))
        notes.append((f"copied into '{step.name}' by `like` here", place))
    if step.address != step.name:
        notes.append((f"in {step.address}", None))
    return tuple(notes)
