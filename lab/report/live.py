"""Tells people on a terminal: what ended scrolls up, what runs and waits moves at the bottom."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from types import TracebackType

from rich.console import Console as RichConsole
from rich.console import Group
from rich.live import Live as RichLive
from rich.text import Text

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
from lab.report.words import duration

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MOST_WAITING = 4  # lines


@dataclass(slots=True)
class Going:
    """A step that runs now. Mutable: its text follows its progress."""

    since: float
    text: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    fraction: float | None = None


class Live:
    """A reporter for a terminal; a context manager, because the moving part must be taken away at the end."""

    def __init__(self, waits: Mapping[str, Sequence[str]], *, wide: int, kept: bool = True) -> None:
        self._waits = {address: list(needs) for address, needs in waits.items()}
        self._going: dict[str, Going] = {}
        self._wide, self._kept = wide, kept
        self._console = RichConsole(file=sys.stdout, highlight=False, soft_wrap=False)
        self._live = RichLive(
            console=self._console,
            get_renderable=self._moving,
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
                self._print(f"\x1b[2m{event.address} │\x1b[0m {line}")
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
        text = happened(event, self._wide, colour=True)
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

    def _moving(self) -> Group:
        now = time.monotonic()
        frame = SPINNER[int(now * 8) % len(SPINNER)]
        room = max(1, self._console.height - 3)
        rows = [
            self._row(frame, address, going, now) for address, going in list(self._going.items())
        ]
        return Group(*(rows + self._waiting())[:room])

    def _row(self, frame: str, address: str, going: Going, now: float) -> Text:
        about = progress_text(going.text, going.fraction, going.metrics)
        row = Text(no_wrap=True, overflow="ellipsis")
        row.append(f"{frame} ", "cyan")
        row.append(f"{address:<{self._wide}} ", "bold")
        row.append(f"{duration(now - going.since):>7}  ", "dim")
        if going.fraction is not None:
            row.append(_bar(going.fraction), "cyan")
            row.append("  ")
        row.append(about)
        return row

    def _blockers(self, needs: Sequence[str]) -> list[str]:
        """Those of *needs* that have not ended, without those that another one of them waits for."""
        open_needs = [need for need in needs if need in self._going or need in self._waits]
        implied = {each for need in open_needs for each in self._waits.get(need, ())}
        return [need for need in open_needs if need not in implied]

    def _waiting(self) -> list[Text]:
        """Steps that wait, each with those that it waits for by name."""
        rows = []
        for address, needs in list(self._waits.items()):
            for_what = self._blockers(needs)
            about = f"waits for {', '.join(for_what[:3])}" if for_what else "waits for a free place"
            rows.append(
                Text(
                    f"  {address:<{self._wide}} {'':>7}  {about}",
                    "dim",
                    no_wrap=True,
                    overflow="ellipsis",
                )
            )
        more = len(rows) - MOST_WAITING
        if more > 1:
            rows = [*rows[:MOST_WAITING], Text(f"  … and {more} more wait", "dim")]
        return rows


def _bar(fraction: float, width: int = 16) -> str:
    full = round(min(1.0, max(0.0, fraction)) * width)
    return "━" * full + "╌" * (width - full)
