"""The last lines of a log, for whoever must know why something failed."""

from __future__ import annotations

import os

_MOST = 8192  # bytes


def last_lines(path: str, count: int) -> str:
    """At most *count* lines that are not empty, indented; nothing where there is no log."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"  {line[:200]}" for line in lines[-count:])
