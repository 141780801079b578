"""Reads the scalars of TensorBoard event files, without TensorFlow and without tensorboard.

Own code where a library exists, and why: the `tensorboard` distribution brings 130 MB (grpc, numpy,
protobuf, its web pages), pins protobuf beside the user's, and its loader imports TensorFlow where that
is installed (seconds). What lab needs of the format are six fields that have not changed since 2015,
below a hundred lines, tested against files that TensorFlow and tensorboardX wrote.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import field

from lab.model.frozen import dataclass
from lab.provider import Refused

from ._plain import open_plain

_HEADER = struct.Struct("<QI")
_LONGEST = 1 << 30  # bytes of one record; a graph takes some megabytes
_PIECE = 1 << 24  # bytes read at once; a file with pictures may have gigabytes
_CHECKED = (
    1 << 16
)  # longer records are no scalars: the checksum in plain Python would take its time
_FORMATS = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 17: "<H"}
_FORMATS |= {19: "<e", 22: "<I", 23: "<Q"}
_BFLOAT16 = 14
# TensorProto's fields for values that are not in tensor_content, by field number
_LISTS = {5: "<f", 6: "<d"}
_VARINTS = frozenset({7, 10, 11, 16, 17})


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value of one tag."""

    tag: str
    step: int
    value: float


@dataclass(slots=True)
class EventFile:
    """Reads a file that is still being written: each call gives what came since the last one."""

    path: str
    offset: int = 0
    damaged: bool = False
    _tail: bytes = field(default=b"", repr=False)

    def scalars(self) -> Iterator[Scalar]:
        """The whole records that are there now; a torn end is read when it is whole."""
        while not self.damaged and (more := self._read()):
            yield from self._take(self._tail + more)

    def _read(self) -> bytes:
        try:
            with open_plain(self.path) as file:
                file.seek(self.offset + len(self._tail))
                return file.read(_PIECE)
        except FileNotFoundError:
            return b""
        except Refused:  # a pipe of that name is no event file
            self.damaged = True
            return b""

    def _take(self, data: bytes) -> Iterator[Scalar]:
        at = 0
        while (end := self._record_end(data, at)) is not None:
            record = data[at + 12 : end - 4]
            sound = len(record) > _CHECKED or _masked_crc(record) == _u32(data, end - 4)
            if sound and len(record) <= _CHECKED:
                yield from _scalars_in(record)
            at = end
        self.offset += at
        self._tail = data[at:]

    def _record_end(self, data: bytes, at: int) -> int | None:
        if len(data) - at < _HEADER.size:
            return None
        length, check = _HEADER.unpack_from(data, at)
        if _masked_crc(data[at : at + 8]) != check or length > _LONGEST:
            self.damaged = True
            return None
        end = at + _HEADER.size + int(length) + 4
        return end if end <= len(data) else None


def event_files(folder: str) -> list[str]:
    """The event files below *folder*, in the order of their names, which begin with their time."""
    found = [
        os.path.join(where, name)
        for where, _, names in os.walk(folder)
        for name in names
        if ".tfevents." in name
    ]
    return sorted(found, key=lambda path: (os.path.dirname(path), os.path.basename(path)))


# --- protobuf's wire format -------------------------------------------------------------------


def _scalars_in(record: bytes) -> Iterator[Scalar]:
    """An Event: step = 2, summary = 5; a Summary: value = 1."""
    try:
        event = list(_fields(record))
        step = next((_signed(v) for number, v in event if number == 2 and isinstance(v, int)), 0)
        for number, summary in event:
            if number == 5 and isinstance(summary, bytes):
                yield from _values_in(summary, step)
    except (ValueError, struct.error):  # no event, or one of a format yet to come
        return


def _values_in(summary: bytes, step: int) -> Iterator[Scalar]:
    """A Summary.Value: tag = 1, simple_value = 2, tensor = 8."""
    for number, value in _fields(summary):
        if number != 1 or not isinstance(value, bytes):
            continue
        parts = dict(_fields(value))
        tag, simple, tensor = parts.get(1, b""), parts.get(2), parts.get(8)
        found: float | None = None
        if isinstance(simple, bytes) and len(simple) == 4:
            found = struct.unpack("<f", simple)[0]
        elif isinstance(tensor, bytes):
            found = _scalar_in(tensor)
        if found is not None and isinstance(tag, bytes):
            yield Scalar(tag.decode("utf-8", "replace"), step, found)


def _scalar_in(tensor: bytes) -> float | None:
    """A TensorProto without dimensions: dtype = 1, shape = 2, tensor_content = 4, else a typed list."""
    parts = dict(_fields(tensor))
    dtype, shape, content = parts.get(1), parts.get(2, b""), parts.get(4)
    if isinstance(shape, bytes) and any(number == 2 for number, _ in _fields(shape)):
        return None
    if isinstance(content, bytes) and content:
        return _unpacked(dtype, content)
    for number, value in parts.items():
        if number in _LISTS and isinstance(value, bytes):
            return float(struct.unpack(_LISTS[number], value)[0])
        if number in _VARINTS and isinstance(value, (int, bytes)):
            return float(_signed(value if isinstance(value, int) else _varint(value, 0)[0]))
        if number == 13 and isinstance(value, (int, bytes)):
            bits = value if isinstance(value, int) else _varint(value, 0)[0]
            return _unpacked(dtype, struct.pack("<H", bits))
    return 0.0 if dtype in _FORMATS or dtype == _BFLOAT16 else None  # a zero may be left out


def _unpacked(dtype: object, content: bytes) -> float | None:
    if dtype == _BFLOAT16 and len(content) == 2:
        return float(struct.unpack("<f", b"\0\0" + content)[0])
    form = _FORMATS.get(dtype) if isinstance(dtype, int) else None
    if form is None or struct.calcsize(form) != len(content):
        return None
    return float(struct.unpack(form, content)[0])


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: varints as numbers, all else as bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                number, at = _varint(data, at)
                yield key >> 3, number
                continue
            case 1:
                size = 8
            case 5:
                size = 4
            case 2:
                size, at = _varint(data, at)
            case wire:
                raise ValueError(f"wire type {wire}")
        if at + size > len(data):
            raise ValueError("cut off")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("cut off")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


# --- checksums --------------------------------------------------------------------------------


def _table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return tuple(table)


_TABLE = _table()


def _masked_crc(data: bytes) -> int:
    """CRC-32C, rotated and offset as the record format has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
