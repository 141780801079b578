"""Derives shapes from the annotations of Spec dataclasses, once a class."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

from lab.kinds.shape_types import (
    Anything,
    Choice,
    Either,
    Field,
    Flag,
    Items,
    Nothing,
    Real,
    Record,
    Shape,
    SizeText,
    StepName,
    Table,
    Text,
    TimeText,
    Whole,
)
from lab.kinds.spec import Duration, FilePath, Option, Role, Size, StepOutputs
from lab.model.tree import text_of

ALIASES: Mapping[str, str] = {"source": "from"}
"""Fields whose key is a word that Python keeps for itself; a trailing underscore is dropped too."""

_RECORDS: dict[type[Any], Record] = {}
_NAMED = frozenset({Role.ARTIFACTS, Role.PARAMETERS})


class _Json:
    """Stands for the recursive ``Json`` alias, which typing cannot resolve."""


def key_of(name: str) -> str:
    """Return the key in a Labfile for a dataclass field."""
    return ALIASES.get(name, name.rstrip("_"))


def record_of(cls: type[Any]) -> Record:
    """Return the shape of a Spec dataclass.

    Raises:
        TypeError: *cls* is no dataclass, or a field's type is not in the closed list.
    """
    known = _RECORDS.get(cls)
    if known is None:
        known = _RECORDS[cls] = _record(cls)
    return known


def _record(cls: type[Any]) -> Record:
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__qualname__} must be a frozen dataclass")
    hints = typing.get_type_hints(cls, localns={"Json": _Json})
    fields = {}
    late: dict[str, str] = {}
    for each in dataclasses.fields(cls):
        made = _field(cls, each, hints[each.name])
        fields[made.key] = made
        if isinstance(each.default, str) and "{{" in each.default:
            late[made.key] = each.default
    groups = tuple(tuple(key_of(n) for n in group) for group in getattr(cls, "one_of", ()))
    required = tuple(key for key, made in fields.items() if made.required)
    return Record(cls, fields, required, groups, late, getattr(cls, "check", None))


def _field(cls: type[Any], each: dataclasses.Field[Any], hint: Any) -> Field:
    known = each.metadata.get("lab")
    if not isinstance(known, Option):
        raise TypeError(f"{cls.__qualname__}.{each.name} must be made by option()")
    try:
        shape = _derive(hint, known)
    except TypeError as fault:
        raise TypeError(f"{cls.__qualname__}.{each.name}: {fault}") from None
    required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    return Field(key_of(each.name), each.name, shape, known, required)


def _derive(hint: Any, known: Option) -> Shape:
    plain = _plain(hint, known)
    if plain is not None:
        return plain
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal and all(isinstance(word, str) for word in args):
        return Choice(args)
    if origin is list:
        return Items(_derive(args[0], known))
    if origin in (Mapping, dict) and args[0] is str:
        return Table(_derive(args[1], known), known.role in _NAMED)
    if origin in (Union, types.UnionType):
        return _either([_derive(arg, known) for arg in args])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return record_of(hint)
    raise TypeError(
        f"{hint!r} is not one of the types a key can have: str, int, float, bool, list[X],"
        " Mapping[str, X], X | Y, Literal of texts, a dataclass, Json, StepOutputs, Duration, Size,"
        " FilePath"
    )


def _plain(hint: Any, known: Option) -> Shape | None:
    table: dict[Any, Shape] = {
        str: Text(known.pattern, _example(known)),
        int: Whole(known.minimum),
        float: Real(known.minimum),
        bool: Flag(),
        type(None): Nothing(),
        None: Nothing(),
        Any: Anything(),
        _Json: Anything(),
        StepOutputs: StepName(known.of_kind),
        Duration: TimeText(known.minimum),
        Size: SizeText(known.minimum),
        FilePath: Text(known.pattern, _example(known), path=True),
    }
    try:
        return table.get(hint)
    except TypeError:
        return None  # not hashable: no plain type


def _example(known: Option) -> str:
    example = known.example
    while isinstance(example, (list, Mapping)):
        example = next(iter(example.values() if isinstance(example, Mapping) else example), "")
    return text_of(example)


def _either(choices: list[Shape]) -> Shape:
    flat: list[Shape] = []
    for choice in choices:
        nothing = isinstance(choice, Either) and choice.nothing
        flat += choice.choices if isinstance(choice, Either) else (choice,)
        flat += [Nothing()] if nothing else []
    if any(isinstance(each, Anything) for each in flat):
        return Anything()
    lists = tuple(each for each in flat if isinstance(each, Items))
    maps = tuple(each for each in flat if isinstance(each, (Table, Record)))
    nothing = any(isinstance(each, Nothing) for each in flat)
    scalars = tuple(each for each in flat if not isinstance(each, (Items, Table, Record, Nothing)))
    tag, tagged = _tag([each for each in maps if isinstance(each, Record)])
    return Either(lists, maps, scalars, nothing, tag, tagged)


def _tag(records: list[Record]) -> tuple[str, dict[str, Record]]:
    """Find the key whose words tell several records apart."""
    if len(records) < 2:
        return "", {}
    for key in records[0].fields:
        tagged: dict[str, Record] = {}
        for record in records:
            found = record.fields.get(key)
            if found is None or not isinstance(found.shape, Choice):
                break
            tagged.update(dict.fromkeys(found.shape.words, record))
        else:
            return key, tagged
    return "", {}
