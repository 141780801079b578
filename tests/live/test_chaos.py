"""A little of `make chaos`, and that it sees what it is there to see."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from lab.model.layout import state_path
from tests.chaos_life import Life, lives, one_life
from tests.chaos_model import Model, Plot

pytestmark = pytest.mark.live


def test_random_labs_survive_random_kills() -> None:
    seen, again = lives(kills=24, seed=20261123)
    assert not seen.faults, f"{seen.faults}\n{again}"
    assert (seen.kills, seen.recoveries) == (24, 24)
    assert seen.begun > seen.ended > 0


def test_a_seed_draws_the_same_life_again() -> None:
    assert one_life(7, 3).model == one_life(7, 3).model
    assert one_life(7, 3).model != one_life(7, 4).model
    assert one_life(7, 3).rng.random() == one_life(7, 3).rng.random()


@pytest.fixture
def life() -> Life:
    made = Life(random.Random(1))
    made.model = Model(
        {"a": Plot(salt=1, seconds=0.0, artifact=True), "b": Plot(2, 0.0, uses=("a",))}
    )
    made._write()
    assert not made._apply(None, "")
    assert not made.count.faults
    assert set(made.reported) == {"a", "b"}
    return made


def test_it_sees_a_step_that_is_done_again(life: Life) -> None:
    Path(state_path(str(life.root))).unlink()  # lab forgets all that it reported
    life._apply(None, "")
    assert [fault.split(",")[0] for fault in sorted(life.count.repeated)] == ["a", "b"]


def test_it_sees_what_is_lost(life: Life) -> None:
    life._lab("state", "rm", "b", "--yes")
    artifact = life._artifacts()["a"]
    Path(artifact).write_text("something else")
    life._journal()
    assert sorted(life.count.losses) == [
        f"a: {artifact} is not what was recorded",
        "b: its record is gone",
    ]


def test_it_sees_a_plan_that_would_repeat_what_was_reported(life: Life) -> None:
    Path(life._artifacts()["a"]).unlink()
    life._planned()
    assert [fault.split(":")[0] for fault in life.count.repairs] == ["planned again"] * len(
        life.count.repairs
    )
    assert life.count.repairs


def test_it_sees_two_of_a_step_at_once_and_a_step_that_ends_twice(life: Life) -> None:
    with open(life.ledger / "ledger", "a") as file:
        file.write("overlap 2 a v\ndone 2 b v\ndone 2 b v\n")
    life._witnessed([])
    assert life.count.overlaps == ["overlap 2 a v"]
    assert life.count.repeated == ["('2', 'b') ended twice"]


def test_what_the_model_says_of_edits_is_what_lab_says(life: Life) -> None:
    """Order, and what to do about failures, do not count; salts do, for all that is below."""
    before = {name: life.model.identity(name) for name in "ab"}
    life.model.plots["b"] = Plot(2, 0.0, uses=("a",), after=())
    assert {name: life.model.identity(name) for name in "ab"} == before
    life.model.plots["a"] = Plot(3, 0.0, artifact=True)
    assert all(life.model.identity(name) != before[name] for name in "ab")
    life._write()
    plan = json.loads(life._lab("plan", "--json").stdout)
    assert {each["step"]: each["action"] for each in plan["actions"]} == {
        "a": "update",
        "b": "unknown",
    }
