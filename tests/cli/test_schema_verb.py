"""What `lab schema` prints."""

from __future__ import annotations

import json

import jsonschema
import pytest

from lab.cli import schema
from lab.cli.main import main
from lab.kinds.catalog import Catalog
from lab.kinds.command import Command


def printed(capsys, *words: str):
    assert main(["schema", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_whole_schema_accepts_a_labfile(capsys):
    whole = printed(capsys)
    jsonschema.Draft202012Validator.check_schema(whole)
    good = {"labfile": 1, "steps": {"a": {"kind": "command", "command": ["x"]}}}
    jsonschema.Draft202012Validator(whole).validate(good)
    assert not jsonschema.Draft202012Validator(whole).is_valid({**good, "stpes": {}})


@pytest.mark.parametrize("kind", ["command", "training", "environment", "dataset"])
def test_one_kind_stands_by_itself(capsys, kind):
    one = printed(capsys, kind)
    jsonschema.Draft202012Validator.check_schema(one)
    validator = jsonschema.Draft202012Validator(one)
    assert one["title"] == kind
    assert not validator.is_valid({"kind": "other"})
    assert not validator.is_valid({"kind": kind, "nonsense": 1})


def test_one_kind_accepts_a_step_of_it(capsys):
    validator = jsonschema.Draft202012Validator(printed(capsys, "command"))
    validator.validate({"kind": "command", "command": ["x"], "timeout": "5m", "needs": ["a"]})
    assert not validator.is_valid({"kind": "command", "command": ["x"], "timeout": []})
    assert not validator.is_valid({"command": ["x"]})


def test_an_unknown_kind_is_an_error_that_helps(capsys):
    assert main(["schema", "comand"]) == 2
    said = capsys.readouterr().err
    assert "there is no kind `comand`" in said
    assert "did you mean `command`?" in said


def test_kinds_of_plug_ins_are_in_it(capsys, monkeypatch):
    class Registry:
        def catalog(self) -> Catalog:
            return Catalog({"command": Command, "ours": Command}, {})

    monkeypatch.setattr(schema, "discover", Registry)
    assert "kind-ours" in printed(capsys)["$defs"]
    assert printed(capsys, "ours")["title"] == "ours"
