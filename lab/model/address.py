"""Addresses name steps and instances: ``train``, ``train[lr=0.1,units=64]``, ``kubeflow/install``, ``sweep[#7]``."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable
from functools import lru_cache

from lab.model.regex import regex

NAME = regex(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_SAFE = regex(r"[A-Za-z0-9._,=+#-]{1,80}\Z")
_ONE = regex(r"[^/\0.][^/\0]{0,199}\Z")
_MAGIC = regex(r"[\[\]]")


def is_name(text: str) -> bool:
    """Whether *text* may name a step, a variable, a target or an output."""
    return NAME.match(text) is not None


def instance(name: str, key: str) -> str:
    """The address of one matrix instance: ``instance("train", "lr=0.1")`` is ``train[lr=0.1]``."""
    return f"{name}[{key}]" if key else name


def child(parent: str, key: str) -> str:
    """The address of a child step: ``child("sweep", "7")`` is ``sweep[#7]``."""
    return f"{parent}[#{key}]"


def owner(address: str) -> str:
    """The step that a child step belongs to; any other step is its own."""
    place = address.rfind("[#")
    return address[:place] if place > 0 and address.endswith("]") else address


def child_key(address: str) -> str:
    """What a child step is called among its siblings: ``7``; empty for other steps."""
    return address[len(owner(address)) + 2 : -1]


def broods(addresses: Iterable[str]) -> dict[str, list[str]]:
    """The child steps among *addresses* by the step that they belong to, where that is among them too."""
    known = list(addresses)
    there = set(known)
    found: dict[str, list[str]] = {}
    for address in known:
        whose = owner(address)
        if whose != address and whose in there:
            found.setdefault(whose, []).append(address)
    return found


def split(address: str) -> tuple[str, str]:
    """An address as its step's name and its instance key, which is empty for a plain step."""
    if address.endswith("]") and "[" in address:
        name, _, key = address.partition("[")
        return name, key[:-1]
    return address, ""


def file_name(text: str) -> str:
    """*text*, or a short hash of it where it could name something else than one file: ``..``, ``a/b``."""
    if _ONE.match(text):
        return text
    return "h-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@lru_cache(maxsize=1 << 14)
def slug(address: str) -> str:
    """A file name for *address*: the same on every platform, another one for every other address.

    ``kubeflow/install`` is ``kubeflow.install`` and ``train[lr=0.1]`` is ``train@lr=0.1``: no
    address's folder lies in another's, so that one can be removed alone. A key that is not safe as
    a file name is replaced by a short hash of itself.
    """
    name, key = split(address)
    flat = file_name(name.replace("/", "."))
    if not key:
        return flat
    if not _SAFE.match(key):
        key = "h-" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{flat}@{key}"


def matches(address: str, pattern: str) -> bool:
    """Whether a selector picks *address*; only ``*`` and ``?`` are special, brackets stand for themselves.

    A pattern without an instance key picks every instance of the steps that it names.
    """
    escaped = _MAGIC.sub(lambda m: "[[]" if m.group() == "[" else "[]]", pattern)
    if fnmatch.fnmatchcase(address, escaped):
        return True
    return "[" not in pattern and fnmatch.fnmatchcase(split(address)[0], escaped)
