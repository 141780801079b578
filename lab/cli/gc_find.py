"""What lies in a lab's own folder and nothing refers to any more; only looks."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping

from lab.edge.store import Stored
from lab.model.address import slug
from lab.model.frozen import dataclass
from lab.model.layout import FOLDER, lab_key, work_dir
from lab.model.state import Record
from lab.model.values import Artifact

STEPS = "folders of steps that nothing is remembered of"
LOGS = "logs of old runs"
LABS = "folders of labs that the state does not know"
PARSED = "parsed Labfiles"
PARSED_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """A file or folder that may go, or what is ``stored`` for all labs.

    ``size`` is what that frees: a file with other links frees nothing.
    """

    path: str
    what: str
    size: int
    stored: Stored | None = None


def in_lab(
    root: str,
    name: str,
    overlay: str,
    *,
    records: Mapping[str, Record],
    labs: Collection[str],
    keep_runs: int,
    cache: str,
) -> Iterator[Garbage]:
    """What the lab (*name*, *overlay*) in *root* does not need.

    Args:
        records: all that is remembered of its steps.
        labs: the folder names of all labs that the state knows.
        keep_runs: the logs of so many newest runs stay, and those that a record names.
        cache: the folder of this user's caches.
    """
    work, used = work_dir(root, name, overlay), set(_paths_in(records))
    kept = {slug(address) for address in records}
    for entry in _entries(f"{work}/steps"):
        if entry.name not in kept and not _refers(used, entry.path):
            yield _garbage(entry.path, STEPS)
    for path in _old_logs(f"{work}/logs", used, keep_runs):
        yield _garbage(path, LOGS)
    for entry in _entries(f"{root}/{FOLDER}/work"):
        if entry.name not in {*labs, lab_key(name, overlay)} and not _refers(used, entry.path):
            yield _garbage(entry.path, LABS)
    before = time.time() - PARSED_DAYS * 86400
    for entry in _entries(f"{cache}/parse"):
        if entry.stat(follow_symlinks=False).st_mtime < before:
            yield _garbage(entry.path, PARSED)


def size_of(path: str) -> int:
    """The bytes that deleting *path* frees."""
    if os.path.islink(path) or not os.path.isdir(path):
        return _freed(path)
    return sum(
        _freed(os.path.join(where, name)) for where, _, names in os.walk(path) for name in names
    )


def _freed(path: str) -> int:
    try:
        status = os.lstat(path)
    except OSError:
        return 0
    return status.st_size if status.st_nlink == 1 else 0


def _garbage(path: str, what: str) -> Garbage:
    return Garbage(path=path, what=what, size=size_of(path))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def _old_logs(folder: str, used: Collection[str], keep_runs: int) -> Iterator[str]:
    runs = [entry.path for entry in _entries(folder) if entry.name.isdigit()]
    runs.sort(key=lambda path: int(os.path.basename(path)))
    for path in runs[: max(0, len(runs) - keep_runs)]:
        if not _refers(used, path):
            yield path
            continue
        for where, _, names in os.walk(path):
            files = (os.path.join(where, name) for name in sorted(names))
            yield from (file for file in files if not _belongs(file, used))


def _belongs(file: str, used: Collection[str]) -> bool:
    """Whether a record's log, its curve, or what is known of the run that wrote it."""
    curve = file.removesuffix(".curve.jsonl") + ".log"
    return file in used or curve in used or os.path.basename(file) == "run.json"


def _refers(used: Collection[str], path: str) -> bool:
    """Whether anything that is remembered names *path* or what lies in it."""
    return any(each == path or each.startswith(f"{path}/") for each in used)


def _paths_in(records: Mapping[str, Record]) -> Iterator[str]:
    """Every absolute path that records name: a record that was moved still means its old folder."""
    for record in records.values():
        yield from _texts(record.memory)
        if record.done is not None:
            yield record.done.log
            yield from _texts(record.done.outputs)
        if record.tried is not None:
            yield record.tried.log


def _texts(value: object) -> Iterator[str]:
    match value:
        case Artifact(path=path):
            yield path
        case str() if value.startswith("/"):
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)
        case _:
            return
