"""A bug in lab: what is saved for its report, and what the user is told."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback

from lab import __version__

EXIT_BUG = 70


def report(error: Exception, verb: str, words: list[str]) -> int:
    """Saves a report and says where it is; gives the exit code for a bug."""
    if os.environ.get("LAB_TRACEBACK"):
        traceback.print_exception(error)
    text = "\n".join(
        [
            f"lab {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"time: {time.strftime('%Y-%m-%d %H:%M:%S %z')}",
            f"command: lab {verb} ({len(words)} words)",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    handle, path = tempfile.mkstemp(prefix="lab-crash-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    print(
        f"lab: a bug in lab stopped it ({type(error).__name__}: {error}).\n"
        "The state is as the last finished step left it; the same command goes on from there.\n"
        f"Please report it with this file: {path}",
        file=sys.stderr,
    )
    return EXIT_BUG
