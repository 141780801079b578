"""Values of outputs as text: short for people, exact for programs."""

from __future__ import annotations

import json

from lab.report.words import number


def brief(value: object) -> str:
    """A value in a line, floats rounded to four digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def exact(value: object) -> str:
    """A value as a shell script wants it: texts bare, all else as JSON with every digit."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
