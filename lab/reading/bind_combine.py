"""Combines the dimensions of a matrix, takes out what `exclude` names, and adds `include`.

`exclude` takes out the combinations that agree with all that an entry says. An entry of `include`
adds its other values to the combinations that agree with what it says of the dimensions; where
none does, it is one more combination. Values are compared as texts: ``0.1`` is ``"0.1"``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import field

from lab.model.frozen import dataclass
from lab.model.tree import Json, canonical


@dataclass(frozen=True, slots=True)
class Dimension:
    """One name with its values: what templates see, by the text that addresses have."""

    name: str
    values: Mapping[str, Json]


@dataclass(slots=True)
class Combination:
    """One choice of values; ``texts`` make its address, ``values`` are what templates see."""

    texts: Mapping[str, str]
    values: dict[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What stands in the address's brackets."""
        return ",".join(f"{name}={text}" for name, text in self.texts.items())


def text_in_key(value: Json) -> str:
    """Return a value's canonical text, as addresses have it."""
    return value if isinstance(value, str) else canonical(value).decode()


def combine(
    dimensions: list[Dimension], excluded: Iterable[Mapping[str, Json]]
) -> list[Combination]:
    """Return all combinations that are not excluded, the last dimension varying fastest."""
    if not dimensions:
        return []
    names = [each.name for each in dimensions]
    taken_out = _grouped(excluded)
    made: list[Combination] = []
    for chosen in itertools.product(*(each.values for each in dimensions)):
        texts = dict(zip(names, chosen, strict=True))
        if any(tuple(texts[name] for name in group) in out for group, out in taken_out.items()):
            continue
        values = {each.name: each.values[texts[each.name]] for each in dimensions}
        made.append(Combination(texts, values))
    return made


def _grouped(
    entries: Iterable[Mapping[str, Json]],
) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
    """Group entries by the names that they speak of, to look them up rather than try each."""
    groups: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for entry in entries:
        texts = tuple(text_in_key(value) for value in entry.values())
        groups.setdefault(tuple(entry), set()).add(texts)
    return groups


def include(
    made: list[Combination], dimensions: list[Dimension], entries: Iterable[Mapping[str, Json]]
) -> None:
    """Add each entry's values to the combinations that it agrees with, or one more to *made*."""
    known = {each.name: each for each in dimensions}
    combined = list(made)
    indices: dict[tuple[str, ...], dict[tuple[str, ...], list[Combination]]] = {}
    for entry in entries:
        spoken = {name: text_in_key(entry[name]) for name in known if name in entry}
        extra = {name: value for name, value in entry.items() if name not in known}
        group = tuple(spoken)
        if group not in indices:
            indices[group] = _index(combined, group)
        agreeing = indices[group].get(tuple(spoken.values()), [])
        for each in agreeing:
            each.values.update(extra)
        if not agreeing:
            made.append(_one_more(entry, spoken, known))


def _index(
    combined: Iterable[Combination], group: tuple[str, ...]
) -> dict[tuple[str, ...], list[Combination]]:
    found: dict[tuple[str, ...], list[Combination]] = {}
    for each in combined:
        found.setdefault(tuple(each.texts[name] for name in group), []).append(each)
    return found


def _one_more(
    entry: Mapping[str, Json], spoken: Mapping[str, str], known: Mapping[str, Dimension]
) -> Combination:
    extra = {name: value for name, value in entry.items() if name not in known}
    plain = {k: text_in_key(v) for k, v in extra.items() if not isinstance(v, (Mapping, list))}
    values = {name: known[name].values.get(text, entry[name]) for name, text in spoken.items()}
    return Combination({**spoken, **plain}, {**values, **extra})
