"""Plain trees: one spelling, one digest, and paths as people write them."""

import copy
import json
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.tree import TextFloat, TextInt, canonical, digest, format_path, text_of

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (3, "3"),
        (3.0, "3.0"),
        (TextFloat(3.1, "3.10"), "3.10"),
        (TextInt(31, "0x1F"), "0x1F"),
        (math.inf, ".inf"),
        (-math.inf, "-.inf"),
        (math.nan, ".nan"),
        ([1, "a"], '[1,"a"]'),
    ],
)
def test_text_of(value: object, text: str) -> None:
    assert text_of(value) == text  # type: ignore[arg-type]


def test_an_odd_number_is_a_number_that_remembers() -> None:
    for value in (TextFloat(3.1, "3.10"), TextInt(31, "0x1F")):
        assert copy.deepcopy(value).text == value.text
        assert pickle.loads(pickle.dumps(value)).text == value.text
    assert TextInt(31, "0x1F") == 31
    assert TextFloat(3.1, "3.10") + 1 == 4.1
    assert canonical([TextFloat(3.1, "3.10"), TextInt(31, "0x1F")]) == b"[3.1,31]"


def test_canonical_is_one_spelling() -> None:
    assert (
        canonical({"b": 1, "a": {"d": None, "c": "é"}}) == '{"a":{"c":"é","d":null},"b":1}'.encode()
    )
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
    assert canonical(1) != canonical(1.0) != canonical("1.0")
    assert canonical([True]) != canonical([1])


def test_canonical_takes_what_json_cannot_say() -> None:
    assert canonical({"x": [math.nan, math.inf, -math.inf]}) == b'{"x":[".nan",".inf","-.inf"]}'
    assert canonical("\ud800") == b'"\xed\xa0\x80"'


@given(TREES)
def test_canonical_text_says_the_same(tree: object) -> None:
    assert json.loads(canonical(tree)) == tree  # type: ignore[arg-type]


@given(TREES, TREES)
def test_digests_differ_as_trees_do(one: object, other: object) -> None:
    same = canonical(one) == canonical(other)  # type: ignore[arg-type]
    assert (digest(one) == digest(other)) is same  # type: ignore[arg-type]


def test_digest_names_its_method() -> None:
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("steps", "train", "command", 2), "steps.train.command[2]"),
        (("steps", "kubeflow/install", "x-y"), "steps.kubeflow/install.x-y"),
        (("steps", "lr=0.1", "a b"), "steps['lr=0.1']['a b']"),
        (("vars", "1"), "vars['1']"),
        (("a", "x\x1b"), "a['x\\x1b']"),
    ],
)
def test_format_path(path: tuple[str | int, ...], text: str) -> None:
    assert format_path(path) == text
