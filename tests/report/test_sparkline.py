"""A curve at a glance."""

from __future__ import annotations

import math

import pytest

from lab.report.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([1.0], "▄"),
        ([3.0, 3.0], "▄▄"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1.0, 0.0], "█▁"),
        ([0.0, math.nan, 1.0], "▁·█"),
        ([math.inf, -math.inf], "··"),
        ([-1e308, 1e308], "▁█"),
        ([0.0, 5e-324], "▄▄"),
    ],
)
def test_a_curve(values: list[float], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_a_long_curve_is_drawn_piece_by_piece() -> None:
    assert sparkline([0.0] * 50 + [1.0] * 50, width=10) == "▁▁▁▁▁█████"
    assert len(sparkline([float(i) for i in range(1000)])) == 32
    assert sparkline([math.nan] * 4 + [1.0, 0.0] * 2 + [3.0, 1.0] * 2, width=3) == "·▁█"
