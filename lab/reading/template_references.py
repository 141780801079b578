"""Which names a template uses: what makes a reference to a step a dependency."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from lab.model.frozen import dataclass
from lab.reading.template_eval import evaluate, new_work
from lab.reading.template_fault import TemplateFault
from lab.reading.template_lookup import UnknownMet
from lab.reading.template_nodes import Applied, Chain, Node, children
from lab.reading.template_pieces import pieces_of
from lab.reading.template_scan import Cut

_GUARDS = ("defined", "undefined", "none")


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a template uses: ``("steps", "data", "outputs", "path")``.

    ``guarded``: the template copes with it being missing or null (``default()``, ``is defined``).
    ``expression`` is how it is written, ``line`` the 0-based line of the scalar. ``computed``: then
    follows a key that is not written there but computed, as in ``steps.train['lr=' ~ matrix.lr]``.
    """

    parts: tuple[str, ...]
    guarded: bool
    expression: str
    line: int = 0
    computed: bool = False


@lru_cache(maxsize=8192)
def references(text: str) -> tuple[Reference, ...]:
    """Every name that the template *text* uses, in the order in which they are written.

    Raises:
        TemplateFault: it is not a right template.
    """
    return _references(text, lambda _key: None)


def references_in(text: str, scope: Mapping[str, Any]) -> tuple[Reference, ...]:
    """As :func:`references`, with the computed keys that *scope* suffices for filled in.

    Raises:
        TemplateFault: it is not a right template.
    """

    def fold(key: Node) -> Any:
        try:
            return evaluate(key, scope, new_work())
        except (TemplateFault, UnknownMet):
            return None

    return _references(text, fold)


def chains(node: Node, *, guarded: bool = False) -> Iterator[tuple[Chain, bool]]:
    """Every name in *node*, and whether it stands where it may be missing."""
    if isinstance(node, Chain):
        yield node, guarded
    for index, child in enumerate(children(node)):
        inside = guarded or (index == 0 and _guards(node))
        yield from chains(child, guarded=inside)


def _references(text: str, fold: Callable[[Node], Any]) -> tuple[Reference, ...]:
    return tuple(
        _reference(chain, piece.cut, fold, guarded=guarded)
        for piece in pieces_of(text)
        if not isinstance(piece, str)
        for chain, guarded in chains(piece.node)
    )


def _reference(
    chain: Chain, piece: Cut, fold: Callable[[Node], Any], *, guarded: bool
) -> Reference:
    parts = [chain.root]
    computed = False
    for key in chain.keys:
        folded = key if isinstance(key, str | int) else fold(key)
        computed = not isinstance(folded, str | int)
        if computed:
            break
        parts.append(str(folded))
    expression, line = _spelled(chain, piece)
    return Reference(tuple(parts), guarded, expression, line, computed)


def _guards(node: Node) -> bool:
    match node:
        case Applied(sort="filter", name="default"):
            return True
        case Applied(sort="test", name=name):
            return name in _GUARDS
        case _:
            return False


def _spelled(chain: Chain, piece: Cut) -> tuple[str, int]:
    """How *chain* is written in its expression, and on which line of the text."""
    plain = str(chain)
    if piece.source.strip() == plain:
        leading = len(piece.source) - len(piece.source.lstrip())
        return plain, piece.line + piece.source.count("\n", 0, leading)
    pattern = r"(?<![\w.])" + re.escape(chain.root)
    for key in chain.keys:
        if not isinstance(key, str | int):
            break
        word = re.escape(str(key))
        pattern += rf"\s*(?:\.\s*{word}|\[\s*(?:'{word}'|\"{word}\"|{word})\s*\])"
    found = re.search(pattern + r"(?!\w)", piece.source)
    if found is None:
        return piece.source.strip(), piece.line
    return found.group(), piece.line + piece.source.count("\n", 0, found.start())
