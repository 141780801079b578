"""A place where YAML's parser gave up, and what a rule about it finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab.model.diagnostic import Diagnostic, Span
from lab.model.frozen import dataclass
from lab.reading.parse_lines import LONGEST_LINE, Entry, corrected, entry_of, is_blank

Place = tuple[int, int]
"""A line and a column, both from 0."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How to make a line readable, to find what is wrong after it; columns stay as they are."""

    line: int
    start: int
    end: int
    text: str = ""

    def apply(self, line: str) -> str:
        """Return the line with the stretch filled."""
        length = self.end - self.start
        return line[: self.start] + (self.text or "x" * length) + line[self.end :]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, and the fills that let reading go on, where there are any.

    `layout` tells that it is about indentation, which an earlier fill may have upset.
    """

    fault: Diagnostic
    fills: tuple[Fill, ...] = ()
    layout: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the parser said, and the lines it said it about."""

    name: str
    lines: Sequence[str]
    problem: str
    context: str
    at: Place
    began: Place
    at_end: bool

    def line(self, number: int) -> str:
        """Return a line, cut where no person would read on."""
        return self.lines[number][:LONGEST_LINE]

    def char(self) -> str:
        """Return the character at the problem; '' at the end of a line."""
        line, column = self.at
        return self.lines[line][column : column + 1]

    def entry(self, number: int) -> Entry:
        """Return a line in pieces."""
        return entry_of(self.line(number))

    def above(self, number: int) -> int | None:
        """Return the nearest line above that says something."""
        return next((n for n in range(number - 1, -1, -1) if not is_blank(self.lines[n])), None)

    def span(self, line: int, start: int, end: int) -> Span:
        """Return a stretch of one line; at least a character long."""
        return Span(self.name, line + 1, start + 1, line + 1, max(end, start + 1) + 1)

    def here(self) -> Span:
        """Return the problem's place."""
        return self.span(self.at[0], self.at[1], self.at[1] + 1)

    def corrected(self, line: int, start: int, end: int, value: str) -> str:
        """Return how the line would be right, or '' where that is too long to help."""
        return corrected(self.line(line), start, end, value)


def trouble_of(name: str, lines: Sequence[str], error: Any) -> Trouble:
    """Return what an error of the parser is about; places behind the text move to its end."""
    problem_mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None) or problem_mark
    at, at_end = _clip(lines, problem_mark)
    return Trouble(
        name=name,
        lines=lines,
        problem=str(getattr(error, "problem", None) or ""),
        context=str(getattr(error, "context", None) or ""),
        at=at,
        began=_clip(lines, context_mark)[0],
        at_end=at_end,
    )


def _clip(lines: Sequence[str], mark: Any) -> tuple[Place, bool]:
    line, column = (mark.line, mark.column) if mark else (0, 0)
    last = next((n for n in range(len(lines) - 1, -1, -1) if not is_blank(lines[n])), 0)
    if line > last or (line == last and column >= len(lines[last].rstrip())):
        return (last, max(len(lines[last].rstrip()) - 1, 0)), True
    return (line, min(column, len(lines[line]))), False
