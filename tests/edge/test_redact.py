"""No form of a secret gets through, however the stream is cut, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import shlex
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.edge.redact import MARK, Needles, Redactor, redacted

SECRET = 's3cr3t/with+odd "chars"&ümlaut\''

values = st.lists(st.text('abAB/+"\\ é\n', min_size=1, max_size=12), min_size=1, max_size=3)
pieces = st.lists(st.text('abAB/+"\\ é\n', max_size=9) | st.integers(0, 2), max_size=12)
cuts = st.lists(st.integers(1, 7), min_size=1, max_size=20)


def stream(needles: Needles, data: bytes, sizes: list[int]) -> bytes:
    redactor, shown, at = Redactor(needles), b"", 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        shown += redactor.feed(data[at : at + size])
        at += size
    return shown + redactor.flush()


@given(values, pieces, cuts)
def test_cutting_the_stream_changes_nothing(
    secrets: list[str], parts: list[str | int], sizes: list[int]
) -> None:
    needles = Needles(secrets)
    text = "".join(secrets[p % len(secrets)] if isinstance(p, int) else p for p in parts)
    data = text.encode()
    shown = stream(needles, data, sizes)
    assert shown == redacted(needles, data)
    for secret in secrets:
        if len(secret) >= 6:
            assert secret.encode() not in shown


@given(st.binary(max_size=200), cuts)
def test_what_holds_no_secret_passes_unchanged(data: bytes, sizes: list[int]) -> None:
    assert stream(Needles([SECRET]), data, sizes) == data
    assert stream(Needles([]), data, sizes) == data


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        repr(SECRET.encode()),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        shlex.quote(SECRET)[1:-1],
        SECRET.replace("'", "'\\''"),
        repr(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower().replace("ümlaut", "%c3%bcmlaut"),
    ],
)
def test_forms_in_which_programs_print(form: str) -> None:
    shown = redacted(Needles([SECRET]), f"token={form}; next".encode())
    assert shown.startswith(b"token=")
    assert shown.endswith(b"; next")
    assert MARK in shown
    assert b"s3cr3t" not in shown


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:", "some:user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_at_any_place(before: str, after: str, encode: object) -> None:
    assert callable(encode)
    secret = "hunter2-and-more>>>???"
    text = encode((before + secret + after).encode())
    shown = redacted(Needles([secret]), b"Authorization: Basic " + text)
    assert MARK in shown
    assert len(shown) < len(b"Authorization: Basic ") + len(text) - 20


def test_lines_of_a_key_printed_apart() -> None:
    key = "-----BEGIN-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END-----\n"
    shown = redacted(Needles([key]), b"  | kqhkiG9w0BAQEF\n  | MIIEvQIBADANBg\n")
    assert shown == b"  | ***\n  | ***\n"


def test_short_values_are_left_alone() -> None:
    assert redacted(Needles(["yes", "12345"]), b"yes 12345") == b"yes 12345"


def test_overlapping_secrets_leave_no_rest() -> None:
    assert redacted(Needles(["abcdefg", "efghijk"]), b"<abcdefghijk>") == b"<***>"
    assert redacted(Needles(["abcdef", "abcdefghi"]), b"<abcdefghi>") == b"<***>"


def test_an_end_that_may_be_a_beginning_is_held_back_and_no_more() -> None:
    redactor = Redactor(Needles(["hunter22"]))
    assert redactor.feed(b"password: hunt") == b"password: "
    assert redactor.feed(b"ing\nhunter2") == b"hunting\n"
    assert redactor.feed(b"2\n") == b"***\n"
    assert redactor.feed(b"thu") == b"t"
    assert redactor.flush() == b"hu"
    assert redactor.flush() == b""


def test_long_and_short_writes_agree() -> None:
    needles = Needles(["hunter22"])
    data = b"x" * 5000 + b"hunter22" + b"y" * 5000 + b"hunt"
    assert stream(needles, data, [4999, 3]) == redacted(needles, data)
    assert redacted(needles, data) == b"x" * 5000 + b"***" + b"y" * 5000 + b"hunt"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("postgres://ann:c0rrect%20horse@db/lab", "password c0rrect%20horse"),
        ("postgres://ann:c0rrect%20horse@db/lab", "password c0rrect horse"),
        ('{"type": "key", "key": {"private": "hunter22-a"}, "n": 1}', "hunter22-a"),
        ('["-----BEGIN-----\\nMIIEowIBAAK\\n"]', "then MIIEowIBAAK came"),
        ("-----BEGIN-----\nMIIEowIBAAK\n-----END-----", "  MIIEowIBAAK  "),
    ],
)
def test_what_a_secret_holds_is_secret(secret: str, said: str) -> None:
    assert MARK in redacted(Needles([secret]), said.encode())


def test_a_secret_that_only_looks_like_json_is_a_text() -> None:
    assert redacted(Needles(["{hunter22"]), b"{hunter22 {hunter23") == b"*** {hunter23"
    Needles(["[" * 50_000])
