"""Reads the curve of a training's metrics from the file that lab keeps of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

MOST_BYTES = 64 * 1024 * 1024
AXES = ("epoch", "step", "time")


def read_curve(path: str) -> dict[str, list[float]]:
    """Each metric's values in order; what is no point (a torn last line) is left out, no file is none."""
    found: dict[str, list[float]] = {}
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES)
    except OSError:
        return found
    for line in data.splitlines():
        for name, value in _values(line):
            found.setdefault(name, []).append(value)
    return found


def _values(line: bytes) -> Iterator[tuple[str, float]]:
    try:
        point = json.loads(line)
    except (ValueError, RecursionError):
        return
    if not isinstance(point, dict):
        return
    inner = point.get("metrics")
    for name, value in (inner if isinstance(inner, Mapping) else point).items():
        if name not in AXES and isinstance(value, int | float) and not isinstance(value, bool):
            yield name, float(value)
