"""A virtual environment's folder: what it says of itself, and the mark of one that is whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress

from lab.provider import Refused

from ._plain import LONGEST, read_plain

MARK = ".lab-environment"  # written last: an environment without it was interrupted


def config_of(venv: str) -> dict[str, str]:
    try:
        with open(f"{venv}/pyvenv.cfg", encoding="utf-8") as file:
            pairs = (line.partition("=") for line in file)
            return {key.strip(): value.strip() for key, _, value in pairs}
    except FileNotFoundError:
        return {}


def hash_of(path: str) -> str:
    try:
        return hashlib.sha256(read_plain(path, LONGEST)).hexdigest()
    except (FileNotFoundError, Refused):
        return ""


def mark_of(venv: str) -> str | None:
    try:
        with open(f"{venv}/{MARK}", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write_lines(path: str, lines: Iterable[str]) -> None:
    # An index's address may hold a password: nobody else may read it.
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(number, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)
