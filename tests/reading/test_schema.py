"""The schema: current, documented, and of one mind with the binder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lab.kinds.catalog import Catalog
from lab.kinds.shape_derive import record_of
from lab.kinds.shape_types import (
    Anything,
    Choice,
    Either,
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
from lab.kinds.training_check import findings
from lab.model.diagnostic import LabfileError
from lab.model.document import Document, Layer
from lab.reading.bind import bind
from lab.reading.bind_options import FIELDS, STATIC
from lab.reading.schema import json_schema
from lab.reading.template import has_template
from providers import PLACES, SPECS

BUILT_IN = Catalog(SPECS, PLACES)
COMMITTED = Path(__file__).parents[2] / "labfile.schema.json"


@cache
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(BUILT_IN))


def written() -> str:
    return json.dumps(json_schema(BUILT_IN), indent=2, ensure_ascii=False) + "\n"


def test_the_committed_schema_is_current() -> None:
    if os.environ.get("LAB_UPDATE_GOLDENS") == "1":
        COMMITTED.write_text(written(), encoding="utf-8")
    assert COMMITTED.read_text(encoding="utf-8") == written(), (
        "LAB_UPDATE_GOLDENS=1 pytest tests/reading/test_schema.py writes it anew"
    )


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(BUILT_IN))


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that the schema knows, with its own schema."""
    if isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from properties(each, f"{path}/{index}")
    elif isinstance(schema, dict):
        for key, each in schema.items():
            if key == "properties" and isinstance(each, dict):
                yield from ((f"{path}/{name}", inner) for name, inner in each.items())
            if key not in ("examples", "if", "oneOf"):
                yield from properties(each, f"{path}/{key}")


def test_every_key_has_a_description_and_an_example_that_is_right() -> None:
    schema = json_schema(BUILT_IN)
    seen = 0
    for path, each in properties(schema):
        if each is True or "$ref" in each or (path.endswith("/name") and "target" in path):
            continue
        if "description" not in each and "anyOf" in each:
            continue  # an option, or nothing where it is left out: the option is documented
        seen += 1
        assert each.get("description"), path
        check = jsonschema.Draft202012Validator({**each, "$defs": schema["$defs"]})
        for example in each["examples"]:
            assert list(check.iter_errors(example)) == [], path
    assert seen > 60


def binds(tree: dict[str, Any]) -> bool:
    layer = Layer("Labfile.yaml", "", tree, {}, dict)
    try:
        bind(
            Document(tree, (layer,)),
            root="/lab",
            source="/lab/Labfile.yaml",
            overlay="",
            given={},
            environ={},
            catalog=BUILT_IN,
        )
    except LabfileError:
        return False
    return True


RIGHT: dict[str, Any] = {
    "labfile": 1,
    "name": "mnist",
    "vars": {"epochs": 5},
    "secrets": {"token": {"env": "TOKEN"}},
    "targets": {"box": {"provider": "local", "host": "ssh://me@box", "optional": True}},
    "state": {"backend": "local"},
    "defaults": {"timeout": "2h", "env": {"A": 1}},
    "steps": {
        "env": {"kind": "environment", "requirements": ["numpy"]},
        "train": {
            "kind": "training",
            "environment": "env",
            "script": "train.py",
            "matrix": {"lr": [0.1, 0.01], "include": [{"lr": 1}]},
            "retries": {"attempts": 3, "on": ["timeout", "exit:75"]},
            "resources": {"cpu": "500m", "memory": "2Gi"},
            "metrics": {"from": "tensorboard", "dir": "{{ step.dir }}/logs"},
            "when": "vars.epochs > 0",
        },
        "again": {"like": "train", "matrix": None, "seed": 3, "retries": 1},
        "sweep": {
            "kind": "sweep",
            "trial": {"like": "train", "seed": None, "resources": {"cpu": 1}},
            "parameters": {
                "lr": {"type": "double", "min": 0.1, "max": 1},
                "units": {"type": "categorical", "list": [1, "a", True]},
            },
            "objective": {"metric": "loss", "type": "minimize"},
            "early_stopping": {"name": "asha"},
            "trials": {"max": 3},
        },
    },
    "outputs": {"x": "{{ steps.train.outputs.metrics }}"},
}


def test_both_admit_what_is_right() -> None:
    assert list(validator().iter_errors(RIGHT)) == []
    assert binds(RIGHT)


SCALARS = [None, True, 0, 1, -1, 2.5, "", "x", "5m", "500m", "2Gi", "stdout", "local"]
TEMPLATES = ["{{ vars.a }}", "a {{ vars.a }}", ["{{ vars.a }}"]]
TREES = [[], [1], {}, ["x"], {"a": 1}, {"a": {"b": []}}, [None], [{}]]
ODD = st.sampled_from([*SCALARS, *TEMPLATES, *TREES])


def fitting(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape, and now and then something odd."""
    match shape:
        case Text():
            return (
                st.sampled_from(["x", "a/b", "true"]) if not shape.pattern else st.just("exit:75")
            )
        case Whole() | Real():
            return st.integers(0, 5) | st.floats(0, 5)
        case Flag():
            return st.booleans()
        case Choice():
            return st.sampled_from(shape.words)
        case TimeText():
            return st.sampled_from(["5m", "1h30m", 90, 1.5])
        case SizeText():
            return st.sampled_from(["2Gi", "1G", 4096])
        case Nothing():
            return st.none()
        case Anything():
            return ODD
        case StepName():
            return st.sampled_from(["env", "train"])
        case Items():
            return st.lists(loose(shape.item), max_size=3)
        case Table():
            return st.dictionaries(
                st.sampled_from(["a", "B_1", "a b"]), loose(shape.item), max_size=2
            )
        case Record():
            return record(shape)
        case Either():
            return st.one_of(*(fitting(each) for each in shape.choices))


def loose(shape: Shape) -> st.SearchStrategy[Any]:
    return st.one_of(*[fitting(shape)] * 5, ODD)


@st.composite
def record(draw: st.DrawFn, shape: Record) -> dict[str, Any]:
    grouped = {key for group in shape.one_of for key in group}
    keys = [key for key in shape.fields if key not in grouped]
    chosen = {*draw(st.lists(st.sampled_from(keys or [*grouped]), max_size=4)), *shape.required}
    chosen |= {draw(st.sampled_from(group)) for group in shape.one_of}
    if draw(st.integers(0, 9)) == 0:
        chosen ^= {draw(st.sampled_from([*shape.fields, "stray"]))}
    made: dict[str, Any] = {}
    for key in sorted(chosen):
        made[key] = draw(loose(shape.fields[key].shape) if key in shape.fields else ODD)
    return made


OPTIONS = sorted({*FIELDS} - {"kind", "like", "target", "matrix"})


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(BUILT_IN.specs)))
    made = draw(record(record_of(BUILT_IN.specs[kind])))
    for key in draw(st.lists(st.sampled_from(OPTIONS), max_size=3)):
        made[key] = draw(loose(FIELDS[key].shape))
    return {"kind": kind, **made}


@given(steps())
def test_both_are_of_one_mind_about_steps(step: dict[str, Any]) -> None:
    static = {key: value for key, value in step.items() if key in STATIC}
    # What only rendering shows is not structure.
    assume(not has_template(static))
    assume(not isinstance(static.get("protect"), (str, int, float)) or static["protect"] is True)
    assume(static.get("timeout") != 0)
    tree = {"labfile": 1, "vars": {"a": "x"}, "steps": {"s": step}}
    by_schema = not list(validator().iter_errors(tree))
    # What keys do wrong together no schema tells; a sweep's trial has such keys, too.
    meaningful = step["kind"] == "sweep" or (step["kind"] == "training" and any(findings(step)))
    if by_schema != binds(tree) and not (meaningful and by_schema):
        pytest.fail(f"schema: {by_schema}, binder: {not by_schema}: {step}")


@given(st.sampled_from(sorted(RIGHT)), ODD)
def test_both_are_of_one_mind_about_the_top(key: str, value: object) -> None:
    tree = {**RIGHT, key: value}
    by_schema = not list(validator().iter_errors(tree))
    if by_schema != binds(tree):
        pytest.fail(f"schema: {by_schema}, binder: {not by_schema}: {key}: {value!r}")
