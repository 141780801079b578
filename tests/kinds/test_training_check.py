"""Which strategies go with which replicas; what is not known yet is passed over."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from lab.kinds.shape import SpecFault, to_spec
from lab.kinds.training import Training
from lab.kinds.training_check import findings

GOOD: list[tuple[str, dict[str, Any] | None]] = [
    ("none", None),
    ("none", {"chief": 1, "worker": 2, "ps": 1}),  # what the program does with them is its own
    ("none", {"worker": 1, "evaluator": 1}),
    ("mirrored", None),
    ("mirrored", {"chief": 1, "evaluator": 1}),
    ("multi_worker", {"worker": 2}),
    ("multi_worker", {"chief": 1, "worker": 1, "evaluator": 1}),
    ("parameter_server", {"chief": 1, "worker": 1, "ps": 1, "evaluator": 1}),
]
BAD: list[tuple[str, dict[str, Any] | None, str]] = [
    ("none", {"chief": 2}, "one chief at most"),
    ("none", {"worker": 1, "evaluator": 2}, "one evaluator at most"),
    ("none", {"ps": 2}, "nobody would train"),
    ("none", {"evaluator": 1}, "nobody would train"),
    ("none", {}, "nobody would train"),
    ("mirrored", {"worker": 2}, "of one process"),
    ("mirrored", {"worker": 1, "ps": 1}, "no parameter servers"),
    ("multi_worker", None, "two processes"),
    ("multi_worker", {"worker": 1}, "two processes"),
    ("multi_worker", {"worker": 2, "ps": 1}, "no parameter servers"),
    ("parameter_server", None, "no chief and no worker and no ps"),
    ("parameter_server", {"chief": 1, "worker": 1}, "there is no ps"),
]


def tree(strategy: str, replicas: Any) -> dict[str, Any]:
    return {"command": ["x"], "strategy": strategy, "replicas": replicas}


@pytest.mark.parametrize(("strategy", "replicas"), GOOD)
def test_what_works_is_let_through(strategy: str, replicas: Any) -> None:
    assert to_spec(Training, tree(strategy, replicas)).strategy == strategy


@pytest.mark.parametrize(("strategy", "replicas", "said"), BAD)
def test_what_cannot_work_is_refused_also_when_it_is_known_only_late(
    strategy: str, replicas: Any, said: str
) -> None:
    with pytest.raises(SpecFault, match=said):
        to_spec(Training, tree(strategy, replicas))


def test_what_is_not_known_yet_is_passed_over() -> None:
    assert not list(findings(tree("multi_worker", {"worker": "{{ vars.workers }}"})))
    assert not list(findings(tree("{{ vars.strategy }}", {"worker": 1})))
    assert not list(findings(tree("multi_worker", "{{ vars.replicas }}")))


def test_every_number_ends_in_a_result_or_in_a_fault_with_its_place() -> None:
    numbers = itertools.product((0, 1, 2), repeat=4)
    strategies = ("none", "mirrored", "multi_worker", "parameter_server")
    for (chief, worker, ps, evaluator), strategy in itertools.product(numbers, strategies):
        replicas = {"chief": chief, "worker": worker, "ps": ps, "evaluator": evaluator}
        found = list(findings(tree(strategy, replicas)))
        assert {path[0] for path, _, _ in found} <= {"replicas", "strategy"}
        if not chief + worker:
            assert any("nobody would train" in said for _, said, _ in found)
