"""A bug in lab: what is saved for its report, and what the user is told."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback

from lab import __version__
from lab.edge.secrets import hidden

EXIT_BUG = 70


def report(error: Exception, verb: str, words: list[str]) -> int:
    """Saves a report and says where it is; gives the exit code for a bug."""
    trace = hidden("".join(traceback.format_exception(error)))
    if os.environ.get("LAB_TRACEBACK"):
        print(trace, file=sys.stderr, end="")
    text = "\n".join(
        [
            f"lab {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"time: {time.strftime('%Y-%m-%d %H:%M:%S %z')}",
            f"command: lab {verb} ({len(words)} words)",
            "",
            trace,
        ]
    )
    print(
        f"lab: a bug in lab stopped it ({hidden(f'{type(error).__name__}: {error}')}).\n"
        "The state is as the last finished step left it; the same command goes on from there.\n"
        f"{_saved(text)}",
        file=sys.stderr,
    )
    return EXIT_BUG


def _saved(text: str) -> str:
    """Saves the report; gives the sentence that says where it is."""
    try:
        handle, path = tempfile.mkstemp(prefix="lab-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        return (
            f"Please report it with what follows; no file could be made of it ({error}).\n\n{text}"
        )
    return f"Please report it with this file: {path}"
