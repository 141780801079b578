"""What `steps` means inside a step's templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fakes.lab import graph_of

from lab.model.values import Artifact, Unknown
from lab.planning.outcome import Known, Outcome, Skipped, identity_of, real, steps_scope
from lab.reading.template import TemplateFault, render

GRAPH = graph_of(
    """
    steps:
      one: {kind: job}
      many: {kind: job, matrix: {n: [1, 2, 3]}}
      user:
        kind: job
        value: ["{{ steps.one.outputs.value }}", "{{ steps.many.outputs.value }}",
                "{{ steps.many['n=2'].outputs.value }}"]
      narrow: {kind: job, value: "{{ steps.many['n=2'].outputs.value }}"}
    """
)
MODEL = Artifact("/lab/out/model.bin", "sha256:abc", 3)


def known(value: Any, **more: Any) -> Known:
    return Known({"value": value, **more})


def seen(template: str, outcomes: Mapping[str, Outcome], step: str = "user") -> Any:
    return render(template, {"steps": steps_scope(GRAPH, step, outcomes, real)})


ALL: dict[str, Outcome] = {
    "one": known(7, model=MODEL),
    **{f"many[n={n}]": known(n * 10, only=n) for n in (1, 2, 3)},
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ steps.one.outputs.value }}", 7),
        ("{{ steps.one.outputs.model }}", "/lab/out/model.bin"),
        ("{{ steps.many.outputs.value }}", [10, 20, 30]),
        ("{{ steps.many['n=2'].outputs.value }}", 20),
        ("{{ steps.one.outputs }}", {"value": 7, "model": "/lab/out/model.bin"}),
        ("{{ steps.many.outputs.value | sum }}", 60),
    ],
)
def test_outputs(template: str, expected: Any) -> None:
    assert seen(template, ALL) == expected


def test_identity_sees_content_instead_of_places() -> None:
    outcomes = {**ALL, "one": known(["/lab/data.csv"], model=MODEL)}
    scope = {"steps": steps_scope(GRAPH, "user", outcomes, identity_of("/lab"))}
    assert render("{{ steps.one.outputs.model }}", scope) == "<artifact sha256:abc>"
    assert render("{{ steps.one.outputs.value }}", scope) == ["<lab.root>/data.csv"]


def test_what_has_not_run_is_unknown() -> None:
    assert seen("{{ steps.one.outputs.value }}", {}) == Unknown(("one",))
    assert seen("{{ steps.one.outputs.value }}", {"one": Unknown(("a",))}) == Unknown(("a",))


def test_a_list_is_unknown_until_all_instances_are_known() -> None:
    outcomes = {**ALL, "many[n=2]": Unknown(("many[n=2]",))}
    del outcomes["many[n=3]"]
    assert seen("{{ steps.many.outputs.value }}", outcomes) == Unknown(("many[n=2]", "many[n=3]"))
    assert seen("{{ steps.many['n=2'].outputs.value }}", outcomes) == Unknown(("many[n=2]",))


def test_one_instance_is_known_though_others_are_not() -> None:
    outcomes = {"many[n=2]": known(5)}
    assert seen("{{ steps.many['n=2'].outputs.value }}", outcomes, "narrow") == 5


def test_what_is_skipped_is_null() -> None:
    outcomes = {**ALL, "one": Skipped("off"), "many[n=2]": Skipped("off")}
    assert seen("{{ steps.one.outputs.value }}", outcomes) is None
    assert seen("{{ steps.one.outputs.anything }}", outcomes) is None
    assert seen("{{ steps.one.outputs.value | default(3) }}", outcomes) == 3
    assert seen("{{ steps.many.outputs.value }}", outcomes) == [10, None, 30]
    assert seen("{{ steps.many['n=2'].outputs.value }}", outcomes) is None


def test_a_matrix_that_is_skipped_altogether_is_null() -> None:
    outcomes: dict[str, Outcome] = {a: Skipped("off") for a in ALL}
    assert seen("{{ steps.many.outputs.value | default('none') }}", outcomes) == "none"


def test_an_output_that_only_some_instances_have_is_null_for_the_others() -> None:
    outcomes = {**ALL, "many[n=2]": Known({"other": 1})}
    assert seen("{{ steps.many.outputs.value }}", outcomes) == [10, None, 30]
    assert seen("{{ steps.many.outputs.other }}", outcomes) == [None, 1, None]


@pytest.mark.parametrize("name", ["one", "many"])
def test_an_output_that_does_not_exist_is_a_fault(name: str) -> None:
    with pytest.raises(TemplateFault, match="missing"):
        seen("{{ steps." + name + ".outputs.missing }}", ALL)


def test_only_what_a_step_refers_to_is_there() -> None:
    assert set(steps_scope(GRAPH, "user", ALL, real)) == {"one", "many"}
    assert set(steps_scope(GRAPH, "narrow", ALL, real)) == {"many"}
    assert steps_scope(GRAPH, "one", ALL, real) == {}
