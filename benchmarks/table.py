"""Prints rows as a Markdown table or as JSON."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rows import Row

HEAD = ("what", "ours", "theirs", "figure", "budget", "verdict", "remark")


def markdown(head: Mapping[str, str], rows: Sequence[Row]) -> str:
    """The machine, the table, and a line that counts the verdicts."""
    cells = [HEAD, *(line(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    lines = [f"* {name}: {value}" for name, value in head.items()] + [""]
    for number, row in enumerate(cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"| {' | '.join(padded)} |")
        if number == 0:
            lines.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*lines, "", counted(rows)]) + "\n"


def line(row: Row) -> tuple[str, ...]:
    """A row as cells; a bar inside a cell would end it."""
    figure = "" if row.figure is None else f"{row.figure:.3g}"
    limit = "" if row.limit is None else f"{row.limit:g}"
    cells = (row.what, row.ours, row.theirs, figure, limit, row.word, row.remark)
    return tuple(cell.replace("|", "/").replace("\n", " ") for cell in cells)


def counted(rows: Sequence[Row]) -> str:
    """How many rows have each verdict."""
    counts = Counter(row.word for row in rows)
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def as_json(head: Mapping[str, str], rows: Sequence[Row]) -> str:
    """The same with every single wall time."""
    entries = [asdict(row) | {"samples": dict(row.samples)} for row in rows]
    return json.dumps({"machine": dict(head), "rows": entries}, indent=2) + "\n"
