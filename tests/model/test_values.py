"""Values on their way through the state: they come back as they were, wherever the checkout lies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.values import Artifact, Unknown, artifacts_in, identified, pack, rendered, unpack

ROOT = "/home/ada/lab"

TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            ROOT,
            ROOT + "/",
            ROOT + "/a/b",
            ROOT + "//a",
            ROOT + "x",
            "/home",
            "$root",
            "$map",
            "",
            f"rm -rf {ROOT}/a {ROOT}/b",
            f"{ROOT}/a:{ROOT}",
            f"/x{ROOT}",
        ]
    ),
    st.text("/a.", max_size=5).map(lambda tail: f"{ROOT}{tail}"),
)
ARTIFACTS = st.builds(
    Artifact, TEXTS, st.sampled_from(["sha256:1", "lock:2"]), st.integers(0, 2**60)
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS, ARTIFACTS
)
KEYS = st.one_of(st.text(max_size=4), st.sampled_from(["$root", "$artifact", "$map", "$", "a"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@given(VALUES)
def test_values_come_back_from_the_state_as_they_were(value: Any) -> None:
    """Else a step would run again after a restart though nothing changed."""
    stored = json.loads(json.dumps(pack(value, ROOT)))
    assert unpack(stored, ROOT) == value


@given(VALUES)
def test_types_come_back_too(value: Any) -> None:
    stored = json.loads(json.dumps(pack(value, ROOT)))
    assert repr(unpack(stored, ROOT)) == repr(value)


@pytest.mark.parametrize("tail", ["", "/a", "/a/b.txt", "/ü"])
def test_paths_of_the_checkout_move_with_it(tail: str) -> None:
    value = {
        "path": ROOT + tail,
        "made": Artifact(ROOT + tail, "sha256:1", 3),
        "list": [ROOT + tail],
    }
    there = unpack(pack(value, ROOT), "/elsewhere")
    assert there == {
        "path": "/elsewhere" + tail,
        "made": Artifact("/elsewhere" + tail, "sha256:1", 3),
        "list": ["/elsewhere" + tail],
    }
    assert ROOT not in json.dumps(pack(value, ROOT))


@pytest.mark.parametrize("text", ["rm -rf {}/a {}/b", "--out={}/x", "{}:{}/lib", "'{}'"])
def test_texts_that_hold_paths_of_the_checkout_move_with_it(text: str) -> None:
    stored = json.loads(json.dumps(pack(text.replace("{}", ROOT), ROOT)))
    assert unpack(stored, "/elsewhere") == text.replace("{}", "/elsewhere")


@pytest.mark.parametrize("text", ["/home/ada/lab2/x", "/home", "x" + ROOT, "./a", "cp /x" + ROOT])
def test_other_paths_stay(text: str) -> None:
    assert unpack(pack(text, ROOT), "/elsewhere") == text


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", Unknown(("a",)), [1, {"a": {2}}]])
def test_what_cannot_be_stored_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="not a value"):
        pack(value, ROOT)


@pytest.mark.parametrize(
    "stored",
    [
        {"$root": 3},
        {"$artifact": []},
        {"$artifact": [1, 2, 3]},
        {"$map": 1},
        {"$root": []},
        {"$around": 1},
        {"$around": [{}]},
    ],
)
def test_a_damaged_state_gives_some_value_and_no_crash(stored: Any) -> None:
    unpack(stored, ROOT)


MODEL = Artifact(ROOT + "/m", "sha256:1", 3)


def test_artifacts_are_found_wherever_they_are() -> None:
    other = Artifact("/n", "sha256:2")
    assert artifacts_in({"a": [1, MODEL], "b": {"c": (other,)}, "d": "x"}) == [MODEL, other]


def test_people_see_paths_and_identity_sees_content() -> None:
    value = {"a": [MODEL], "b": ROOT + "/x", "c": f"--out={ROOT}/y", "d": 1.5, "e": None}
    assert rendered(value) == {**value, "a": [ROOT + "/m"]}
    assert identified(value, ROOT) == {
        "a": ["<artifact sha256:1>"],
        "b": "<lab.root>/x",
        "c": "--out=<lab.root>/y",
        "d": 1.5,
        "e": None,
    }
