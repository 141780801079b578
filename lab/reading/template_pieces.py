"""Texts as plain stretches and parsed expressions, and faults put where they belong in them."""

from __future__ import annotations

from functools import lru_cache

from lab.model.frozen import dataclass
from lab.reading.template_fault import TemplateFault
from lab.reading.template_nodes import Node
from lab.reading.template_parse import name_in, parse_expression
from lab.reading.template_scan import MAX_EXPRESSION, Cut, cut


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of a text, parsed."""

    node: Node
    cut: Cut


@lru_cache(maxsize=8192)
def pieces_of(text: str) -> tuple[str | Expression, ...]:
    """*text* in order: plain stretches and expressions.

    Raises:
        TemplateFault: it is not a right template.
    """
    if text[:2] == "{{" and text[-2:] == "}}" and len(text) < MAX_EXPRESSION:
        name = name_in(text[2:-2])  # most templates are one name and nothing else
        if name is not None:
            return (Expression(name, Cut(text[2:-2], 0)),)
    return tuple(each if isinstance(each, str) else _expression(each) for each in cut(text))


def _expression(piece: Cut) -> Expression:
    try:
        return Expression(parse_expression(piece.source), piece)
    except TemplateFault as fault:
        raise placed(fault, piece) from None


def placed(fault: TemplateFault, piece: Cut) -> TemplateFault:
    """*fault* with the place of the expression in which it was met."""
    at = piece.source.find(fault.expression) if fault.expression else -1
    if at < 0:
        fault.expression = piece.source.strip()
        at = len(piece.source) - len(piece.source.lstrip())
    fault.line = piece.line + piece.source.count("\n", 0, at)
    return fault
