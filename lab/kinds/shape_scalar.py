"""Checks scalars against their shapes, and gives texts the source text of what was written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import TypeAlias

from lab.kinds.quantity import octets, seconds
from lab.kinds.shape_fault import Fault, wrong
from lab.kinds.shape_types import (
    Choice,
    Flag,
    Real,
    Shape,
    SizeText,
    StepName,
    Text,
    TimeText,
    Whole,
)
from lab.kinds.shape_words import expected, shortened, subject
from lab.model.frozen import dataclass
from lab.model.tree import Json, Path, text_of
from lab.model.values import Unknown

OUTPUTS = "$outputs"

_HUGE = 1e308  # integers beyond it are no floats

Scalar: TypeAlias = "Whole | Real | Flag | Choice | TimeText | SizeText"


def _no_text(_: Path) -> str | None:
    return None


@dataclass(slots=True)
class Settling:
    """One pass over a tree: what it admits, and what it found.

    ``templates``: texts with ``{{`` are admitted where scalars are, for it is before rendering.
    ``unknowns``: values that are not known yet are admitted. ``text_at`` gives the source text of
    oddly written booleans. ``dynamic`` tells afterwards whether anything needs rendering.
    """

    templates: bool
    unknowns: bool = False
    text_at: Callable[[Path], str | None] = _no_text
    faults: list[Fault] = field(default_factory=list)
    dynamic: bool = False


def refused(shape: Shape, value: Json, path: Path, run: Settling) -> Json:
    """Note that the value has not this shape, unless it is one that is not known yet."""
    if not (run.unknowns and isinstance(value, Unknown)):
        run.faults.append(wrong(shape, value, path))
    return value


def is_template(text: str) -> bool:
    """Tell whether a text may need rendering; quick, and rather once too often."""
    return "{" in text and ("{{" in text or "{##" in text or "{%" in text)


def settle_text(shape: Text, value: Json, path: Path, run: Settling) -> Json:
    """Return the text, or the source text of another scalar."""
    if isinstance(value, str):
        if "{" in value and run.templates and is_template(value):
            run.dynamic = True
            return value
        text = value
    elif isinstance(value, (bool, int, float)):
        text = (isinstance(value, bool) and run.text_at(path)) or text_of(value)
    else:
        return refused(shape, value, path, run)
    if shape.pattern or not text or "\0" in text:
        _check_text(shape, text, path, run)
    return text


def _check_text(shape: Text, text: str, path: Path, run: Settling) -> None:
    why = told = ""
    if "\0" in text:
        summary, told = f"{subject(path)} holds a NUL character", "remove the `\\0`"
        why = "No program and no file name can hold one."
    elif shape.path and not text:
        summary, told = f"{subject(path)} is empty", "write a path; `.` is the Labfile's folder"
    elif shape.pattern and not re.search(f"^(?:{shape.pattern})$", text):
        summary = f"{subject(path)} must match {shape.pattern}, and '{shortened(text)}' does not"
        told = f"for example: {shape.example}" if path and isinstance(path[-1], int) else ""
    else:
        return
    run.faults.append(Fault(path=path, summary=summary, detail=why, help=told))


def settle_scalar(shape: Scalar, value: Json, path: Path, run: Settling) -> Json:
    """Return the value if it has the shape; templates have every shape."""
    if run.templates and isinstance(value, str) and is_template(value):
        run.dynamic = True
        return value
    match shape, value:
        case Flag(), bool():
            return value
        case Choice(words=words), str() if value in words:
            return value
        case ((Whole() | Real() | TimeText() | SizeText()), _):
            amount = _amount(shape, value)
            if amount is None:
                return refused(shape, value, path, run)
            if shape.minimum is not None and amount < shape.minimum:
                least = text_of(shape.minimum)
                summary = f"{subject(path)} must be at least {least}, not {text_of(value)}"
                run.faults.append(Fault(path=path, summary=summary))
            return value
        case _:
            return refused(shape, value, path, run)


def fits(shape: Text | Scalar | StepName, value: Json) -> bool:
    """Tell whether a value may be meant by a shape, its limits apart; says nothing about it."""
    match shape, value:
        case Text(), str():
            return not shape.pattern or re.search(f"^(?:{shape.pattern})$", value) is not None
        case Text(), bool() | int() | float():
            return (
                not shape.pattern or re.search(f"^(?:{shape.pattern})$", text_of(value)) is not None
            )
        case Flag(), bool():
            return True
        case ((Choice(words=words)), str()):
            return value in words
        case StepName(), str():
            return True
        case ((Whole() | Real() | TimeText() | SizeText()), _):
            return _amount(shape, value) is not None
        case _:
            return False


def _amount(shape: Whole | Real | TimeText | SizeText, value: Json) -> float | None:
    """Return the number that is meant; None where the value has not the shape."""
    match shape, value:
        case _, bool():
            return None
        case TimeText(), str():
            return seconds(value)
        case SizeText(), str():
            return octets(value)
        case Real(), int() | float() if isinstance(value, float) or abs(value) <= _HUGE:
            return value
        case Whole(), int() | float() if isinstance(value, int) or value.is_integer():
            return value
        case TimeText(), int() | float() if 0 <= value <= _HUGE:
            return value
        case SizeText(), int() | float() if value >= 0 and value == value // 1:
            return value
        case _:
            return None


def settle_step_name(shape: StepName, value: Json, path: Path, run: Settling) -> Json:
    """Return ``{"$outputs": NAME}``, which rendering fills with that step's outputs."""
    if not run.templates:
        match value:
            case {"$outputs": str()}:
                return value
            case _:
                return refused(shape, value, path, run)
    if not isinstance(value, str) or not value.strip():
        return refused(shape, value, path, run)
    if is_template(value):
        run.faults.append(
            Fault(
                path=path,
                summary=f"{subject(path)} must be {expected(shape)}, not a template",
                detail="Which step is meant must be known before anything runs.",
                help="write the step's name; its outputs come with it",
            )
        )
        return value
    run.dynamic = True
    return {OUTPUTS: value}
