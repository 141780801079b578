"""Shapes of kinds: what a step's keys look like, and how a tree becomes a kind's frozen Spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from lab.kinds.quantity import octets, seconds
from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import Fault, SpecFault
from lab.kinds.shape_scalar import Settling
from lab.kinds.shape_settle import choose, settle_fields
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
from lab.kinds.spec import StepOutputs
from lab.model.never import assert_never

__all__ = ["Fault", "SpecFault", "partial", "record_of", "to_spec"]

S = TypeVar("S")


def to_spec(spec_class: type[S], tree: Mapping[str, Any]) -> S:
    """Return a rendered tree as an instance of its kind's Spec.

    Durations become seconds, sizes bytes, ``{"$outputs": NAME, "values": {…}}`` a StepOutputs; a
    number, true or false becomes a text where a text is wanted.

    Raises:
        SpecFault: with every fault; a ValueError of the class's ``__post_init__`` is one too.
    """
    record = record_of(spec_class)
    run = Settling(templates=False)
    settled = settle_fields(record, tree, (), run)
    if run.faults:
        raise SpecFault(tuple(run.faults))
    try:
        made: S = _build(record, settled)
    except ValueError as refusal:
        raise SpecFault((Fault(path=(), summary=str(refusal)),)) from None
    return made


def partial(spec_class: type[Any], tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a rendered tree that may hold Unknown values, checked and settled as far as it is known.

    Raises:
        SpecFault: with every fault.
    """
    run = Settling(templates=False, unknowns=True)
    settled = settle_fields(record_of(spec_class), tree, (), run)
    if run.faults:
        raise SpecFault(tuple(run.faults))
    return settled


def _build(shape: Shape, value: Any) -> Any:
    match shape:
        case Text() | Flag() | Choice() | Nothing() | Anything():
            return value
        case Items():
            return [_build(shape.item, each) for each in value]
        case Table():
            return {key: _build(shape.item, each) for key, each in value.items()}
        case Either():
            chosen = choose(shape, value)
            return value if chosen is None else _build(chosen, value)
        case Record():
            fields = shape.fields
            given = {fields[k].name: _build(fields[k].shape, v) for k, v in value.items()}
            return shape.cls(**given)
        case StepName():
            return StepOutputs(value["$outputs"], value.get("values") or {})
        case Whole():
            return int(value)
        case Real():
            return float(value)
        case TimeText():
            return seconds(value) if isinstance(value, str) else float(value)
        case SizeText():
            return octets(value) if isinstance(value, str) else int(value)
        case _:
            assert_never(shape)
