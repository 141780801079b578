"""Lab's own `dataclass` must be what the standard one is, but for when its methods are made."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from typing import Any

import pytest

from lab.model import frozen


@frozen.dataclass(frozen=True, slots=True)
class Ours:
    a: int
    b: list[int] = dataclasses.field(default_factory=list)
    made: str = "x"


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    a: int
    b: list[int] = dataclasses.field(default_factory=list)
    made: str = "x"


@frozen.dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    first: int = 1
    second: int  # without a default after one that has one: only names allow it
    hidden: int = dataclasses.field(default=0, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.second < 0:
            raise ValueError("negative")


@frozen.dataclass(slots=True)
class Mutable:
    names: list[str] = dataclasses.field(default_factory=list)
    count: int = 0


@frozen.dataclass(frozen=True, slots=True, eq=False)
class Single:
    number: float


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((1,), {}),
        ((1, [2]), {}),
        ((1, [2], "y"), {}),
        ((), {"a": 1, "made": "z"}),
        ((1,), {"b": []}),
    ],
)
def test_it_is_made_and_shown_as_the_standard_one(
    arguments: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = Ours(*arguments, **named), Theirs(*arguments, **named)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert repr(ours).replace("Ours", "Theirs") == repr(theirs)
    assert (ours == Ours(*arguments, **named)) is (theirs == Theirs(*arguments, **named)) is True
    assert ours != theirs
    assert ours != Ours(7)


@pytest.mark.parametrize("arguments", [(), (1, [], "x", 4)])
def test_wrong_arguments_are_refused_from_the_first_value_on(arguments: tuple[Any, ...]) -> None:
    @frozen.dataclass(frozen=True, slots=True)
    class Fresh:
        a: int
        b: int = 0
        c: int = 0

    for _ in range(2):
        with pytest.raises(TypeError):
            Fresh(*arguments)
    assert Fresh(1).c == 0


def test_defaults_are_made_anew_for_each_value() -> None:
    assert Ours(1).b is not Ours(1).b
    assert Mutable().names is not Mutable().names


def test_frozen_values_refuse_changes() -> None:
    value = Ours(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.a = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.a
    assert value.a == 1


def test_mutable_values_change_and_have_no_hash() -> None:
    value = Mutable()
    value.count += 1
    assert value == Mutable(count=1)
    with pytest.raises(TypeError):
        hash(value)


def test_hashes_agree_with_equality() -> None:
    assert len({Named(second=2), Named(second=2, hidden=9), Named(second=3)}) == 2
    one = Single(1.0)
    assert one != Single(1.0)
    assert len({one, Single(1.0)}) == 2


def test_a_number_that_is_none_equals_itself_as_in_a_tuple() -> None:
    @frozen.dataclass(frozen=True, slots=True)
    class One:
        number: float

    assert One(math.nan) == One(math.nan)


def test_names_alone_post_init_and_hidden_fields() -> None:
    assert repr(Named(second=2)) == "Named(first=1, second=2)"
    with pytest.raises(TypeError):
        Named(1, 2)  # type: ignore[misc]
    with pytest.raises(ValueError, match="negative"):
        Named(second=-1)


def test_the_tools_for_dataclasses_work() -> None:
    assert dataclasses.is_dataclass(Ours)
    assert [f.name for f in dataclasses.fields(Ours)] == ["a", "b", "made"]
    assert dataclasses.replace(Ours(1), a=2) == Ours(2)
    assert Ours.__dataclass_params__.frozen  # type: ignore[attr-defined]
    match Ours(3, [4]):
        case Ours(a, [b], made=made):
            assert (a, b, made) == (3, 4, "x")
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("value", [Ours(1, [2]), Named(second=5), Mutable(["x"], 2)])
def test_copies_equal_what_they_copy(value: Any) -> None:
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value


def test_a_value_that_holds_itself_can_be_shown() -> None:
    value = Mutable()
    value.names.append(value)  # type: ignore[arg-type]
    assert "..." in repr(value)


def test_own_methods_stay() -> None:
    @frozen.dataclass(frozen=True, slots=True)
    class Own:
        a: int

        def __repr__(self) -> str:
            return "own"

    assert repr(Own(1)) == "own"


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot extend"):

        @frozen.dataclass(frozen=True, slots=True)
        class Child(Ours):
            pass

    with pytest.raises(TypeError, match="slots"):

        @frozen.dataclass(frozen=True)
        class Loose:
            a: int
