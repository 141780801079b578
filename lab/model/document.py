"""A Labfile as read: the merged tree, and the layers that know where each piece stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TypeAlias

from lab.model.diagnostic import Span
from lab.model.frozen import dataclass
from lab.model.tree import Json, Path, text_of

Spans: TypeAlias = Mapping[Path, tuple[Span, Span]]
"""By path: where the key stands, and where the value stands."""

_ABSENT = object()


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One text and its tree; `locate` finds the positions, and is asked only for a fault."""

    name: str
    text: str
    tree: dict[str, Json]
    texts: Mapping[Path, str]
    locate: Callable[[], Spans] = field(repr=False)
    _found: list[Spans] = field(default_factory=list, init=False, repr=False)

    def has(self, path: Path) -> bool:
        """Tell whether this text says anything at the path."""
        return _at(self.tree, path) is not _ABSENT

    def span_of(self, path: Path, *, key: bool = False) -> Span:
        """Return where the value (or its key) stands, else where its nearest ancestor does."""
        if not self._found:
            self._found.append(self.locate())
        spans = self._found[0]
        for length in range(len(path), -1, -1):
            pair = spans.get(path[:length])
            if pair is not None:
                return pair[0] if key else pair[1]
        return Span(self.name, 1, 1, 1, 1)

    def text_at(self, path: Path) -> str | None:
        """Return the source text of the scalar at the path; None for anything else."""
        odd = self.texts.get(path)
        if odd is not None:
            return odd
        value = _at(self.tree, path)
        match value:
            case None | str() | int() | float():
                return text_of(value)
            case _:
                return None


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A tree merged from one or more layers, the strongest last."""

    tree: dict[str, Json]
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a document has at least one layer")

    def layer_of(self, path: Path) -> Layer | None:
        """Return the strongest layer that says something at the path."""
        return next((each for each in reversed(self.layers) if each.has(path)), None)

    def span_of(self, path: Path, *, key: bool = False) -> Span:
        """Return where the strongest layer has the path, else its nearest ancestor."""
        for length in range(len(path), 0, -1):
            layer = self.layer_of(path[:length])
            if layer is not None:
                return layer.span_of(path[:length], key=key)
        return self.layers[0].span_of((), key=key)

    def text_at(self, path: Path) -> str | None:
        """Return the source text of the scalar at the path; None for anything else."""
        layer = self.layer_of(path)
        return layer.text_at(path) if layer else None


def _at(tree: Json, path: Path) -> Json | object:
    value: Json | object = tree
    for part in path:
        match value, part:
            case dict(), str():
                value = value.get(part, _ABSENT)
            case list(), int() if 0 <= part < len(value):
                value = value[part]
            case _:
                return _ABSENT
    return value
