"""A crew does every job once, as many at a time as there are, and hides no error."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import pytest

from lab.running.crew import Crew


class Boss:
    """Jobs are numbers; each gives those in ``after`` once it has ended."""

    def __init__(
        self, first: Iterable[int], after: Mapping[int, Iterable[int]] | None = None
    ) -> None:
        self.first, self.after = list(first), {k: list(v) for k, v in (after or {}).items()}
        self.ended: list[int] = []
        self.settled: list[int] = []
        self.carried: list[tuple[int, int | None]] = []
        self.threads: set[int] = set()
        self.stopped = False
        self.deciding = 0
        self.together = threading.Barrier(1)

    def decide(self, ended: tuple[int, int] | None) -> Iterable[int]:
        self.deciding += 1
        assert self.deciding == 1, "two threads decide at a time"
        try:
            if ended is None:
                return self.first
            self.ended.append(ended[0])
            return [] if self.stopped else self.after.get(ended[0], [])
        finally:
            self.deciding -= 1

    def make(self, job: int, before: int | None) -> int:
        self.threads.add(threading.get_ident())
        self.carried.append((job, before))
        self.together.wait(5)
        return job

    def settle(self, before: int) -> None:
        self.settled.append(before)

    def stop(self) -> None:
        self.stopped = True


def test_nothing_to_do_is_over_at_once() -> None:
    Crew(Boss([])).go()


def test_a_chain_is_made_by_one_thread_which_settles_what_it_carries() -> None:
    boss = Boss([1], {1: [2], 2: [3]})
    Crew(boss).go()
    assert boss.ended == [1, 2, 3]
    assert len(boss.threads) == 1
    assert boss.carried == [(1, None), (2, 1), (3, 2)]
    assert boss.settled == [3]


def test_jobs_that_may_run_together_do() -> None:
    boss = Boss([1], {1: [2, 3, 4]})
    original = boss.make

    def make(job: int, before: int | None) -> int:
        if job == 2:
            boss.together = threading.Barrier(1)
        return original(job, before)

    together = threading.Barrier(3)
    boss.make = lambda job, before: make(job, before) if job == 1 else (together.wait(5), job)[1]  # type: ignore[method-assign]
    Crew(boss).go()
    assert sorted(boss.ended) == [1, 2, 3, 4]


def test_threads_are_used_again() -> None:
    layers = {k: [k + 2] for k in range(1, 200)}
    boss = Boss([1, 2], layers)
    Crew(boss).go()
    assert len(boss.ended) == 201
    assert len(boss.threads) <= 3


def test_it_is_over_only_when_the_last_end_is_settled() -> None:
    boss = Boss([1])
    slow = threading.Event()

    def settle(before: int) -> None:
        slow.wait(0.1)
        boss.settled.append(before)

    boss.settle = settle  # type: ignore[method-assign]
    Crew(boss).go()
    assert boss.settled == [1]


@pytest.mark.parametrize("where", ["make", "settle", "decide"])
def test_an_error_ends_all_once_what_runs_has_ended(where: str) -> None:
    boss = Boss([1, 2], {1: [3], 2: [4]})
    broken = threading.Event()

    def fail(*_: object) -> int:
        broken.set()
        raise RuntimeError("boom")

    def make(job: int, before: int | None) -> int:
        if job == 1 and where == "make":
            return fail()
        if job == 2:
            broken.wait(0.2)
        return job

    def decide(ended: tuple[int, int] | None) -> Iterable[int]:
        if ended is not None and ended[0] == 1:
            return fail()  # type: ignore[return-value]
        return Boss.decide(boss, ended)

    boss.make = make  # type: ignore[method-assign]
    if where == "decide":
        boss.decide = decide  # type: ignore[method-assign]
    if where == "settle":
        boss.settle = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(RuntimeError, match="boom"):
        Crew(boss).go()
    assert boss.stopped
    assert 2 in boss.ended


def test_the_first_error_is_the_one_that_is_raised() -> None:
    boss = Boss([1])

    def decide(ended: tuple[int, int] | None) -> Iterable[int]:
        if ended is None:
            return [1]
        raise ValueError("later")

    boss.decide = decide  # type: ignore[method-assign]
    boss.settle = lambda before: 1 / 0  # type: ignore[method-assign,return-value,assignment]
    with pytest.raises(ValueError, match="later"):
        Crew(boss).go()


def test_where_no_thread_can_be_had_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    with pytest.raises(RuntimeError, match="new thread"):
        Crew(Boss([1, 2])).go()


def test_where_no_more_threads_can_be_had_those_there_are_do_it_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, begun = threading.Thread.start, []

    def once(self: threading.Thread) -> None:
        if begun:
            raise RuntimeError("can't start new thread")
        begun.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", once)
    boss = Boss([1, 2, 3], {3: [4, 5]})
    Crew(boss).go()
    assert sorted(boss.ended) == [1, 2, 3, 4, 5]
