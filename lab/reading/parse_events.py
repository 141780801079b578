"""YAML's events from libyaml, or from PyYAML's own parser where libyaml is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from lab.model.diagnostic import Span
from lab.model.document import Spans
from lab.model.tree import Path


def events(text: str) -> Callable[[], Any]:
    """Return a function that gives the next event, and None after the last."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    get: Callable[[], Any] = loader(text).get_event
    return get


def span_of_event(name: str, event: Any) -> Span:
    """Return where an event's text stands."""
    start, end = event.start_mark, event.end_mark
    return Span(name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def first_span(name: str, text: str) -> Span | None:
    """Return where the first value stands; None where there is none."""
    import yaml

    get = events(text)
    while (event := get()) is not None:
        if isinstance(event, yaml.NodeEvent):
            return span_of_event(name, event)
    return None


def locate(name: str, text: str, last_line: int = sys.maxsize) -> Spans:
    """Return where every key and value up to a line stands; of a key given twice, the first.

    What an alias brings has no place of its own: the alias stands for it.
    """
    import yaml

    locator = _Locator(name)
    actions: dict[type, Callable[[Any], None]] = {
        yaml.ScalarEvent: locator.scalar,
        yaml.AliasEvent: locator.alias,
        yaml.MappingStartEvent: locator.open_map,
        yaml.SequenceStartEvent: locator.open_list,
        yaml.MappingEndEvent: locator.close,
        yaml.SequenceEndEvent: locator.close,
    }
    get = events(text)
    try:
        while (event := get()) is not None and event.start_mark.line < last_line:
            actions.get(type(event), _ignore)(event)
    except yaml.YAMLError:
        # A text with faults: the places before the first one are known.
        return locator.spans
    return locator.spans


def _ignore(_event: Any) -> None:
    return


class _Open(NamedTuple):
    """A container whose end has not come yet."""

    path: Path
    start: Span
    is_key: bool


class _Locator:
    """Follows the events of one text and notes where each path stands."""

    def __init__(self, name: str) -> None:
        self.spans: dict[Path, tuple[Span, Span]] = {}
        self._name = name
        self._open: list[_Open] = []
        # For each open container the key or index that is next; None where a key must come.
        self._next: list[str | int | None] = []
        self._key_span: Span | None = None

    def scalar(self, event: Any) -> None:
        self._leaf(event, event.value)

    def alias(self, event: Any) -> None:
        self._leaf(event, event.anchor)

    def open_map(self, event: Any) -> None:
        self._begin(event, None)

    def open_list(self, event: Any) -> None:
        self._begin(event, 0)

    def close(self, event: Any) -> None:
        path, start, is_key = self._open.pop()
        self._next.pop()
        key, value = self.spans[path]
        if value == start:
            end = event.end_mark
            whole = Span(self._name, value.line, value.column, end.line + 1, end.column + 1)
            self.spans[path] = (value if key is value else key, whole)
        if not is_key:
            self._step()

    def _leaf(self, event: Any, text: str) -> None:
        span = span_of_event(self._name, event)
        if self._next and self._next[-1] is None:
            self._next[-1], self._key_span = text, span
            return
        self._place(span)
        self._step()

    def _begin(self, event: Any, first: int | None) -> None:
        span = span_of_event(self._name, event)
        is_key = bool(self._next) and self._next[-1] is None
        if is_key:
            # Refused elsewhere; here it only has to have a name of its own.
            self._next[-1], self._key_span = f"\0{len(self.spans)}", span
        self._open.append(_Open(self._place(span), span, is_key))
        self._next.append(first)

    def _place(self, span: Span) -> Path:
        path: Path = ()
        key = span
        if self._open:
            part = self._next[-1]
            path = (*self._open[-1].path, part if part is not None else "")
            key = self._key_span if isinstance(part, str) and self._key_span else span
        self.spans.setdefault(path, (key, span))
        return path

    def _step(self) -> None:
        if self._next:
            part = self._next[-1]
            self._next[-1] = part + 1 if isinstance(part, int) else None
