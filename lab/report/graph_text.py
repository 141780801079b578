"""A graph as people read it: lanes of lines beside the steps, each with its kind; wide graphs as a list."""

from __future__ import annotations

from lab.model.diagnostic import printable
from lab.report.graph_lanes import lanes
from lab.report.graph_picture import Edge, Node, Picture
from lab.report.words import paint

LEAST_FOR_NAMES = 36  # columns that names and kinds must have beside the lanes
WIDEST_NAME = 32


def graph_text(picture: Picture, *, colour: bool, width: int = 80) -> str:
    """The whole picture, without a newline at its end."""
    if not picture.nodes:
        return "no steps"
    drawn = lanes(picture)
    lane_width = max(len(row) for row in drawn)
    if lane_width > width - LEAST_FOR_NAMES:
        drawn, lane_width = [""] * len(picture.nodes), 0
    into = picture.into()
    names = min(WIDEST_NAME, max(len(node.title) for node in picture.nodes))
    kinds = max(len(node.about) for node in picture.nodes)
    rows = []
    for node, row in zip(picture.nodes, drawn, strict=True):
        lead = paint(f"{row:<{lane_width}}  ", "cyan", colour) if lane_width else ""
        said = _note(into[node.name], plain=not lane_width)
        left = (
            width - (lane_width + 2 if lane_width else 0) - max(names, len(node.title)) - kinds - 4
        )
        note = paint(_cut(said, max(left, 24)), "dim", colour)
        rows.append(f"{lead}{_named(node, names, kinds, colour)}  {note}".rstrip())
    return "\n".join([*rows, "", paint(_counts(picture), "dim", colour)])


def _named(node: Node, names: int, kinds: int, colour: bool) -> str:
    title = paint(f"{printable(node.title):<{names}}", "bold", colour)
    return f"{title}  {paint(f'{node.about:<{kinds}}', 'dim', colour)}"


def _note(edges: list[Edge], *, plain: bool) -> str:
    """What the lanes cannot show: order alone, and single instances; without lanes also all the rest."""
    parts = []
    if plain:
        parts += [f"← {_several([e.upstream for e in edges if not e.order])}"] if edges else []
    order = [edge.upstream for edge in edges if edge.order]
    parts += [f"only after {_several(order)}"] if order else []
    some = [address for edge in edges for address in edge.only]
    parts += [f"of {_several(some)}"] if some else []
    return ", ".join(part for part in parts if part != "← ")


def _several(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _cut(text: str, width: int) -> str:
    shown = printable(text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def _counts(picture: Picture) -> str:
    steps = sum(node.count for node in picture.nodes)
    said = f"{printable(picture.title)}: {steps} step{'' if steps == 1 else 's'}"
    if picture.implied:
        edges = "1 edge" if picture.implied == 1 else f"{picture.implied} edges"
        said += f"; {edges} that others imply left out (--all-edges)"
    return said
