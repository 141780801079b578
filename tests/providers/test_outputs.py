"""What a program writes to $LAB_OUTPUT, as a table."""

from __future__ import annotations

import contextlib
import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.scalar import scalar
from lab.provider import Refused
from providers.local._outputs import output_file, parse_outputs, take_outputs


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("a=1\nb=x y\n\nc=", {"a": 1, "b": "x y", "c": None}),
        ("a=1\na=2", {"a": 2}),
        ("a = 0.50 \r\n", {"a": 0.5}),
        ('v="3.10"', {"v": "3.10"}),
        ("u=http://x/?a=b", {"u": "http://x/?a=b"}),
        ("l=[1, 2]", {"l": "[1, 2]"}),
        ('{"a": [1, {"b": null}]}\nc=true', {"a": [1, {"b": None}], "c": True}),
        ('{\n  "a": 1,\n  "b": 2\n}\nc=3\n', {"a": 1, "b": 2, "c": 3}),
        ('  {"a": 1}  ', {"a": 1}),
        ("\ufeffa=1", {"a": 1}),
    ],
)
def test_values(text, values):
    assert parse_outputs(text.encode(), "out") == values


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a=1\nnothing here", "line 2 of the outputs has no `=`"),
        (b"1a=1", "line 1 of the outputs begins with '1a'"),
        (b"a=1\n\nb=\xff", "line 3 of the outputs is not UTF-8"),
        (b'a="x', "line 1 of the outputs gives `a` a value that cannot be read"),
        (b'a=1\n{"b": 1,\n "c": }\n', "line 2 of the outputs begins a JSON object"),
        (b'{"b": 1} x', "line 1 of the outputs has something after"),
        (b'{"a b": 1}', "line 1 of the outputs has the key 'a b'"),
        (b'{"a":' + b"[" * 100_000, "line 1 of the outputs begins a JSON object"),
    ],
)
def test_faults_name_file_and_line(data, told):
    with pytest.raises(Refused) as refused:
        parse_outputs(data, "/x/out")
    assert refused.value.summary.startswith(told)
    assert "/x/out" in refused.value.detail


def test_a_json_fault_is_counted_in_the_file_s_lines():
    with pytest.raises(Refused, match="line 3"):
        parse_outputs(b'a=1\n{"b": 1,\n "c": }\n', "out")


def test_too_much_is_refused(tmp_path):
    with output_file(str(tmp_path)) as path:
        with open(path, "w") as file:
            file.write("a=" + "x" * 5_000_000)
        with pytest.raises(Refused, match="larger than 4 MiB"):
            take_outputs(path)


def test_a_file_that_is_gone_holds_nothing(tmp_path):
    assert take_outputs(str(tmp_path / "gone")) == {}


def test_the_file_is_fresh_whatever_lay_there(tmp_path):
    (tmp_path / ".lab-output").mkdir()
    (tmp_path / ".lab-output" / "old").write_text("a=1")
    with output_file(str(tmp_path)) as path:
        assert take_outputs(path) == {}


def test_nothing_is_left_however_the_attempt_ends(tmp_path):
    with pytest.raises(Refused), output_file(str(tmp_path)) as path:
        with open(path, "w") as file:
            file.write("token hunter22")
        take_outputs(path)
    assert os.listdir(tmp_path) == []


def test_a_pipe_or_a_device_is_not_read(tmp_path):
    with output_file(str(tmp_path)) as path:
        os.mkfifo(path)
        with pytest.raises(Refused, match="is no file"):
            take_outputs(path)
    with output_file(str(tmp_path)) as path:
        os.symlink("/dev/zero", path)
        with pytest.raises(Refused, match="is no file"):
            take_outputs(path)
    assert os.listdir(tmp_path) == []


@given(st.binary(max_size=60))
def test_any_bytes_end_in_values_or_a_refusal(data):
    with contextlib.suppress(Refused):
        parse_outputs(data, "out")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("Null", None), ("NULL ", None), ("nULL", "nULL"),
        ("true", True), ("FALSE", False), ("yes", "yes"), ("on", "on"),
        ("3", 3), ("-07", -7), ("+1", 1), ("0x1F", 31), ("0o17", 15), ("1_000", "1_000"),
        ("1.", 1.0), (".5", 0.5), ("1e-4", 1e-4), ("-1.5E+3", -1500.0), ("1:30", "1:30"),
        (".inf", math.inf), ("-.INF", -math.inf), ("12e4567", "12e4567"),
        ("9" * 601, "9" * 601), ("it's", "it's"), ("a # b", "a # b"),
        ("'it''s'", "it's"), ("'3'", "3"), ('"a\\tb\\x41\\e"', "a\tbA\x1b"), ('"\\""', '"'),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(text, value):
    got = scalar(text)
    assert got == value and type(got) is type(value)


def test_nan():
    assert math.isnan(scalar(".NaN"))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["'", '"', '"a', "'a'b'", '"a"b"', '"a\\q"'])
def test_an_open_quote_is_no_scalar(text):
    with pytest.raises(ValueError):
        scalar(text)
