"""From YAML's events to a plain tree: strict, bounded, and without positions."""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from lab.model.diagnostic import Diagnostic, Span
from lab.model.tree import Json, Path
from lab.reading import parse_refusals as refuse
from lab.reading.parse_anchors import Anchor, Anchors, Odd, spread
from lab.reading.parse_events import events, span_of_event
from lab.reading.parse_lines import lines_of, missing_space
from lab.reading.parse_scalars import STARTS, is_odd, resolve

if TYPE_CHECKING:
    from yaml import YAMLError

MAX_NODES = 1_000_000
MAX_DEPTH = 100
MAX_CHARACTERS = 64 * 1024 * 1024
MAX_FAULTS = 50
_LONGEST_TAG = 500

_Container: TypeAlias = "dict[str, Json] | list[Json]"


class _StopError(Exception):
    """Nothing sensible can follow; the fault is recorded."""


class _Frame(NamedTuple):
    """A container that waits while one inside it is read."""

    here: _Container
    is_map: bool
    key: str | None
    is_key: bool
    anchor: str | None
    nodes: int
    characters: int


class Twice(NamedTuple):
    """A key that its map already holds."""

    path: Path
    again: Span


class Reader:
    """One reading of one text: its tree and what is wrong with it.

    The parser gives events rather than trees, so that neither depth nor aliases can hurt.
    """

    def __init__(self, name: str, text: str) -> None:
        self.top: list[Json] = []
        self.faults: list[Diagnostic] = []
        self.twice: list[Twice] = []
        self.error: YAMLError | None = None
        self._name, self._text = name, text
        self._here: Any = self.top
        self._is_map = False
        self._key: str | None = None
        self._key_event: Any = None
        self._stack: list[_Frame] = []
        self._nodes = self._characters = self._documents = 0
        self._anchors = Anchors()
        self._odd: list[Odd] = []
        self._known: dict[str, tuple[Json, bool]] = {}

    def read(self) -> Reader:
        """Read the whole text, or as far as it can be read."""
        import yaml

        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open_map,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceStartEvent: self._open_list,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
            yaml.DocumentEndEvent: _ignore,
            yaml.StreamStartEvent: _ignore,
            yaml.StreamEndEvent: _ignore,
        }
        try:
            get = events(self._text)
            while (event := get()) is not None:
                handlers[type(event)](event)
        except _StopError:
            pass
        except yaml.YAMLError as error:
            self.error = error
        return self

    def texts(self) -> dict[Path, str]:
        """Return the source text of each scalar that lab itself would write otherwise."""
        if not self._anchors.used:
            return {path: text for _, path, text in self._odd}
        return spread(self._odd, self.top[0])

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        self._nodes += 1
        self._characters += len(text)
        if self._is_map and self._key is None:
            self._take_key(event, text)
            return
        value: Json = text
        odd = False
        if text[:1] in STARTS and event.implicit[0]:
            known = self._known.get(text)
            if known is None:
                known = self._known[text] = _judge(text)
            value, odd = known
            if not text:
                self._empty(event)
            if odd:
                self._odd.append(Odd(id(self._here), self._path(), text))
        if event.tag or event.anchor:
            self._tag(event)
            self._anchors.mark(event.anchor, Anchor(value, text, odd, 1, len(text)))
        self._put(value, event)

    def _empty(self, event: Any) -> None:
        """Look at an empty value: in `{a:1}` all of `a:1` became the key."""
        key = self._key or ""
        if ":" not in key:
            return
        before = self._text[: event.start_mark.index][-20:].rstrip()
        if missing_space(key) and not before.endswith(":"):
            self._fault(refuse.colon_in_key(key, self._span(self._key_event)))

    def _put(self, value: Json, event: Any) -> None:
        if self._nodes > MAX_NODES or self._characters > MAX_CHARACTERS:
            self._halt(refuse.too_many(self._span(event), MAX_NODES))
        if self._is_map:
            self._here[self._key] = value
            self._key = None
        else:
            self._here.append(value)

    def _take_key(self, event: Any, text: str) -> None:
        if event.implicit[0] and text in ("<<", ""):
            self._fault(refuse.odd_key(text, self._span(event)))
        if event.tag or event.anchor:
            self._tag(event)
            self._anchors.mark(event.anchor, Anchor(text, text, False, 1, len(text)))
        self._name_key(text, event)

    def _name_key(self, text: str, event: Any) -> None:
        if text in self._here:
            self._twice(event, text)
        self._key = intern(text)
        self._key_event = event

    def _open_map(self, event: Any) -> None:
        self._open(event, {}, is_map=True)

    def _open_list(self, event: Any) -> None:
        self._open(event, [], is_map=False)

    def _open(self, event: Any, container: _Container, *, is_map: bool) -> None:
        self._nodes += 1
        is_key = self._is_map and self._key is None
        if is_key:
            self._fault(refuse.complex_key(self._span(event), self._line(event)))
            self._key = f"\0{self._nodes}"
        if event.tag:
            self._tag(event)
        if len(self._stack) >= MAX_DEPTH:
            self._halt(refuse.too_deep(self._span(event), MAX_DEPTH))
        frame = _Frame(
            self._here,
            self._is_map,
            self._key,
            is_key,
            event.anchor,
            self._nodes - 1,
            self._characters,
        )
        if not is_key:
            self._put(container, event)
        self._stack.append(frame)
        self._here, self._is_map, self._key = container, is_map, None

    def _close(self, _event: Any) -> None:
        frame = self._stack.pop()
        if frame.anchor:
            nodes, characters = self._nodes - frame.nodes, self._characters - frame.characters
            self._anchors.mark(frame.anchor, Anchor(self._here, "", False, nodes, characters))
        self._here, self._is_map = frame.here, frame.is_map
        self._key = frame.key if frame.is_key else None

    def _alias(self, event: Any) -> None:
        found = self._anchors.find(event.anchor)
        if found is None:
            inside = any(frame.anchor == event.anchor for frame in self._stack)
            self._fault(refuse.unknown_alias(event.anchor, self._span(event), inside=inside))
            found = Anchor(None, "", False, 1, 0)
        self._nodes += found.nodes
        self._characters += found.characters
        if self._is_map and self._key is None:
            self._alias_as_key(event, found)
            return
        if len(self._stack) + self._anchors.height(found.value) > MAX_DEPTH:
            self._halt(refuse.too_deep(self._span(event), MAX_DEPTH))
        if found.odd:
            self._odd.append(Odd(id(self._here), self._path(), found.text))
        self._put(found.value, event)

    def _alias_as_key(self, event: Any, found: Anchor) -> None:
        if isinstance(found.value, (dict, list)):
            self._fault(refuse.complex_key(self._span(event), self._line(event)))
        self._name_key(found.text, event)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._halt(refuse.second_document(self._span(event)))

    def _tag(self, event: Any) -> None:
        if event.tag:
            self._fault(refuse.tag(self._span(event), self._line(event)))

    def _path_of_here(self) -> Path:
        return tuple(
            (frame.key or "") if frame.is_map else len(frame.here) - 1 for frame in self._stack[1:]
        )

    def _path(self) -> Path:
        """Return where the next value goes."""
        if not self._stack:
            return ()
        last = (self._key or "") if self._is_map else len(self._here)
        return (*self._path_of_here(), last)

    def _span(self, event: Any) -> Span:
        return span_of_event(self._name, event)

    def _line(self, event: Any) -> str:
        """Return the line that an event starts on, without splitting the whole text."""
        mark = event.start_mark
        start = mark.index - mark.column
        return lines_of(self._text[start : mark.index + _LONGEST_TAG])[0]

    def _twice(self, event: Any, key: str) -> None:
        self.twice.append(Twice((*self._path_of_here(), key), self._span(event)))
        self._enough()

    def _fault(self, fault: Diagnostic) -> None:
        self.faults.append(fault)
        self._enough()

    def _enough(self) -> None:
        if len(self.faults) + len(self.twice) >= MAX_FAULTS:
            raise _StopError

    def _halt(self, fault: Diagnostic) -> NoReturn:
        self.faults.append(fault)
        raise _StopError


def _ignore(_event: Any) -> None:
    return


def _judge(text: str) -> tuple[Json, bool]:
    value = resolve(text)
    return value, is_odd(value, text)
