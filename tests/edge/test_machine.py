"""This computer, as steps and providers may ask for it."""

from __future__ import annotations

import os

import pytest

from lab.edge.machine import cache_root


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LAB_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/lab"),
        ({"LAB_CACHE": "c"}, f"{os.getcwd()}/c"),
        ({"XDG_CACHE_HOME": "x"}, f"{os.getcwd()}/x/lab"),
    ],
)
def test_the_shared_cache_has_one_place_wherever_it_is_asked_from(
    environ: dict[str, str], expected: str
) -> None:
    assert cache_root(environ) == expected
