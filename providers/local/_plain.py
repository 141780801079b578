"""Opens files that a program made: plain ones only, for a pipe would be waited for and a device never ends."""

from __future__ import annotations

import os
import stat
from typing import IO

from lab.provider import Refused


def open_plain(path: str) -> IO[bytes]:
    """Opens a file for reading, at once.

    Raises:
        Refused: it is a folder, a pipe or a device.
        OSError: it is not there, or may not be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Refused(f"{path} is no file", "It is a folder, a pipe or a device; lab reads files.")
    return open(handle, "rb")


def read_plain(path: str, most: int) -> bytes:
    """The first *most* bytes of a file; the errors are those of :func:`open_plain`."""
    with open_plain(path) as file:
        return file.read(most)
