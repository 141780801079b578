"""What `lab compare` prints for people."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lab.cli.trained import Trained
from lab.report.sparkline import sparkline
from lab.report.tables import Cell, Column, table
from lab.report.value_text import brief
from lab.report.words import duration, number, paint

WIDEST = 32  # points of a curve
_HASH = len("sha256:") + 8


def compare_text(found: Sequence[Trained], *, colour: bool, width: int | None) -> str:
    """A table of all trainings, what they have in common, the inputs that differ, and the curves."""
    parameters = _names(each.parameters for each in found)
    differing = [n for n in parameters if _differ([each.parameters.get(n) for each in found])]
    if len(found) == 1:
        differing = parameters
    lines = [_table(found, differing, colour, width)]
    same = [n for n in parameters if n not in differing]
    if same:
        shown = ", ".join(f"{name}={brief(found[0].parameters[name])}" for name in same)
        lines += ["", f"{paint('Same in all', 'bold', colour)}  {shown}"]
    lines += _inputs(found, colour, width)
    lines += _curves(found, colour, width)
    return "\n".join(lines)


def _table(
    found: Sequence[Trained], parameters: Sequence[str], colour: bool, width: int | None
) -> str:
    metrics = _names(each.metrics for each in found)
    columns = (
        Column(title="run", right=True),
        Column(title="step", gives=True),
        *(Column(title=name, right=True) for name in parameters),
        *(Column(title=name, right=True) for name in metrics),
        Column(title="took", right=True),
    )
    rows = [
        [
            Cell(str(each.run), "bold"),
            Cell(each.address),
            *(_value(each.parameters, name, brief) for name in parameters),
            *(_value(each.metrics, name, number, "green") for name in metrics),
            Cell(duration(each.done.seconds), "dim"),
        ]
        for each in found
    ]
    return table(columns, rows, colour=colour, width=width)


def _value(
    values: Mapping[str, Any], name: str, shown: Callable[[Any], str], style: str = ""
) -> Cell:
    return Cell(shown(values[name]), style) if name in values else Cell("–", "dim")


def _inputs(found: Sequence[Trained], colour: bool, width: int | None) -> Iterator[str]:
    found = [each for each in found if each.inputs]  # a sweep itself reads none
    paths = _names(each.inputs for each in found)
    differing = [path for path in paths if _differ([each.inputs.get(path) for each in found])]
    if not differing:
        return
    columns = (Column(title="", gives=True), *(Column(title=_label(each)) for each in found))
    rows = [
        [Cell(path), *(Cell(each.inputs.get(path, "–")[:_HASH], "dim") for each in found)]
        for path in differing
    ]
    yield ""
    yield paint("Inputs that differ", "bold", colour)
    yield table(columns, rows, colour=colour, width=width, indent="  ")


def _curves(found: Sequence[Trained], colour: bool, width: int | None) -> Iterator[str]:
    columns = (Column(gives=True), Column(), Column(right=True), Column(gives=True))
    for name in _names(each.curves for each in found):
        drawn = [each for each in found if len(each.curves.get(name, ())) > 1]
        if drawn:
            rows = [_curve(each, each.curves[name]) for each in drawn]
            yield ""
            yield paint(name, "bold", colour)
            yield table(columns, rows, colour=colour, width=width, indent="  ")


def _curve(each: Trained, values: Sequence[float]) -> list[Cell]:
    finite = [value for value in values if math.isfinite(value)]
    about = f"{number(min(finite))} to {number(max(finite))}, " if finite else ""
    return [
        Cell(_label(each), "dim"),
        Cell(sparkline(values, WIDEST), "cyan"),
        Cell(number(values[-1])),
        Cell(f"{about}{len(values)} points", "dim"),
    ]


def _label(each: Trained) -> str:
    return f"{each.run} {each.address}"


def _names(maps: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for each in maps for name in each))


def _differ(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values[1:])
