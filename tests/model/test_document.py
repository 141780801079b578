"""Layers and documents: which text said it, and where."""

import pytest

from lab.model.diagnostic import Span
from lab.model.document import Document, Layer, Spans


def span(name: str, line: int) -> Span:
    return Span(name, line, 1, line, 2)


def layer(name: str, tree: dict, spans: Spans, texts: dict | None = None) -> Layer:
    return Layer(name, "", tree, texts or {}, lambda: spans)


BASE = layer(
    "base",
    {"a": {"x": 1, "y": True}, "l": [1, 2]},
    {
        (): (span("base", 1), span("base", 1)),
        ("a",): (span("base", 2), span("base", 3)),
        ("a", "x"): (span("base", 4), span("base", 5)),
        ("l",): (span("base", 6), span("base", 6)),
        ("l", 1): (span("base", 7), span("base", 7)),
    },
    {("a", "y"): "TRUE"},
)
OVER = layer(
    "over",
    {"a": {"x": 2}},
    {
        (): (span("over", 1), span("over", 1)),
        ("a",): (span("over", 2), span("over", 2)),
        ("a", "x"): (span("over", 3), span("over", 4)),
    },
)
BOTH = Document({"a": {"x": 2, "y": True}, "l": [1, 2]}, (BASE, OVER))


def test_the_last_layer_that_has_a_path_tells_its_place() -> None:
    assert BOTH.span_of(("a", "x")) == span("over", 4)
    assert BOTH.span_of(("a", "x"), key=True) == span("over", 3)
    assert BOTH.span_of(("l", 1)) == span("base", 7)


def test_a_missing_path_is_placed_at_its_nearest_ancestor() -> None:
    assert BOTH.span_of(("a", "x", "deep", 3)) == span("over", 4)
    assert BOTH.span_of(("a", "missing")) == span("over", 2)
    assert BOTH.span_of(("l", 9)) == span("base", 6)
    assert BOTH.span_of(("nothing",)) == span("base", 1)
    assert BOTH.span_of(("a", "y")) == span("base", 3)


def test_source_texts() -> None:
    assert BOTH.text_at(("a", "y")) == "TRUE"
    assert BOTH.text_at(("a", "x")) == "2"
    assert BOTH.text_at(("a",)) is None
    assert BOTH.text_at(("a", "missing")) is None
    assert BOTH.text_at(("l", 1)) == "2"


def test_positions_are_found_once_and_only_when_asked() -> None:
    calls = []

    def locate() -> Spans:
        calls.append(1)
        return {(): (span("n", 1), span("n", 1))}

    lazy = Layer("n", "", {"a": 1}, {}, locate)
    assert lazy.text_at(("a",)) == "1"
    assert not calls
    lazy.span_of(("a",))
    lazy.span_of(())
    assert calls == [1]


def test_a_document_without_layers_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="layer"):
        Document({}, ())
