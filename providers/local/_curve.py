"""The points of a training's metrics, in order: the curve, and the last value of each metric."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TypeAlias

from lab.model.frozen import dataclass

MOST_POINTS = 100_000  # a curve that people look at needs no more; last values go on
MOST_NAMES = 1_000

_Key: TypeAlias = "tuple[int | None, int | None] | int"  # where on the curve, or the how manieth


@dataclass(frozen=True, slots=True)
class Point:
    """Values of metrics at an epoch (counted from 1) or a step, where the program told either."""

    values: Mapping[str, float]
    epoch: int | None = None
    step: int | None = None


@dataclass(slots=True)
class Curve:
    """Grows while the training runs. What is told of one epoch and step is one point.

    So an epoch that a resumed training runs again replaces what was told of it before.
    """

    last: dict[str, float] = field(default_factory=dict)
    epoch: int | None = None
    changed: int = 0  # grows with every point
    _points: dict[_Key, dict[str, float]] = field(default_factory=dict)
    _loose: int = 0

    def add(self, point: Point) -> None:
        """Takes a point; names and points past the limits are left out."""
        values = {n: v for n, v in point.values.items() if n in self.last or self._has_room()}
        self.last.update(values)
        self.epoch = point.epoch if point.epoch is not None else self.epoch
        self.changed += 1
        key: _Key = (point.epoch, point.step)
        if point.epoch is None and point.step is None:
            key = self._loose
            self._loose += 1
        if key in self._points or len(self._points) < MOST_POINTS:
            self._points.setdefault(key, {}).update(values)

    def _has_room(self) -> bool:
        return len(self.last) < MOST_NAMES

    def __iter__(self) -> Iterator[Point]:
        for key, values in self._points.items():
            match key:
                case int():
                    yield Point(values)
                case (epoch, step):
                    yield Point(values, epoch, step)


def write_curve(curve: Curve, path: str) -> None:
    """Writes a JSON object a line, ``epoch`` and ``step`` first; the file is seen old or new."""
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "w", encoding="utf-8", opener=_private) as file:
        for point in curve:
            axes = {"epoch": point.epoch, "step": point.step}
            known = {axis: n for axis, n in axes.items() if n is not None}
            file.write(json.dumps({**known, **point.values}) + "\n")
    os.replace(temporary, path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def read_curve(path: str) -> Curve:
    """A curve that was written; empty where there is none."""
    curve = Curve()
    if os.path.exists(path):
        with open(path, "rb") as file:
            for point in map(point_of, file):
                if point is not None:
                    curve.add(point)
    return curve


def point_of(line: str | bytes) -> Point | None:
    """A JSON object as a point; None if it is none or holds no number."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    epoch, step = _whole(found.pop("epoch", None)), _whole(found.pop("step", None))
    values = {name: float(v) for name, v in found.items() if _is_number(v)}
    return Point(values, epoch, step) if values else None


def _is_number(value: object) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 2**1023  # more than a float holds
    return isinstance(value, float)


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if value == value and abs(value) < 2**53 else None
