"""From a file's bytes to its text: UTF-8, of a sane size, without control characters."""

from __future__ import annotations

import codecs

from lab.model.diagnostic import Diagnostic, LabfileError, Span
from lab.model.regex import regex
from lab.reading.parse_lines import lines_of

MAX_BYTES = 16 * 1024 * 1024
_MOST_FAULTS = 20

# The 32-bit marks come first: the 16-bit one is the start of one of them.
_FOREIGN = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# What YAML calls printable, less the three Unicode line breaks that only some tools take for one.
_FORBIDDEN = regex(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_PLAIN = b"\t\n\r" + bytes(range(0x20, 0x7F))
_NAMES = {
    "\x00": "a NUL character",
    "\x1b": "an escape character",
    "\x85": "a line break of old mainframes (NEL)",
    "\u2028": "a Unicode line separator",
    "\u2029": "a Unicode paragraph separator",
    "\ufeff": "a byte order mark in the middle of the text",
}


def decode(name: str, data: bytes) -> str:
    """Return the text of a file, without a byte order mark; raises LabfileError."""
    if len(data) > MAX_BYTES:
        raise LabfileError(_too_large(name, len(data)))
    for mark, encoding in _FOREIGN:
        if data.startswith(mark):
            raise LabfileError(_foreign(name, encoding))
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise LabfileError(_not_utf8(name, error, len(data))) from None
    # Compiling the pattern takes longer than reading a large Labfile, and few need it.
    if (not text.isascii() or data.translate(None, _PLAIN)) and _FORBIDDEN.search(text):
        raise LabfileError(*_forbidden(name, text))
    return text


def _too_large(name: str, size: int) -> Diagnostic:
    return Diagnostic(
        summary=f"the file is too large: {size / 1024 / 1024:.1f} MiB",
        detail="lab reads at most 16 MiB, lest a wrong file name fill the memory.",
        help="keep data in files of their own, and name them in the Labfile",
        span=Span(name, 1, 1, 1, 1),
    )


def _foreign(name: str, encoding: str) -> Diagnostic:
    return Diagnostic(
        summary=f"the file is encoded as {encoding}, not UTF-8",
        help="save it again as UTF-8; most editors offer it under `Save with encoding`",
        span=Span(name, 1, 1, 1, 1),
    )


def _not_utf8(name: str, error: UnicodeDecodeError, size: int) -> Diagnostic:
    data: bytes = error.object
    # A byte order mark was taken off, and yet it is a part of the file.
    offset = error.start + 1 + size - len(data)
    lines = lines_of(data[: error.start].decode("utf-8"))
    line, column = len(lines), len(lines[-1]) + 1
    byte = data[error.start]
    latin = bytes([byte]).decode("cp1252", "replace")
    guess = f" In Windows-1252 it would be `{latin}`." if latin.isprintable() else ""
    return Diagnostic(
        summary=f"the file is not UTF-8: byte 0x{byte:02X} makes no character",
        detail=f"It is byte {offset:,} of the file.{guess}",
        help="save the file again as UTF-8",
        span=Span(name, line, column, line, column + 1),
    )


def _forbidden(name: str, text: str) -> list[Diagnostic]:
    if text.count("\x00") > len(text) // 4:
        return [_foreign(name, "UTF-16")]
    faults: list[Diagnostic] = []
    for number, line in enumerate(lines_of(text), 1):
        for found in _FORBIDDEN.finditer(line):
            faults.append(
                _control(
                    found.group(), Span(name, number, found.start() + 1, number, found.end() + 1)
                )
            )
            if len(faults) == _MOST_FAULTS:
                return faults
    return faults


def _control(char: str, span: Span) -> Diagnostic:
    code = f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
    return Diagnostic(
        summary=f"{_NAMES.get(char, 'a control character')} (`{code}`) is not allowed",
        detail="It cannot be seen, and tools disagree on what it means.",
        help=f'remove it, or write it as an escape in double quotes: `"{code}"`',
        span=span,
    )
