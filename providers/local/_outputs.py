"""The file that $LAB_OUTPUT names: lines ``name=value`` and JSON objects become outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from lab.model.address import is_name
from lab.model.layout import OUTPUT_FILE
from lab.model.scalar import scalar
from lab.provider import Json, Refused

from ._plain import read_plain

LARGEST = 4 * 1024 * 1024  # bytes; outputs are kept in the state, big things are artifacts
_HOW = (
    'Write lines `name=value` (name="3.10" for a text that looks like a number) or JSON objects'
    ' such as {"classes": [1, 2]}. A name begins with a letter or `_`; letters, digits, `_` and `-`'
    " follow."
)


@contextmanager
def output_file(directory: str) -> Iterator[str]:
    """A path in *directory* with nothing there, whatever an earlier attempt left; nor is there afterwards.

    The program makes the file if it has something to say; most have not. It goes however the
    attempt ends: nobody has looked yet whether it holds a secret, and it is no part of an artifact.
    """
    path = f"{directory}/{OUTPUT_FILE}"
    _remove(path)
    try:
        yield path
    finally:
        _remove(path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (IsADirectoryError, PermissionError):  # the latter on macOS
        import shutil  # it imports every way to compress

        shutil.rmtree(path)


def take_outputs(path: str) -> dict[str, Json]:
    """What the program wrote to *path*.

    Raises:
        Refused: it is no file, is too large, or a line is neither a value nor a JSON object.
    """
    try:
        data = read_plain(path, LARGEST + 1)
    except FileNotFoundError:
        return {}
    if len(data) > LARGEST:
        raise Refused(
            f"the outputs are larger than {LARGEST // 2**20} MiB",
            f"{path} is for values. Write big things to files and name these in `artifacts`.",
        )
    return parse_outputs(data, path)


def given_outputs(path: str) -> dict[str, Json]:
    """The values in a file that somebody else wrote, which stays as it is.

    Raises:
        Refused: it cannot be read, or holds something else.
    """
    try:
        with open(path, "rb") as file:
            return parse_outputs(file.read(), path)
    except OSError as error:
        raise Refused(
            f"{path} cannot be read: {error.strerror}",
            "It should hold the step's values as name=value lines; `-` says that there are none.",
        ) from None


def parse_outputs(data: bytes, path: str) -> dict[str, Json]:
    """The values in *data*; of two with one name the later counts.

    Raises:
        Refused: it names *path* and the line.
    """
    text = _decoded(data, path)
    values: dict[str, Json] = {}
    at, line = 0, 1
    while at < len(text):
        end = _line_end(text, at)
        first = text[at:end]
        if first.lstrip(" \t").startswith("{"):
            found, end = _object(text, at, path, line)
            values.update(found)
        elif first.strip():
            name, value = _pair(first, path, line)
            values[name] = value
        line += text.count("\n", at, end + 1)
        at = end + 1
    return values


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(path, data.count(b"\n", 0, error.start) + 1, "is not UTF-8")


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _pair(line: str, path: str, number: int) -> tuple[str, Json]:
    name, equals, rest = line.partition("=")
    name = name.strip()
    if not equals:
        _refuse(path, number, f"has no `=`: {line.strip()[:60]!r}")
    if not is_name(name):
        _refuse(path, number, f"begins with {name[:60]!r}, which cannot be a name")
    try:
        return name, scalar(rest)
    except ValueError as error:
        _refuse(path, number, f"gives `{name}` a value that cannot be read: {error}")


def _object(text: str, at: int, path: str, number: int) -> tuple[dict[str, Json], int]:
    """The JSON object that begins in the line at *at*, and the end of the line in which it ends."""
    start = text.index("{", at)
    try:
        found, stop = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        told = "it is nested too deeply"
        if isinstance(error, json.JSONDecodeError):
            told = f"{error.msg}, in line {error.lineno}"
        _refuse(path, number, f"begins a JSON object that cannot be read: {told}")
    end = _line_end(text, stop)
    if text[stop:end].strip():
        _refuse(path, number + text.count("\n", at, stop), "has something after its JSON object")
    for name in found:
        if not is_name(name):
            _refuse(path, number, f"has the key {name[:60]!r}, which cannot be a name")
    return found, end


def _refuse(path: str, line: int, what: str) -> NoReturn:
    where = f"The program wrote that to $LAB_OUTPUT ({path}), which is removed when it has ended."
    raise Refused(f"line {line} of the outputs {what}", f"{_HOW} {where}")
