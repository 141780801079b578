"""The ``dataset`` kind on this machine: fetched once, checked, kept in a store, linked into the lab."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping

from lab.crashpoint import passing
from lab.durable import sync_file, sync_tree
from lab.kinds.dataset import Dataset as Spec
from lab.model.frozen import dataclass
from lab.provider import (
    Artifact,
    Change,
    Io,
    Json,
    Observation,
    Record,
    Refused,
    Retry,
    Task,
    Value,
    leave_in_place,
)

from ._address import local_path, name_of
from ._fetch import fetch, forget, shown
from ._store import (
    hash_of,
    held,
    is_sound,
    keep,
    part_file,
    place,
    remove,
    require_room,
    stored_file,
    stored_folder,
)
from ._unpack import folder_name, unpack

__all__ = ["Spec", "adopt", "apply", "destroy", "observe"]

destroy = leave_in_place  # the link in the lab is an artifact; `lab gc` clears the store


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes that were found right: where they are, their hash, and what the server calls them."""

    path: str
    sha256: str
    etag: str = ""


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Fetches what is not there yet, checks it, and places it in the lab."""
    spec = task.spec
    wanted = spec.sha256.lower() if spec.sha256 else None
    store = io.shared("store")
    there = _destination(task)
    ours = task.memory if isinstance(task.memory, Mapping) else {}
    source = local_path(spec.url, task.root)
    if there == source:
        raise Refused(
            "`path` is where the data comes from",
            "Leave `path` out: the output `path` names the data, wherever it lies.",
        )
    placed = posixpath.relpath(there, task.root)
    mine = ours.get("placed") == placed or there.startswith(f"{task.directory}/")
    if ours.get("placed") != placed:
        io.remember({**ours, "placed": placed})
    data = _fetched(spec.url, wanted, store, ours, io) if source is None else _found(source, io)
    _require_hash(data, wanted, spec.url)
    shown_at = _unpacked(data, store, name_of(spec.url), io) if spec.unpack else data.path
    _require_free(there, shown_at, io, mine=mine)
    place(shown_at, there, io)
    io.remember({"placed": placed, **_memory(data, spec.url, source)})
    if wanted is None:
        paste = f"to pin the data, paste this line into the step:\n    sha256: {data.sha256}"
        io.note(paste, tell=True)
    artifact = io.artifact(there)
    return {"path": artifact, "sha256": data.sha256, "size": os.path.getsize(data.path)}


def adopt(task: Task[Spec], id: str, io: Io) -> Mapping[str, Value]:
    """Takes the file *id*, where it lies, for the data, if its bytes are those that the step names."""
    spec, root = task.spec, task.root
    there = posixpath.normpath(posixpath.join(root, id))
    if spec.unpack:
        raise Refused(
            "data that is unpacked cannot be imported",
            "What came out of an archive does not say which archive it was.",
        )
    if spec.path is not None and there != _destination(task):
        raise Refused(
            f"`path` says that the data lies at {_destination(task)}",
            f"Move it there and import that, or write `path: {id}`.",
        )
    data = _found(there, io)
    source = local_path(spec.url, root)
    wanted = spec.sha256.lower() if spec.sha256 else hash_of(source, io) if source else None
    if wanted is None:
        raise Refused(
            "nothing says which data this is to be",
            f"Write what it is into the step, if it is right: `sha256: {data.sha256}`.",
        )
    if data.sha256 != wanted:
        raise Refused(
            f"{id} is not the data that the step names",
            f"wanted {wanted}\ngot    {data.sha256}",
        )
    if there == source:
        raise Refused(
            "this is where the data comes from",
            "Destroying the step would delete it. Let `lab apply` link it instead: it costs nothing.",
        )
    io.remember({"placed": posixpath.relpath(there, root), **_memory(data, spec.url, source)})
    return {"path": io.artifact(there), "sha256": data.sha256, "size": os.path.getsize(there)}


def observe(record: Record, io: Io) -> Observation | None:
    """Whether the data is there in its size, and a local source is still what it was."""
    outputs = record.done.outputs if record.done else {}
    path = outputs.get("path")
    if not isinstance(path, Artifact) or not os.path.exists(path.path):
        return None
    memory = record.memory if isinstance(record.memory, Mapping) else {}
    drift: list[Change] = []
    if os.path.isfile(path.path) and os.path.getsize(path.path) != path.size:
        drift.append(Change("size", path.size, os.path.getsize(path.path)))
    source = memory.get("source")
    if isinstance(source, str) and os.path.isfile(source) and _stamp(source) != memory.get("stamp"):
        before, now = outputs.get("sha256"), hash_of(source, io)
        if now != before:
            drift.append(Change("sha256", str(before), now))
    return Observation(drift=tuple(drift))


# --- where the data comes from ----------------------------------------------------------------


def _found(source: str, io: Io) -> Data:
    if os.path.isdir(source):
        raise Refused(
            f"{source} is a folder",
            "A dataset is one file, or an archive with `unpack: true`. A folder of the lab needs no"
            " step: name it in the `inputs` of those that use it.",
        )
    if not os.path.isfile(source):
        raise Refused(f"there is no {source}", "A path is relative to the Labfile's folder.")
    io.progress("checking")
    return Data(source, hash_of(source, io))


def _fetched(url: str, wanted: str | None, store: str, ours: Mapping[str, Json], io: Io) -> Data:
    """The data in the store, downloaded if it is not there or may have changed."""
    part = part_file(store, url, wanted)
    before, etag = ours.get("sha256"), ours.get("etag")
    known = wanted or (before if ours.get("url") == shown(url) else None)
    with held(part, io):
        stored = stored_file(store, known) if isinstance(known, str) else ""
        sound = bool(stored) and is_sound(stored, str(known), io)
        if not sound:
            return _downloaded(url, part, wanted, store, io)
        if wanted:
            return Data(stored, wanted)
        try:
            return _downloaded(url, part, None, store, io, etag=str(etag or ""))
        except Unchanged:
            return Data(stored, str(known), str(etag))
        except Retry as error:
            io.note(f"{error.summary}; going on with the data as it was fetched before")
            return Data(stored, str(known), str(etag or ""))


class Unchanged(Exception):
    """The server says that what was fetched before still holds."""


def _downloaded(
    url: str, part: str, wanted: str | None, store: str, io: Io, *, etag: str = ""
) -> Data:
    """Downloads into the store. What went on from an older part and came out wrong is fetched anew."""
    passing("download.before")
    resumed = os.path.exists(part)
    came = fetch(url, part, io, blind=wanted is not None, etag=etag)
    if not came.changed:
        raise Unchanged
    sha256 = hash_of(part, io)
    if wanted not in (None, sha256) and resumed:
        forget(part)
        came = fetch(url, part, io, blind=True)
        sha256 = hash_of(part, io)
    if wanted not in (None, sha256):
        forget(part)
        _require_hash(Data(part, sha256), wanted, url)
    passing("download.whole")
    remove(f"{part}.json")
    stored = stored_file(store, sha256)
    keep(part, stored)
    return Data(stored, sha256, came.etag)


def _require_hash(data: Data, wanted: str | None, url: str) -> None:
    if wanted is None or data.sha256 == wanted:
        return
    raise Refused(
        f"{shown(url)} is not the data that `sha256` names",
        f"wanted {wanted}\ngot    {data.sha256}\nIf the data was changed on purpose, write"
        f" `sha256: {data.sha256}`; else something is wrong with where it comes from.",
    )


# --- where it goes ----------------------------------------------------------------------------


def _destination(task: Task[Spec]) -> str:
    if task.spec.path is not None:
        return posixpath.normpath(posixpath.join(task.root, task.spec.path))
    name = name_of(task.spec.url)
    return f"{task.directory}/{folder_name(name) if task.spec.unpack else name}"


def _unpacked(data: Data, store: str, name: str, io: Io) -> str:
    """The store's folder with what the archive holds; made anew if it is not as it was made."""
    folder = stored_folder(store, data.sha256)
    note = f"{folder}.sum"
    with held(folder, io):
        if os.path.isdir(folder) and _read(note) == io.artifact(folder).digest:
            return folder
        for path in (folder, f"{folder}.part", note):
            remove(path)
        require_room(os.path.dirname(folder), os.path.getsize(data.path))
        try:
            unpack(data.path, f"{folder}.part", name, io)
            passing("unpack.whole")
            sync_tree(f"{folder}.part")
            os.replace(f"{folder}.part", folder)
            passing("unpack.renamed")
        finally:
            remove(f"{folder}.part")
        with open(note, "w", encoding="utf-8") as file:
            file.write(io.artifact(folder).digest)
        sync_file(note)
        passing("unpack.noted")
    return folder


def _require_free(there: str, source: str, io: Io, *, mine: bool) -> None:
    """Refuses to overwrite what somebody else put at ``path``; the very same data may lie there."""
    if mine or not os.path.lexists(there):
        return
    if os.path.exists(there) and io.artifact(there).digest == io.artifact(source).digest:
        return
    raise Refused(
        f"something else is at {there}",
        "The step would overwrite it. Move it away, or choose another `path`.",
    )


def _memory(data: Data, url: str, source: str | None) -> dict[str, Json]:
    if source is None:
        return {"url": shown(url), "sha256": data.sha256, "etag": data.etag}
    return {"source": source, "stamp": _stamp(source)}


def _stamp(path: str) -> list[Json]:
    about = os.stat(path)
    return [about.st_size, about.st_mtime_ns]


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
