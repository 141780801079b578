"""`when` and `require`: what counts as yes and no, and what is shown of both sides."""

from __future__ import annotations

from typing import Any

import pytest

from lab.model.values import Unknown
from lab.planning.conditions import condition, requirement
from lab.reading.template import TemplateFault

SCOPE: dict[str, Any] = {
    "vars": {"n": 3, "on": True, "text": "yes", "none": None, "list": [1]},
    "outputs": {"metrics": {"accuracy": 0.95}, "loss": float("nan")},
    "later": Unknown(("a",)),
    "steps": {"a": {"outputs": Unknown(("a",))}},
}


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (True, True),
        (False, False),
        (None, False),
        ("vars.on", True),
        ("{{ vars.on }}", True),
        ("  {{ vars.on }}\n", True),
        ("vars.n > 2\n", True),
        ("vars.n > 3", False),
        ("not vars.on", False),
        ("vars.none", False),
        ("'x' in 'xyz'", True),
    ],
)
def test_conditions(value: Any, holds: bool) -> None:
    assert condition(value, SCOPE) is holds


@pytest.mark.parametrize(
    ("value", "sort"),
    [
        ("vars.n", "a number"),
        ("vars.text", "a text"),
        ("vars.list", "a list"),
        ("vars", "a map"),
        ("0", "a number"),
    ],
)
def test_what_is_neither_true_nor_false_is_a_fault(value: str, sort: str) -> None:
    with pytest.raises(TemplateFault) as fault:
        condition(value, SCOPE)
    assert fault.value.summary == f"`when` gave {sort}, which is neither true nor false"


def test_what_is_not_known_yet_is_neither() -> None:
    assert condition("steps.a.outputs.value > 1", SCOPE) == Unknown(("a",))


def test_what_is_decided_without_it_is_known() -> None:
    assert condition("false and steps.a.outputs.value > 1", SCOPE) is False


@pytest.mark.parametrize(
    ("text", "holds", "values"),
    [
        ("outputs.metrics.accuracy > 0.9", True, {"outputs.metrics.accuracy": 0.95}),
        ("{{ outputs.metrics.accuracy > vars.n }}", False,
         {"outputs.metrics.accuracy": 0.95, "vars.n": 3}),
        ("outputs.loss < 1", False, {"outputs.loss": pytest.approx(float("nan"), nan_ok=True)}),
        ("vars.n", False, {"vars.n": 3}),
        ("true", True, {}),
    ],
)  # fmt: skip
def test_requirements_show_what_was_compared(
    text: str, holds: bool, values: dict[str, Any]
) -> None:
    found = requirement(text, SCOPE)
    assert found.holds is holds
    assert dict(found.values) == values
    assert found.text == text.removeprefix("{{ ").removesuffix(" }}")


def test_each_value_is_shown_once() -> None:
    found = requirement("vars.n > 1 and vars.n < 9", SCOPE)
    assert found.values == (("vars.n", 3),)
