"""Durations, sizes and cores as people write them."""

from __future__ import annotations

import pytest

from lab.kinds.quantity import cores, octets, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1m250ms", 60.25),
        ("0s", 0),
        ("", None),
        ("90", None),
        ("5 m", None),
        ("5m1h", None),
        ("-5m", None),
        ("m", None),
        ("5M", None),
        ("٥m", None),
        ("1" * 400 + "d", None),
        ("5m\n", None),
    ],
)
def test_seconds(text: str, value: float | None) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2Gi", 2 * 1024**3),
        ("512Mi", 512 * 1024**2),
        ("1G", 10**9),
        ("1k", 1000),
        ("1K", 1000),
        ("64Ki", 65536),
        ("1.5Gi", 3 * 1024**3 // 2),
        ("100", 100),
        ("2GB", None),
        ("2 Gi", None),
        ("Gi", None),
        ("ki", None),
        ("-1G", None),
        ("9" * 60 + "E", None),
    ],
)
def test_octets(text: str, value: int | None) -> None:
    assert octets(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("0.5", 0.5), ("500m", 0.5), ("", None), ("x", None), ("1e3", None)],
)
def test_cores(text: str, value: float | None) -> None:
    assert cores(text) == value
