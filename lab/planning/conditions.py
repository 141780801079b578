"""Evaluates `when` and `require`: expressions, with or without braces, over real values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.model.state import Record
from lab.model.values import Json, Unknown, Value, rendered
from lab.planning.decide import Seen
from lab.planning.outcome import Outcome, real, steps_scope
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, is_template, references, render


@dataclass(frozen=True, slots=True)
class Requirement:
    """One `require` expression with what it was compared with: whether it holds, and the values in it."""

    text: str
    holds: bool | Unknown
    values: tuple[tuple[str, Any], ...]


def real_scope(
    graph: Graph, step: Step, outcomes: Mapping[str, Outcome], directory: str
) -> dict[str, Any]:
    """What templates see when a step is really made; secrets are the caller's to add."""
    labfile = graph.labfile
    scope = base_scope(labfile, step=step, root=labfile.root, directory=directory)
    scope["steps"] = steps_scope(graph, step.address, outcomes, real)
    return scope


def condition(value: Json, scope: Mapping[str, Any]) -> bool | Unknown:
    """Whether `when` holds.

    Raises:
        TemplateFault: it fails, or gives something that is neither true nor false.
    """
    if isinstance(value, bool) or value is None:
        return bool(value)
    result = render(_braced(value), scope)
    if isinstance(result, Unknown | bool):
        return result
    if result is None:
        return False
    raise TemplateFault(
        f"`when` gave {_sort(result)}, which is neither true nor false",
        help='compare it with something, as in `when: "{{ vars.size > 3 }}"`',
        expression=str(value),
    )


def _sort(result: object) -> str:
    match result:
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a map"


def requirement(value: Json, scope: Mapping[str, Any]) -> Requirement:
    """One `require` expression, evaluated over the step's own outputs.

    Raises:
        TemplateFault: it fails.
    """
    text = _braced(value)
    result = render(text, scope)
    shown = str(value).strip()
    bare = shown.removeprefix("{{").removesuffix("}}").strip() if shown.startswith("{{") else shown
    seen = dict.fromkeys(reference.parts for reference in references(text))
    values = tuple((".".join(parts), _at(scope, parts)) for parts in seen)
    return Requirement(bare, result if isinstance(result, Unknown) else result is True, values)


def unmet(
    graph: Graph,
    step: Step,
    outcomes: Mapping[str, Outcome],
    directory: str,
    outputs: Mapping[str, Value],
) -> str | Unknown:
    """What of the step's `require` its *outputs* do not meet, with both sides; empty if they meet it.

    Unknown while that depends on steps that must run first.

    Raises:
        TemplateFault: one of the expressions fails.
    """
    if not step.require:
        return ""
    scope = real_scope(graph, step, outcomes, directory)
    scope["outputs"] = {name: rendered(value) for name, value in outputs.items()}
    found = [requirement(each, scope) for each in step.require]
    if broken := [each for each in found if each.holds is False]:
        return "; ".join(f"required `{each.text}`, but {_sides(each)}" for each in broken)
    after = [step for each in found if isinstance(each.holds, Unknown) for step in each.holds.after]
    return Unknown(tuple(dict.fromkeys(after))) if after else ""


def _sides(each: Requirement) -> str:
    return ", ".join(f"{name} is {value!r}" for name, value in each.values) or "it is false"


def looked_over(
    graph: Graph,
    step: Step,
    outcomes: Mapping[str, Outcome],
    directory: str,
    record: Record | None,
    seen: Seen,
) -> Seen:
    """*seen*, and whether what is recorded meets the step's `require` as it is now."""
    if not step.require or record is None or record.done is None:
        return seen
    found: str | Unknown
    try:
        found = unmet(graph, step, outcomes, directory, record.done.outputs)
    except TemplateFault as fault:
        found = f"`require`: {fault.summary}"
    return replace(seen, unmet=found) if found else seen


def _at(scope: Any, parts: tuple[str, ...]) -> Any:
    value = scope
    for part in parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _braced(value: Json) -> str:
    text = str(value).strip()  # a block text ends with a newline
    return text if is_template(text) else "{{ " + text + " }}"
