"""Evaluates `when` and `require`: expressions, with or without braces, over real values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.model.values import Json, Unknown
from lab.planning.outcome import Outcome, real, steps_scope
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, is_template, references, render


@dataclass(frozen=True, slots=True)
class Requirement:
    """One `require` expression with what it was compared with: whether it holds, and the values in it."""

    text: str
    holds: bool
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
    return Requirement(bare, result is True, values)


def _at(scope: Any, parts: tuple[str, ...]) -> Any:
    value = scope
    for part in parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _braced(value: Json) -> str:
    text = str(value).strip()  # a block text ends with a newline
    return text if is_template(text) else "{{ " + text + " }}"
