"""Events and records as JSON and back: what a journal stores, for every later version of lab.

Unknown fields are ignored and absent ones take their defaults, so that versions of one format
understand each other. Paths below the checkout are stored relative to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar, cast

from lab.model.diagnostic import Diagnostic, StateError
from lab.model.event import (
    Event,
    ProtectSet,
    RecordMoved,
    RunFinished,
    RunStarted,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepKept,
    StepProgress,
    StepRemembered,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from lab.model.state import Done, Record, Tried
from lab.model.values import Json, pack, unpack

KINDS: Mapping[type[Event], str] = {
    RunStarted: "run.started",
    StepStarted: "step.started",
    StepRemembered: "step.remembered",
    StepProgress: "step.progress",
    StepRetried: "step.retried",
    StepFinished: "step.finished",
    StepFailed: "step.failed",
    StepKept: "step.kept",
    StepSkipped: "step.skipped",
    StepDestroyed: "step.destroyed",
    StepForgotten: "step.forgotten",
    RecordMoved: "record.moved",
    ProtectSet: "step.protected",
    RunFinished: "run.finished",
}
"""The words by which events are known outside: in the journal and in ``--json``."""

_CLASSES = {word: cls for cls, word in KINDS.items()}
_FLEETING = (StepProgress, StepKept)

T = TypeVar("T")
Writer: TypeAlias = "Callable[[Any, str], Json] | None"
Reader: TypeAlias = "Callable[[Any, str], object] | None"
Writing: TypeAlias = "tuple[tuple[str, ...], Callable[[object], Any], tuple[Any, ...]]"


class CodecError(ValueError):
    """The JSON is not what lab ever wrote."""


class Later(Mapping[str, Json]):
    """A mapping that stays text until someone looks into it.

    Identities are most of a state's bytes, and are looked into only to say what changed.
    """

    __slots__ = ("_parsed", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parsed: dict[str, Json] | None = None

    def _mapping(self) -> dict[str, Json]:
        if self._parsed is None:
            self._parsed = _identity(self.text)
        return self._parsed

    def __getitem__(self, key: str) -> Json:
        return self._mapping()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping())

    def __len__(self) -> int:
        return len(self._mapping())

    def __repr__(self) -> str:
        return repr(self._mapping())


def _identity(text: str) -> dict[str, Json]:
    try:
        parsed = loads(text)
    except CodecError:
        parsed = None
    if isinstance(parsed, dict):
        return parsed
    raise StateError(
        Diagnostic(
            summary="the state is damaged: a step's recorded identity cannot be read",
            help="`lab state check` says which one; `lab state rm STEP` lets lab make it anew.",
        )
    )


def is_journaled(event: Event) -> bool:
    """Whether an event is remembered; progress and kept steps only pass by."""
    return not isinstance(event, _FLEETING)


def event_to_json(event: Event, root: str) -> dict[str, Json]:
    """*event* as JSON that means the same wherever the checkout lies later."""
    return {"event": KINDS[type(event)], **_write(event, root)}


def event_from_json(data: object, root: str) -> Event | None:
    """The event that *data* stands for; None for a kind that this version does not know.

    Raises:
        CodecError: it is no event.
    """
    word = data.get("event") if isinstance(data, dict) else None
    if not isinstance(word, str):
        raise CodecError("an event has no kind")
    cls = _CLASSES.get(word)
    return _read(cls, data, root) if cls else None


def record_to_json(record: Record, root: str) -> dict[str, Json]:
    """*record* as JSON that means the same wherever the checkout lies later."""
    return _write(record, root)


def record_from_json(data: object, root: str) -> Record:
    """The record that *data* stands for.

    Raises:
        CodecError: it is no record.
    """
    return _read(Record, data, root)


def record_to_texts(record: Record, root: str) -> tuple[str, str | None]:
    """*record* as two texts: itself, and the identity of what is done."""
    data = _write(record, root)
    done = data["done"]
    if not isinstance(done, dict):
        return dumps(data), None
    identity = done.pop("identity")
    return dumps(data), identity.text if isinstance(identity, Later) else dumps(identity)


def record_from_texts(text: str, identity: str | None, root: str) -> Record:
    """The inverse of :func:`record_to_texts`; the identity is parsed when it is looked into.

    Raises:
        CodecError: they are no record.
    """
    data = loads(text)
    if identity is not None and isinstance(data, dict) and isinstance(data.get("done"), dict):
        data["done"]["identity"] = Later(identity)
    return _read(Record, data, root)


def dumps(data: Json) -> str:
    """*data* as one line of ASCII, so that any text survives any storage."""
    return _ENCODER.encode(data)


def loads(text: str) -> Any:
    """The inverse of :func:`dumps`.

    Raises:
        CodecError: it is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise CodecError(f"not JSON: {error}") from None


def _plain_mapping(value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain_mapping)


def _unpacked(value: Json, root: str) -> object:
    return unpack(value, root) if value else value


def _words(value: list[object], _root: str) -> tuple[str, ...]:
    for word in value:
        if not isinstance(word, str):
            raise CodecError("a list of names holds something else")
    return cast("tuple[str, ...]", tuple(value))


def _path(value: Json, root: str) -> str:
    return str(unpack(value, root)) if value else ""


def _write(value: object, root: str) -> dict[str, Json]:
    names, values_of, converted = _WRITERS[type(value)]
    written: dict[str, Json] = dict(zip(names, values_of(value), strict=True))
    for name, convert in converted:
        written[name] = convert(written[name], root)
    return written


def _read(cls: type[T], data: object, root: str) -> T:
    if not isinstance(data, dict):
        raise CodecError(f"a {cls.__name__} is not an object")
    values: dict[str, object] = {}
    for name, types, convert in _READERS[cls]:
        if name not in data:
            continue
        value = data[name]
        if not isinstance(value, types):
            raise CodecError(f"`{name}` of a {cls.__name__} is {type(value).__name__}")
        values[name] = convert(value, root) if convert else value
    missing = _REQUIRED[cls] - values.keys()
    if missing:
        raise CodecError(f"a {cls.__name__} has no `{min(missing)}`")
    return cls(**values)


def _reader(cls: type[T]) -> Callable[[Any, str], T]:
    return lambda value, root: _read(cls, value, root)


def _maybe(write: Callable[[Any, str], T]) -> Callable[[Any, str], T | None]:
    return lambda value, root: None if value is None else write(value, root)


_MAYBE_OBJECT = (dict, type(None))
_SHAPES: Mapping[str, tuple[tuple[type, ...], Writer, Reader]] = {
    "int": ((int,), None, None),
    "float": ((int, float), None, None),
    "float | None": ((int, float, type(None)), None, None),
    "str": ((str,), None, None),
    "bool": ((bool,), None, None),
    "tuple[str, ...]": ((list,), lambda value, _root: list(value), _words),
    "Mapping[str, int]": ((dict,), None, None),
    "Mapping[str, float]": ((dict,), None, None),
    "Mapping[str, Json]": ((dict,), pack, _unpacked),
    "Mapping[str, Value]": ((dict,), pack, _unpacked),
    "Json": ((object,), pack, _unpacked),
    "Done": ((dict,), _write, _reader(Done)),
    "Done | None": (_MAYBE_OBJECT, _maybe(_write), _maybe(_reader(Done))),
    "Tried | None": (_MAYBE_OBJECT, _maybe(_write), _maybe(_reader(Tried))),
}
"""By annotation: what JSON it must be, and how it is written and read; None leaves it as it is."""

_BY_NAME: Mapping[str, tuple[tuple[type, ...], Writer, Reader]] = {
    "log": ((str, dict), pack, _path),
    "labfile": ((str, dict), pack, _path),
    "identity": ((dict, Later), None, None),  # holds no path of this checkout by its nature
}

_CODED = (*KINDS, Record, Done, Tried)


def _shape(name: str, annotation: Any) -> tuple[tuple[type, ...], Writer, Reader]:
    return _BY_NAME.get(name) or _SHAPES[annotation]


def _writer(cls: Any) -> Writing:
    """The fields' names, what gives all their values, and those that are not written as they are."""
    named = {each.name: _shape(each.name, each.type)[1] for each in fields(cls)}
    return tuple(named), attrgetter(*named), tuple((n, c) for n, c in named.items() if c)


_WRITERS: Mapping[type, Writing] = {cls: _writer(cls) for cls in _CODED}
_READERS: Mapping[type, tuple[tuple[str, tuple[type, ...], Reader], ...]] = {
    cls: tuple(
        (each.name, _shape(each.name, each.type)[0], _shape(each.name, each.type)[2])
        for each in fields(cast(Any, cls))
    )
    for cls in _CODED
}
_REQUIRED: Mapping[type, frozenset[str]] = {
    cls: frozenset(
        each.name
        for each in fields(cast(Any, cls))
        if each.default is MISSING and each.default_factory is MISSING
    )
    for cls in _CODED
}
