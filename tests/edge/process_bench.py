"""What the tests of child processes share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from lab.edge import warden_tree
from lab.edge.process import Cancel, Exit, Processes, end_marked

PATIENCE = 30.0
_numbers = count(1)


def wait_for(condition: Callable[[], Any], what: str = "the condition") -> Any:
    """Waits until the condition gives something true, and gives that."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come about in {PATIENCE:g} s")


def alive(pid: int) -> bool:
    row = warden_tree.row(pid)
    return row is not None and not row.ended


def dead(*pids: int) -> bool:
    return not any(alive(pid) for pid in pids)


def number_in(path: Path) -> int:
    """The process number that somebody writes into a file, as soon as it is there."""

    def look() -> int:
        with suppress(OSError, ValueError):
            text = path.read_text()
            return int(text) if text.endswith("\n") else 0
        return 0

    return int(wait_for(look, f"a number in {path.name}"))


def new_mark() -> str:
    return f"labtest-{os.getpid()}-{next(_numbers)}"


class Bench:
    """Processes with defaults that suit a test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, new_mark()
        self.processes = Processes(mark=self.mark, ambient=os.environ)
        self.cancel = Cancel()

    def run(self, *argv: str, **options: Any) -> Exit:
        options = {
            "cwd": str(self.folder),
            "env": {"PATH": os.environ["PATH"]},
            "log": None,
            "cancelled": self.cancel,
            "grace": 5.0,
            **options,
        }
        return self.processes.run(argv, **options)

    def sh(self, text: str, **options: Any) -> Exit:
        return self.run("sh", "-c", text, **options)

    def said(self, text: str, **options: Any) -> str:
        return self.sh(text, capture=True, **options).output.decode()

    def warden(self) -> int:
        self.processes.warm()
        return self.processes._links[False].warden


@contextmanager
def a_bench(folder: Path) -> Iterator[Bench]:
    bench = Bench(folder)
    try:
        yield bench
    finally:
        bench.processes.close()
        left = end_marked(bench.mark, 0.0)
        assert not left
