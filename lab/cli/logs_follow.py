"""Follows the logs of steps that run now, until all of them have ended."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from lab.cli.logs_find import newest_log
from lab.cli.logs_read import Printer, Tail
from lab.cli.named import the_steps
from lab.cli.recorded import NotYetError, Recorded
from lab.cli.standing import Holding, Standing, holding, standing
from lab.model.state import Record
from lab.report.words import duration

PAUSE = 0.1  # seconds between two looks at growing logs
LOOK = 0.5  # seconds between two looks at the state


class Follow:
    """Prints the newest logs of the steps that *word* picks. Mutable: steps start and end meanwhile."""

    def __init__(self, lab: Recorded, word: str, lines: int | None, printer: Printer) -> None:
        self._lab, self._word, self._lines = lab, word, lines
        self._tails: dict[str, Tail] = {}
        self._growing: set[str] = set()
        self._printer = printer
        self._held: Holding | None = None
        self._waits = False

    def go(self) -> None:
        """Returns when none of the steps runs any more.

        Raises:
            LabError: there is no such step, or it never ran and nothing runs that could start it.
        """
        while self._look():
            until = time.monotonic() + LOOK
            while time.monotonic() < until:
                for address in self._growing:
                    self._print(address)
                time.sleep(PAUSE)
        self._tell_ends()

    def _look(self) -> bool:
        """Takes the state as it is now; False when there is nothing more to wait for."""
        # The lock before the state: a step that ended in between is then seen to have ended.
        self._held = holding(self._lab.lab)
        self._lab = replace(self._lab, state=self._lab.lab.load())
        found = self._found()
        if found == [self._word]:
            self._printer.only = self._word
        for address in found:
            self._add(address)
        running = {address for address in found if self._stands(address) is Standing.RUNNING}
        for address in sorted(self._growing - running):
            self._print(address)  # a step ends after its log does, so that this is all of it
            self._printer.flush(address)
        self._growing &= running
        return bool(running) or (not found and self._held is not None)

    def _found(self) -> list[str]:
        """The steps that are followed now; none while a run goes on that has not started any yet."""
        try:
            return the_steps(self._lab, self._word)
        except NotYetError:
            if self._held is None:
                raise
        if not self._waits:
            self._waits = True
            _say(f"`{self._word}` has not started yet; waiting for it")
        return []

    def _add(self, address: str) -> None:
        record = self._lab.record(address)
        log = newest_log(record) if record is not None else None
        before = self._tails.get(address)
        if log is None or (before is not None and before.path == log.path):
            return
        self._tails[address] = Tail(log.path, self._lines if before is None else None)
        self._growing.add(address)

    def _print(self, address: str) -> None:
        try:
            for block in self._tails[address].blocks():
                self._printer.feed(address, block)
        except FileNotFoundError:
            return  # nothing was written yet

    def _stands(self, address: str) -> Standing:
        return standing(self._lab.record(address), self._held)

    def _tell_ends(self) -> None:
        for address in self._tails:
            record = self._lab.record(address)
            if record is not None:
                _say(_ended(record, self._stands(address)) + self._not_now(record))

    def _not_now(self, record: Record) -> str:
        """What to add where the log is an old one, and a run that may still come to the step goes on."""
        newest, run = record.tried or record.done, self._lab.state.run
        if self._held is None or newest is None or newest.run == run:
            return ""
        return f"; that was run {newest.run}, and run {run}, which goes on, has not started it"


def _ended(record: Record, about: Standing) -> str:
    """How a step ended, in a line."""
    if about is Standing.FAILED and record.tried is not None:
        return f"`{record.address}` failed: {record.tried.error.splitlines()[0]}"
    if about is Standing.DONE and record.done is not None:
        return f"`{record.address}` is done, after {duration(record.done.seconds)}"
    return f"`{record.address}` was interrupted"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
