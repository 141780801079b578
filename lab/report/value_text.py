"""Values of outputs as text: short for people, exact for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from lab.report.words import number


def brief(value: object) -> str:
    """A value in a line, floats rounded to four digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def json_line(value: object) -> str:
    """A value as JSON on one line; what is no number there (NaN, infinities) is null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False)


def _finite(value: object) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
        case _:
            return value


def exact(value: object) -> str:
    """A value as a shell script wants it: texts bare, all else as JSON with every digit."""
    return value if isinstance(value, str) else json_line(value)
