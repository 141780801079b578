"""Bytes that are no text that lab reads."""

import codecs

import pytest

from lab.model.diagnostic import LabfileError, Span
from lab.reading.parse import parse
from lab.reading.parse_bytes import MAX_BYTES


def faults(data: bytes) -> list[tuple[Span | None, str]]:
    with pytest.raises(LabfileError) as caught:
        parse("L", data)
    return [(each.span, each.summary) for each in caught.value.diagnostics]


def at(line: int, column: int) -> Span:
    return Span("L", line, column, line, column + 1)


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_not_utf_8(mark: bytes) -> None:
    assert faults(mark + "a: é\r\nb: né".encode() + b"\xe9\nc: 1\n") == [
        (at(2, 6), "the file is not UTF-8: byte 0xE9 makes no character")
    ]
    with pytest.raises(LabfileError) as caught:
        parse("L", mark + b"a: caf\xe9\n")
    (fault,) = caught.value.diagnostics
    assert f"byte {7 + len(mark)} of the file" in fault.detail
    assert "`é`" in fault.detail
    assert "UTF-8" in fault.help


@pytest.mark.parametrize("data", [b"a: \xc3", b"a: \xed\xa0\x80", b"a: \xc0\x80", b"a: \xf8\x88"])
def test_broken_utf_8(data: bytes) -> None:
    assert faults(data)[0][0] == at(1, 4)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_other_encodings(encoding: str, name: str) -> None:
    mark = {"utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    ((_, summary),) = faults(mark + "labfile: 1\n".encode(encoding))
    assert summary == f"the file is encoded as {name}, not UTF-8"


def test_utf_16_without_a_mark() -> None:
    ((_, summary),) = faults("labfile: 1\n".encode("utf-16-le"))
    assert "UTF-16" in summary


def test_control_characters_are_all_named() -> None:
    text = "a: x\x00\nb: \x1b[31m\r\nc: \u2028, \x7f, \ufeff \x85\n"
    assert faults(text.encode()) == [
        (at(1, 5), "a NUL character (`\\x00`) is not allowed"),
        (at(2, 4), "an escape character (`\\x1b`) is not allowed"),
        (at(3, 4), "a Unicode line separator (`\\u2028`) is not allowed"),
        (at(3, 7), "a control character (`\\x7f`) is not allowed"),
        (at(3, 10), "a byte order mark in the middle of the text (`\\ufeff`) is not allowed"),
        (at(3, 12), "a line break of old mainframes (NEL) (`\\x85`) is not allowed"),
    ]


def test_size() -> None:
    assert parse("L", b"a: 1\n#" + b"x" * (MAX_BYTES - 6)).tree == {"a": 1}
    ((_, summary),) = faults(b"\xff" * (MAX_BYTES + 1))
    assert summary == "the file is too large: 16.0 MiB"
    assert len(faults(b"a: " + b"\x01" * 100_000)) <= 50
