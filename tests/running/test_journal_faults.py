"""Faults where the journal is written, and a clock that goes backwards: at each operation, of each sort.

The journal is the real one. Its storage fails at the n-th transaction: before anything is written, before the
commit, or after it, when the commit is stored and says that it is not; once, or from then on.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.lab import Lab
from fakes.ports import ROOT, FakeClock

from lab.edge.journal import Journal, LabState
from lab.edge.journal_errors import explained
from lab.edge.journal_file import StateFile, reach
from lab.model.codec import is_journaled
from lab.model.diagnostic import StateError
from lab.model.event import Event, StepDestroyed, StepFinished
from lab.model.state import Record
from lab.provider import Io, Retry, Task

pytestmark = pytest.mark.live  # dozens of runs with a real journal

FIRST = """
steps:
  a: {kind: job, value: 1, artifacts: {m: "{{ step.dir }}/m"}}
  flaky: {kind: job, needs: a, retries: {attempts: 2, backoff: 1s}}
  net: {kind: service, region: eu}
  old: {kind: service, region: us}
  c: {kind: job, value: "{{ steps.a.outputs.value }}", needs: net}
"""
SECOND = FIRST.replace("value: 1,", "value: 2,").replace("  old: {kind: service, region: us}\n", "")
SAYS = {
    "disk I/O error": "cannot be used",
    "database or disk is full": "no space is left",
    "attempt to write a readonly database": "cannot be written",
}
FAULTS = [
    ("disk I/O error", "begin"),
    ("disk I/O error", "commit"),
    ("disk I/O error", "answer"),
    ("database or disk is full", "commit"),
    ("attempt to write a readonly database", "begin"),
]


class Failing(StateFile):
    """A state file whose n-th transaction that writes fails with *text*."""

    def __init__(self, path: str, text: str, when: str, left: int, *, once: bool) -> None:
        super().__init__(path)
        self.text, self.when, self.left, self.once = text, when, left, once

    @contextlib.contextmanager
    def write(self, lab: int | None = None, *, durable: bool = True) -> Iterator[Any]:
        self.left -= 1
        fails = self.left == 0 or (self.left < 0 and not self.once)
        with explained(self.path):
            if fails and self.when == "begin":
                raise sqlite3.OperationalError(self.text)
            with super().write(lab, durable=durable) as db:
                yield db
                if fails and self.when == "commit":
                    raise sqlite3.OperationalError(self.text)
            if fails:
                raise sqlite3.OperationalError(self.text)


class Kept:
    """The real journal behind a lab of fakes."""

    def __init__(self, path: Path, open_it: Callable[[str], StateFile] | None = None) -> None:
        def reached(place: str, create: bool) -> StateFile | None:
            return open_it(place) if open_it else reach(place, create)

        self.journal = Journal(str(path), ROOT, reached)
        self.state: LabState = self.journal.open("t", create=open_it is None)
        self.append, self.enter = self.state.append, self.state.enter

    @property
    def records(self) -> dict[str, Record]:
        return dict(self.state.load().records)

    def events(self) -> list[Event]:
        return self.state.events()


def on(lab: Lab, path: Path, open_it: Callable[[str], StateFile] | None = None) -> Lab:
    """The same lab and world after lab's end, with the journal at *path* as it is now."""
    other = lab.restarted()
    other.journal = Kept(path, open_it)  # type: ignore[assignment]
    tries = itertools.count()

    def flaky(task: Task[Any], io: Io) -> dict[str, Any]:
        io.remember({"at": 1})
        if next(tries) == 0:
            raise Retry("once more")
        return {"value": 0}

    other.toy.on["flaky"] = flaky
    return other


def made(path: Path, texts: list[str]) -> Lab:
    """A lab to which each text but the last was applied."""
    lab = on(Lab(texts[0]), path)
    for text in texts[:-1]:
        lab.text = text
        lab.apply()
    lab.text = texts[-1]
    return lab


@pytest.mark.parametrize("texts", [[FIRST], [FIRST, SECOND]], ids=["first", "second"])
@pytest.mark.parametrize("once", [True, False], ids=["once", "for good"])
@pytest.mark.parametrize(("text", "when"), FAULTS)
def test_a_fault_at_each_write_tells_no_lie_and_needs_no_repair(
    text: str, when: str, once: bool, texts: list[str], tmp_path: Path
) -> None:
    for n in itertools.count(1):
        path = tmp_path / str(n) / "state.db"
        path.parent.mkdir()
        lab = made(path, texts)
        failing = on(lab, path, lambda place, n=n: Failing(place, text, when, n, once=once))  # type: ignore[misc]
        try:
            failing.apply()
        except StateError as error:
            assert SAYS[text] in str(error)
        else:
            break  # there is no n-th write
        converges(failing, path)
    assert n > 5


def converges(failed: Lab, path: Path) -> None:
    """What was told is stored; the next run makes the rest, and nothing of it again."""
    again = on(failed, path)
    stored = again.journal.events()
    told = [event for event in failed.told if is_journaled(event)]
    assert [event for event in told if event not in stored] == []
    done = set(failed.happened(StepFinished))
    gone = set(failed.happened(StepDestroyed))
    again.apply()
    assert not done & set(again.toy.ran), "reported, and made again"
    assert not gone & set(again.toy.destroyed), "reported, and destroyed again"
    assert settled(again)
    assert again.journal.state.check() == []  # type: ignore[attr-defined]


def settled(lab: Lab) -> bool:
    return set(lab.verbs().values()) <= {"keep"}


@pytest.mark.parametrize("back", [5.0, 1e6], ids=["a little", "to before the lab was made"])
def test_a_clock_that_goes_back_at_any_moment_changes_nothing(back: float, tmp_path: Path) -> None:
    for n in itertools.count(1):
        path = tmp_path / str(n) / "state.db"
        path.parent.mkdir()
        lab = on(Lab(FIRST), path)
        clock = Backwards(n, back)
        lab.clock = clock
        assert lab.apply().outcome == "done"
        finished = [event for event in lab.told if isinstance(event, StepFinished)]
        assert all(event.done.seconds >= 0 for event in finished)
        assert settled(lab)
        again = on(lab, path)  # whose clock goes as it should
        assert again.journal.state.check() == []  # type: ignore[attr-defined]
        assert settled(again)
        again.apply()
        assert again.toy.ran == []
        if clock.looks < n:
            break
    assert n > 5


class Backwards(FakeClock):
    """A wall clock that somebody sets back when it is looked at for the n-th time."""

    def __init__(self, n: int, back: float) -> None:
        super().__init__()
        self.n, self.back, self.looks = n, back, 0

    def now(self) -> float:
        self.looks += 1
        return super().now() - (self.back if self.looks >= self.n else 0.0)
