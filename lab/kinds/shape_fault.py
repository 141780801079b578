"""What is wrong with a tree, in words: expected, met, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lab.kinds.shape_types import (
    Choice,
    Either,
    Field,
    Flag,
    Items,
    Real,
    Record,
    Shape,
    SizeText,
    Table,
    Text,
    TimeText,
    Whole,
)
from lab.kinds.shape_words import as_written, expected, listed, met, shortened, subject
from lab.model.address import is_name
from lab.model.diagnostic import did_you_mean
from lab.model.tree import Path, text_of

STRUCTURE = "Keys and structure are never templated: they are known before anything runs."

_FLAGS = {"yes": "true", "no": "false", "on": "true", "off": "false", "y": "true", "n": "false"}
_LONG = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in a tree; ``at_key`` when the key is to be shown rather than its value."""

    path: Path
    summary: str
    detail: str = ""
    help: str = ""
    at_key: bool = False


class SpecFault(Exception):
    """A tree does not have the shape of its kind; ``faults`` says where and why, all at once."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.summary for fault in faults))
        self.faults = faults


def wrong(shape: Shape, value: object, path: Path) -> Fault:
    """Return the fault of a value that has not this shape."""
    wanted = expected(shape)
    if value is None:
        return Fault(
            path=path,
            summary=f"{subject(path)} has no value",
            detail=f"It must be {wanted}.",
            help="write a value, or delete the line; a text that reads null needs quotes: 'null'",
        )
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    choices = shape.choices if isinstance(shape, Either) else (shape,)
    told = (_advice(each, value, key) for each in choices)
    summary = f"{subject(path)} must be {wanted}, not {met(value)}"
    return Fault(path=path, summary=summary, help=next(filter(None, told), ""))


def missing(record: Record, key: str, path: Path) -> Fault:
    """Return the fault of a map without a key that it needs."""
    known = record.fields[key]
    return Fault(
        path=path,
        summary=f"{subject(path)} has no `{key}`",
        detail=known.option.doc,
        help=f"add, for example: {_line(known)}",
        at_key=True,
    )


def missing_tag(shape: Either, path: Path) -> Fault:
    """Return the fault of a map without the key that tells which sort of map it is."""
    words = expected(Choice(tuple(shape.tagged)))
    return Fault(
        path=path,
        summary=f"{subject(path)} has no `{shape.tag}`",
        detail=f"It says which sort is meant: {words}.",
        help=f"add, for example: {shape.tag}: {next(iter(shape.tagged))}",
        at_key=True,
    )


def several(group: tuple[str, ...], present: list[str], path: Path, at: Path) -> Fault:
    """Return the fault of a map that has several keys of which one can be meant."""
    return Fault(
        path=at,
        summary=f"{subject(path)} has {' and '.join(f'`{key}`' for key in present)}",
        detail=f"Only one of {listed(group)} can be meant.",
        help=f"keep one of them, for example `{present[0]}`",
        at_key=True,
    )


def none_of(record: Record, group: tuple[str, ...], path: Path) -> Fault:
    """Return the fault of a map that has no key of a group, of which one is needed."""
    return Fault(
        path=path,
        summary=f"{subject(path)} has none of {listed(group)}",
        detail="Exactly one of them is needed.",
        help=f"add, for example: {_line(record.fields[group[0]])}",
        at_key=True,
    )


def unknown_key(key: str, known: Iterable[str], path: Path, owner: str = "") -> Fault:
    """Return the fault of a key that means nothing here; *owner* is what it was written in."""
    known = tuple(known)
    return Fault(
        path=path,
        summary=f"unknown key '{shortened(key)}'" + (f" in {owner}" if owner else ""),
        help=nearest(key, known) or f"the keys here are {listed(known)}",
        at_key=True,
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "did you mean …?", also where only the spelling's style differs (``maxFailed``)."""
    known = tuple(known)
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", word).casefold()
    return did_you_mean(snake if snake in known else word, known)


def bad_name(name: str, path: Path) -> Fault:
    """Return the fault of a name that cannot stand in ``steps.NAME.outputs.NAME``."""
    if "{{" in name:
        return Fault(
            path=path,
            summary="a key cannot be a template",
            detail=STRUCTURE,
            help="write the key out; for many steps of a kind use `matrix`",
            at_key=True,
        )
    tame = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:_LONG]
    return Fault(
        path=path,
        summary=f"'{shortened(name)}' cannot be a name",
        detail="A name begins with a letter or `_`; letters, digits, `_` and `-` follow.",
        help=f"for example `{tame if is_name(tame) else f'_{tame}'}`",
        at_key=True,
    )


def _line(known: Field) -> str:
    return f"{known.key}: {as_written(known.option.example)}"


def _advice(shape: Shape, value: object, key: str) -> str:
    match shape, value:
        case Flag(), str() if value.strip().casefold() in _FLAGS:
            meant = _FLAGS[value.strip().casefold()]
            return f"'{value}' is a text in YAML 1.2; write {meant}"
        case Flag(), str() if value.casefold() in ("true", "false"):
            return f"remove the quotes: {value.casefold()}"
        case Choice(), str() | bool() | int():
            return did_you_mean(text_of(value), shape.words)
        case ((Whole() | Real()), str()) if _numeric(value):
            return f"remove the quotes: {value.strip()}"
        case TimeText(), str() if _numeric(value):
            return f"add the unit: {value.strip()}s, {value.strip()}m or {value.strip()}h"
        case SizeText(), str() if re.fullmatch(r"[\d.]+\s*[kKMGTPE]i?[Bb]", value):
            short = value.strip("iBb").replace(" ", "")
            return f"write {short}i (powers of 1024) or {short} (powers of 1000)"
        case Items(), str() | bool() | int() | float():
            return f"put it in brackets: [{as_written(value)}]"
        case Table(), [{"name": str(name), "value": _}, *_]:
            return f"write a map: {key}: {{{name}: …}}"
        case Table(), [str(first), *_] if "=" in first:
            name, _, rest = first.partition("=")
            return f"write a map: {key}: {{{name}: {rest}}}"
        case Text(), dict() if len(value) == 1:
            return "where `: ` belongs to a text, quote the whole text"
        case _:
            return ""


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
