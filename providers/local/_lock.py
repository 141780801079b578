"""The lock beside the Labfile: pinned versions with hashes, the same on every platform."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re

from lab.durable import sync_folder
from lab.model.address import slug
from lab.provider import Refused

from ._plain import read_text
from ._requirements import Requirements

_TITLE = "# Made by lab from a step's requirements. Commit it; delete it to resolve anew."
_MARK = "# requirements: "
_MERGE = re.compile(r"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)


def lock_path(given: str | None, address: str, root: str, *, gpu: bool) -> str:
    """Where a step's lock lies; machines with a GPU have their own, or they would quarrel.

    Raises:
        Refused: it would be lab's own lock.
    """
    name = given or f"{slug(address).replace('/', '.')}.lock"
    if gpu:
        stem, suffix = posixpath.splitext(name)
        name = f"{stem}.gpu{suffix}"
    path = posixpath.normpath(posixpath.join(root, name))
    if path == f"{root}/Labfile.lock":
        raise Refused("`Labfile.lock` is lab's own", "Give this step another `lock`.")
    return path


def fingerprint(found: Requirements, python: str) -> str:
    """What a lock is made from; not where packages are looked for, the hashes say what they are."""
    parts = [sorted(found.wanted), sorted(found.constraints), python]
    return "sha256:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def read_lock(path: str) -> str | None:
    """The lock's text, or None if there is none.

    Raises:
        Refused: it holds marks of a merge that nobody settled, or is no text.
    """
    try:
        text = read_text(path)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise Refused(f"`{path}` is no lock", "Delete it to resolve anew.") from None
    if _MERGE.search(text):
        raise Refused(
            f"`{path}` holds marks of a merge",
            "Take one side, or delete it to resolve anew.",
        )
    return text


def made_from(text: str, mark: str) -> bool:
    """Whether a lock was made from the requirements with this fingerprint."""
    return f"{_MARK}{mark}\n" in text


def headed(pins: str, mark: str) -> str:
    """A lock's text with its header."""
    return f"{_TITLE}\n{_MARK}{mark}\n{pins_of(pins)}\n"


def pins_of(text: str) -> str:
    """A lock without comments: what is installed."""
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


def lock_digest(text: str) -> str:
    """What a lock's content counts as; what it was made from does not matter to those after it."""
    return "lock:" + hashlib.sha256(pins_of(text).encode()).hexdigest()


def write_lock(path: str, text: str) -> None:
    """Puts the whole file there at once: it is seen old or new."""
    os.makedirs(posixpath.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(posixpath.dirname(path))
