"""A parsed layer as text and back, for a cache on disk: many times faster than parsing."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any

from lab.model.document import Layer
from lab.model.tree import Json, Path
from lab.reading.parse_events import locate
from lab.reading.parse_scalars import resolve

_FORMAT = "lab-layer-1"


def to_json(layer: Layer) -> str:
    """Return a layer's tree and odd texts as one text, sealed against damage."""
    texts = [[list(path), text] for path, text in layer.texts.items()]
    body = json.dumps([layer.tree, texts], separators=(",", ":"), check_circular=False)
    return f"{_FORMAT} {_seal(layer.text, body)}\n{body}"


def from_json(name: str, text: str, cached: str) -> Layer | None:
    """Return the layer that *text* would parse to; None where *cached* is not made from it."""
    head, _, body = cached.partition("\n")
    if head != f"{_FORMAT} {_seal(text, body)}":
        return None
    try:
        tree, pairs = json.loads(body)
        texts = {tuple(path): odd for path, odd in pairs}
        for path, odd in texts.items():
            _respell(tree, path, odd)
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return Layer(name, text, tree, texts, partial(locate, name, text))


def _seal(text: str, body: str) -> str:
    """Return a check sum of both: a damaged or foreign entry must not pass for a Labfile."""
    seal = hashlib.sha256()
    for part in (text, body):
        data = part.encode("utf-8", "surrogatepass")
        seal.update(b"%d\n" % len(data))
        seal.update(data)
    return seal.hexdigest()


def _respell(tree: Any, path: Path, text: str) -> None:
    """Give a number its spelling back."""
    holder = tree
    for part in path[:-1]:
        holder = holder[part]
    value: Json = resolve(text)
    if not isinstance(value, (bool, str)) and value is not None:
        holder[path[-1]] = value
