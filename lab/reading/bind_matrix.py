"""Expands a matrix into its instances, each with the key that its address has in brackets."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lab.kinds.shape_fault import Fault, bad_name
from lab.kinds.shape_words import as_written, listed, met, shortened
from lab.model.address import is_name
from lab.model.diagnostic import did_you_mean
from lab.model.frozen import dataclass
from lab.model.tree import Json, Path
from lab.reading.bind_combine import Combination, Dimension, combine, include, text_in_key

MOST = 10_000
"""How many instances one Labfile may have."""

_SPECIAL = ("include", "exclude")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Instance:
    """One combination: ``lr=0.1,units=64`` and the values that templates see."""

    key: str
    values: Mapping[str, Json]


def expand(tree: Json, path: Path, left: int) -> tuple[list[Instance], list[Fault]]:
    """Return the instances of a rendered matrix, or its faults; *left* is how many there may be."""
    if not isinstance(tree, Mapping):
        return [], [_no_map(tree, path)]
    faults: list[Fault] = []
    dimensions = [
        _dimension(name, values, (*path, name), faults)
        for name, values in tree.items()
        if name not in _SPECIAL
    ]
    included = _entries(tree, "include", path, faults)
    excluded = _entries(tree, "exclude", path, faults)
    _check_excluded(excluded, dimensions, path, faults)
    size = math.prod(len(each.values) for each in dimensions) if dimensions else 0
    if not faults and max(size + len(included), len(excluded)) > left:
        faults.append(_too_many(size + len(included), dimensions, path))
    if faults:
        return [], faults
    made = combine(dimensions, excluded)
    include(made, dimensions, included)
    if not made:
        return [], [_empty("the matrix leaves no combination", path)]
    return _instances(made, path)


def _instances(made: list[Combination], path: Path) -> tuple[list[Instance], list[Fault]]:
    instances = {each.key: Instance(each.key, each.values) for each in made}
    if len(instances) == len(made):
        return list(instances.values()), []
    keys = [each.key for each in made]
    twice = next(key for index, key in enumerate(keys) if key in keys[:index])
    return [], [
        Fault(
            path=(*path, "include"),
            summary=f"two combinations have the same address: [{twice}]",
            detail="`include` makes one that is there already.",
            help="let them differ in a text, a number, true or false",
        )
    ]


def _no_map(tree: Json, path: Path) -> Fault:
    return Fault(
        path=path,
        summary=f"'matrix' must be a map of names to lists, not {met(tree)}",
        help=f"write matrix: {{item: {as_written(tree)}}}, and {{{{ matrix.item }}}} in the step"
        if isinstance(tree, list)
        else "write matrix: {lr: [0.1, 0.01]}",
    )


def _dimension(name: str, values: Json, path: Path, faults: list[Fault]) -> Dimension:
    found: dict[str, Json] = {}
    if not is_name(name):
        faults.append(bad_name(name, path))
    if isinstance(values, Mapping):
        for key, value in values.items():
            found[key] = {"key": key, "value": value}
            _check_text(key, (*path, key), faults)
    elif isinstance(values, list):
        before = len(faults)
        for index, value in enumerate(values):
            if len(faults) == before:  # of many values with one fault, the first is enough
                _take(value, found, (*path, index), faults)
    else:
        faults.append(_no_list(name, values, path))
        return Dimension(name, {})
    if not values:
        faults.append(_empty(f"'{name}' has no values", path))
    return Dimension(name, found)


def _take(value: Json, found: dict[str, Json], path: Path, faults: list[Fault]) -> None:
    if value is None or isinstance(value, (Mapping, list)):
        summary = f"a value of a matrix must be a text, a number, true or false, not {met(value)}"
        why = "The value is part of the step's address: `train[lr=0.1]`."
        told = "give the values names: NAME: {small: …, large: …}; then there are"
        told += " `{{ matrix.NAME.key }}` and `{{ matrix.NAME.value }}`"
        faults.append(Fault(path=path, summary=summary, detail=why, help=told))
        return
    text = text_in_key(value)
    if text in found:
        summary = f"the value '{shortened(text)}' is there twice"
        why = "Two steps would have the same address."
        faults.append(Fault(path=path, summary=summary, detail=why, help="remove one of them"))
    found.setdefault(text, value)
    _check_text(text, path, faults)


def _check_text(text: str, path: Path, faults: list[Fault]) -> None:
    if len(text) <= _LONGEST and text.isprintable():
        return
    odd = "is too long" if len(text) > _LONGEST else "has characters that cannot be shown"
    faults.append(
        Fault(
            path=path,
            summary=f"the value {odd} to be part of a step's address",
            help="give the values names: NAME: {small: …, large: …}",
        )
    )


def _no_list(name: str, values: Json, path: Path) -> Fault:
    parts: Json = (
        [each.strip() for each in values.split(",")] if isinstance(values, str) else [values]
    )
    return Fault(
        path=path,
        summary=f"'{name}' must be a list of values, not {met(values)}",
        help=f"write a list: {as_written(parts)}" if values else "write its values in brackets",
    )


def _empty(summary: str, path: Path) -> Fault:
    return Fault(
        path=path,
        summary=summary,
        detail="A matrix without combinations makes no step at all.",
        help="add values; to leave the step out use `when: false`",
    )


def _entries(
    tree: Mapping[str, Json], name: str, path: Path, faults: list[Fault]
) -> list[Mapping[str, Json]]:
    value = tree.get(name, [])
    entries = value if isinstance(value, list) else [value]
    maps = [each for each in entries if isinstance(each, Mapping) and each]
    if len(maps) < len(entries) or not isinstance(value, list):
        summary = f"'{name}' must be a list of maps, not {met(value)}"
        example = as_written(value) if isinstance(value, Mapping) and value else "{lr: 0.1}"
        told = f"write {name}: [{example}]"
        faults.append(Fault(path=(*path, name), summary=summary, help=told))
    return maps


def _check_excluded(
    entries: list[Mapping[str, Json]],
    dimensions: list[Dimension],
    path: Path,
    faults: list[Fault],
) -> None:
    known = [each.name for each in dimensions]
    for index, entry in enumerate(entries):
        for name in entry:
            if name not in known:
                at = (*path, "exclude", index, name)
                told = did_you_mean(name, known) or f"the matrix has {listed(known)}"
                summary = f"the matrix has no '{name}'"
                faults.append(Fault(path=at, summary=summary, help=told, at_key=True))


def _too_many(size: int, dimensions: list[Dimension], path: Path) -> Fault:
    counts = " * ".join(str(len(each.values)) for each in dimensions)
    return Fault(
        path=path,
        summary=f"the matrix makes {_spelled(size)} steps; a Labfile may have {MOST:,} of them",
        detail=f"It has {counts} combinations, before `exclude`." if len(dimensions) > 1 else "",
        help="take fewer values; to search among many, use a sweep",
        at_key=True,
    )


def _spelled(size: int) -> str:
    return f"{size:,}" if size < 10**15 else f"over 10^{len(str(size)) - 1}"
