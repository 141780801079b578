"""What holds for every text: the same tree back, or clear faults, soon."""

import time

import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.model.diagnostic import LabfileError, render
from lab.model.tree import canonical
from lab.reading.parse import from_json, parse, parse_value, to_json

PIECES = [
    "a", "b: ", "- ", "  ", "    ", "\n", "\n  ", "\n    ", "\n- ", "{", "}", "[", "]", ",", ":",
    " : ", "'", '"', "{{", "}}", "{{ x }}", "{%", "#", " # ", "\t", "|", "> ", "&a ", "*a", "*b",
    "!x ", "!!str ", "? ", "<<: ", "---\n", "...\n", "%YAML 1.2\n", "@", "`", "%", "=", "0x1F",
    "3.10", "~", "True", "1e999", "\\", "\\u12", "\r", "\r\n", "é", "漢", "\u2028", "\x00", "k:v",
]  # fmt: skip
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | KEYS
        | st.sampled_from(
            ["on", "1:30", "1e-4", "0o7", "~", "=", "<<", "{{ x }}", " a ", "a\nb\n"]
        ),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
)


class Quoting(yaml.SafeDumper):
    """Writes every text in quotes, since PyYAML's own rules are those of YAML 1.1."""

    def ignore_aliases(self, data: object) -> bool:
        return True


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def check(data: bytes) -> None:
    """A layer that answers, or faults that can be shown; within two seconds either way."""
    start = time.monotonic()
    text = data.decode("utf-8", "replace")
    try:
        layer = parse("L", data)
    except LabfileError as error:
        assert error.diagnostics
        for fault in error.diagnostics:
            assert fault.span is not None
            assert fault.span.line >= 1
            assert fault.span.column >= 1
            assert (fault.span.line, fault.span.column) <= (
                fault.span.end_line,
                fault.span.end_column,
            )
            shown = render(fault, lambda _: text, color=False)
            assert all(char.isprintable() or char == "\n" for char in shown)
    else:
        layer.span_of(("a", 0))
        cached = from_json("L", layer.text, to_json(layer))
        assert cached is not None
        assert canonical(cached.tree) == canonical(layer.tree)
        assert cached.texts == layer.texts
        assert all(layer.text_at(path) == odd for path, odd in layer.texts.items())
    assert time.monotonic() - start < 2


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    check(data)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"))


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_anything_that_looks_like_yaml(text: str) -> None:
    check(text.encode())


@given(st.lists(st.sampled_from(PIECES), max_size=15).map("".join) | st.text(max_size=50))
def test_any_value_of_the_command_line(text: str) -> None:
    try:
        parse_value(text)
    except ValueError as error:
        assert type(error) is ValueError
        assert str(error)


@given(TREES)
def test_what_pyyaml_writes_reads_the_same(tree: dict[str, object]) -> None:
    text = yaml.dump(tree, Dumper=Quoting, default_flow_style=None, width=10_000)
    assert parse("L", text.encode()).tree == tree


@given(TREES)
def test_json_reads_the_same(tree: dict[str, object]) -> None:
    text = canonical(tree).decode()  # type: ignore[arg-type]
    if '"' in text and "\\u" not in text and "\x7f" not in text and text.isprintable():
        assert canonical(parse("L", text.encode()).tree) == canonical(tree)  # type: ignore[arg-type]


@given(TREES)
def test_every_value_has_a_place(tree: dict[str, object]) -> None:
    text = yaml.dump(tree, Dumper=Quoting)
    layer = parse("L", text.encode())
    lines = text.splitlines()
    for key in tree:
        span = layer.span_of((key,), key=True)
        assert 1 <= span.line <= len(lines)
        assert span.column in (1, 3) or text.startswith("{")
