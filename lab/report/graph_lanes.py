"""Draws edges as lanes beside a list: each node has a lane until the last node that waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from lab.model.frozen import dataclass
from lab.report.graph_picture import Picture

DOT, LINE, LOOSE = "●", "─", "╌"
_JOINTS = {
    (True, False, True): "├",
    (True, True, False): "┤",
    (True, True, True): "┼",
    (False, False, True): "╰",
    (False, True, False): "╯",
    (False, True, True): "┴",
}
"""By whether the lane goes on below, and whether a line leaves it to the left and to the right."""


@dataclass(slots=True)
class Lanes:
    """Which node's lane is in which column. Mutable: it follows the rows from top to bottom."""

    waiting: dict[str, int]  # by node: how many rows still to come wait for it
    columns: list[str | None] = field(default_factory=list)
    last: int = -1  # where the row above has its dot

    def row(self, name: str, upstream: Mapping[str, bool]) -> str:
        """The drawing left of *name*; *upstream* maps what it waits for to whether for order alone."""
        before = list(self.columns)
        joined = {before.index(one): order for one, order in upstream.items() if one in before}
        for one in upstream:
            self.waiting[one] -= 1
        ended = [column for column in joined if not self.waiting[before[column] or ""]]
        for column in ended:
            self.columns[column] = None
        mine = self.last = min(ended) if ended else self._free(min(joined, default=-1))
        if self.waiting[name]:
            self.columns[mine] = name
        drawn = _drawn(before, self.columns, mine, joined)
        while self.columns and self.columns[-1] is None:
            self.columns.pop()
        return drawn

    def _free(self, after: int) -> int:
        """The first free column behind *after*, but not below a dot: that would look like an edge."""
        column = after + 1
        while column == self.last or (column < len(self.columns) and self.columns[column]):
            column += 1
        self.columns += [None] * (column + 1 - len(self.columns))
        return column


def lanes(picture: Picture) -> list[str]:
    """The drawing for each node of *picture*, in its order."""
    waiting = {node.name: 0 for node in picture.nodes}
    for edge in picture.edges:
        waiting[edge.upstream] += 1
    drawn, into = Lanes(waiting), picture.into()
    return [
        drawn.row(node.name, {edge.upstream: edge.order for edge in into[node.name]})
        for node in picture.nodes
    ]


def _drawn(
    before: list[str | None], after: list[str | None], mine: int, joined: Mapping[int, bool]
) -> str:
    first, last = min([mine, *joined]), max([mine, *joined])
    text = ""
    for column in range(max(len(before), len(after))):
        above = column < len(before) and before[column] is not None
        below = column < len(after) and after[column] is not None
        left, right = first < column <= last, first <= column < last
        if column == mine:
            text += DOT
        elif column in joined:
            text += _JOINTS[below, left, right]
        elif above:
            text += "│"
        else:
            text += _between(column, mine, joined) if left and right else " "
        text += _between(column + 0.5, mine, joined) if right else " "
    return text.rstrip()


def _between(place: float, mine: int, joined: Mapping[int, bool]) -> str:
    """The line at *place*: a loose one if all that pass there are for order alone."""
    passing = [
        order for column, order in joined.items() if min(column, mine) < place < max(column, mine)
    ]
    return LOOSE if passing and all(passing) else LINE
