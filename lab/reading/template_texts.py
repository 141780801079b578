"""Filters over texts and numbers: pure, and bounded before they make anything."""

from __future__ import annotations

import base64
import json
import math
import posixpath
import shlex
import urllib.parse
from collections.abc import Mapping
from typing import Any

from lab.model.tree import canonical
from lab.reading.template_fault import Missing, TemplateFault
from lab.reading.template_limits import Work, as_text, size, sort_of
from lab.reading.template_operators import formatted, is_number

_ASKED = object()
MAX_INDENT = 200


def text(value: Any, work: Work) -> str:
    """*value*, no list and no map, as a text whose size is paid for."""
    if isinstance(value, list | Mapping):
        raise TemplateFault(
            f"this filter needs a text, and this is {sort_of(value)}",
            help="for each element write `| map('…')`, for all as one text `| join(' ')`",
        )
    found = as_text(value)
    work.spend(1 + len(found) // 8)
    return found


def number(value: Any, name: str) -> int | float:
    """*value*, which must be a number."""
    if is_number(value):
        return value  # type: ignore[no-any-return]
    raise _wrong(name, "a number", value)


def whole(value: Any, name: str, largest: int = 1_000_000) -> int:
    """*value*, which must be a whole number of sensible size."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(name, "a whole number", value)
    if abs(value) > largest:
        raise TemplateFault(f"the number given to `{name}` is too big")
    return value


def _wrong(name: str, wanted: str, value: Any) -> TemplateFault:
    sort = Missing if value is None else TemplateFault
    return sort(f"`{name}` needs {wanted}, and this is {sort_of(value)}")


def absolute(_work: Work, value: Any) -> int | float:
    return abs(number(value, "abs"))


def b64encode(work: Work, value: Any) -> str:
    return base64.b64encode(text(value, work).encode("utf-8", "surrogatepass")).decode()


def b64decode(work: Work, value: Any) -> str:
    try:
        return base64.b64decode(text(value, work), validate=True).decode()
    except ValueError:
        raise TemplateFault("`b64decode` needs base64 of UTF-8 text") from None


def basename(work: Work, value: Any) -> str:
    return posixpath.basename(text(value, work).rstrip("/"))


def dirname(work: Work, value: Any) -> str:
    return posixpath.dirname(text(value, work).rstrip("/"))


def capitalize(work: Work, value: Any) -> str:
    return text(value, work).capitalize()


def lower(work: Work, value: Any) -> str:
    return text(value, work).lower()


def upper(work: Work, value: Any) -> str:
    return text(value, work).upper()


def title(work: Work, value: Any) -> str:
    return text(value, work).title()


def trim(work: Work, value: Any, chars: Any = None) -> str:
    return text(value, work).strip(None if chars is None else text(chars, work))


def quote(work: Work, value: Any) -> str:
    return shlex.quote(text(value, work))


def string(_work: Work, value: Any) -> str:
    return as_text(value)


def urlencode(work: Work, value: Any) -> str:
    return urllib.parse.quote(text(value, work), safe="/", errors="replace")


def startswith(work: Work, value: Any, start: Any) -> bool:
    return text(value, work).startswith(text(start, work))


def endswith(work: Work, value: Any, end: Any) -> bool:
    return text(value, work).endswith(text(end, work))


def format_(work: Work, value: Any, *values: Any) -> str:
    return formatted(text(value, work), list(values), work)


def replace(work: Work, value: Any, old: Any, new: Any, count: Any = None) -> str:
    whole_text, before, after = text(value, work), text(old, work), text(new, work)
    found = whole_text.count(before)
    times = found if count is None else min(found, max(0, whole(count, "replace")))
    work.room(len(whole_text) + times * max(0, len(after) - len(before)))
    return whole_text.replace(before, after, times)


def split(work: Work, value: Any, at: Any = None, most: Any = -1) -> list[str]:
    whole_text = text(value, work)
    if at == "":
        raise TemplateFault("`split` cannot split at an empty text", help="write `| list`")
    work.spend(len(whole_text))
    return whole_text.split(None if at is None else text(at, work), whole(most, "split"))


def indent(work: Work, value: Any, width: Any = 4, first: Any = False) -> str:
    lines = text(value, work).split("\n")
    margin = " " * whole(width, "indent", MAX_INDENT) if is_number(width) else text(width, work)
    work.room(sum(map(len, lines)) + len(lines) * (len(margin) + 1))
    rest = [margin + line if line.strip() else line for line in lines[0 if first else 1 :]]
    return "\n".join(rest if first else [lines[0], *rest])


def tojson(work: Work, value: Any, indent: Any = None) -> str:
    characters, elements = size(value)
    if indent is None:
        return canonical(value).decode("utf-8", "surrogatepass")
    margin = whole(indent, "tojson", 16)
    work.room(characters + elements * (margin + 4))
    return json.dumps(json.loads(canonical(value)), indent=margin, ensure_ascii=False)


def fromjson(work: Work, value: Any) -> Any:
    source = text(value, work)
    work.spend(len(source) // 2)
    try:
        return json.loads(source)
    except ValueError:
        raise TemplateFault("`fromjson` needs a JSON text, and this is none") from None


def round_(_work: Work, value: Any, precision: Any = 0, method: str = "common") -> float:
    digits = whole(precision, "round", 30)
    given = float(number(value, "round"))
    match method:
        case "common":
            return value if isinstance(value, int) and digits >= 0 else round(given, digits)
        case "ceil" | "floor":
            side = math.ceil if method == "ceil" else math.floor
            return side(given * 10.0**digits) / 10.0**digits
        case _:
            raise TemplateFault("`round` knows the methods 'common', 'ceil' and 'floor'")


def to_int(_work: Work, value: Any, other: Any = _ASKED) -> Any:
    found = _number(value)
    if found is not None and math.isfinite(found):
        return int(found)
    return _or_other("int", value, other)


def to_float(_work: Work, value: Any, other: Any = _ASKED) -> Any:
    found = _number(value)
    return float(found) if found is not None else _or_other("float", value, other)


def _or_other(name: str, value: Any, other: Any) -> Any:
    if other is not _ASKED:
        return other
    sort = Missing if value is None else TemplateFault
    what = "is not a number" if isinstance(value, str) else f"is {sort_of(value)}"
    raise sort(
        f"`{name}` cannot make a number of this text: it {what}"
        if isinstance(value, str)
        else f"`{name}` cannot make a number of this: it {what}",
        help=f"if it may be none, say what to take then: `| {name}(0)`",
    )


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or is_number(value):
        return value  # type: ignore[no-any-return]
    if not isinstance(value, str) or len(value) > 400:
        return None
    try:
        return int(value)
    except ValueError:
        return _float(value)


def _float(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
