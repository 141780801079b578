"""The part that moves on a terminal: what runs, what waits and for what, within the room there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from rich.text import Text

from lab.model.event import StepFinished, StepProgress, StepStarted
from lab.model.state import Done
from lab.report.live import Live

Screen = Callable[..., Live]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Makes a live reporter for a terminal of some size; it is never drawn by itself."""

    def made(
        waits: Mapping[str, Sequence[str]], size: tuple[int, int] = (100, 30), **more: object
    ) -> Live:
        monkeypatch.setenv("COLUMNS", str(size[0]))
        monkeypatch.setenv("LINES", str(size[1]))
        return Live(waits, longest=max(map(len, waits), default=8), **more)

    return made


def _lines(live: Live) -> list[str]:
    return [row.plain.rstrip() for row in live.moving().renderables if isinstance(row, Text)]


def _started(address: str) -> StepStarted:
    return StepStarted(
        run=1,
        time=0.0,
        address=address,
        kind="command",
        target="local",
        verb="create",
        cause="never ran",
        digest="d",
    )


def _finished(address: str) -> StepFinished:
    done = Done(run=1, digest="d", identity={}, finished=1.0)
    return StepFinished(run=1, time=1.0, address=address, done=done)


def test_a_waiting_step_names_what_it_waits_for(screen: Screen) -> None:
    live = screen({"a": [], "b": ["a"], "c": ["a", "b"]})
    live.tell(_started("a"))
    assert _lines(live)[1:] == [
        "  b          waits for a",
        "  c          waits for b",
    ]
    live.tell(_finished("a"))
    assert _lines(live)[0] == "  b          waits for a free place"


def test_a_mutex_names_who_has_it(screen: Screen) -> None:
    live = screen({"a": [], "b": []}, alone={"a": ["b"], "b": ["a"]})
    live.tell(_started("a"))
    assert _lines(live)[1] == "  b          waits for a"


def test_many_blockers_are_counted(screen: Screen) -> None:
    live = screen({**{f"s{i}": [] for i in range(5)}, "z": [f"s{i}" for i in range(5)]})
    for i in range(5):
        live.tell(_started(f"s{i}"))
    assert _lines(live)[-1].endswith("waits for s0, s1, s2 and 2 more")


def test_names_leave_room_for_what_happens(screen: Screen) -> None:
    """Instances of one step differ at their end, so it is the middle that gives way."""
    name = "preprocess-the-large-corpus-for-everyone"
    live = screen({f"{name}[lr=0.1]": [], f"{name}[lr=0.2]": []}, size=(60, 20))
    for instance in ("lr=0.1", "lr=0.2"):
        live.tell(_started(f"{name}[{instance}]"))
    live.tell(
        StepProgress(
            run=1, time=1.0, address=f"{name}[lr=0.1]", text="epoch 7/15", metrics={"val_loss": 0.5}
        )
    )
    first, second = _lines(live)
    assert "[lr=0.1] " in first and "[lr=0.2] " in second
    assert first.endswith("epoch 7/15 val_loss=0.5")
    assert len(first) <= 60


def test_more_than_fits_is_counted(screen: Screen) -> None:
    live = screen({f"s{i}": [] for i in range(30)}, size=(80, 12))
    for i in range(30):
        live.tell(_started(f"s{i}"))
    lines = _lines(live)
    assert len(lines) <= 11
    assert lines[-1] == "  … and 22 more run"


def test_stopping_is_said_where_the_lines_move(screen: Screen) -> None:
    wish: list[bool] = []
    live = screen({"a": []}, stopping=lambda: bool(wish))
    live.tell(_started("a"))
    assert len(_lines(live)) == 1
    wish.append(True)
    assert "stopping" in _lines(live)[-1]
