"""The lab's files: their content hashes, found by a cache that never trusts what may have changed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence

from lab.edge.globbing import TooMany, glob
from lab.edge.hash_cache import HashCache, Stamp, settles_in, stamp_of
from lab.edge.hashing import (
    Entry,
    entries,
    file_digest,
    folder_digest,
    hash_file,
    hash_handle,
    is_executable,
    link_digest,
    open_plain,
)
from lab.model.diagnostic import Diagnostic, PlanError
from lab.model.layout import FOLDER
from lab.model.values import Artifact

__all__ = ["Files", "hash_file"]

_TEXT_LIMIT = 4 * 1024 * 1024  # bytes; what is longer is data, not text that people wrote
_WORTH_WAITING = 32 * 1024 * 1024  # hashing so many bytes again takes longer than a clock's tick
_LONGEST_WAIT = 200_000_000  # nanoseconds
_WORTH_A_THREAD = 512 * 1024
_THREADS = 8
_GONE = (FileNotFoundError, NotADirectoryError, ValueError)


class Files:
    """Implements ports.Files for the lab in the folder *root*.

    Every method raises PlanError for what is there and may not be read.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._cache = HashCache(os.path.join(root, FOLDER, "cache", "hashes.db"))

    def __enter__(self) -> Files:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stores the hashes that were made, for the next time."""
        self._cache.close()

    def exists(self, path: str) -> bool:
        return self._status(self._full(path)) is not None

    def is_dir(self, path: str) -> bool:
        status = self._status(self._full(path))
        return status is not None and stat.S_ISDIR(status.st_mode)

    def is_file(self, path: str) -> bool:
        status = self._status(self._full(path))
        return status is not None and not stat.S_ISDIR(status.st_mode)

    def read_text(self, path: str) -> str | None:
        try:
            handle, _ = open_plain(self._full(path))
        except (OSError, ValueError):
            return None
        with open(handle, "rb") as file:
            content = file.read(_TEXT_LIMIT + 1)
        if len(content) > _TEXT_LIMIT or b"\0" in content:
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def digest(self, path: str) -> str | None:
        found = self.artifact(path)
        return found.digest if found else None

    def artifact(self, path: str) -> Artifact | None:
        full = self._full(path)
        status = self._status(full)
        if status is None:
            return None
        try:
            if stat.S_ISDIR(status.st_mode):
                digest, size = self._folder(full)
                return Artifact(full, digest, size)
            if stat.S_ISREG(status.st_mode):
                content = self._content(full, status)
                executable = is_executable(status)
                return Artifact(full, file_digest(content, executable=executable), status.st_size)
        except _GONE:
            return None
        except OSError as error:
            raise _unreadable(error, full) from error
        return None  # a pipe or a device has no content of its own

    def glob(self, pattern: str) -> Sequence[str]:
        inside = os.path.relpath(pattern, self._root) if pattern.startswith("/") else pattern
        if inside == ".." or inside.startswith("../"):
            raise PlanError(
                Diagnostic(
                    summary=f"the pattern {pattern} leads out of the lab's folder",
                    detail=f"Patterns find files below {self._root} only.",
                    help="Name a file or a folder outside without `*`, or move it into the lab.",
                )
            )
        try:
            return glob(self._root, inside)
        except TooMany:
            raise PlanError(
                Diagnostic(
                    summary=f"the pattern {pattern} follows links in circles",
                    detail="It leads through more than ten thousand folders that are links.",
                    help="Use `**`, which follows no links, or name the folders.",
                )
            ) from None

    def _full(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._root, path))

    def _key(self, full: str) -> str:
        # Relative, so that what is known survives moving the checkout.
        prefix = self._root + "/"
        return full[len(prefix) :] if full.startswith(prefix) else full

    def _status(self, full: str) -> os.stat_result | None:
        try:
            return os.stat(full)
        except (OSError, ValueError):
            return None

    def _content(self, full: str, status: os.stat_result) -> str:
        known = self._cache.get(self._key(full), stamp_of(status))
        return known or self._hashed(full)

    def _hashed(self, full: str) -> str:
        """Hashes a file anew, and again if it changed meanwhile."""
        hashed = ""
        for _ in range(3):
            handle, status = open_plain(full)
            try:
                before, settled = self._settled(handle, stamp_of(status))
                hashed = hash_handle(handle)
                after = stamp_of(os.fstat(handle))
            finally:
                os.close(handle)
            if before == after:
                if settled:
                    self._cache.put(self._key(full), before, hashed)
                break
        return hashed  # of a file that never stands still, the newest there is

    def _settled(self, handle: int, stamp: Stamp) -> tuple[Stamp, bool]:
        """A file's stamp, and whether its hash will be good for as long as the stamp stays."""
        wait = settles_in(stamp, self._cache.file_clock())
        if 0 < wait <= _LONGEST_WAIT and stamp[0] >= _WORTH_WAITING:
            time.sleep(wait / 1e9)
            stamp = stamp_of(os.fstat(handle))
            wait = settles_in(stamp, self._cache.file_clock())
        return stamp, wait <= 0

    def _folder(self, folder: str) -> tuple[str, int]:
        found = list(entries(folder))
        if len(found) > 16:
            self._cache.fetch(self._key(folder) + "/")
        contents: dict[str, str] = {}
        new: list[Entry] = []
        for each in found:
            digest = self._known(each)
            if digest is None:
                new.append(each)
            else:
                contents[each.relative] = digest
        for each, hashed in zip(new, self._hash_all(new), strict=True):
            if hashed is not None:
                executable = is_executable(each.status)
                contents[each.relative] = file_digest(hashed, executable=executable)
        return folder_digest(contents), sum(each.status.st_size for each in found)

    def _known(self, entry: Entry) -> str | None:
        if entry.is_link:
            target = os.readlink(entry.path)
            prefix = self._root + "/"
            inside = target.startswith(prefix)
            return link_digest("<lab.root>/" + target[len(prefix) :] if inside else target)
        known = self._cache.get(self._key(entry.path), stamp_of(entry.status))
        return file_digest(known, executable=is_executable(entry.status)) if known else None

    def _hash_all(self, new: list[Entry]) -> list[str | None]:
        # Small files are over before another thread has begun.
        big = [each for each in new if each.status.st_size >= _WORTH_A_THREAD]
        hashed: dict[str, str | None] = {}
        if len(big) > 1:
            from concurrent.futures import ThreadPoolExecutor  # it imports logging

            with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
                found = pool.map(self._hashed_or_gone, big)
                hashed = {each.path: one for each, one in zip(big, found, strict=True)}
        return [
            hashed[each.path] if each.path in hashed else self._hashed_or_gone(each) for each in new
        ]

    def _hashed_or_gone(self, entry: Entry) -> str | None:
        try:
            return self._hashed(entry.path)
        except _GONE:
            return None  # deleted since the folder was read


def _unreadable(error: OSError, path: str) -> PlanError:
    return PlanError(
        Diagnostic(
            summary=f"cannot read {error.filename or path}",
            detail=f"{error.strerror or error}. Its content counts, so that lab must read it.",
            help="Make it readable for this user, or leave it out of `inputs`.",
        )
    )
