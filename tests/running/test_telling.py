"""Events are told in order, once, and only when they are stored."""

from __future__ import annotations

import threading

import pytest
from fakes.ports import FakeCancel, FakeClock, FakeJournal

from lab.model.diagnostic import StateError
from lab.model.event import Event, StepForgotten, StepKept
from lab.running.telling import Telling


def stored(name: str) -> Event:
    return StepForgotten(run=1, time=0.0, address=name)


def passing(name: str) -> Event:
    return StepKept(run=1, time=0.0, address=name, cause="")


class Line:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.journal = FakeJournal()
        self.stop = FakeCancel(FakeClock())
        self.telling = Telling(self.hear, self.journal, self.stop)

    def hear(self, event: Event) -> None:
        self.told.append(event.address)  # type: ignore[union-attr]


def test_reaching_one_tells_all_before_it_and_none_after() -> None:
    line = Line()
    line.telling.enter(stored("a"))
    second = line.telling.enter(stored("b"))
    line.telling.enter(stored("c"))
    assert line.told == []
    line.telling.reach(second)
    assert line.told == ["a", "b"]
    line.telling.reach(second)
    assert line.told == ["a", "b"]
    line.telling.flush()
    assert line.told == ["a", "b", "c"]


def test_what_is_not_stored_waits_for_what_came_before_it() -> None:
    line = Line()
    line.telling.later(passing("first"))
    assert line.told == ["first"]
    line.telling.enter(stored("a"))
    line.telling.later(passing("kept"))
    assert line.told == ["first"]
    line.telling.flush()
    assert line.told == ["first", "a", "kept"]


def test_what_cannot_be_stored_is_not_told_but_what_was_is() -> None:
    line = Line()
    line.telling.enter(stored("a"))
    line.journal.fails_after = 1
    lost = line.telling.enter(stored("b"))
    with pytest.raises(StateError):
        line.telling.reach(lost)
    assert line.told == ["a"]
    line.journal.fails_after = None
    last = line.telling.enter(stored("c"))
    line.telling.reach(last)
    assert line.told == ["a", "c"]


def test_nobody_begins_after_an_end_that_could_not_be_stored() -> None:
    line = Line()
    line.journal.fails_after = 0
    line.telling.enter(stored("end"))
    with pytest.raises(StateError):
        line.journal.append(stored("another"))
    line.journal.fails_after = None
    begin = line.telling.enter(stored("begin"))
    with pytest.raises(StateError):
        line.telling.reach(begin)


def test_many_threads_tell_everything_once_and_in_order() -> None:
    line = Line()
    order: list[str] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        for count in range(50):
            name = f"{number}.{count}"
            with lock:
                order.append(name)
                entry = line.telling.enter(stored(name))
            line.telling.reach(entry)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert line.told == order


def test_a_reporter_that_fails_hears_no_more_and_stops_the_run() -> None:
    line = Line()
    line.telling(passing("a"))
    line.hear = None  # type: ignore[assignment,method-assign]
    line.telling = Telling(lambda event: 1 / 0, line.journal, line.stop)  # type: ignore[arg-type,return-value]
    line.telling(passing("b"))
    assert isinstance(line.telling.error, ZeroDivisionError)
    assert line.stop.is_set()
    line.telling.reach(line.telling.enter(stored("c")))
