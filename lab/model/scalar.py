"""Reads one scalar as YAML 1.2's core schema does: what a program means by ``name=value``."""

from __future__ import annotations

import json
import math
import re
from typing import TypeAlias

from lab.model.regex import regex

Scalar: TypeAlias = "bool | int | float | str | None"

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INT = regex(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = regex(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 600  # Python refuses to turn very long digits into integers, and back
_ESCAPE = regex(r"\\x([0-9a-fA-F]{2})|\\U([0-9a-fA-F]{8})|\\(.)", re.DOTALL)
_SPECIAL = {"0": "\0", "a": "\a", "e": "\x1b", "v": "\v", " ": " ", "_": "\xa0"}


def scalar(text: str) -> Scalar:
    """The value of a scalar: ``3`` is a number, ``"3"`` and ``3 apples`` are texts.

    Nothing at all is null. A number too big for a float (a commit such as 12e4567) stays text.
    There are no comments: the text is the whole value, blanks around it apart.

    Raises:
        ValueError: it begins with a quote that does not end it.
    """
    text = text.strip(" \t\r")
    if text[:1] in ('"', "'"):
        return _quoted(text)
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _quoted(text: str) -> str:
    quote, inside = text[0], text[1:-1]
    if len(text) < 2 or text[-1] != quote:
        raise ValueError(f"the quote {quote} is not closed")
    if quote == "'":
        if "'" in inside.replace("''", ""):
            raise ValueError("a ' inside single quotes is written twice")
        return inside.replace("''", "'")
    try:
        return str(json.loads(_ESCAPE.sub(_as_json, text), strict=False))
    except ValueError:
        raise ValueError('a " or \\ inside double quotes is written after a \\') from None


def _as_json(escape: re.Match[str]) -> str:
    """An escape that YAML has and JSON has not, as the character itself."""
    short, long, one = escape.groups()
    if short or long:
        return json.dumps(chr(int(short or long, 16)))[1:-1]
    return json.dumps(_SPECIAL[one])[1:-1] if one in _SPECIAL else escape.group()
