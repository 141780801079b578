"""What a picture of a graph shows: instances of a matrix as one node, and only the edges that say something new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from lab.model.frozen import dataclass
from lab.model.graph import CycleError, Graph, in_order
from lab.model.labfile import Step

MOST_TO_REDUCE = 600  # nodes: the time grows with their square, and a picture of more says little


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A step, or all instances of one. ``axes`` are the names of its matrix's axes."""

    name: str
    kind: str
    target: str = ""  # empty for the local one
    count: int = 1
    axes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`train`, or `train[lr,units] ×6`."""
        return f"{self.name}[{','.join(self.axes)}] ×{self.count}" if self.count > 1 else self.name

    @property
    def about(self) -> str:
        """`training`, or `training on box`."""
        return f"{self.kind} on {self.target}" if self.target else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """*downstream* waits for *upstream*; with ``order`` no output flows. ``only``: not of all instances."""

    upstream: str
    downstream: str
    order: bool = False
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Nodes in an order in which they may run; ``implied`` counts the edges that others imply."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    implied: int = 0

    def into(self) -> Mapping[str, list[Edge]]:
        """For each node, the edges that end there."""
        found: dict[str, list[Edge]] = {node.name: [] for node in self.nodes}
        for edge in self.edges:
            found[edge.downstream].append(edge)
        return found


def picture(
    graph: Graph, chosen: Collection[str], *, instances: bool = False, every_edge: bool = False
) -> Picture:
    """The picture of the steps whose addresses are *chosen*.

    Args:
        graph: what to draw.
        chosen: addresses; edges to others are left out.
        instances: draw each instance of a matrix by itself.
        every_edge: draw also the edges that follow from others.
    """
    wanted = frozenset(chosen)
    steps = [step for address, step in graph.steps.items() if address in wanted]
    groups = _grouped(steps, instances=instances)
    try:
        order = in_order(groups, _waits(graph, groups))
    except CycleError:  # an instance may wait for what another instance is waited for by
        groups = _grouped(steps, instances=True)
        order = list(groups)
    edges = _edges(graph, groups)
    kept = edges if every_edge or len(groups) > MOST_TO_REDUCE else _fewest(edges)
    title = graph.labfile.name + (f"@{graph.labfile.overlay}" if graph.labfile.overlay else "")
    nodes = tuple(_node(name, groups[name]) for name in order)
    return Picture(title=title, nodes=nodes, edges=tuple(kept), implied=len(edges) - len(kept))


def _grouped(steps: Iterable[Step], *, instances: bool) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for step in steps:
        alone = instances or not step.matrix
        found.setdefault(step.address if alone else step.name, []).append(step)
    return found


def _node(name: str, steps: list[Step]) -> Node:
    first = steps[0]
    targets = list(dict.fromkeys(step.target.name for step in steps))
    return Node(
        name=name if len(steps) > 1 else first.address,
        kind=first.kind,
        target="" if targets == ["local"] else ", ".join(targets),
        count=len(steps),
        axes=tuple(first.matrix) if len(steps) > 1 else (),
    )


def _waits(graph: Graph, groups: Mapping[str, list[Step]]) -> dict[str, list[str]]:
    group_of = {step.address: name for name, steps in groups.items() for step in steps}
    return {
        name: [
            group_of[upstream]
            for step in steps
            for upstream in graph.needs.get(step.address, ())
            if upstream in group_of
        ]
        for name, steps in groups.items()
    }


def _edges(graph: Graph, groups: Mapping[str, list[Step]]) -> list[Edge]:
    shown = {name: name if len(g) > 1 else g[0].address for name, g in groups.items()}
    group_of = {step.address: name for name, steps in groups.items() for step in steps}
    found = []
    for name, steps in groups.items():
        used: dict[str, dict[str, bool]] = {}
        for step in steps:
            refs = set(graph.refs.get(step.address, ()))
            for upstream in graph.needs.get(step.address, ()):
                if upstream in group_of:
                    there = used.setdefault(group_of[upstream], {})
                    there[upstream] = there.get(upstream, False) or upstream in refs
        for upstream_name, there in used.items():
            part = len(there) < len(groups[upstream_name])
            found.append(
                Edge(
                    upstream=shown[upstream_name],
                    downstream=shown[name],
                    order=not any(there.values()),
                    only=tuple(there) if part else (),
                )
            )
    return found


def _fewest(edges: list[Edge]) -> list[Edge]:
    """Without the edges that others imply; a path on which no outputs flow implies no flow."""
    flows, all_ = _reduced([e for e in edges if not e.order]), _reduced(edges)
    return [e for e in edges if (e.upstream, e.downstream) in (all_ if e.order else flows)]


def _reduced(edges: list[Edge]) -> set[tuple[str, str]]:
    import networkx as nx  # only pictures need it, and its import takes longer than a plan

    drawn: Any = nx.DiGraph((edge.upstream, edge.downstream) for edge in edges)
    return set(nx.transitive_reduction(drawn).edges)
