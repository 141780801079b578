"""Addresses as file names: each its own, none inside another's."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.address import file_name, instance, is_name, slug, split

names = st.lists(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,3}", fullmatch=True), min_size=1, max_size=3
).map("/".join)
keys = st.just("") | st.from_regex(r"[a-z]=[0-9.,=]{1,4}", fullmatch=True) | st.text(max_size=4)
addresses = st.builds(instance, names, keys)


@given(addresses, addresses)
def test_every_address_has_a_file_name_of_its_own(one: str, other: str) -> None:
    assert (slug(one) == slug(other)) == (one == other)


@given(addresses)
def test_it_is_one_plain_file_name(address: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._,=+#@-]+", slug(address))
    assert slug(address) not in (".", "..")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("train", "train"),
        ("train[lr=0.1,units=64]", "train@lr=0.1,units=64"),
        ("kubeflow/install", "kubeflow.install"),
        ("sweep[#7]", "sweep@#7"),
    ],
)
def test_it_can_be_read(address: str, expected: str) -> None:
    assert slug(address) == expected


def test_an_address_splits_into_what_it_was_made_of() -> None:
    assert split(instance("train", "lr=0.1")) == ("train", "lr=0.1")
    assert split("train") == ("train", "")
    assert is_name("train_2")
    assert not is_name("2train")


@pytest.mark.parametrize("text", ["..", ".", "", "a/b", "../../home", "x" * 300, ".lab", "a\0b"])
def test_no_name_leads_elsewhere(text: str) -> None:
    assert file_name(text).startswith("h-")
    assert file_name("mnist@prod") == "mnist@prod"
    assert "/" not in slug(text) and slug(text) not in ("..", ".", "")
