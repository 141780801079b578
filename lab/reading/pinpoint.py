"""Finds where an expression stands inside the scalar that holds it, so that the caret meets it."""

from __future__ import annotations

import re

from lab.model.diagnostic import Span
from lab.model.document import Document
from lab.model.regex import regex
from lab.model.tree import Path

_NEWLINE = regex(r"\r\n|\r|\n")


def pinpoint(document: Document, path: Path, expression: str, line: int = 0) -> Span:
    """Return the span of *expression*, which stands on the 0-based *line* of the scalar at *path*.

    Where it cannot be found as it is written (escapes, folded lines) the whole scalar is returned.
    """
    span = document.span_of(path)
    layer = document.layer_of(path)
    wanted = _NEWLINE.split(expression.strip())[0].strip()
    if layer is None or not wanted or layer.name != span.source:
        return span
    lines = _NEWLINE.split(layer.text, maxsplit=span.end_line)
    first = span.line - 1
    block = lines[first][span.column - 1 : span.column] in ("|", ">")
    hinted = first + line + (1 if block else 0)
    for row in (*range(hinted, span.end_line), *range(first, min(hinted, span.end_line))):
        start = span.column - 1 if row == first else 0
        end = span.end_column - 1 if row == span.end_line - 1 else None
        column = _column(lines[row] if row < len(lines) else "", wanted, start, end)
        if column >= 0:
            found = column + len(wanted) + 1
            return Span(span.source, row + 1, column + 1, row + 1, found)
    return span


def _column(text: str, wanted: str, start: int, end: int | None) -> int:
    """Return where a text holds what is wanted: as a whole word if it can be, else anywhere."""
    end = len(text) if end is None else end
    word = re.compile(rf"(?<![\w.]){re.escape(wanted)}(?!\w)").search(text, start, end)
    return word.start() if word else text.find(wanted, start, end)
