"""What a step's outputs are for those after it: known, not known yet, or null because it was skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from lab.model.address import split
from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.labfile import Labfile
from lab.model.values import Unknown, Value, identified, rendered


@dataclass(frozen=True, slots=True)
class Known:
    """Outputs as recorded. ``moved`` tells that they came about in this run."""

    outputs: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Skipped:
    """The step did not run and has no outputs."""

    cause: str


Outcome: TypeAlias = "Known | Unknown | Skipped"


class Nulls(Mapping[str, Any]):
    """The outputs of a skipped step: whatever is asked for is null."""

    def __getitem__(self, key: str) -> None:
        return None

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


Shown: TypeAlias = Callable[[Value], Any]


def real(value: Value) -> Any:
    """Outputs as programs get them."""
    return rendered(value)


def identity_of(root: str) -> Shown:
    """Outputs as they count in identity."""
    return lambda value: identified(value, root)


def steps_scope(
    graph: Graph, address: str, outcomes: Mapping[str, Outcome], shown: Shown
) -> dict[str, Any]:
    """What ``steps`` means inside the step *address*: only what it refers to, instances by their key too."""
    names = dict.fromkeys(split(upstream)[0] for upstream in graph.refs.get(address, ()))
    return named_scope(graph.labfile, names, outcomes, shown)


def named_scope(
    labfile: Labfile, names: Iterable[str], outcomes: Mapping[str, Outcome], shown: Shown
) -> dict[str, Any]:
    """What ``steps`` means where the steps *names* are referred to."""
    scope: dict[str, Any] = {}
    for name in names:
        addresses = labfile.instances[name]
        if name not in labfile.matrices:
            scope[name] = {"outputs": _outputs(outcomes.get(name), (name,), shown)}
            continue
        each = {a: _outputs(outcomes.get(a), (a,), shown) for a in addresses}
        entry: dict[str, Any] = {split(a)[1]: {"outputs": o} for a, o in each.items()}
        entry["outputs"] = _gathered(each)
        scope[name] = entry
    return scope


def _outputs(outcome: Outcome | None, after: tuple[str, ...], shown: Shown) -> Any:
    match outcome:
        case Known(outputs=outputs):
            return {name: shown(value) for name, value in outputs.items()}
        case Skipped():
            return Nulls()
        case Unknown():
            return outcome
        case None:
            return Unknown(after)


def _gathered(each: Mapping[str, Any]) -> Any:
    """Fan-in: every output as the list of the instances' values, in matrix order."""
    unknown = tuple(a for a, o in each.items() if isinstance(o, Unknown))
    if unknown:
        return Unknown(unknown)
    names = dict.fromkeys(name for outputs in each.values() for name in outputs)
    gathered = {name: [outputs.get(name) for outputs in each.values()] for name in names}
    return gathered if names or not all(isinstance(o, Nulls) for o in each.values()) else Nulls()
