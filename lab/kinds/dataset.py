"""The ``dataset`` kind: data from a URL, checked, unpacked, and stored once for all labs."""

from __future__ import annotations

from typing import ClassVar

from lab.kinds.spec import FilePath, Lifecycle, option
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Fetches data, checks its hash and keeps it in a store that all labs of this user share."""

    kind: ClassVar[str] = "dataset"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1

    url: str = option(
        "Where the data is: an `https://`, `http://` or `file:` URL, or a path.",
        example="https://example.com/mnist.npz",
    )
    sha256: str | None = option(
        "The SHA-256 of the bytes at the URL; if absent it is recorded at the first download and the line"
        " to paste is printed.",
        example="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        default=None,
        pattern=r"[0-9a-fA-F]{64}",
    )
    unpack: bool = option(
        "Unpack an archive (.zip, .tar, .tar.gz, .tar.bz2, .tar.xz, .gz); the output `path` is the folder.",
        example=True,
        default=False,
    )
    path: FilePath | None = option(
        "Also place the data here (a link to the store where the file system allows, else a copy).",
        example="data/mnist.npz",
        default=None,
    )
