"""The store of data that all labs of a user share: files by their SHA-256, archives unpacked beside them.

Layout below ``io.shared("store")``: ``sha256/ab/abcdef…`` is a file, ``….d`` the folder that it holds
when unpacked, ``….d.sum`` that folder's content hash; ``….part`` is a download that is not whole yet and
``….part.json`` what it belongs to (below ``url/`` where no hash was known); who writes holds ``….lock``.
Data is read-only and hard linked into labs: what only the store links to, no lab on this disk uses.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator

from lab.crashpoint import passing
from lab.durable import sync_folder
from lab.provider import Io, Refused

_PIECE = 1 << 20


def stored_file(store: str, sha256: str) -> str:
    """Where the file with this hash lies, or will lie."""
    return f"{store}/sha256/{sha256[:2]}/{sha256}"


def stored_folder(store: str, sha256: str) -> str:
    """Where the unpacked archive with this hash lies, or will lie."""
    return f"{stored_file(store, sha256)}.d"


def part_file(store: str, url: str, sha256: str | None) -> str:
    """Where a download grows."""
    if sha256 is not None:
        return f"{stored_file(store, sha256)}.part"
    return f"{store}/url/{hashlib.sha256(url.encode()).hexdigest()}.part"


@contextlib.contextmanager
def held(path: str, io: Io) -> Iterator[None]:
    """Holds the right to write at *path*; another lab that has it is waited for, a dead one lets go."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    number = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(number):
            io.progress("waiting for another lab that fetches the same data")
            io.sleep(0.5)
        yield
    finally:
        os.close(number)


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def hash_of(path: str, io: Io) -> str:
    """The SHA-256 of a file's bytes in hexadecimal; tells how far it is."""
    total, whole, done = hashlib.sha256(), os.path.getsize(path), 0
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            io.check()
            total.update(piece)
            done += len(piece)
            if done % (64 * _PIECE) == 0:
                io.progress("checking", fraction=done / whole if whole else None)
    return total.hexdigest()


def is_sound(path: str, sha256: str, io: Io) -> bool:
    """Whether the stored file is what its name says. A program may have written into a link of it."""
    if not os.path.isfile(path):
        return False
    if hash_of(path, io) == sha256:
        return True
    io.note(f"{path} is damaged and fetched again")
    os.unlink(path)
    return False


def keep(part: str, stored: str) -> None:
    """Makes a whole download the store's, durably and at once."""
    os.makedirs(os.path.dirname(stored), exist_ok=True)
    with open(part, "rb") as file:
        os.fsync(file.fileno())
    passing("store.synced")
    os.chmod(part, 0o444)
    os.replace(part, stored)
    sync_folder(os.path.dirname(stored))
    passing("store.renamed")


def place(source: str, destination: str, io: Io) -> None:
    """Puts a file or a folder's files at *destination*: hard links where the file system can, else copies."""
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    temporary = f"{destination}.{os.getpid()}.tmp"
    remove(temporary)
    try:
        if os.path.isdir(source):
            _place_tree(source, temporary, io)
            remove(destination)
        else:
            _place_file(source, temporary)
            if os.path.isdir(destination):
                remove(destination)
        passing("place.ready")
        os.replace(temporary, destination)
        passing("place.done")
    finally:
        remove(temporary)


def _place_tree(source: str, destination: str, io: Io) -> None:
    for where, folders, names in os.walk(source):
        io.check()
        here = os.path.join(destination, os.path.relpath(where, source))
        os.makedirs(here, exist_ok=True)
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]
        for name in names + links:
            _place_file(os.path.join(where, name), os.path.join(here, name))


def _place_file(source: str, destination: str) -> None:
    if os.path.islink(source):
        os.symlink(os.readlink(source), destination)
        return
    try:
        os.link(source, destination)
    except OSError:  # another disk, or a file system without links
        shutil.copy2(source, destination)


def remove(path: str) -> None:
    """Deletes a file or a folder, if it is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def require_room(path: str, size: int) -> None:
    """Refuses what cannot fit, before it has filled the disk.

    Raises:
        Refused: fewer than *size* bytes are free where *path* lies.
    """
    free = shutil.disk_usage(path).free
    if size > free:
        raise Refused(
            f"{size / 2**20:.0f} MiB do not fit, {free / 2**20:.0f} MiB are free",
            f"Make room on the disk of {path}; `lab gc` removes data that no lab uses."
            " LAB_CACHE moves the store.",
        )
