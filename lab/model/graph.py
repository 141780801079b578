"""The graph of steps: acyclic by construction, in an order that follows the author's."""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterable, Mapping
from dataclasses import field
from typing import Any

from lab.model.diagnostic import Diagnostic
from lab.model.frozen import dataclass
from lab.model.labfile import Labfile, Step


class CycleError(Exception):
    """Steps that wait for each other; ``cycle`` is the path, its first step repeated at the end."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        super().__init__(" -> ".join(cycle))
        self.cycle = cycle


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Steps in an order in which they may run.

    ``needs`` holds every edge, ``refs`` only those through which outputs flow: a dependent of the first
    sort is ordered, one of the second is also decided by what flows. ``guarded`` are the (step, upstream)
    pairs where every reference stands inside ``default()``, so that a skipped upstream skips no one.
    ``inside`` maps a step to its inputs that lie in another step's artifact: relative path -> that step.
    """

    labfile: Labfile
    steps: Mapping[str, Step]  # in order
    needs: Mapping[str, tuple[str, ...]]
    refs: Mapping[str, tuple[str, ...]]
    guarded: frozenset[tuple[str, str]] = frozenset()
    inside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    def dependents(self) -> dict[str, list[str]]:
        """For each step, the steps that wait for it."""
        return turned(self.needs)

    def upstream(self, addresses: Iterable[str]) -> set[str]:
        """Everything that *addresses* wait for, directly or not, without themselves unless reached."""
        return closure(addresses, self.needs)

    def downstream(self, addresses: Iterable[str]) -> set[str]:
        """Everything that waits for *addresses*, directly or not."""
        return closure(addresses, self.dependents())


def turned(edges: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """The edges the other way round."""
    found: dict[str, list[str]] = {address: [] for address in edges}
    for address, targets in edges.items():
        for target in targets:
            found.setdefault(target, []).append(address)
    return found


def closure(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """What can be reached from *start* by one edge or more."""
    found: set[str] = set()
    stack = [target for address in start for target in edges.get(address, ())]
    while stack:
        address = stack.pop()
        if address not in found:
            found.add(address)
            stack.extend(edges.get(address, ()))
    return found


def among(graph: Graph, chosen: Container[str]) -> dict[str, tuple[str, ...]]:
    """For each of *chosen*, in order, those of them that it waits for, directly or through others."""
    found: dict[str, dict[str, None]] = {}
    for address in graph.steps:
        reached = found[address] = {}
        for upstream in graph.needs.get(address, ()):
            reached.update({upstream: None} if upstream in chosen else found[upstream])
    return {address: tuple(reached) for address, reached in found.items() if address in chosen}


def in_order(addresses: Iterable[str], needs: Mapping[str, Iterable[str]]) -> list[str]:
    """*addresses* so that each comes after what it needs, else as early as the author wrote it.

    Raises:
        CycleError: with the shortest cycle found.
    """
    position = {address: i for i, address in enumerate(addresses)}
    waiting = {a: len(set(needs.get(a, ()))) for a in position}
    dependents: dict[str, list[str]] = {a: [] for a in position}
    for address in position:
        for upstream in set(needs.get(address, ())):
            dependents[upstream].append(address)
    ready = [(i, a) for a, i in position.items() if not waiting[a]]
    heapq.heapify(ready)
    ordered: list[str] = []
    while ready:
        _, address = heapq.heappop(ready)
        ordered.append(address)
        for dependent in dependents[address]:
            waiting[dependent] -= 1
            if not waiting[dependent]:
                heapq.heappush(ready, (position[dependent], dependent))
    if len(ordered) < len(position):
        stuck = [a for a in position if waiting[a]]
        raise CycleError(_shortest_cycle(stuck, needs))
    return ordered


def _shortest_cycle(stuck: list[str], needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    import networkx as nx  # only for a fault that stops everything: its import takes longer than a plan

    inside = set(stuck)
    drawn: Any = nx.DiGraph((a, b) for a in stuck for b in needs.get(a, ()) if b in inside)
    component = next(c for c in nx.strongly_connected_components(drawn) if _cyclic(c, drawn))
    part = drawn.subgraph(component)
    first = min(component, key=stuck.index)
    onward = sorted(part.successors(first), key=stuck.index)
    return (first, *min((nx.shortest_path(part, each, first) for each in onward), key=len))


def _cyclic(component: set[str], drawn: Any) -> bool:
    return len(component) > 1 or any(drawn.has_edge(a, a) for a in component)
