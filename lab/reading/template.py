"""Templates: texts with ``{{ expressions }}``, rendered over plain data, sandboxed and bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lab.model.values import Json, Unknown
from lab.reading.template_eval import evaluate, joined, new_work
from lab.reading.template_fault import Missing, TemplateFault
from lab.reading.template_filters import FILTERS, FUNCTIONS, TESTS, Entry
from lab.reading.template_limits import Work
from lab.reading.template_lookup import UnknownMet, merged, resolve
from lab.reading.template_nodes import Chain
from lab.reading.template_pieces import Expression, pieces_of, placed
from lab.reading.template_references import Reference, chains, references, references_in
from lab.reading.template_scan import is_template
from lab.reading.template_syntax import dash_fault, dashed

__all__ = [
    "FILTERS",
    "FUNCTIONS",
    "OUTPUTS",
    "TESTS",
    "Entry",
    "Missing",
    "Reference",
    "TemplateFault",
    "has_template",
    "is_sole",
    "is_template",
    "leaves",
    "references",
    "references_in",
    "render",
]

OUTPUTS = "$outputs"  # {"$outputs": STEP} stands where a step's outputs will be


def has_template(tree: Json) -> bool:
    """Whether any text inside *tree* is a template; keys never are."""
    match tree:
        case str():
            return is_template(tree)
        case Mapping():
            return OUTPUTS in tree or any(has_template(each) for each in tree.values())
        case list() | tuple():
            return any(has_template(each) for each in tree)
        case _:
            return False


def is_sole(text: str) -> bool:
    """Whether *text* is exactly one expression, white space around it apart.

    Raises:
        TemplateFault: it is not a right template.
    """
    pieces = pieces_of(text)
    plain = [piece for piece in pieces if isinstance(piece, str)]
    return len(pieces) - len(plain) == 1 and not any(piece.strip() for piece in plain)


def leaves(
    tree: Json, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every template inside *tree* with its path."""
    items: Iterable[tuple[str | int, Json]] = ()
    if isinstance(tree, str):
        if is_template(tree):
            yield path, tree
    elif isinstance(tree, dict | Mapping):
        items = tree.items()
    elif isinstance(tree, list | tuple):
        items = enumerate(tree)
    for key, each in items:
        if not isinstance(each, str):
            yield from leaves(each, (*path, key))
        elif is_template(each):
            yield (*path, key), each


def render(tree: Json, scope: Mapping[str, Any]) -> Any:
    """*tree* with its templates rendered over *scope*.

    A text that is exactly one expression becomes its value, of whatever type; a template that
    meets an Unknown becomes that Unknown.

    Raises:
        TemplateFault: with the ``path`` inside *tree*.
    """
    try:
        return _render(tree, scope, new_work())
    except RecursionError:
        raise TemplateFault("the value is nested too deeply") from None


def _render(tree: Json, scope: Mapping[str, Any], work: Work) -> Any:
    match tree:
        case str():
            return _text(tree, scope, work) if is_template(tree) else tree
        case Mapping() if len(tree) == 1 and isinstance(tree.get(OUTPUTS), str):
            return _outputs(str(tree[OUTPUTS]), scope)
        case Mapping():
            return {key: _inside(key, each, scope, work) for key, each in tree.items()}
        case list() | tuple():
            return [_inside(index, each, scope, work) for index, each in enumerate(tree)]
        case _:
            return tree


def _inside(key: str | int, tree: Json, scope: Mapping[str, Any], work: Work) -> Any:
    try:
        return _render(tree, scope, work)
    except TemplateFault as fault:
        fault.path = (key, *fault.path)
        raise


def _text(text: str, scope: Mapping[str, Any], work: Work) -> Any:
    pieces = pieces_of(text)
    try:
        values = [_value(piece, scope, work) for piece in pieces]
    except UnknownMet as met:
        return merged([*_unknowns(pieces, scope, work), met.unknown])
    if len(pieces) == 1 and isinstance(pieces[0], Expression):
        return work.checked(values[0])
    for piece, value in zip(pieces, values, strict=True):
        if value is None and isinstance(piece, Expression):
            raise _null(piece)
    return joined(values, work)


def _value(piece: str | Expression, scope: Mapping[str, Any], work: Work) -> Any:
    if isinstance(piece, str):
        return piece
    try:
        return evaluate(piece.node, scope, work)
    except Missing as fault:
        raise placed(_dashed(piece.cut.source, fault, scope) or fault, piece.cut) from None
    except TemplateFault as fault:
        raise placed(fault, piece.cut) from None


def _dashed(source: str, fault: Missing, scope: Mapping[str, Any]) -> TemplateFault | None:
    """The fault of a name that is missing because the dash in it was read as a minus."""
    for root, name, written in dashed(source):
        known = scope.get(root) if written.startswith(f"{fault.expression}-") else None
        if isinstance(known, Mapping) and name in known:
            return dash_fault(root, name, written)
    return None


def _null(piece: Expression) -> TemplateFault:
    source = piece.cut.source.strip()
    return placed(
        Missing(
            f"`{source}` is null, and stands in the middle of a text"
            if len(source) < 60
            else "the expression is null, and stands in the middle of a text",
            help="say what to write instead: {{ … | default('') }}",
        ),
        piece.cut,
    )


def _unknowns(
    pieces: tuple[str | Expression, ...], scope: Mapping[str, Any], work: Work
) -> Iterator[Unknown]:
    """What the names of a template wait for, those too that its evaluation did not come to."""
    for piece in pieces:
        if isinstance(piece, str):
            continue
        for chain, _ in chains(piece.node):
            unknown = _unknown(chain, scope, work)
            if unknown is not None:
                yield unknown


def _unknown(chain: Chain, scope: Mapping[str, Any], work: Work) -> Unknown | None:
    try:
        evaluate(chain, scope, work)
    except UnknownMet as met:
        return met.unknown
    except TemplateFault:
        return None  # it may stand where it is never evaluated
    return None


def _outputs(address: str, scope: Mapping[str, Any]) -> Any:
    name, _, key = address.removesuffix("]").partition("[")
    try:
        values = resolve("steps", [name, *([key] if key else []), "outputs"], scope)
    except UnknownMet as met:
        return met.unknown
    return {OUTPUTS: address, "values": values}
