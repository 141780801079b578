"""A secret is handed over whole: what else a template does with one would neither be hidden nor noticed."""

from __future__ import annotations

from lab.reading.template_fault import TemplateFault
from lab.reading.template_nodes import Applied, Chain, Choice, Joined, Node, children
from lab.reading.template_pieces import pieces_of, placed

ENCODING = frozenset({"b64encode", "quote", "tojson", "urlencode"})
"""Filters whose results logs are cleared of, and in whose results the keyed hash stays whole."""

_HARMLESS = frozenset({"default", "string", "trim"})


def require_whole(text: str) -> None:
    """Returns if the template *text* only hands secrets over, encoded at most once.

    Raises:
        TemplateFault: it takes one apart, changes it, or decides by it.
    """
    for piece in pieces_of(text):
        if isinstance(piece, str):
            continue
        found = _taken_apart(piece.node, ENCODING | _HARMLESS)
        if found is not None:
            fault = TemplateFault(
                f"`{found}` is a secret, and a secret is handed over as it is",
                help="join it to other texts with `~`, choose one with `if`, or encode it once, with"
                f" {', '.join(sorted(ENCODING))}; let the program that gets it do the rest",
                expression=str(found),
            )
            raise placed(fault, piece.cut)


def _taken_apart(node: Node, usable: frozenset[str] | None) -> Chain | None:
    """The first secret in *node* that is more than handed over.

    *usable* are the filters that may still be used, None where no secret may be.
    """
    inside = None
    match node:
        case Chain(root="secrets") if usable is None or len(node.keys) > 1:
            return node
        case Joined():
            inside = usable
        case Applied(sort="filter", name=name) if usable is not None and name in usable:
            inside = usable - ENCODING if name in ENCODING else usable
        case Choice(test=test, then=then, otherwise=otherwise):
            branches = (_taken_apart(each, usable) for each in (then, otherwise))
            return _taken_apart(test, None) or next(filter(None, branches), None)
        case _:
            pass
    return next(filter(None, (_taken_apart(each, inside) for each in children(node))), None)
