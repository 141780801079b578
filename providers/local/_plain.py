"""Opens files that a program made: plain ones only, for a pipe would be waited for and a device never ends."""

from __future__ import annotations

import os
import stat
from typing import IO

from lab.provider import Refused

LONGEST = 16 << 20  # bytes of a text


def open_plain(path: str) -> IO[bytes]:
    """Opens a file for reading, at once.

    Raises:
        Refused: it is a folder, a pipe or a device, or may not be read.
        FileNotFoundError: it is not there.
    """
    if "\0" in path:
        raise Refused(f"{path!r} is no path", "A path holds no zero byte.")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Refused(f"{path} is no file", "It is a folder, a pipe or a device; lab reads files.")
    return open(handle, "rb")


def read_text(path: str) -> str:
    """A text that people or lab wrote.

    Raises:
        Refused: it is no file, or far longer than such a text.
        UnicodeDecodeError: it is not UTF-8.
        FileNotFoundError: it is not there.
    """
    data = read_plain(path, LONGEST + 1)
    if len(data) > LONGEST:
        raise Refused(f"{path} is longer than {LONGEST >> 20} MiB", "Is it the right file?")
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def read_plain(path: str, most: int) -> bytes:
    """The first *most* bytes of a file; the errors are those of :func:`open_plain`."""
    with open_plain(path) as file:
        return file.read(most)
