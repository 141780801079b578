"""Writes a tree as the YAML that a person would have written: short things on one line, long lists wrapped."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from lab.model.regex import regex

WIDEST = 96  # columns
_PLAIN = regex(r"(--?)?[A-Za-z_./][A-Za-z0-9_./@+-]*\Z")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_WORDS = frozenset(
    {"true", "false", "null", "yes", "no", "on", "off", "y", "n", ".", ".nan", ".inf"}
)


def scalar_text(value: Any) -> str:
    """A value as YAML, plain where it reads as itself, also inside brackets."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if math.isfinite(value) else json.dumps(str(value))
    if isinstance(value, list):
        return f"[{', '.join(map(scalar_text, value))}]"
    text = str(value)
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    """What stands for a character between quotation marks: what nobody sees is written out."""
    code = ord(char)
    if char in _ESCAPES or char.isprintable():
        return _ESCAPES.get(char, char)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def document_text(tree: Mapping[str, Any]) -> str:
    """*tree* as a YAML document."""
    return "".join(f"{line}\n" for line in _lines(tree, ""))


def _lines(tree: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in tree.items():
        head = f"{indent}{scalar_text(key)}:"
        flat = f"{head} {_flat(value)}"
        if not isinstance(value, Mapping | list) or (_is_leaf(value) and len(flat) <= WIDEST):
            yield flat
        elif isinstance(value, Mapping):
            yield head
            yield from _lines(value, indent + "  ")
        elif all(isinstance(each, Mapping) for each in value):
            yield head
            yield from _items(value, indent + "  ")
        else:
            yield from _wrapped(f"{head} [", [_flat(each) for each in value])


def _items(values: list[Mapping[str, Any]], indent: str) -> Iterator[str]:
    for value in values:
        flat = f"{indent}- {_flat(value)}"
        if _is_leaf(value) and len(flat) <= WIDEST:
            yield flat
            continue
        first, *rest = _lines(value, indent + "  ")
        yield f"{indent}- {first.lstrip()}"
        yield from rest


def _wrapped(head: str, words: list[str]) -> Iterator[str]:
    line, blank = head, " " * len(head)
    for index, word in enumerate(words):
        piece = word + ("," if index < len(words) - 1 else "]")
        if line.strip() and len(line) + len(piece) + 1 > WIDEST and line != head:
            yield line
            line = blank + piece
        else:
            line += piece if line in (head, blank) else f" {piece}"
    yield line


def _flat(value: Any) -> str:
    match value:
        case Mapping():
            inner = ", ".join(f"{scalar_text(k)}: {_flat(v)}" for k, v in value.items())
            return f"{{{inner}}}"
        case list():
            return f"[{', '.join(map(_flat, value))}]"
        case _:
            return scalar_text(value)


def _is_leaf(value: Any) -> bool:
    """Whether it holds nothing deeper than a list of scalars, so that one line shows it well."""
    if isinstance(value, list):
        return not any(isinstance(each, Mapping | list) for each in value)
    return not any(
        isinstance(each, Mapping) or (isinstance(each, list) and not _is_leaf(each))
        for each in value.values()
    )
