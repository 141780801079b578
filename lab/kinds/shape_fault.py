"""What is wrong with a tree, in words: expected, met, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

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
    StepName,
    Table,
    Text,
    TimeText,
    Whole,
)
from lab.kinds.shape_words import MANY, as_written, expected, listed, met, shortened, subject
from lab.model.address import is_name
from lab.model.diagnostic import did_you_mean
from lab.model.frozen import dataclass
from lab.model.tree import Json, Path, text_of

STRUCTURE = "Keys and structure are never templated: they are known before anything runs."

_FLAGS = {"yes": "true", "no": "false", "on": "true", "off": "false", "y": "true", "n": "false"}
_LONG = 60
_MUST_BE = "It must be "
_EMPTY_TEXT = '; an empty text is written ""'


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in a tree; ``at_key`` when the key is to be shown rather than its value.

    ``lacks`` are the keys that are missing at the path, ``unknown`` is the key that means nothing.
    """

    path: Path
    summary: str
    detail: str = ""
    help: str = ""
    at_key: bool = False
    lacks: tuple[str, ...] = ()
    unknown: str = ""


class SpecFault(Exception):
    """A tree does not have the shape of its kind; ``faults`` says where and why, all at once."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.summary for fault in faults))
        self.faults = faults


def wrong(shape: Shape, value: Json, path: Path) -> Fault:
    """Return the fault of a value that has not this shape."""
    wanted = expected(shape)
    if value is None:
        return Fault(
            path=path,
            summary=f"{subject(path)} has no value",
            detail=f"{_MUST_BE}{wanted}.",
            help=f"write a value, or delete the line{_EMPTY_TEXT if _is_text(shape) else ''}",
        )
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    choices = shape.choices if isinstance(shape, Either) else (shape,)
    inside = isinstance(path[-1], int) if path else False
    told = (_advice(each, value, key, inside=inside) for each in choices)
    summary = f"{subject(path)} must be {wanted}, not {met(value)}"
    return Fault(path=path, summary=summary, help=next(filter(None, told), ""))


def explained(fault: Fault, known: Field, path: Path) -> Fault:
    """Return the fault of a field's own value with what the field means, and an example."""
    if fault.path != path or fault.unknown:
        return fault
    vague = not fault.detail or fault.detail.startswith(_MUST_BE)
    doc = known.option.doc if vague and known.option.doc else fault.detail
    return replace(fault, detail=doc, help=fault.help or f"for example: {_line(known)}")


def missing(record: Record, key: str, path: Path) -> Fault:
    """Return the fault of a map without a key that it needs."""
    known = record.fields[key]
    return Fault(
        path=path,
        summary=f"{subject(path)} has no `{key}`",
        detail=known.option.doc,
        help=f"add, for example: {_line(known)}",
        at_key=True,
        lacks=(key,),
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
        lacks=group,
    )


def unknown_key(key: str, known: Iterable[str], path: Path, owner: str = "") -> Fault:
    """Return the fault of a key that means nothing here; *owner* is what it was written in."""
    known = tuple(known)
    return Fault(
        path=path,
        summary=f"unknown key '{shortened(key)}'" + (f" in {owner}" if owner else ""),
        help=nearest(key, known) or f"the keys here are {listed(known)}",
        at_key=True,
        unknown=key,
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
        help=f"for example `{tame if is_name(tame) else f'x{tame}'}`",
        at_key=True,
    )


def _line(known: Field) -> str:
    return f"{known.key}: {as_written(known.option.example)}"


def _is_text(shape: Shape) -> bool:
    choices = shape.scalars if isinstance(shape, Either) else (shape,)
    return any(isinstance(each, Text) and not each.path for each in choices)


def _advice(shape: Shape, value: Json, key: str, *, inside: bool) -> str:
    match shape, value:
        case Flag(), str() if value.strip().casefold() in _FLAGS:
            meant = _FLAGS[value.strip().casefold()]
            return f"'{value}' is a text in YAML 1.2; write {meant}"
        case Flag(), str() if value.casefold() in ("true", "false"):
            return f"remove the quotes: {value.casefold()}"
        case Choice(), str() | bool() | int():
            known = f"known are {listed(shape.words)}" if len(shape.words) > MANY else ""
            return did_you_mean(text_of(value), shape.words) or known
        case ((Whole() | Real()), str()) if _numeric(value):
            return f"remove the quotes: {value.strip()}"
        case TimeText(), str():
            return _duration(value.strip())
        case SizeText(), str() if re.fullmatch(r"[\d.]+\s*[kKMGTPE]i?[Bb]", value):
            short = value.strip("iBb").replace(" ", "")
            return f"write {short}i (powers of 1024) or {short} (powers of 1000)"
        case Items(), str() | bool() | int() | float():
            return f"put it in brackets: [{as_written(value)}]"
        case Table(), list():
            return _as_map(value, key)
        case StepName(), Mapping() | list() if key == "environment":
            variables = _as_map(value, "env") if isinstance(value, list) else ""
            shown = variables or f"write env: {as_written(value)}"
            return f"variables for the program are not `environment` but `env`: {shown}"
        case Text(), dict() if inside and len(value) == 1:
            return "where `: ` belongs to a text, quote the whole text"
        case Text(), [_, *_] if not any(isinstance(each, (list, dict)) for each in value):
            return f"write one text: {as_written(' '.join(text_of(each) for each in value))}"
        case _:
            return ""


def _duration(text: str) -> str:
    """Tell how a duration is written here: `5 minutes` is 5m."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.casefold())
    if found is None or not found[2]:
        return f"add the unit: {text}s, {text}m or {text}h" if found else ""
    if found[2].startswith("w"):
        return f"write {text_of(float(found[1]) * 7).removesuffix('.0')}d"
    unit = "ms" if found[2].startswith(("ms", "mil")) else found[2][0]
    return f"write {found[1]}{unit}" if unit in ("ms", "s", "m", "h", "d") else ""


def _as_map(value: list[Json], key: str) -> str:
    """Tell how a list of `A=b`, or of a name and a value each, is written as a map."""
    pairs: dict[str, Json] = {}
    for each in value:
        match each:
            case {"name": str(name), "value": given}:
                pairs[name] = given
            case str() if "=" in each:
                name, _, pairs[name] = each.partition("=")
            case _:
                return ""
    return f"write {key}: {as_written(pairs)}" if pairs else ""


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
