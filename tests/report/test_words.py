"""Durations, sizes and counts in words."""

from __future__ import annotations

import pytest

from lab.report.words import ago, counted, duration, number, paint, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (0.04, "0.0s"),
        (12.34, "12.3s"),
        (59.9, "59.9s"),
        (59.96, "1:00"),
        (65, "1:05"),
        (3599.4, "59:59"),
        (3599.6, "1:00:00"),
        (7384, "2:03:04"),
        (100 * 3600, "100:00:00"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234567, "1.2 MB"),
        (99_400_000, "99.4 MB"),
        (99_600_000, "100 MB"),
        (999_900, "1.0 MB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.1235"), (3, "3"), (True, "True"), ("x", "x"), (1e-9, "1e-09"), (100.0, "100")],
)
def test_numbers(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (9.9, "just now"),
        (10, "10 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
    ],
)
def test_how_long_ago(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_counts_and_colours() -> None:
    words = {"a": "to make", "b": "to break", "c": "left"}
    assert counted({"b": 1, "a": 2, "c": 0, "x": 9}, words) == "2 to make, 1 to break"
    assert paint("x", "red", True) == "\x1b[31mx\x1b[0m"
    assert paint("x", "red", False) == "x"
    assert paint("", "red", True) == ""
