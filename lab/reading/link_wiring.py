"""What linking knows of each kind: which keys name files, artifacts, parameters and steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.kinds.shape_derive import record_of
from lab.kinds.shape_types import Either, Items, Record, Shape, Table
from lab.kinds.spec import Role
from lab.model.frozen import dataclass
from lab.model.tree import Path


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """The keys of a kind, by what their text means."""

    record: Record
    argv: tuple[str, ...]
    files: tuple[str, ...]
    artifacts: tuple[str, ...]
    parameters: str  # the key, or nothing
    trial: str = ""  # likewise


@dataclass(frozen=True, slots=True)
class Spot:
    """What is known of one place in a step's keys."""

    secret: bool  # templates may use secrets here
    of_kind: tuple[str, ...]  # the kinds of steps that may be named here


_WIRINGS: dict[type[Any], Wiring] = {}


def wiring_of(spec_class: type[Any]) -> Wiring:
    """The wiring of a kind's Spec, derived once."""
    known = _WIRINGS.get(spec_class)
    if known is None:
        known = _WIRINGS[spec_class] = _derived(record_of(spec_class))
    return known


def _derived(record: Record) -> Wiring:
    roles: dict[Role, list[str]] = {}
    for key, known in record.fields.items():
        roles.setdefault(known.option.role, []).append(key)
    return Wiring(
        record=record,
        argv=tuple(roles.get(Role.ARGV, ())),
        files=tuple(roles.get(Role.FILE, ())),
        artifacts=tuple(roles.get(Role.ARTIFACTS, ())),
        parameters=next(iter(roles.get(Role.PARAMETERS, ())), ""),
        trial=next(iter(roles.get(Role.TRIAL, ())), ""),
    )


def spot_at(record: Record, tree: Any, path: Path) -> Spot:
    """What is known of the place *path* in *tree*, which has the shape *record*."""
    shape: Shape | None = record
    secret = False
    of_kind: tuple[str, ...] = ()
    for part in path:
        shape = _concrete(shape, tree, part)
        if isinstance(shape, Record):
            known = shape.fields.get(str(part))
            if known is None:
                break
            secret = secret or known.option.secret
            of_kind = known.option.of_kind
            shape = known.shape
        else:
            shape = shape.item if isinstance(shape, Items | Table) else None
        tree = _inside(tree, part)
    return Spot(secret, of_kind)


def _concrete(shape: Shape | None, tree: Any, part: str | int) -> Shape | None:
    """The one of several shapes that a tree with the element *part* has."""
    if not isinstance(shape, Either):
        return shape
    if isinstance(part, int):
        return next(iter(shape.lists), None)
    tag = tree.get(shape.tag) if shape.tag and isinstance(tree, Mapping) else None
    if isinstance(tag, str) and tag in shape.tagged:
        return shape.tagged[tag]
    return next(iter(shape.maps), None)


def _inside(tree: Any, part: str | int) -> Any:
    if isinstance(tree, Mapping):
        return tree.get(part)
    if isinstance(tree, list) and isinstance(part, int) and part < len(tree):
        return tree[part]
    return None
