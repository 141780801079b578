"""What the terminal can show: colours, width, whether anyone is looking."""

from __future__ import annotations

import os
import sys
from typing import TextIO

_never = False  # set once by --no-color, before anything is printed


def no_colour() -> None:
    """Switches colours off for this process (`--no-color`)."""
    global _never  # noqa: PLW0603 - one switch, set by the command line alone
    _never = True


def colourful(stream: TextIO) -> bool:
    """Whether to paint on *stream*: a terminal that wants it (NO_COLOR, TERM=dumb and CI pipes do not)."""
    if _never or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width(stream: TextIO) -> int | None:
    """How many columns *stream* has; None where nothing is cut off, as in files and pipes."""
    import shutil  # not needed where nobody looks

    return shutil.get_terminal_size().columns if stream.isatty() else None


def interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
