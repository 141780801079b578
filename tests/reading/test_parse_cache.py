"""A layer that was cached is the layer that was read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.tree import TextFloat, TextInt, text_of
from lab.reading.parse import from_json, parse, to_json

TEXT = "a: 3.10\nb: [0x1F, True, ~, {c: .nan, d: -.inf}]\ne: &e [1e3]\nf: *e\ng: é\n'1': {}\n"
LAYER = parse("L", TEXT.encode())
CACHED = to_json(LAYER)


def test_it_comes_back_whole() -> None:
    found = from_json("other", TEXT, CACHED)
    assert found is not None
    assert repr(found.tree) == repr(LAYER.tree)
    assert found.texts == LAYER.texts
    assert found.name == "other"
    assert found.span_of(("b", 3, "c")).source == "other"
    assert isinstance(found.tree["a"], TextFloat)
    b, f = found.tree["b"], found.tree["f"]
    assert isinstance(b, list)
    assert isinstance(f, list)
    assert isinstance(b[0], TextInt)
    assert text_of(f[0]) == "1e3"
    assert found.text_at(("b", 1)) == "True"


@pytest.mark.parametrize(
    "cached",
    ["", "x", "{}", "null", "lab-layer-1", "lab-layer-1 \n", CACHED[:-1], CACHED + " ", "\0" * 99,
     "[" * 100_000, CACHED.replace("lab-layer-1", "lab-layer-2")],
)  # fmt: skip
def test_damage_is_noticed(cached: str) -> None:
    assert from_json("L", TEXT, cached) is None


def test_another_text_is_noticed() -> None:
    assert from_json("L", TEXT + "\n", CACHED) is None


@given(st.integers(0, len(CACHED) - 1), st.characters())
def test_one_changed_character_is_noticed(index: int, char: str) -> None:
    damaged = CACHED[:index] + char + CACHED[index + 1 :]
    assert damaged == CACHED or from_json("L", TEXT, damaged) is None
