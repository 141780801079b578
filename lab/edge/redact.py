"""Takes secrets out of streams of bytes, in every form in which programs usually print them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator

MARK = b"***"
_LINE = 4096
SHORTEST = 6  # characters; shorter values are everywhere, and hiding them would garble every log
_PASSWORD = re.compile(r"://[^/?#@:\s]*:([^/?#@\s]+)@")  # what a connection's text hides in itself
_JSON_LIMIT = 64 * 1024


class Needles:
    """The forms of some secrets, prepared for searching; shared by any number of redactors."""

    def __init__(self, values: Iterable[str]) -> None:
        found = {form for value in values for form in _forms(value)}
        self.all: tuple[bytes, ...] = tuple(sorted(found))
        self.longest = max(map(len, self.all), default=0)
        heads = {re.escape(form[:4]) for form in self.all}
        self._head = re.compile(b"|".join(sorted(heads)) or b"(?!)", re.DOTALL)
        self._tails = frozenset(form[:n] for form in self.all for n in (1, 2, 3))

    def none_in(self, data: bytes) -> bool:
        """Whether *data* surely holds no secret and no beginning of one; False may be wrong."""
        if len(data) > _LINE:
            return False  # searching for one form after the other is faster there
        return self._head.search(data) is None and self._tail(data) == len(data)

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where secrets are, in order; overlapping ones are one span."""
        found = sorted(span for form in self.all if form in data for span in _every(form, data))
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if merged and start < merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return merged

    def unfinished(self, data: bytes) -> int:
        """Where the first secret begins that the end of *data* cuts off; its length if there is none."""
        first = max(0, len(data) - self.longest + 1)
        for match in self._heads(data, first):
            rest = data[match:]
            if any(len(form) > len(rest) and form.startswith(rest) for form in self.all):
                return match
        return self._tail(data)

    def _tail(self, data: bytes) -> int:
        for start in range(max(0, len(data) - 3), len(data)):
            if data[start:] in self._tails:
                return start
        return len(data)

    def _heads(self, data: bytes, start: int) -> Iterable[int]:
        while match := self._head.search(data, start):
            yield match.start()
            start = match.start() + 1


class Redactor:
    """Implements ports.Redactor for one stream; a secret may be split across any number of writes."""

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self._held = b""
        self._covered = 0  # how many of the held bytes belong to a secret that is marked already

    def feed(self, data: bytes) -> bytes:
        """What can be shown now; an end that may be the beginning of a secret is held back."""
        if not self._held and self._needles.none_in(data):
            return data
        data = self._held + data
        return self._shown(data, self._needles.unfinished(data))

    def flush(self) -> bytes:
        """What was held back; the stream has ended, or waits."""
        return self._shown(self._held, len(self._held))

    def _shown(self, data: bytes, upto: int) -> bytes:
        shown = bytearray()
        at = self._covered
        for start, end in self._needles.spans(data):
            if start >= upto:
                break
            if start >= at:
                shown += data[at:start] + MARK
            at = max(at, end)
        shown += data[at:upto]
        self._held, self._covered = data[upto:], max(0, at - upto)
        return bytes(shown)


def redacted(needles: Needles, data: bytes) -> bytes:
    """All of *data* without the secrets."""
    redactor = Redactor(needles)
    return redactor.feed(data) + redactor.flush()


def _forms(value: str) -> Iterable[bytes]:
    """A value, and what in it is printed alone, as each may be printed."""
    for text in {value, value.strip(), *_parts(value)}:
        text = text.strip() if text != value else text
        if len(text) >= SHORTEST:
            yield from _forms_of(text)


def _parts(value: str) -> Iterator[str]:
    """Of several lines each, of JSON every text in it, of a connection's URL its password."""
    from urllib.parse import unquote  # few labs have secrets

    yield from value.splitlines()
    for match in _PASSWORD.finditer(value):
        yield from (match[1], unquote(match[1]))
    if value.lstrip()[:1] in ("{", "[") and len(value) <= _JSON_LIMIT:
        try:
            yield from _texts(json.loads(value))
        except (ValueError, RecursionError):
            return


def _texts(tree: object) -> Iterator[str]:
    match tree:
        case str():
            yield tree
            yield from tree.splitlines()
        case dict():
            for each in tree.values():
                yield from _texts(each)
        case list():
            for each in tree:
                yield from _texts(each)
        case _:
            return


def _forms_of(text: str) -> Iterable[bytes]:
    from urllib.parse import quote, quote_plus  # few labs have secrets

    raw = text.encode("utf-8", "surrogateescape")
    yield raw
    escaped = json.dumps(text)[1:-1]
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    shell = text.replace("'", "'\\''"), text.replace("'", "'\"'\"'")
    marked = html.escape(text), html.escape(text, quote=False)
    for form in (escaped, plain, escaped.replace("/", "\\/"), repr(text)[1:-1], *shell, *marked):
        yield form.encode("utf-8", "surrogateescape")
    yield repr(raw)[2:-1].encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for form in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield form.encode()
        yield re.sub("%..", lambda match: match.group().lower(), form).encode()
    for before in range(3):
        yield from _base64(raw, before)


def _base64(raw: bytes, before: int) -> Iterable[bytes]:
    """The characters that *raw* alone decides when *before* bytes stand before it."""
    first = (before * 8 + 5) // 6
    last = (before + len(raw)) * 8 // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(b"\0" * before + raw)[first:last]


def _every(form: bytes, data: bytes) -> Iterable[tuple[int, int]]:
    start = data.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = data.find(form, start + 1)
