"""The values that flow between steps: artifacts, unknowns and secrets, and how state stores them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from lab.model.frozen import dataclass

Json: TypeAlias = (
    "bool | int | float | str | list[Json] | dict[str, Json] | Mapping[str, Json] | None"
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or folder that a step made: it renders as its path and counts as its content.

    ``path`` is absolute. ``digest`` is ``sha256:`` and the hash of the content (for a folder, of the
    sorted relative paths, their hashes and executable bits); lab then checks the bytes. A provider may give
    any other word (``lock:…`` for an interpreter whose lock is what counts); then lab checks that the path
    exists. ``size`` is in bytes.
    """

    path: str
    digest: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is not known before the steps in *after* have run."""

    after: tuple[str, ...]

    def __str__(self) -> str:
        return f"(known after {', '.join(self.after)})"


@dataclass(frozen=True, slots=True)
class Absent:
    """No value at all: the side of a change where a key did not exist."""


ABSENT = Absent()

Value: TypeAlias = "Json | Artifact | list[Value] | dict[str, Value] | Mapping[str, Value]"


# A call for each leaf would be most of the time that storing and loading take.
_INERT = (int, float, type(None))
_LEAVES = (str, *_INERT)


def pack(value: object, root: str) -> Json:
    """*value* as JSON in which nothing depends on where the checkout lies.

    Strings that are paths below *root* become ``{"$root": relative}``, those that hold such paths
    ``{"$around": pieces}``, artifacts ``{"$artifact": …}``.
    """
    match value:
        case str():
            return _packed(value, root) if root in value else value
        case None | bool() | int() | float():
            return value
        case Artifact(path=path, digest=digest, size=size):
            return {"$artifact": [pack(path, root), digest, size]}
        case list() | tuple():
            return [pack(v, root) for v in value]
        case dict() | Mapping():
            packed: dict[str, Json] = {
                str(k): v if isinstance(v, _INERT) else pack(v, root) for k, v in value.items()
            }
            return {"$map": packed} if "$" in {k[:1] for k in packed} else packed
        case _:
            raise TypeError(f"not a value: {type(value).__name__}")


@lru_cache(maxsize=8)
def _whole(root: str) -> re.Pattern[str]:
    """Finds *root* where a path begins with it: not in `/labor`, and not in `/backup/lab`."""
    return re.compile(r"(?<![\w.-])" + re.escape(root) + r"(?![\w.-])")


def _packed(text: str, root: str) -> Json:
    rest = text[len(root) + 1 :]
    if rest and text.startswith(f"{root}/") and root not in rest:
        return {"$root": rest}  # by far the most, and soon found
    pieces: list[Json] = list(_whole(root).split(text))
    match pieces:
        case [_]:
            return text
        case ["", ""]:
            return {"$root": ""}
        # a lone slash behind the root would be lost: `{"$root": ""}` is the root without it
        case ["", str(rest)] if rest[0] == "/" and len(rest) > 1:
            return {"$root": rest[1:]}
        case _:
            return {"$around": pieces}


def unpack(value: Json, root: str) -> Value:
    """The inverse of :func:`pack`, for a checkout that lies at *root* now."""
    match value:
        case dict():
            return _unpacked(value, root)
        case list():
            return [unpack(v, root) for v in value]
        case _:
            return value


def _unpacked(value: dict[str, Json], root: str) -> Value:
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if tag == "$root" and isinstance(inner, str):
            return f"{root}/{inner}" if inner else root
        if tag == "$around" and isinstance(inner, list):
            return root.join(str(piece) for piece in inner)
        if tag == "$artifact" and isinstance(inner, list):
            return _artifact(inner, root)
        if tag == "$map" and isinstance(inner, dict):
            value = inner
    return {k: v if isinstance(v, _LEAVES) else unpack(v, root) for k, v in value.items()}


def _artifact(parts: list[Json], root: str) -> Value:
    match parts:
        case [path, str(digest), int(size)]:
            return Artifact(str(unpack(path, root)), digest, size)
        case _:
            return {"$artifact": [unpack(part, root) for part in parts]}


def artifacts_in(value: object) -> list[Artifact]:
    """Every artifact inside *value*, in order."""
    match value:
        case Artifact():
            return [value]
        case Mapping():
            return [a for v in value.values() for a in artifacts_in(v)]
        case list() | tuple():
            return [a for v in value for a in artifacts_in(v)]
        case _:
            return []


def rendered(value: object) -> Json:
    """*value* as people and templates see it: artifacts are their paths."""
    match value:
        case Artifact(path=path):
            return path
        case Mapping():
            return {str(k): rendered(v) for k, v in value.items()}
        case list() | tuple():
            return [rendered(v) for v in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"not a value: {type(value).__name__}")


@lru_cache(maxsize=8)
def _below(root: str) -> re.Pattern[str]:
    """Finds *root* where it is a whole path or begins one: not `/lab` in `/labor`."""
    return re.compile(re.escape(root) + r"(?![\w.-])")


def identified(value: object, root: str) -> Json:
    """*value* as it counts in identity: artifacts are their content, the checkout's place is a mark."""
    match value:
        case Artifact(digest=digest):
            return f"<artifact {digest}>"
        case str():
            return _below(root).sub("<lab.root>", value) if root in value else value
        case Mapping():
            return {str(k): identified(v, root) for k, v in value.items()}
        case list() | tuple():
            return [identified(v, root) for v in value]
        case None | bool() | int() | float():
            return value
        case _:
            raise TypeError(f"not a value: {type(value).__name__}")
