"""Plain JSON trees: their types, canonical bytes, digests and paths."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from lab.model.regex import regex

if TYPE_CHECKING:
    from typing_extensions import Self

Json: TypeAlias = (
    "bool | int | float | str | list[Json] | dict[str, Json] | Mapping[str, Json] | None"
)
Path: TypeAlias = "tuple[str | int, ...]"

_PLAIN_KEY = regex(r"[A-Za-z_][A-Za-z0-9_/-]*")


class TextInt(int):
    """An integer whose source text is not its canonical one, such as 0x1F or 007."""

    text: str

    def __new__(cls, value: int, text: str) -> Self:
        self = super().__new__(cls, value)
        self.text = text
        return self

    def __getnewargs__(self) -> tuple[int, str]:  # type: ignore[override]
        return int(self), self.text


class TextFloat(float):
    """A float whose source text is not its canonical one, such as 3.10 or 1e-4."""

    text: str

    def __new__(cls, value: float, text: str) -> Self:
        self = super().__new__(cls, value)
        self.text = text
        return self

    def __getnewargs__(self) -> tuple[float, str]:  # type: ignore[override]
        return float(self), self.text


def text_of(value: Json) -> str:
    """Return a scalar's source text: its own for odd numbers, else its canonical text."""
    match value:
        case str():
            return value
        case TextInt() | TextFloat():
            return value.text
        case float() if not math.isfinite(value):
            return _nonfinite(value)
        case _:
            return canonical(value).decode("utf-8", "surrogatepass")


def _nonfinite(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    return ".inf" if value > 0 else "-.inf"


def _plain(value: object) -> dict[object, object]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


_encode = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,
    default=_plain,
).encode


def canonical(value: Json) -> bytes:
    """Return the one spelling of a tree: sorted keys, compact, UTF-8; nan and inf as strings."""
    try:
        text = _encode(value)
    except ValueError:
        text = _encode(_finite(value))
    return text.encode("utf-8", "surrogatepass")


def _finite(value: Json) -> Json:
    match value:
        case float() if not math.isfinite(value):
            return _nonfinite(value)
        case list():
            return [_finite(each) for each in value]
        case Mapping():
            return {key: _finite(each) for key, each in value.items()}
        case _:
            return value


def digest(value: Json) -> str:
    """Return "sha256:…" of the canonical bytes."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def format_path(path: Path) -> str:
    """Return steps.train.command[2]; keys that are not plain words are quoted."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            out += f".{part}" if out else part
        else:
            out += f"[{part!r}]"
    return out
