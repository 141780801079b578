"""Standard input, output and error where they are not what they should be: closed, full, or read no more."""

from __future__ import annotations

import codecs
import contextlib
import errno
import json
import os
import select
import sys
from collections.abc import Iterator
from io import TextIOWrapper

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_LEGIBLE = "lab.legible"
_SIGNS = {
    **dict(
        zip(
            "▶✓✗■↻·│━╌●○▸×─←├┤┼┴╰╯±⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏▁▂▃▄▅▆▇█",
            ">+x#~.|=-*o>x-<++++++~**********_..-=+*#",
            strict=True,
        )
    ),
    "→": "->",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
}


def fill() -> None:
    """Opens the null device for those that are closed: else the next file that is opened would take their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def make_legible(stream: TextIOWrapper) -> None:
    """Lets *stream*, whose encoding is not UTF-8, show signs by others like them; the rest as JSON would."""
    codecs.register_error(_LEGIBLE, _instead)
    stream.reconfigure(errors=_LEGIBLE)


def _instead(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_SIGNS.get(char) or json.dumps(char)[1:-1] for char in text), error.end


def fails(error: OSError) -> bool:
    """Whether *error* came of printing: the reader has gone, or there is no room for what is printed."""
    if not isinstance(error, BrokenPipeError):
        return error.filename is None and error.errno in _NO_ROOM
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLERR)
    return any(happened & select.POLLERR for _, happened in poll.poll(0))


@contextlib.contextmanager
def heard_or_not() -> Iterator[None]:
    """While it lasts, output that cannot be written is told once and is no reason to stop or to fail."""
    try:
        yield
    except OSError as error:
        mute()
        note(f"lab: its output cannot be written ({error.strerror}); it goes on without")


def mute() -> None:
    """Lets standard output go nowhere: its reader has gone, or its disk is full."""
    with contextlib.suppress(OSError):
        handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(handle, sys.stdout.fileno())
        os.close(handle)


def note(text: str) -> None:
    """Says *text* on standard error, if anybody hears it."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
