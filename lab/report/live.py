"""Tells people on a terminal: what ended scrolls up, what runs and waits moves at the bottom."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from types import TracebackType

from rich.console import Console as RichConsole
from rich.console import Group
from rich.live import Live as RichLive
from rich.text import Text

from lab.model.diagnostic import printable
from lab.model.event import (
    Event,
    StepFailed,
    StepFinished,
    StepKept,
    StepProgress,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from lab.model.frozen import dataclass
from lab.report.lines import happened, progress_text
from lab.report.words import duration, shortened

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MOST_WAITING = 4  # lines
NARROWEST_NAME = 20  # columns
BESIDE_NAME = 50  # columns that a moving line has for the rest, where there is room
BESIDE_ENDED = 20  # columns that the line of an ended step takes besides its name
STOPPING = "stopping the running steps (Ctrl-C again: at once)"


@dataclass(slots=True)
class Going:
    """A step that runs now. Mutable: its text follows its progress."""

    since: float
    text: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    fraction: float | None = None


class Live:
    """A reporter for a terminal; a context manager, because the moving part must be taken away at the end.

    ``waits`` has what each step to come needs, ``alone`` the steps that may not run beside it.
    """

    def __init__(
        self,
        waits: Mapping[str, Sequence[str]],
        *,
        longest: int,
        kept: bool = True,
        alone: Mapping[str, Sequence[str]] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._waits = {address: list(needs) for address, needs in waits.items()}
        self._alone = alone or {}
        self._going: dict[str, Going] = {}
        self._longest, self._kept, self._stopping = longest, kept, stopping
        self._console = RichConsole(file=sys.stdout, highlight=False, soft_wrap=False)
        self._live = RichLive(
            _Moving(self),
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Live:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def tell(self, event: Event) -> None:
        match event:
            case StepStarted(address=address):
                self._waits.pop(address, None)
                self._going[address] = Going(time.monotonic(), event.cause)
            case StepProgress(line=line) if line:
                name = shortened(event.address, self._wide)
                self._print(f"\x1b[2m{printable(name)} │\x1b[0m {line}")
            case StepProgress(address=address):
                self._follow(event, self._going.get(address))
            case StepKept(address=address) | StepSkipped(address=address):
                self._waits.pop(address, None)
            case StepFinished(address=address) | StepFailed(address=address):
                self._going.pop(address, None)
            case StepRetried(address=address):
                if address in self._going:
                    self._going[address].text = f"waits to try again: {event.error}"
            case _:
                pass
        if isinstance(event, StepKept) and not self._kept:
            return
        room = max(self._wide, self._console.width - BESIDE_ENDED)
        text = happened(event, self._wide, colour=True, room=room)
        if text is not None:
            self._print(text)

    def _follow(self, event: StepProgress, going: Going | None) -> None:
        if going is None:
            return
        going.text = event.text or going.text
        going.fraction = event.fraction
        going.metrics.update(event.metrics)

    def _print(self, text: str) -> None:
        self._console.print(Text.from_ansi(text), soft_wrap=True)

    @property
    def _wide(self) -> int:
        """How many columns a name has in a line that moves."""
        return min(self._longest, max(NARROWEST_NAME, self._console.width - BESIDE_NAME))

    def moving(self) -> Group:
        """What runs and what waits at this moment, as many lines as there is room for."""
        now = time.monotonic()
        frame = SPINNER[int(now * 8) % len(SPINNER)]
        room = max(2, self._console.height - 3)
        going = list(self._going.items())
        fit = going if len(going) <= room else going[: room - 1]
        rows = [self._row(frame, address, each, now) for address, each in fit]
        if len(fit) < len(going):
            rows.append(Text(f"  … and {len(going) - len(fit)} more run", "dim"))
        rows += self._waiting()
        if self._stopping():
            rows = [*rows[: room - 1], _line(STOPPING, "yellow")]
        return Group(*rows[:room])

    def _row(self, frame: str, address: str, going: Going, now: float) -> Text:
        about = progress_text(going.text, going.fraction, going.metrics)
        row = _line("", "")
        row.append(f"{frame} ", "cyan")
        row.append(f"{self._name(address)} ", "bold")
        row.append(f"{duration(now - going.since):>7}  ", "dim")
        if going.fraction is not None:
            row.append(_bar(going.fraction), "cyan")
            row.append("  ")
        row.append(about)
        return row

    def _name(self, address: str) -> str:
        wide = self._wide
        return f"{printable(shortened(address, wide)):<{wide}}"

    def _blockers(self, needs: Sequence[str]) -> list[str]:
        """Those of *needs* that have not ended, without those that another one of them waits for."""
        open_needs = [need for need in needs if need in self._going or need in self._waits]
        implied = {each for need in open_needs for each in self._waits.get(need, ())}
        return [need for need in open_needs if need not in implied]

    def _waiting(self) -> list[Text]:
        """Steps that wait, each with those that it waits for by name."""
        waits = list(self._waits.items())
        more = len(waits) - MOST_WAITING
        rows = [
            _line(f"  {self._name(address)} {'':>7}  waits for {self._what(address, needs)}", "dim")
            for address, needs in (waits[:MOST_WAITING] if more > 1 else waits)
        ]
        return rows if more <= 1 else [*rows, Text(f"  … and {more} more wait", "dim")]

    def _what(self, address: str, needs: Sequence[str]) -> str:
        """For what a step waits: steps that it needs, steps that it may not run beside, or a place."""
        names = self._blockers(needs)
        if not names:
            names = [each for each in self._alone.get(address, ()) if each in self._going]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return (", ".join(names[:3]) + more) or "a free place"


class _Moving:
    """What rich draws: made anew whenever it is drawn, so that it never shows what was."""

    def __init__(self, live: Live) -> None:
        self._of = live

    def __rich__(self) -> Group:
        return self._of.moving()


def _line(text: str, style: str) -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _bar(fraction: float, width: int = 16) -> str:
    full = round(min(1.0, max(0.0, fraction)) * width)
    return "━" * full + "╌" * (width - full)
