"""Checks of a machine and a lab: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from enum import Enum
from typing import Any

from lab.model.diagnostic import printable
from lab.model.frozen import dataclass
from lab.report.words import paint


class Status(Enum):
    """How a check went: the word of ``--json``, the sign and the colour that people see."""

    OK = ("ok", "✓", "green")
    WARN = ("warn", "!", "yellow")
    FAIL = ("fail", "✗", "red")

    @property
    def word(self) -> str:
        return self.value[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. ``fix`` is a command to copy, or a sentence."""

    about: str
    name: str
    text: str
    status: Status = Status.OK
    fix: str = ""


def checks_text(
    checks: Sequence[Check], *, colour: bool, quiet: bool = False, width: int = 80
) -> str:
    """The checks by what they are about, each in a line with its fix below, and what it comes to.

    Only what is not well is listed when *quiet*.
    """
    shown = [check for check in checks if not quiet or check.status is not Status.OK]
    wide = max((len(check.name) for check in shown), default=0)
    lines: list[str] = []
    for about in dict.fromkeys(check.about for check in shown):
        lines.append(paint(printable(about), "bold", colour))
        for check in shown:
            lines += _lines(check, wide, width, colour) if check.about == about else []
    return "\n".join([*lines, *([""] if lines else []), _sum(checks, colour)])


def checks_json(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as the list that ``lab doctor --json`` prints."""
    return [
        {
            "about": check.about,
            "check": check.name,
            "status": check.status.word,
            "text": check.text,
            "fix": check.fix,
        }
        for check in checks
    ]


def _lines(check: Check, wide: int, width: int, colour: bool) -> list[str]:
    _, sign, style = check.status.value
    room = max(40, width - wide - 6)
    first, *rest = _wrapped(check.text, room)
    fixes = _wrapped(check.fix, room - 5) if check.fix else []
    lead = " " * (wide + 6)
    return [
        f"  {paint(sign, style, colour)} {printable(check.name):<{wide}}  {first}",
        *(f"{lead}{line}" for line in rest),
        *(f"{lead}{paint('fix:', 'cyan', colour)} {line}" for line in fixes[:1]),
        *(f"{lead}     {line}" for line in fixes[1:]),
    ]


def _wrapped(text: str, width: int) -> list[str]:
    shown = printable(text)
    return textwrap.wrap(shown, width, break_long_words=False, break_on_hyphens=False) or [""]


def _sum(checks: Sequence[Check], colour: bool) -> str:
    failed = sum(check.status is Status.FAIL for check in checks)
    warned = sum(check.status is Status.WARN for check in checks)
    warnings = f"{warned} warning{'' if warned == 1 else 's'}"
    if failed:
        problems = f"{failed} problem{'' if failed == 1 else 's'}"
        return paint(problems, "red", colour) + (f", {warnings}" if warned else "")
    return f"No problems{f', {warnings}' if warned else ''}."
