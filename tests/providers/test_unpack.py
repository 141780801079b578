"""Archives that mean well, and archives that do not."""

from __future__ import annotations

import bz2
import gzip
import io as memory
import lzma
import os
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.provider import Refused
from lab.testing import FakeIo
from providers.local import _unpack
from providers.local._unpack import folder_name, unpack


def tar(*entries, mode="w"):
    """Entries: (name, bytes) for files, or a TarInfo."""
    buffer = memory.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, memory.BytesIO(entry[1]))
    return buffer.getvalue()


def special(name, kind, to=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def zipped(*entries):
    buffer = memory.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, *mode in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (mode[0] if mode else 0o100644) << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def unpacked(tmp_path, data, name="a.bin"):
    archive = tmp_path / name
    archive.write_bytes(data)
    into = tmp_path / "outer" / "in"
    unpack(str(archive), str(into), name, FakeIo(tmp_path / "lab"))
    return into


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


FILES = (("a.txt", b"A"), ("d/b.txt", b"B"), ("d/e/c.txt", b"C"))


@pytest.mark.parametrize(
    "data",
    [zipped(*FILES), *(tar(*FILES, mode=f"w:{form}") for form in ("", "gz", "bz2", "xz"))],
    ids=["zip", "tar", "gz", "bz2", "xz"],
)
def test_every_format(tmp_path, data):
    assert tree(unpacked(tmp_path, data)) == dict(FILES)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_one_compressed_file(tmp_path, compress):
    assert tree(unpacked(tmp_path, compress(b"words"), "words.txt.z")) == {"words.txt": b"words"}


def test_executable_bits_and_links_inside(tmp_path):
    run = tarfile.TarInfo("bin/run")
    run.mode = 0o755
    data = tar(
        run,
        ("data", b"D"),
        special("bin/link", tarfile.SYMTYPE, "../data"),
        special("again", tarfile.LNKTYPE, "data"),
        special("empty", tarfile.DIRTYPE),
    )
    into = unpacked(tmp_path, data)
    assert os.stat(into / "bin/run").st_mode & 0o111
    assert (into / "bin/link").read_bytes() == b"D"
    assert (into / "again").read_bytes() == b"D"
    assert (into / "empty").is_dir()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (tar(("../x", b"")), "leads outside"),
        (tar(("/etc/x", b"")), "leads outside"),
        (tar(("a/../../x", b"")), "leads outside"),
        (tar(("..\\x", b"")), "leads outside"),
        (zipped(("../x", b"")), "leads outside"),
        (zipped(("C:/x", b"")), "leads outside"),
        (tar(special("l", tarfile.SYMTYPE, "/etc")), "leads outside"),
        (tar(special("d/l", tarfile.SYMTYPE, "../../x")), "leads outside"),
        (
            tar(special("d", tarfile.SYMTYPE, "."), special("l", tarfile.SYMTYPE, "d/../x")),
            None,
        ),
        (
            tar(
                special("s", tarfile.DIRTYPE),
                special("d", tarfile.SYMTYPE, "s"),
                special("e", tarfile.SYMTYPE, "d/../.."),
            ),
            "leads outside",
        ),
        (tar(special("l", tarfile.SYMTYPE, "."), ("l/x", b"")), "goes through a link"),
        (tar(special("l", tarfile.LNKTYPE, "../../secret")), "leads outside"),
        (tar(special("l", tarfile.LNKTYPE, "nothing")), "not in it"),
        (tar(special("dev", tarfile.CHRTYPE)), "a device"),
        (tar(special("pipe", tarfile.FIFOTYPE)), "a device"),
        (tar(("d/x", b""), ("d", b"")), "both as a folder and as a file"),
        (zipped(("l", "/etc/passwd", 0o120777)), "leads outside"),
        (b"no archive at all", "none that lab can unpack"),
        (b"", "none that lab can unpack"),
        (gzip.compress(b"x" * 1000)[:-5], "cannot be read"),
        (tar(*FILES, mode="w:gz")[:60], "cannot be read"),
        (zipped(*FILES)[:50] + b"\0" * 20 + zipped(*FILES)[70:], "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "archive",  # bytes may hold the time
)
def test_nothing_lands_outside(tmp_path, data, told):
    (tmp_path / "secret").write_text("s")
    before = {p for p in tmp_path.rglob("*") if "lab" not in p.parts}
    if told is not None:
        with pytest.raises(Refused, match=told):
            unpacked(tmp_path, data)
    else:
        with pytest.raises(Refused):
            unpacked(tmp_path, data)
    inside = tmp_path / "outer" / "in"
    after = {p for p in tmp_path.rglob("*") if inside not in (p, *p.parents)}
    strange = {p.relative_to(tmp_path).parts[0] for p in after - before}
    assert strange <= {"outer", "a.bin", "lab"}


def test_a_bomb_is_refused_before_it_goes_off(tmp_path, monkeypatch):
    monkeypatch.setattr(_unpack, "_ALWAYS", 1 << 20)
    with pytest.raises(Refused, match="more than 200 times its own size"):
        unpacked(tmp_path, gzip.compress(b"x" * (64 << 20)))
    assert sum(p.stat().st_size for p in (tmp_path / "outer").rglob("*")) < 16 << 20


def test_a_million_names_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_unpack, "_MOST", 10)
    with pytest.raises(Refused, match="more than 10 entries"):
        unpacked(tmp_path, tar(*((f"f{n}", b"") for n in range(11))))


def test_an_encrypted_archive_is_refused(tmp_path):
    data = bytearray(zipped(("a", b"A")))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    with pytest.raises(Refused, match="encrypted"):
        unpacked(tmp_path, bytes(data))


def test_of_two_files_with_one_name_the_later_stays(tmp_path):
    assert tree(unpacked(tmp_path, tar(("a", b"1"), ("a", b"2")))) == {"a": b"2"}


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("m.tar.gz", "m"),
        ("m.TGZ", "m"),
        ("m.zip", "m"),
        ("words.txt.gz", "words.txt"),
        ("m", "m.unpacked"),
        (".zip", ".zip.unpacked"),
    ],
)
def test_a_folder_s_name(name, folder):
    assert folder_name(name) == folder


@given(st.integers(0, 5000), st.integers(1, 255), st.sampled_from(["zip", "tar", "gz"]))
def test_a_damaged_archive_ends_in_files_or_a_refusal(tmp_path_factory, at, flip, kind):
    sound = {"zip": zipped(*FILES), "tar": tar(*FILES), "gz": tar(*FILES, mode="w:gz")}[kind]
    data = bytearray(sound)
    data[at % len(data)] ^= flip
    tmp_path: Path = tmp_path_factory.mktemp("u")
    with suppress(Refused):
        unpacked(tmp_path, bytes(data))
    assert {p.name for p in (tmp_path / "outer").iterdir()} <= {"in"}


def test_damage_in_any_compression_is_said(tmp_path):
    for compress in (gzip.compress, bz2.compress, lzma.compress):
        whole = bytearray(compress(b"hello" * 1000))
        whole[len(whole) // 2] ^= 0xFF
        path = tmp_path / compress.__module__
        path.write_bytes(bytes(whole))
        with pytest.raises(Refused, match="cannot be read"):
            unpack(str(path), f"{path}.d", "x", FakeIo(tmp_path))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_a_header_of_gigabytes_is_not_read(tmp_path, kind):
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 4 << 30
    with gzip.open(tmp_path / "bomb.tgz", "wb") as file:
        file.write(info.tobuf())
        file.write(bytes(1 << 20))
    with pytest.raises(Refused, match="header has"):
        unpack(str(tmp_path / "bomb.tgz"), str(tmp_path / "d"), "x", FakeIo(tmp_path))
    assert not os.path.exists(tmp_path / "d") or not os.listdir(tmp_path / "d")
