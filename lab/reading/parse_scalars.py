"""Plain scalars by the YAML 1.2 core schema: what is null, a boolean, a number, or text."""

from __future__ import annotations

from lab.model.regex import regex
from lab.model.tree import Json, TextFloat, TextInt, text_of

STARTS = frozenset(["", *"~nNtTfF+-.0123456789"])
"""The first characters of scalars that may be something else than text."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = regex(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = regex(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INF = regex(r"[-+]?\.(?:inf|Inf|INF)")
_NAN = regex(r"\.(?:nan|NaN|NAN)")
# Python refuses to turn longer digits into integers or back, lest it takes for ever.
_LONGEST_NUMBER = 600


def resolve(text: str) -> Json:
    """Return the value of an unquoted scalar; a number remembers an odd spelling."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(float(text), text)
    if _INF.fullmatch(text):
        return _float(float("-inf" if text[0] == "-" else "inf"), text)
    if _NAN.fullmatch(text):
        return _float(float("nan"), text)
    return text


def is_odd(value: Json, text: str) -> bool:
    """Tell whether a value that is not text would be written otherwise by lab."""
    return not isinstance(value, str) and (
        isinstance(value, (TextInt, TextFloat)) or text_of(value) != text
    )


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    value = int(text, base)
    return value if str(value) == text else TextInt(value, text)


def _float(value: float, text: str) -> float:
    return value if text_of(value) == text else TextFloat(value, text)
