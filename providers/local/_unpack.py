"""Unpacks archives that nobody vouches for: nothing lands outside, nothing but files, and not without end."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import IO, Any, NoReturn, cast

from lab.model.frozen import dataclass
from lab.provider import Io, Refused

_PIECE = 1 << 20
_HEADER = 8 << 20  # bytes of an entry's header; a long name takes some thousand
_RATIO = (
    200  # times the archive's size; what compresses better is a bomb, or worth a step of its own
)
_ALWAYS = 64 << 20  # bytes that are allowed whatever the ratio
_MOST = 2_000_000  # files and folders
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    gzip.BadGzipFile,
    # what zipfile and tarfile let through where numbers in an archive are wrong
    ValueError,
    RuntimeError,
    ArithmeticError,
    LookupError,
    struct.error,
)
_SUFFIXES = (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2", ".txz", ".tar", ".zip", ".gz")


@dataclass(slots=True)
class Unpacking:
    """One archive on its way into a folder; mutable, for it counts."""

    archive: str
    into: str
    io: Io
    room: int
    entries: int = 0
    written: int = 0
    links: list[str] = field(default_factory=list)

    def target(self, name: str) -> str:
        """Where an entry lies; its folder is made, and is no link to elsewhere.

        Raises:
            Refused: its name leads outside.
        """
        self.entries += 1
        if self.entries > _MOST:
            self.refuse(f"has more than {_MOST} entries")
        clean = posixpath.normpath(name.replace("\\", "/"))
        if clean.startswith(("/", "../")) or clean == ".." or "\0" in clean or clean[1:2] == ":":
            self.refuse(f"has the entry {name[:80]!r}, which leads outside")
        path = os.path.join(self.into, clean)
        folder = os.path.dirname(path)
        if os.path.realpath(folder) != folder:
            self.refuse(f"has the entry {name[:80]!r}, which goes through a link")
        os.makedirs(folder, exist_ok=True)
        return path

    def folder(self, name: str) -> None:
        """Makes a folder."""
        path = self.target(f"{name}/.")
        if os.path.islink(path):
            self.refuse(f"has the entry {name[:80]!r}, which goes through a link")
        os.makedirs(path, exist_ok=True)

    def file(self, name: str, content: IO[bytes], *, executable: bool) -> None:
        """Writes a file; of two with one name the later stays."""
        path = self._free(name)
        with open(path, "xb") as file:
            while piece := content.read(_PIECE):
                self.io.check()
                self.written += len(piece)
                if self.written > self.room:
                    self.refuse(f"holds more than {_RATIO} times its own size")
                file.write(piece)
        os.chmod(path, 0o555 if executable else 0o444)
        self.io.progress(f"unpacked {self.entries} files, {self.written / 2**20:.1f} MiB")

    def link(self, name: str, to: str) -> None:
        """Makes a symbolic link to something inside."""
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), to))
        if to.startswith("/") or inside.startswith("../") or inside == ".." or "\0" in to:
            self.refuse(f"has the link {name[:80]!r}, which leads outside")
        path = self._free(name)
        os.symlink(to, path)
        self.links.append(path)

    def again(self, name: str, of: str) -> None:
        """Makes a hard link to a file that was unpacked before."""
        source = self.target(of)
        if os.path.islink(source) or not os.path.isfile(source):
            self.refuse(f"has the link {name[:80]!r} to a file that is not in it")
        os.link(source, self._free(name))

    def check_links(self) -> None:
        """Looks where links really lead: through other links, an innocent text may lead outside."""
        for path in self.links:
            real = os.path.realpath(path)
            if real != self.into and not real.startswith(f"{self.into}/"):
                self.refuse(f"has the link {os.path.relpath(path, self.into)}, which leads outside")

    def refuse(self, what: str) -> NoReturn:
        """Gives up on the archive."""
        raise Refused(
            f"the archive {what}",
            f"{self.archive} is not unpacked. If it is right all the same, leave `unpack` out and"
            " unpack it in a `command` step.",
        )

    def _free(self, name: str) -> str:
        path = self.target(name)
        if os.path.isdir(path) and not os.path.islink(path):
            self.refuse(f"has {name[:80]!r} both as a folder and as a file")
        if os.path.lexists(path):
            os.unlink(path)
        return path


def unpack(archive: str, into: str, name: str, io: Io) -> None:
    """Unpacks *archive* into the new folder *into*.

    Args:
        archive: a .zip, a .tar, plain or compressed, or one compressed file; its bytes tell which.
        into: a folder that is not there yet.
        name: what the archive was called, for the one file of a .gz.
        io: is told the progress.

    Raises:
        Refused: it is no archive, is damaged, leads outside, or holds too much.
    """
    os.makedirs(into)
    room = max(_ALWAYS, _RATIO * os.path.getsize(archive))
    job = Unpacking(archive, os.path.realpath(into), io, room)
    try:
        if zipfile.is_zipfile(archive):
            _zip(job)
        elif _is_tar(archive):
            _tar(job)
        else:
            _single(job, name)
        job.check_links()
    except _DAMAGE as error:
        raise _damaged(archive, error) from None
    except OSError as error:
        if error.errno not in (
            None,
            errno.EINVAL,
        ):  # bz2's word for damage; a place before the beginning
            raise
        raise _damaged(archive, error) from None


def _damaged(archive: str, error: Exception) -> Refused:
    told = str(error) or type(error).__name__
    return Refused("the archive cannot be read", f"{archive}: {told}. Is it whole?")


def folder_name(name: str) -> str:
    """An archive's name without what says that it is one: ``mnist.tar.gz`` is ``mnist``."""
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return f"{name}.unpacked"


def _is_tar(archive: str) -> bool:
    try:
        with _opened(archive) as stream, _tar_in(stream):
            return True
    except (*_DAMAGE, OSError):  # compressed and torn: not known to be one
        return False


def _tar_in(stream: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast("IO[bytes]", _Bounded(stream)), mode="r:")


def _zip(job: Unpacking) -> None:
    with zipfile.ZipFile(job.archive) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if entry.flag_bits & 1:
                job.refuse("is encrypted")
            if entry.is_dir():
                job.folder(entry.filename)
                continue
            with archive.open(entry) as content:
                if stat.S_ISLNK(mode):
                    job.link(entry.filename, content.read(4096).decode("utf-8", "replace"))
                else:
                    job.file(entry.filename, content, executable=bool(mode & 0o111))


def _tar(job: Unpacking) -> None:
    with _opened(job.archive) as stream, _tar_in(stream) as archive:
        for entry in _members(archive):
            if entry.isdir():
                job.folder(entry.name)
            elif entry.issym():
                job.link(entry.name, entry.linkname)
            elif entry.islnk():
                job.again(entry.name, entry.linkname)
            elif entry.isfile():
                content = archive.extractfile(entry)
                assert content is not None  # only what is no file has none
                with content:
                    job.file(entry.name, content, executable=bool(entry.mode & 0o111))
            else:
                job.refuse(f"has the entry {entry.name[:80]!r}, which is a device")


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (entry := archive.next()) is not None:
        yield entry
        archive.members.clear()  # type: ignore[attr-defined]  # a million would stay in memory


def _single(job: Unpacking, name: str) -> None:
    if _opener(job.archive) is None:
        job.refuse("is none that lab can unpack (.zip, .tar, .tar.gz, .tar.bz2, .tar.xz, .gz)")
    stem = os.path.splitext(name)[0] or "data"
    with _opened(job.archive) as content:
        job.file(stem, content, executable=False)


def _opener(archive: str) -> Callable[[str], Any] | None:
    """What decompresses *archive*, by its first bytes; None if it is not compressed."""
    with open(archive, "rb") as file:
        magic = file.read(2)
    openers: dict[bytes, Callable[[str], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZ": bz2.open,
        b"\xfd7": lzma.open,
    }
    return openers.get(magic)


def _opened(archive: str) -> IO[bytes]:
    found: IO[bytes] = (_opener(archive) or _plain)(archive)
    return found


def _plain(archive: str) -> IO[bytes]:
    return open(archive, "rb")


class _Bounded:
    """A stream of which nobody reads much at once: a header may say that it has gigabytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER:
            raise Refused(
                f"the archive has an entry whose header has {size} bytes",
                "That is far more than any name takes: it is damaged, or a bomb, and not unpacked.",
            )
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
