"""What `&name` marks and `*name` repeats: its cost, its height, and the odd texts in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lab.model.tree import Json, Path


class Anchor(NamedTuple):
    """What an alias stands for, and what it costs to stand there once more."""

    value: Json
    text: str
    odd: bool
    nodes: int
    characters: int


class Odd(NamedTuple):
    """A scalar that lab itself would write otherwise: its container's id, its path, its text."""

    holder: int
    path: Path
    text: str


class Anchors:
    """The anchors seen so far; complete ones only, so that no value can hold itself."""

    def __init__(self) -> None:
        self.used = False
        self._known: dict[str, Anchor] = {}
        self._heights: dict[int, int] = {}

    def mark(self, name: str | None, anchor: Anchor) -> None:
        """Remember what a name stands for from here on."""
        if name:
            self._known[name] = anchor

    def find(self, name: str) -> Anchor | None:
        """Return what a name stands for here."""
        self.used = True
        return self._known.get(name)

    def height(self, value: Json) -> int:
        """Count the levels of containers in a value; each container is looked at once."""
        if not isinstance(value, (dict, list)):
            return 0
        known = self._heights.get(id(value))
        if known is None:
            known = 1 + max((self.height(child) for _, child in _children(value)), default=0)
            self._heights[id(value)] = known
        return known


def spread(odd: Iterable[Odd], root: Json) -> dict[Path, str]:
    """Return odd texts by path, at each of the places where aliases repeat them."""
    marked = {(each.holder, each.path[-1]): each.text for each in odd if each.path}
    found: dict[Path, str] = {}
    stack: list[tuple[Path, Json]] = [((), root)] if marked else []
    while stack:
        path, value = stack.pop()
        for key, child in _children(value):
            place = (*path, key)
            text = marked.get((id(value), key))
            if text is not None:
                found[place] = text
            if isinstance(child, (dict, list)):
                stack.append((place, child))
    return found


def _children(value: Json) -> Iterable[tuple[str | int, Json]]:
    match value:
        case dict():
            return value.items()
        case list():
            return enumerate(value)
        case _:
            return ()
