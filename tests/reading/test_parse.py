"""What a Labfile's text means."""

import math
from collections.abc import Iterator

import pytest
import yaml

from lab.model.diagnostic import LabfileError, Span
from lab.model.document import Layer
from lab.model.tree import TextFloat, TextInt
from lab.reading.parse import merge, parse, parse_value


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def back_end(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader")
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    yield


def read(text: str) -> Layer:
    return parse("L", text.encode())


def value(text: str) -> object:
    return read(f"x: {text}").tree["x"]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0o17", 15),
        ("0x1F", 31),
        ("0777", 777),
        ("3.10", 3.1),
        ("1e-4", 0.0001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
    ],
)
def test_the_core_schema(text: str, meaning: object) -> None:
    found = value(text)
    assert found == meaning
    assert isinstance(found, type(meaning))
    assert read(f"x: {text}").text_at(("x",)) == text


@pytest.mark.parametrize(
    "text",
    [
        "on", "off", "yes", "no", "y", "n", "1:30", "190:20:30", "2024-01-01", "1_000", "0b101",
        "0o8", "0xZ", "nULL", "tRUE", "+", ".", "..", "e5", "1e", "0x", "-0x1F", "=", "1.2.3",
        "12e", "nan", "inf", "-.nan", "Infinity", "v2", "5m", "1" * 601, "1" * 9000, "0x" + "f" * 900,
        "１２",
    ],
)  # fmt: skip
def test_what_looks_like_something_else_is_text(text: str) -> None:
    assert value(text) == text


def test_nan() -> None:
    found = value(".NaN")
    assert isinstance(found, float)
    assert math.isnan(found)


def test_odd_spellings_are_remembered() -> None:
    layer = read("a: 3.10\nb: [0x1F, True, ~, 7, 0.5, true]\nc:\n")
    assert isinstance(layer.tree["a"], TextFloat)
    b = layer.tree["b"]
    assert isinstance(b, list)
    assert isinstance(b[0], TextInt)
    assert [type(each) for each in b[3:]] == [int, float, bool]
    assert layer.texts == {
        ("a",): "3.10",
        ("b", 0): "0x1F",
        ("b", 1): "True",
        ("b", 2): "~",
        ("c",): "",
    }
    assert layer.text_at(("b", 3)) == "7"


def test_an_alias_brings_its_odd_spellings() -> None:
    layer = read("a: &a [1e3, {k: ~}]\nb: *a\nc: &c TRUE\nd: {x: *c, y: [*a]}\n")
    assert layer.tree["b"] == [1000.0, {"k": None}]
    assert layer.texts == {
        ("a", 0): "1e3",
        ("a", 1, "k"): "~",
        ("b", 0): "1e3",
        ("b", 1, "k"): "~",
        ("c",): "TRUE",
        ("d", "x"): "TRUE",
        ("d", "y", 0, 0): "1e3",
        ("d", "y", 0, 1, "k"): "~",
    }


def test_quotes_make_text() -> None:
    assert read("a: '3.10'\nb: \"true\"\nc: |\n  12\n").tree == {
        "a": "3.10",
        "b": "true",
        "c": "12\n",
    }


def test_keys_are_text() -> None:
    assert read("1: a\ntrue: b\n0x1F: c\nnull: d\n3.10: e\n'<<': f\n").tree == {
        "1": "a",
        "true": "b",
        "0x1F": "c",
        "null": "d",
        "3.10": "e",
        "<<": "f",
    }


def test_an_alias_may_be_a_key() -> None:
    assert read("a: &a name\n*a : x\n").tree == {"a": "name", "name": "x"}


def test_an_anchor_may_be_given_again() -> None:
    assert read("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").tree == {"a": 1, "b": 1, "c": 2, "d": 2}


@pytest.mark.parametrize(
    "text", ["\ufeffa: 1\n", "a: 1\r\n", "---\na: 1\n...\n", "# x\n\na: 1", '{"a":1}']
)
def test_harmless_dress(text: str) -> None:
    assert read(text).tree == {"a": 1}


def test_positions() -> None:
    layer = read("# c\r\na:\r\n  - é: x\r\n    k: {z: [1, 'two']}\r\nb: &b {q: 1}\r\nc: *b\r\n")
    assert layer.span_of(("a", 0, "é")) == Span("L", 3, 8, 3, 9)
    assert layer.span_of(("a", 0, "é"), key=True) == Span("L", 3, 5, 3, 6)
    assert layer.span_of(("a", 0, "k", "z", 1)) == Span("L", 4, 16, 4, 21)
    assert layer.span_of(("a", 0, "k", "z"), key=True) == Span("L", 4, 9, 4, 10)
    assert layer.span_of(("a", 0, "k", "z", 7)) == Span("L", 4, 12, 4, 22)
    assert layer.span_of(("c", "q")) == Span("L", 6, 4, 6, 6)
    assert layer.span_of(("none",)).line == 2


def test_columns_count_characters_not_bytes_nor_marks() -> None:
    for text in ("a: {漢𝒳: y}\n", "\ufeffa: {漢𝒳: y}\n"):
        assert read(text).span_of(("a", "漢𝒳")) == Span("L", 1, 9, 1, 10)


def test_depth_and_nodes_have_room() -> None:
    deep = "x: " + "[" * 98 + "]" * 98
    assert read(deep).tree
    assert len(read("x: [" + "a, " * 20_000 + "]").tree["x"]) == 20_000  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("1e-4", 0.0001),
        ("true", True),
        ("null", None),
        ("", ""),
        ("on", "on"),
        ("3.1.2", "3.1.2"),
        ("[1, a, 0x10]", [1, "a", 16]),
        ("{a: {b: null}}", {"a": {"b": None}}),
        ('"5"', "5"),
        ("'it''s'", "it's"),
        # Text from a shell is text, whatever YAML would make of it.
        ("a: b", "a: b"),
        (" two words ", " two words "),
        ("# no comment", "# no comment"),
        ("- x", "- x"),
        ("@me", "@me"),
        ("*", "*"),
        ("!x", "!x"),
        ("{{ vars.x }}", "{{ vars.x }}"),
        ("a\nb", "a\nb"),
        ("\x1b", "\x1b"),
    ],
)
def test_values_of_the_command_line(text: str, meaning: object) -> None:
    found = parse_value(text)
    assert found == meaning
    assert type(found) is type(meaning) or isinstance(found, (TextInt, TextFloat))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1, 2", "never closed"),
        ('"abc', "never closed"),
        ("[1] x", "text after"),
        ("{a: 1, a: 2}", "given twice"),
        ("[!x 1]", "tags"),
        ("[*x]", "nothing above"),
        ("{a:1}", "space is missing"),
        ("[" * 200, "levels deep"),
        ('"a NUL: \x00"', "NUL"),
        ("'\ud800'", "not UTF-8"),
    ],
)
def test_values_of_the_command_line_that_are_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_value(text)
    assert "\n" not in str(caught.value)


def test_overlays() -> None:
    base = read("a: {x: 1, y: [1, 2], z: {k: v}}\nb: 1\n")
    one = parse("one", b"a: {y: [3], z: null, new: {q: null, r: 2}}\nnone: null\n")
    two = parse("two", b"b: {deep: 3.10}\n")
    merged = merge(base, [one, two])
    assert merged.tree == {"a": {"x": 1, "y": [3], "new": {"r": 2}}, "b": {"deep": 3.1}}
    assert [each.name for each in merged.layers] == ["L", "one", "two"]
    assert merged.span_of(("a", "y", 0)).source == "one"
    assert merged.span_of(("a", "x")).source == "L"
    assert merged.text_at(("b", "deep")) == "3.10"
    assert base.tree["b"] == 1
    assert merge(merge(base, [one]), [two]).tree == merged.tree


def test_a_map_lies_over_a_value_and_a_value_over_a_map() -> None:
    over = parse("o", b"a: 1\nb: {x: null, y: 2}\n")
    assert merge(read("a: {x: 1}\nb: 1\n"), [over]).tree == {"a": 1, "b": {"y": 2}}


def test_merging_nothing() -> None:
    base = read("a: null\n")
    assert merge(base, []).tree == {"a": None}


def test_an_error_is_a_labfile_error_with_exit_code_2() -> None:
    with pytest.raises(LabfileError) as caught:
        read("a: [")
    assert caught.value.exit_code == 2
