"""What names mean inside a step before secrets and other steps' outputs are added."""

from __future__ import annotations

import pytest
from linked import bound

from lab.model.values import Unknown
from lab.reading.scope import ROOTS, base_scope
from lab.reading.template import TemplateFault, render

TEXT = """
vars: {lr: 0.1, where: "{{ lab.root }}/data", deep: {list: ["{{ lab.root }}"]}, other: /labor}
steps:
  train:
    kind: training
    matrix: {units: [64, 128]}
    parameters: {lr: "{{ vars.lr }}", data: "{{ steps.data.outputs.path }}", plain: 1}
    command: [python, train.py]
  plain: {kind: command, command: x}
"""


def scope(name: str = "train[units=64]", **given: str) -> dict[str, object]:
    labfile = bound(TEXT)
    step = next((each for each in labfile.steps if each.address == name), None)
    return base_scope(
        labfile, step=step, root=given.get("root", "/lab"), directory=given.get("dir", "/lab/d")
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ vars.lr }}", 0.1),
        ("{{ env.HOME }}", "/home/ann"),
        ("{{ matrix.units }}", 64),
        ("{{ parameters.lr }} {{ parameters.plain }}", "0.1 1"),
        ("{{ lab.name }} {{ lab.root }} [{{ lab.overlay }}]", "mnist /lab []"),
        ("{{ step.name }} {{ step.dir }}", "train /lab/d"),
        ("{{ vars.where }}", "/lab/data"),
        ("{{ env.NOWHERE is defined }}", False),
    ],
)
def test_names(text: str, value: object) -> None:
    assert render(text, scope()) == value


def test_parameters_see_what_the_caller_adds() -> None:
    names = scope()
    with pytest.raises(TemplateFault):
        render("{{ parameters.data }}", names)
    names["steps"] = {"data": {"outputs": {"path": "/x"}}}
    assert render("{{ parameters.data }}", names) == "/x"
    names["steps"] = {"data": {"outputs": Unknown(("data",))}}
    assert render("a {{ parameters.data }}", names) == Unknown(("data",))
    assert render("{{ parameters.plain }}", names) == 1
    assert render("{{ parameters | tojson }}", names) == Unknown(("data",))
    names["steps"] = {"data": {"outputs": {"path": "/x"}}}
    assert render("{{ parameters | list }}", names) == ["lr", "data", "plain"]


def test_a_step_without_parameters_has_none() -> None:
    assert render("{{ parameters | length }}", scope("plain")) == 0


def test_the_top_level_knows_no_step() -> None:
    names = scope("nowhere")
    assert set(names) == {"vars", "env", "lab"}
    assert set(names) < set(ROOTS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ vars.where }}", "<root>/data"),
        ("{{ vars.deep.list[0] }}", "<root>"),
        ("{{ vars.lr }} {{ vars | length }}", "0.1 4"),
        ("{{ lab.root }}/x {{ step.dir }}", "<root>/x <dir>"),
        ("{{ vars.other }}", "/labor"),
    ],
)
def test_in_identity_the_checkouts_place_is_a_mark(text: str, value: object) -> None:
    assert render(text, scope(root="<root>", dir="<dir>")) == value


def test_parameters_are_not_made_of_parameters() -> None:
    text = TEXT.replace("plain: 1", 'plain: "{{ parameters.lr }}"')
    labfile = bound(text)
    names = base_scope(labfile, step=labfile.steps[0], root="/lab", directory="/lab/d")
    with pytest.raises(TemplateFault, match="`parameters` is not known here"):
        render("{{ parameters.plain }}", names)
