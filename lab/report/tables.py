"""Tables of plain text that fit a terminal: aligned columns, one of which gives way."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from lab.model.diagnostic import printable
from lab.model.frozen import dataclass
from lab.report.words import paint

GAP = "  "
NARROWEST = 8  # columns; a column that gives way keeps at least these


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, on one line, and the style it is painted in (see ``paint``)."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its title (painted dim, if any column has one) and how its cells stand."""

    title: str = ""
    right: bool = False
    sign: bool = False  # a single character, nearer to what follows than other columns
    gives: bool = False  # is cut where the table is wider than the terminal


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    colour: bool,
    width: int | None = None,
    indent: str = "",
) -> str:
    """The rows as lines. With *width*, the columns that give way are cut until lines fit."""
    shown = [[_clean(cell) for cell in row] for row in rows]
    if any(column.title for column in columns):
        shown.insert(0, [Cell(column.title, "dim") for column in columns])
    sizes = [max((cells(row[i].text) for row in shown), default=0) for i in range(len(columns))]
    if width is not None:
        sizes = _narrowed(columns, sizes, width - len(indent))
    return "\n".join(indent + _line(columns, row, sizes, colour) for row in shown)


def cells(text: str) -> int:
    """How many columns of a terminal *text* takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def cut(text: str, most: int) -> str:
    """*text*, or as much of it as fits *most* columns with an ellipsis."""
    if cells(text) <= most:
        return text
    kept, used = [], 0
    for char in text:
        used += _cells(char)
        if used > most - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def _cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _clean(cell: Cell) -> Cell:
    return Cell(printable(" ".join(cell.text.split("\n"))), cell.style)


def _narrowed(columns: Sequence[Column], sizes: Sequence[int], width: int) -> list[int]:
    """Takes what is too much from the columns that give way, the last of them first."""
    narrowed = list(sizes)
    over = sum(sizes) + sum(map(len, _gaps(columns, sizes))) - width
    for i in reversed(range(len(columns))):
        if over <= 0:
            break
        if columns[i].gives and narrowed[i] > NARROWEST:
            taken = min(over, narrowed[i] - NARROWEST)
            narrowed[i] -= taken
            over -= taken
    return narrowed


def _gaps(columns: Sequence[Column], sizes: Sequence[int]) -> list[str]:
    """What stands after each column; nothing after those without any text."""
    gaps = [
        (" " if column.sign else GAP) if size else ""
        for column, size in zip(columns, sizes, strict=True)
    ]
    return [*gaps[:-1], ""]


def _line(
    columns: Sequence[Column], row: Sequence[Cell], sizes: Sequence[int], colour: bool
) -> str:
    line = ""
    gaps = _gaps(columns, sizes)
    for column, cell, size, gap in zip(columns, row, sizes, gaps, strict=True):
        text = cut(cell.text, size)
        pad = " " * (size - cells(text))
        painted = paint(text, cell.style, colour) if cell.style else text
        line += (pad + painted if column.right else painted + pad) + gap
    return line.rstrip()
