"""Words for shapes and values: what is expected, what was met, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from lab.kinds.shape_types import (
    Anything,
    Choice,
    Either,
    Flag,
    Items,
    Nothing,
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
from lab.model.never import assert_never
from lab.model.regex import regex
from lab.model.scalar import scalar
from lab.model.tree import Json, Path, text_of

_SHORT = 40
_PLAIN = regex(r"-{0,2}[A-Za-z0-9_./~](?:[\w./@+=~*-]|:(?=[\w/]))*(?: [\w./@+=~*-]+)*")
_URL = regex(r"https?://[^\s#]+")
MANY = 6  # words that a sentence can list


def subject(path: Path) -> str:
    """Return what a path's end is called: ``'command[2]'``."""
    tail = ""
    for part in reversed(path):
        tail = f"[{part}]{tail}" if isinstance(part, int) else f"{part}{tail}"
        if isinstance(part, str):
            break
    return f"'{tail}'" if tail else "the step"


def expected(shape: Shape) -> str:
    """Return what a shape admits, in words."""
    match shape:
        case Text():
            return "a path" if shape.path else "a text"
        case Whole():
            return "a whole number"
        case Real():
            return "a number"
        case Flag():
            return "true or false"
        case Choice():
            return _words(shape.words) if len(shape.words) <= MANY else "a known word"
        case TimeText():
            return "a duration such as 90s, 5m or 1h30m"
        case SizeText():
            return "a size such as 512Mi, 2Gi or 1G"
        case Nothing():
            return "nothing"
        case Anything():
            return "anything"
        case StepName():
            kinds = " or ".join(shape.of_kind)
            article = "an" if kinds[:1] in tuple("aeiou") else "a"
            return f"the name of {article} {kinds} step" if kinds else "the name of a step"
        case Items():
            return f"a list of {_plural(shape.item)}"
        case Table():
            return f"a map of names to {_plural(shape.item)}"
        case Record():
            return "a map" if len(shape.fields) > _FEW else f"a map of {listed(shape.fields)}"
        case Either():
            return " or ".join(dict.fromkeys(expected(each) for each in shape.choices))
        case _:
            assert_never(shape)


_FEW = 6


def _plural(shape: Shape) -> str:
    match shape:
        case Text():
            return "paths" if shape.path else "texts"
        case Whole():
            return "whole numbers"
        case Real():
            return "numbers"
        case Anything():
            return "values"
        case Record() | Table():
            return "maps"
        case _:
            return f"values that are each {expected(shape)}"


def met(value: object) -> str:
    """Return what was found, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {shortened(text_of(value))}"
        case "":
            return "an empty text"
        case str():
            return f"the text '{shortened(value)}'"
        case list():
            return "a list"
        case _:
            return "a map"


def shortened(text: str) -> str:
    """Return a text on one line, cut where it gets long."""
    line = text.strip().partition("\n")[0]
    cut = len(line) > _SHORT or line != text.strip()
    return f"{line[:_SHORT]}…" if cut else line


def listed(known: Iterable[str]) -> str:
    """Return names in backticks, in order."""
    return ", ".join(f"`{each}`" for each in known)


def _words(choices: tuple[str, ...]) -> str:
    if len(choices) == 1:
        return f"`{choices[0]}`"
    return f"{listed(choices[:-1])} or `{choices[-1]}`"


def as_written(value: Json) -> str:
    """Return a small tree as one writes it in a Labfile, on one line."""
    match value:
        case str():
            plain = (_PLAIN.fullmatch(value) or _URL.fullmatch(value)) and scalar(value) == value
            return value if plain else json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(as_written(each) for each in value)}]"
        case Mapping():
            return f"{{{', '.join(f'{k}: {as_written(v)}' for k, v in value.items())}}}"
        case _:
            return text_of(value)
