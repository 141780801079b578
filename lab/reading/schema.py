"""The language as a JSON Schema, made from the same shapes that Labfiles are read by."""

from __future__ import annotations

from typing import Any

from lab.kinds.catalog import Catalog
from lab.kinds.shape_derive import record_of
from lab.kinds.shape_types import Field, Record
from lab.reading.bind_options import FIELDS
from lab.reading.bind_trial import KIND as TRIAL
from lab.reading.bind_trial import OWN as TRIAL_OPTIONS
from lab.reading.schema_shapes import (
    DEFINITIONS,
    NAME,
    SOLE_TEMPLATE,
    Schema,
    any_of,
    of_field,
    of_record,
    presence,
)
from lab.reading.words import DEFAULTS, RecipeWords, Secret, TargetWords, TopWords
from lab.reading.words_state import State

_NULL: Schema = {"type": "null"}
_NAMED: Schema = {"$ref": "#/$defs/name"}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}


def json_schema(catalog: Catalog) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a Labfile with the kinds of *catalog*.

    A step is checked by its kind. A step that is `like` another may lack keys, and may leave out
    copied ones by null.
    """
    kinds = {kind: record_of(spec) for kind, spec in catalog.specs.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Labfile",
        "description": record_of(TopWords).cls.__doc__,
        "type": "object",
        "additionalProperties": False,
        "required": ["labfile", "steps"],
        "properties": _top(),
        "$defs": {
            **DEFINITIONS,
            "step": _step(kinds),
            **{f"option-{key}": _option(key, known, kinds) for key, known in FIELDS.items()},
            **{f"kind-{kind}": _kind(record, whole=True) for kind, record in kinds.items()},
            **{f"like-{kind}": _kind(record, whole=False) for kind, record in kinds.items()},
            **({"trial": _trial(kinds[TRIAL])} if TRIAL in kinds else {}),
            "target": _target(),
            "secret": of_record(record_of(Secret)),
            "recipe": _recipe(),
        },
    }


def _top() -> Schema:
    fields = record_of(TopWords).fields
    bodies: dict[str, Schema] = {
        "labfile": {"const": 1},
        "name": {"type": "string", "pattern": NAME},
        "vars": _map({}),
        "secrets": _map({"$ref": "#/$defs/secret"}),
        "targets": _map({"$ref": "#/$defs/target"}),
        "state": any_of(of_record(record_of(State)), _NULL),
        "defaults": {
            "type": "object",
            "additionalProperties": False,
            "properties": {key: {"$ref": f"#/$defs/option-{key}"} for key in DEFAULTS},
        },
        "recipes": _map({"$ref": "#/$defs/recipe"}),
        "steps": _map({"$ref": "#/$defs/step"}),
        "outputs": _map({}),
    }
    return {key: _documented(known, bodies.get(key)) for key, known in fields.items()}


def _documented(known: Field, body: Schema | None) -> Schema:
    if body is None:
        return of_field(known)
    return {"description": known.option.doc, "examples": [known.option.example], **body}


def _map(value: Schema) -> Schema:
    return {"type": "object", "propertyNames": _NAMED, "additionalProperties": value}


def _step(kinds: dict[str, Record]) -> Schema:
    return {
        "type": "object",
        "description": "One thing to make; its `kind` says what, its `target` says where.",
        "anyOf": [{"required": ["kind"]}, {"required": ["like"]}],
        "if": {"required": ["like"]},
        "then": {
            "properties": {key: _leaving_out(key) for key in FIELDS},
            "allOf": [_when_kind(kind, f"like-{kind}") for kind in kinds],
        },
        "else": {
            "properties": {key: {"$ref": f"#/$defs/option-{key}"} for key in FIELDS},
            "allOf": [_when_kind(kind, f"kind-{kind}") for kind in kinds],
        },
    }


def _trial(record: Record) -> Schema:
    """Return what a sweep makes many of: a training's keys, or a step that it is like and changes."""
    own = {key: _nullable(known, of_field(known)) for key, known in record.fields.items()}
    options = {key: any_of({"$ref": f"#/$defs/option-{key}"}, _NULL) for key in TRIAL_OPTIONS}
    return {
        "description": "What one trial is: a training, written out or `like` a step.",
        "type": "object",
        "additionalProperties": False,
        "properties": {"like": {"$ref": "#/$defs/option-like"}, **own, **options},
        "if": {"required": ["like"]},
        "else": presence(record),
    }


def _leaving_out(key: str) -> Schema:
    option: Schema = {"$ref": f"#/$defs/option-{key}"}
    return option if key in ("kind", "like") else any_of(option, _NULL)


def _when_kind(kind: str, definition: str) -> Schema:
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"$ref": f"#/$defs/{definition}"},
    }


def _kind(record: Record, *, whole: bool) -> Schema:
    """Return what a step of a kind has; not *whole*, keys may be copied and left out."""
    own = {key: of_field(known) for key, known in record.fields.items()}
    if not whole:
        own = {key: _nullable(known, own[key]) for key, known in record.fields.items()}
    return {
        "description": record.cls.__doc__,
        "additionalProperties": False,
        "properties": {**own, **dict.fromkeys(FIELDS, True)},
        **(presence(record) if whole else {}),
    }


def _nullable(known: Field, schema: Schema) -> Schema:
    body = {key: each for key, each in schema.items() if key not in ("description", "examples")}
    return _documented(known, any_of(body, _NULL))


def _option(key: str, known: Field, kinds: dict[str, Record]) -> Schema:
    bodies: dict[str, Schema] = {
        "kind": {"enum": list(kinds)},
        "target": any_of(
            {"type": "string"},
            {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        ),
        "matrix": _matrix(),
        "env": {
            "type": "object",
            "propertyNames": {"pattern": r"^[^=]+$", "not": {"pattern": r"\{\{"}},
            "additionalProperties": _SCALAR,
        },
    }
    return _documented(known, bodies.get(key))


def _matrix() -> Schema:
    values: Schema = {"type": "array", "minItems": 1, "items": _SCALAR}
    named: Schema = {"type": "object", "minProperties": 1}
    entries: Schema = {"type": "array", "items": {"type": "object", "minProperties": 1}}
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": _NAMED,
        "properties": {
            "include": {
                **any_of(entries, SOLE_TEMPLATE),
                "description": "Adds values to the combinations that agree with an entry, or one"
                " more combination where none does.",
                "examples": [[{"lr": 1.0, "units": 256}]],
            },
            "exclude": {
                **any_of(entries, SOLE_TEMPLATE),
                "description": "Takes out the combinations that agree with an entry.",
                "examples": [[{"lr": 0.1, "units": 128}]],
            },
        },
        "additionalProperties": any_of(values, named, SOLE_TEMPLATE),
    }


def _target() -> Schema:
    body = of_record(record_of(TargetWords))
    return {**body, "additionalProperties": True}


def _recipe() -> Schema:
    body = of_record(record_of(RecipeWords))
    shared = {key: {"$ref": f"#/$defs/option-{key}"} for key in ("matrix", "target")}
    return {**body, "properties": {**body["properties"], **shared}}
