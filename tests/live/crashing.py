"""lab as tests crash it: with ``LAB_CRASH_AT=point:n`` it dies as by SIGKILL when it passes the point the n-th time.

``python tests/crashing.py apply …`` is `lab apply …` otherwise. What it passes is noted in the file that
``LAB_CRASH_LOG`` names, one point a line. `lab` itself reads neither variable: it takes this program.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from lab.cli.main import main
from lab.crashpoint import POINTS, Point, listen


class Crash:
    """Counts how often each point is passed, in whichever thread, and kills at the wished one."""

    def __init__(self, at: str, log: str) -> None:
        self._point, _, count = at.partition(":")
        self._left = int(count or 1)
        if at and self._point not in POINTS:
            sys.exit(f"crashing.py: there is no point {self._point!r}")
        self._lock = threading.Lock()
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else -1

    def __call__(self, point: Point) -> None:
        with self._lock:
            if self._log >= 0:
                os.write(self._log, f"{point}\n".encode())
            if point == self._point:
                self._left -= 1
                if not self._left:
                    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    listen(Crash(os.environ.get("LAB_CRASH_AT", ""), os.environ.get("LAB_CRASH_LOG", "")))
    sys.exit(main())
