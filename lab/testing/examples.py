"""The examples of a Spec's options, each put into a step that is otherwise known to be good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.kinds.shape_derive import record_of
from lab.kinds.shape_types import Either, Shape, StepName


def example_trees(spec: type[Any], good: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each key with a whole step that holds its example; keys that exclude it are left out."""
    record = record_of(spec)
    for key, field in record.fields.items():
        rivals = {other for group in record.one_of if key in group for other in group}
        tree = {k: v for k, v in good.items() if k not in rivals}
        example: Any = field.option.example
        if _names_a_step(field.shape) and isinstance(example, str):
            example = {"$outputs": example, "values": {}}
        yield key, {**tree, **field.option.beside, key: example}


def _names_a_step(shape: Shape) -> bool:
    if isinstance(shape, Either):
        return any(isinstance(each, StepName) for each in shape.choices)
    return isinstance(shape, StepName)
