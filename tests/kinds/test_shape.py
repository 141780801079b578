"""Shapes: what a kind's annotations admit, and what trees become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import pytest

from lab.kinds.command import Command
from lab.kinds.dataset import Dataset
from lab.kinds.environment import Environment
from lab.kinds.shape import SpecFault, partial, record_of, to_spec
from lab.kinds.shape_scalar import Settling
from lab.kinds.shape_settle import settle_fields
from lab.kinds.spec import Duration, FilePath, Option, Size, StepOutputs, option
from lab.kinds.training import TensorboardMetrics, Training
from lab.model.tree import Json, TextFloat
from lab.model.values import Unknown
from lab.reading.words import RecipeWords, Retrying, Secret, StepWords, TopWords

KINDS = [Command, Dataset, Environment, Training]
WORDS = [*KINDS, StepWords, TopWords, RecipeWords, Secret, Retrying]


@dataclass(frozen=True, kw_only=True)
class Inner:
    source: str = option("", example="x")
    on: int = option("", example=1, default=3, minimum=2)


@dataclass(frozen=True, kw_only=True)
class Every:
    text: str = option("", example="x", default="")
    whole: int = option("", example=1, default=0)
    real: float = option("", example=1, default=0.0)
    flag: bool = option("", example=True, default=False)
    choice: Literal["a", "b"] = option("", example="a", default="a")
    time: Duration | None = option("", example="5m", default=None)
    size: Size | None = option("", example="1Gi", default=None)
    path: FilePath = option("", example=".", default=FilePath("."))
    items: list[int] = option("", example=[1], factory=list)
    table: Mapping[str, float] = option("", example={"a": 1}, factory=dict)
    inner: Inner | None = option("", example={"from": "x"}, default=None)
    inners: list[Inner] = option("", example=[{"from": "x"}], factory=list)
    tree: Json = option("", example={"a": [1]}, default=None)
    step: StepOutputs | None = option("", example="env", default=None)
    mixed: bool | int | str = option("", example=1, default=1)
    with_: str = option("", example="x", default="")


def faults(spec: type[Any], tree: Mapping[str, Any]) -> list[str]:
    with pytest.raises(SpecFault) as caught:
        to_spec(spec, tree)
    return [f"{'/'.join(map(str, f.path))}: {f.summary}" for f in caught.value.faults]


def settled(spec: type[Any], tree: Mapping[str, Json]) -> tuple[Mapping[str, Json], Settling]:
    run = Settling(templates=True)
    return settle_fields(record_of(spec), tree, (), run), run


@pytest.mark.parametrize("spec", WORDS, ids=lambda spec: spec.__name__)
def test_every_example_has_the_shape_it_exemplifies(spec: type[Any]) -> None:
    record = record_of(spec)
    needed = {key: record.fields[key].option.example for key in record.required}
    groups = {key for group in record.one_of for key in group}
    needed |= {group[0]: record.fields[group[0]].option.example for group in record.one_of}
    for key, known in record.fields.items():
        tree = {k: v for k, v in needed.items() if key not in groups or k not in groups}
        _, run = settled(spec, {**tree, **known.option.beside, key: known.option.example})
        assert run.faults == [], key


@pytest.mark.parametrize("spec", WORDS, ids=lambda spec: spec.__name__)
def test_every_key_is_documented(spec: type[Any]) -> None:
    for known in record_of(spec).fields.values():
        assert known.option.doc.endswith((".", ")", ":")) or known.option.doc[-1] in "`", known.key


def test_every_type_of_the_closed_list_becomes_its_value() -> None:
    made = to_spec(
        Every,
        {
            "text": 3,
            "whole": 2.0,
            "real": 2,
            "flag": True,
            "choice": "b",
            "time": "1h30m",
            "size": "1.5Ki",
            "items": [1, 2],
            "table": {"a": 1},
            "inner": {"from": "y"},
            "inners": [{"from": "y", "on": 5}],
            "tree": {"x": [None]},
            "step": {"$outputs": "env", "values": {"python": "/p"}},
            "mixed": "7",
            "with": "w",
        },
    )
    assert made == Every(
        text="3",
        whole=2,
        real=2.0,
        flag=True,
        choice="b",
        time=Duration(5400.0),
        size=Size(1536),
        items=[1, 2],
        table={"a": 1.0},
        inner=Inner(source="y"),
        inners=[Inner(source="y", on=5)],
        tree={"x": [None]},
        step=StepOutputs("env", {"python": "/p"}),
        mixed="7",
        with_="w",
    )
    assert isinstance(made.whole, int)
    assert isinstance(made.real, float)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"whole": "1"}, "whole: 'whole' must be a whole number, not the text '1'"),
        ({"whole": True}, "whole: 'whole' must be a whole number, not true"),
        ({"whole": 1.5}, "whole: 'whole' must be a whole number, not the number 1.5"),
        ({"real": []}, "real: 'real' must be a number, not a list"),
        ({"real": 10**400}, f"real: 'real' must be a number, not the number 1{'0' * 39}…"),
        ({"flag": "yes"}, "flag: 'flag' must be true or false, not the text 'yes'"),
        ({"flag": 1}, "flag: 'flag' must be true or false, not the number 1"),
        ({"choice": "c"}, "choice: 'choice' must be `a` or `b`, not the text 'c'"),
        (
            {"time": "soon"},
            "time: 'time' must be a duration such as 90s, 5m or 1h30m, not the text 'soon'",
        ),
        (
            {"time": -1},
            "time: 'time' must be a duration such as 90s, 5m or 1h30m, not the number -1",
        ),
        (
            {"size": "2GB"},
            "size: 'size' must be a size such as 512Mi, 2Gi or 1G, not the text '2GB'",
        ),
        ({"path": ""}, "path: 'path' is empty"),
        ({"path": "a\0b"}, "path: 'path' holds a NUL character"),
        ({"text": None}, "text: 'text' has no value"),
        ({"text": {"a": "b"}}, "text: 'text' must be a text, not a map"),
        ({"items": "a"}, "items: 'items' must be a list of whole numbers, not the text 'a'"),
        ({"items": [1, "a"]}, "items/1: 'items[1]' must be a whole number, not the text 'a'"),
        ({"table": ["a=1"]}, "table: 'table' must be a map of names to numbers, not a list"),
        ({"table": {"k": "v"}}, "table/k: 'k' must be a number, not the text 'v'"),
        ({"inner": {}}, "inner: 'inner' has no `from`"),
        ({"inner": {"from": "x", "on": 1}}, "inner/on: 'on' must be at least 2, not 1"),
        ({"inner": {"form": "x", "from": "x"}}, "inner/form: unknown key 'form' in 'inner'"),
        ({"step": "env"}, "step: 'step' must be the name of a step, not the text 'env'"),
        (
            {"mixed": []},
            "mixed: 'mixed' must be true or false or a whole number or a text, not a list",
        ),
        ({"source": 1}, "source: unknown key 'source' in the step"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(tree: Mapping[str, Any], message: str) -> None:
    assert faults(Every, tree) == [message]


def test_all_faults_are_said_at_once() -> None:
    assert len(faults(Every, {"whole": "a", "flag": "b", "nope": 1, "items": ["x", "y"]})) == 5


def test_one_of_a_group_is_needed() -> None:
    assert faults(Training, {}) == [": the step has none of `command`, `script`, `module`"]
    both = faults(Training, {"script": "a.py", "module": "b"})
    assert both == ["module: the step has `script` and `module`"]


def test_maps_are_told_apart_by_their_word() -> None:
    made = to_spec(Training, {"script": "a", "metrics": {"from": "tensorboard", "dir": "logs"}})
    assert made.metrics == TensorboardMetrics(source="tensorboard", dir=FilePath("logs"))
    wrong = faults(Training, {"script": "a", "metrics": {"from": "tensorbord"}})
    assert wrong == [
        "metrics/from: 'from' must be `stdout`, `tensorboard` or `jsonl`, not the text 'tensorbord'"
    ]


def test_texts_take_the_source_text_of_other_scalars() -> None:
    tree: dict[str, Json] = {"command": ["a", TextFloat(3.1, "3.10"), True, 1e-7]}
    run = Settling(templates=True, text_at={("command", 2): "True"}.get)
    assert settle_fields(record_of(Command), tree, (), run)["command"] == [
        "a",
        "3.10",
        "True",
        "1e-07",
    ]
    assert tree["command"][2] is True, "the tree that was read stays as it was"


def test_what_is_right_is_not_copied() -> None:
    tree: dict[str, Json] = {"command": ["a", "b"], "artifacts": {"x": "y"}}
    after, run = settled(Command, tree)
    assert after is tree
    assert not run.dynamic


@pytest.mark.parametrize(
    "tree",
    [
        {"whole": "{{ x }}"},
        {"flag": "{{ x }}"},
        {"choice": "{{ x }}"},
        {"time": "{{ x }}s"},
        {"items": ["{{ x }}"]},
        {"items": "{{ x }}"},
        {"table": {"a": "{{ x }}"}},
        {"tree": {"deep": [{"x": "{{ x }}"}]}},
        {"mixed": "a {{ x }}"},
    ],
    ids=str,
)
def test_templates_stand_for_values_before_rendering_only(tree: Mapping[str, Json]) -> None:
    after, run = settled(Every, tree)
    assert (after, run.faults, run.dynamic) == (tree, [], True)
    if "mixed" not in tree and "tree" not in tree:
        assert faults(Every, tree)


@pytest.mark.parametrize(
    ("tree", "summary"),
    [
        ({"table": "{{ x }}"}, "'table' must be a map of names to numbers, not a template"),
        ({"items": "{{ x }},{{ y }}"}, "'items' must be a list of whole numbers, not a template"),
        ({"step": "{{ x }}"}, "'step' must be the name of a step, not a template"),
        ({"table": {"{{ x }}": 1}}, "a key cannot be a template"),
        ({"tree": {"$outputs": "env"}}, "'$outputs' cannot be a name"),
    ],
    ids=str,
)
def test_structure_is_never_templated(tree: Mapping[str, Json], summary: str) -> None:
    assert [fault.summary for fault in settled(Every, tree)[1].faults] == [summary]


def test_names_that_templates_use_must_be_names() -> None:
    _, run = settled(Command, {"command": "a", "artifacts": {"my model": "x"}})
    assert [fault.summary for fault in run.faults] == ["'my model' cannot be a name"]
    assert run.faults[0].help == "for example `my-model`"


def test_a_step_name_becomes_what_rendering_fills() -> None:
    after, run = settled(Command, {"command": "a", "environment": "env"})
    assert after["environment"] == {"$outputs": "env"}
    assert run.dynamic


def test_defaults_with_templates_are_written_into_the_tree() -> None:
    after, run = settled(Training, {"script": "a.py"})
    assert after["checkpoint"] == "{{ step.dir }}/checkpoint"
    assert run.dynamic


def test_unknowns_stand_for_anything_while_planning() -> None:
    later = Unknown(("env",))
    partial(Every, {"whole": later, "items": [1, later], "inner": later, "step": later})
    partial(Training, {"command": later, "metrics": {"from": "jsonl", "path": later}})
    with pytest.raises(SpecFault):
        partial(Every, {"whole": later, "flag": "x"})
    with pytest.raises(SpecFault):
        to_spec(Every, {"whole": later})


def test_a_spec_may_refuse_what_its_types_admit() -> None:
    @dataclass(frozen=True)
    class Picky:
        a: int = option("", example=1)

        def __post_init__(self) -> None:
            if self.a == 13:
                raise ValueError("thirteen brings bad luck")

    assert to_spec(Picky, {"a": 1}).a == 1
    assert faults(Picky, {"a": 13}) == [": thirteen brings bad luck"]


def test_a_type_outside_the_closed_list_is_the_authors_fault() -> None:
    @dataclass(frozen=True)
    class Odd:
        a: set[int] = option("", example=1)

    @dataclass(frozen=True)
    class Bare:
        a: int = 1

    with pytest.raises(TypeError, match=r"Odd\.a: set\[int\] is not one of the types"):
        record_of(Odd)
    with pytest.raises(TypeError, match=r"Bare\.a must be made by option\(\)"):
        record_of(Bare)


def test_keys_that_python_keeps_for_itself() -> None:
    assert list(record_of(Inner).fields) == ["from", "on"]
    assert "with" in record_of(Every).fields


def test_options_are_reachable_from_the_record() -> None:
    record = record_of(Dataset)
    for each in fields(Dataset):
        assert record.fields[each.name].option is each.metadata["lab"]
        assert isinstance(each.metadata["lab"], Option)
