"""The closed list of shapes that a key may have; every shape is derived from a type annotation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, TypeAlias

from lab.kinds.spec import Option
from lab.model.frozen import dataclass
from lab.model.tree import Path

Check: TypeAlias = "Callable[[Mapping[str, Any]], Iterable[tuple[Path, str, str]]]"
"""Where in a tree, what is wrong, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text; other scalars give their source text. ``path`` texts may not be empty.

    The whole text matches ``pattern``, as ``example`` does.
    """

    pattern: str = ""
    example: str = ""
    path: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class Real:
    """A number."""

    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeText:
    """A duration: ``90s``, ``5m``, ``1h30m``, or a number of seconds."""

    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class SizeText:
    """A size: ``512Mi``, ``2Gi``, ``1G``, or a number of bytes."""

    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """A null."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Any tree."""


@dataclass(frozen=True, slots=True)
class StepName:
    """The name of a step, of one of these kinds if there are any; its outputs count."""

    of_kind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Table:
    """A map from names to values of one shape; ``names`` must be usable in templates."""

    item: Shape
    names: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record: as written (``key``) and as the dataclass calls it (``name``)."""

    key: str
    name: str
    shape: Shape
    option: Option
    required: bool


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A map with known keys, which becomes an instance of ``cls``.

    Exactly one key of each group in ``one_of`` is there. ``late`` are the defaults that hold
    templates: they are written into the tree, so that they are rendered like all else. ``check``
    tells what keys that are right by themselves do wrong together.
    """

    cls: type[Any]
    fields: Mapping[str, Field]  # by key
    required: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    late: Mapping[str, str] = field(default_factory=dict)
    check: Check | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of several shapes, told apart by what is written: nothing, a list, a map or a scalar.

    Records that share a key with fixed words (``from: stdout``) are told apart by it: ``tag`` is
    that key.
    """

    lists: tuple[Shape, ...]
    maps: tuple[Shape, ...]
    scalars: tuple[Shape, ...]
    nothing: bool
    tag: str = ""
    tagged: Mapping[str, Record] = field(default_factory=dict)

    @property
    def choices(self) -> tuple[Shape, ...]:
        """All that is possible, null apart, in the order of explanations."""
        return (*self.scalars, *self.lists, *self.maps)


Shape: TypeAlias = (
    "Text | Whole | Real | Flag | Choice | TimeText | SizeText | Nothing | Anything | StepName"
    " | Items | Table | Record | Either"
)
