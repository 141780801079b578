"""Tells people: plain lines, as in CI and in pipes; `live` adds the lines that move."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from lab.model.diagnostic import printable
from lab.model.event import Event, RunStarted, StepKept, StepProgress, StepStarted
from lab.report.lines import happened, progress_text
from lab.report.words import paint

EVERY = 10.0  # seconds between two progress lines of one step


class Console:
    """A reporter that prints a line when something starts or ends, and now and then how far it is."""

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool,
        wide: int = 12,
        quiet: bool = False,
        kept: bool = True,
        skip: Callable[[Event], bool] = lambda event: False,
    ) -> None:
        self._stream, self._colour, self._wide = stream, colour, wide
        self._quiet, self._kept, self._skip = quiet, kept, skip
        self._last: dict[str, float] = {}

    def tell(self, event: Event) -> None:
        if self._quiet or self._skip(event):
            return
        text = self._text(event)
        if text is not None:
            self._stream.write(text + "\n")  # at one stroke; `print` makes two writes of it
            self._stream.flush()

    def _text(self, event: Event) -> str | None:
        match event:
            case RunStarted():
                return None
            case StepKept() if not self._kept:
                return None
            case StepStarted(address=address, verb=verb, cause=cause, time=time):
                self._last[address] = time
                sign = {"destroy": "-"}.get(verb, "▶")
                name = paint(f"{address:<{self._wide}}", "bold", self._colour)
                return f"{paint(sign, 'cyan', self._colour)} {name} {'':>7}  {printable(cause)}"
            case StepProgress(line=line, address=address) if line:
                return f"{paint(address + ' │', 'dim', self._colour)} {printable(line)}"
            case StepProgress(address=address, time=time):
                if time - self._last.get(address, 0.0) < EVERY:
                    return None
                self._last[address] = time
                about = progress_text(event.text, event.fraction, event.metrics)
                return f"  {address:<{self._wide}} {'':>7}  {about}" if about else None
            case _:
                return happened(event, self._wide, colour=self._colour)
