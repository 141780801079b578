"""Shapes as JSON Schema, so that editors admit exactly what lab reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from lab.kinds.quantity import DURATION, SIZE
from lab.kinds.shape_settle import SOLE
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
from lab.kinds.spec import Role
from lab.model.never import assert_never

Schema: TypeAlias = "dict[str, Any]"

NAME = r"^[A-Za-z_][A-Za-z0-9_-]*$"
TEMPLATE: Mapping[str, Any] = {"$ref": "#/$defs/template"}
SOLE_TEMPLATE: Mapping[str, Any] = {"$ref": "#/$defs/sole-template"}

DEFINITIONS: Mapping[str, Any] = {
    "template": {
        "type": "string",
        "pattern": r"\{\{|\{##|\{%",
        "description": "A text with expressions: `{{ vars.epochs }}`. If it is one expression and"
        " nothing else, its value keeps its type.",
    },
    "sole-template": {
        "type": "string",
        "pattern": SOLE,
        "description": "One expression that gives a whole list: `{{ vars.files }}`.",
    },
    "name": {
        "type": "string",
        "pattern": NAME,
        "description": "A letter or `_`; letters, digits, `_` and `-` follow.",
    },
}


def any_of(*choices: Mapping[str, Any]) -> Schema:
    """Return the schema of whatever fits one of the choices, each told once."""
    flat: list[Mapping[str, Any]] = []
    for choice in choices:
        inner = choice["anyOf"] if choice.keys() == {"anyOf"} else [choice]
        flat += [each for each in inner if each not in flat]
    return dict(flat[0]) if len(flat) == 1 else {"anyOf": [dict(each) for each in flat]}


def of_field(known: Field) -> Schema:
    """Return the schema of a key: its shape, with its documentation and an example."""
    documented = {"description": known.option.doc, "examples": [known.option.example]}
    if known.option.role is Role.TRIAL:
        return {**documented, "$ref": "#/$defs/trial"}
    return {**documented, **of_shape(known.shape)}


def of_shape(shape: Shape) -> Schema:
    """Return the schema of a shape as it is written, templates included."""
    match shape:
        case Text():
            return _text(shape)
        case Whole():
            return any_of(_bounded({"type": "integer"}, shape.minimum), TEMPLATE)
        case Real():
            return any_of(_bounded({"type": "number"}, shape.minimum), TEMPLATE)
        case Flag():
            return any_of({"type": "boolean"}, TEMPLATE)
        case Choice():
            return any_of({"enum": list(shape.words)}, TEMPLATE)
        case TimeText():
            return _amount(DURATION, "number", shape.minimum)
        case SizeText():
            return _amount(SIZE, "integer", shape.minimum)
        case Nothing():
            return {"type": "null"}
        case Anything():
            return {}
        case StepName():
            return {"type": "string", "pattern": r"^(?![\s\S]*\{\{)[\s\S]*\S"}
        case Items():
            return any_of({"type": "array", "items": of_shape(shape.item)}, SOLE_TEMPLATE)
        case Table():
            return _table(shape)
        case Record():
            return of_record(shape)
        case Either():
            nothing = [{"type": "null"}] if shape.nothing else []
            return any_of(*(_choice(each, shape.tag) for each in shape.choices), *nothing)
        case _:
            assert_never(shape)


def _text(shape: Text) -> Schema:
    if shape.pattern:
        return any_of({"type": "string", "pattern": f"^(?:{shape.pattern})$"}, TEMPLATE)
    plain: Schema = {"type": ["string", "number", "boolean"]}
    return {**plain, "minLength": 1} if shape.path else plain


def _amount(pattern: str, number: str, minimum: float | None) -> Schema:
    text = {"type": "string", "pattern": f"^(?:{pattern})$"}
    return any_of(text, {"type": number, "minimum": max(minimum or 0, 0)}, TEMPLATE)


def _bounded(schema: Schema, minimum: float | None) -> Schema:
    return schema if minimum is None else {**schema, "minimum": minimum}


def _table(shape: Table) -> Schema:
    names: Schema = {"$ref": "#/$defs/name"} if shape.names else {"not": {"pattern": r"\{\{"}}
    return {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": of_shape(shape.item),
    }


def of_record(record: Record) -> Schema:
    """Return the schema of a map with known keys."""
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: of_field(known) for key, known in record.fields.items()},
    }
    return {**schema, **presence(record)}


def _choice(shape: Shape, tag: str) -> Schema:
    """Return one choice; the word that tells records apart is never a template."""
    schema = of_shape(shape)
    if isinstance(shape, Record) and tag:
        word = shape.fields[tag].shape
        words = list(word.words) if isinstance(word, Choice) else []
        told = {key: schema["properties"][tag][key] for key in ("description", "examples")}
        schema["properties"] = {**schema["properties"], tag: {**told, "enum": words}}
    return schema


def presence(record: Record) -> Schema:
    """Return the part of a record's schema that says which keys must be there."""
    found: Schema = {"required": list(record.required)} if record.required else {}
    groups = [
        {"oneOf": [_given(key) for key in group], "$comment": f"exactly one of {', '.join(group)}"}
        for group in record.one_of
    ]
    if len(groups) == 1:
        return {**found, **groups[0]}
    return {**found, "allOf": groups} if groups else found


def _given(key: str) -> Schema:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}
