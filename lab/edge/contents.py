"""Reads what a person names: a file or a shell's pipe, never waiting for a writer that does not come."""

from __future__ import annotations

import os


def contents(path: str, most: int) -> bytes:
    """The first *most* bytes. A pipe that nobody has opened for writing is empty.

    Raises:
        OSError: it is not there, or may not be read.
    """
    with open(path, "rb", opener=_at_once) as file:
        os.set_blocking(file.fileno(), True)
        return file.read(most)


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
