"""What lab says when something is wrong: where, what, why, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from enum import Enum
from itertools import islice
from typing import ClassVar

from lab.model.frozen import dataclass
from lab.model.regex import regex

TAB_CELLS = 4
_NEWLINE = regex(r"\r\n|\r|\n")
_ELLIPSIS = "…"


class Severity(Enum):
    """How bad it is: an error stops, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text: 1-based, columns in characters, the end is exclusive."""

    source: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One fault: what it is, why, what to do, and the places that matter."""

    summary: str
    detail: str = ""
    help: str = ""
    span: Span | None = None
    severity: Severity = Severity.ERROR
    notes: tuple[tuple[str, Span | None], ...] = ()


class LabError(Exception):
    """Something the user can put right, as one or more diagnostics."""

    exit_code: ClassVar[int] = 2

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics

    def __str__(self) -> str:
        return "\n".join(_header(each) for each in self.diagnostics)


class LabfileError(LabError):
    """The Labfile, a recipe or the command line is wrong."""

    exit_code = 2


class PlanError(LabError):
    """The plan cannot be made."""

    exit_code = 3


class StateError(LabError):
    """The state is locked or cannot be read."""

    exit_code = 4


_MOST_KNOWN = 2000  # words that are looked at; in a Labfile of thousands of faults each costs
_MOST_COMPARED = 200


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean `x`?" for the nearest known word, or '' when none is near."""
    if not 0 < len(word) <= 64:
        return ""
    limit = max(1, len(word) // 3)
    folded = word.casefold()
    letters = set(folded)
    likely: list[str] = []
    starts: list[str] = []
    for each in islice(known, _MOST_KNOWN):
        if abs(len(each) - len(word)) <= limit:
            # an edit changes at most two letters of those that only one of the words has
            if len(letters.symmetric_difference(each.casefold())) <= 2 * limit:
                likely.append(each)
        elif len(word) >= 3 and each.casefold().startswith(folded):
            starts.append(each)
    if len(likely) > _MOST_COMPARED:
        likely.sort(key=lambda each: (each[0] != word[0], abs(len(each) - len(word))))
    measured = ((_distance(folded, e.casefold()), e) for e in likely[:_MOST_COMPARED])
    near = [(distance, each) for distance, each in measured if distance <= limit]
    found = min(near)[1] if near else min(starts, default="")
    return f"did you mean `{printable(found)}`?" if found else ""


def _distance(a: str, b: str) -> int:
    """Count the edits between two words; two swapped neighbours are one edit."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def printable(text: str) -> str:
    """Escape what a terminal would obey rather than show; newlines stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if char == "\t":
        return " " * TAB_CELLS
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def render(
    d: Diagnostic,
    source_text: Callable[[str], str | None],
    *,
    color: bool,
    width: int = 100,
) -> str:
    """Return the diagnostic as text for people; without a newline at the end."""
    paint = _paint if color else _plain
    tone = "31;1" if d.severity is Severity.ERROR else "33;1"
    spans = [d.span, *(span for _, span in d.notes)]
    gutter = max((len(str(span.line)) for span in spans if span), default=1)
    place = f"{printable(str(d.span))}: " if d.span else ""
    title = f"{place}{paint(d.severity.value, tone)}: {paint(printable(d.summary), '1')}"
    lines = [title, *_snippet(d.span, source_text, gutter, "^", paint, tone, width)]
    for text, span in d.notes:
        lines += _note(text, span, source_text, gutter, paint, width)
    bar = paint("=", "34;1")
    for label, text in (("", d.detail), ("help: ", d.help)):
        wrapped = _wrap(printable(text), width - gutter - 4, len(label)) if text else []
        for index, line in enumerate(wrapped):
            lead = f" {bar} {paint(label, '36;1')}" if index == 0 else "   "
            lines.append(f"{' ' * gutter}{lead}{line}".rstrip())
    return "\n".join(lines)


def _header(d: Diagnostic) -> str:
    place = f"{d.span}: " if d.span else ""
    return printable(f"{place}{d.severity.value}: {d.summary}")


def _plain(text: str, _code: str) -> str:
    return text


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if text else ""


def _note(
    text: str,
    span: Span | None,
    source_text: Callable[[str], str | None],
    gutter: int,
    paint: Callable[[str, str], str],
    width: int,
) -> list[str]:
    if span is None:
        return [f"{' ' * gutter} {paint('=', '34;1')} {paint('note: ', '1')}{printable(text)}"]
    head = f"{' ' * gutter}{paint('::: ', '34;1')}{printable(str(span))}: {printable(text)}"
    return [head, *_snippet(span, source_text, gutter, "-", paint, "34;1", width)]


def _snippet(
    span: Span | None,
    source_text: Callable[[str], str | None],
    gutter: int,
    mark: str,
    paint: Callable[[str, str], str],
    tone: str,
    width: int,
) -> list[str]:
    """Return the span's first line under a line number gutter, marked below."""
    text = source_text(span.source) if span else None
    if span is None or text is None:
        return []
    lines = _NEWLINE.split(text, maxsplit=span.line)
    if span.line > len(lines):
        return []
    line = lines[span.line - 1]
    start = min(max(span.column - 1, 0), len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    shown, before, length = _window(line, start, min(end, len(line)), width - gutter - 3)
    empty = f"{' ' * gutter} {paint('|', '34;1')}"
    number = paint(f"{span.line:>{gutter}} |", "34;1")
    marks = paint(mark * max(length, 1), tone)
    return [empty, f"{number} {shown}".rstrip(), f"{empty} {' ' * before}{marks}", empty]


def _window(line: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """Return what fits of a line around [start, end): text, cells before, cells marked."""
    room = max(room, 20)
    cells = [_cell(c) for c in line[: room + 1]] if len(line) <= room else []
    if not line or (cells and sum(size for _, size in cells) <= room):
        whole = [size for _, size in cells]
        return "".join(c for c, _ in cells), sum(whole[:start]), sum(whole[start:end])
    first = max(0, start - room // 3)
    pieces = [(_ELLIPSIS, 1)] if first else []
    used, before, marked = len(pieces), 0, 0
    for index in range(first, len(line)):
        piece, size = _cell(line[index])
        if used + size > room - 1:
            pieces.append((_ELLIPSIS, 1))
            break
        before += size if index < start else 0
        marked += size if start <= index < end else 0
        pieces.append((piece, size))
        used += size
    return "".join(piece for piece, _ in pieces), before + (1 if first else 0), marked


def _cell(char: str) -> tuple[str, int]:
    """Return how one character is shown, and how many columns of a terminal it takes."""
    if not char.isprintable():
        shown = _escaped(char)
        return shown, len(shown)
    if char.isascii():
        return char, 1
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return char, 0
    return char, 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _wrap(text: str, width: int, indent: int) -> list[str]:
    """Wrap paragraphs; indented lines (examples) stay as they are."""
    import textwrap  # most commands have nothing to complain about

    out: list[str] = []
    for line in text.split("\n"):
        if not line.strip() or line[0] == " ":
            out.append(line)
            continue
        out += textwrap.wrap(
            line,
            max(width, 30),
            initial_indent="" if out else " " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    if out and indent:
        out[0] = out[0].removeprefix(" " * indent)
    return out
