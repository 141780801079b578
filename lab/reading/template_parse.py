"""Expressions read into nodes: plain names at once, all else by Jinja2's parser."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lab.model.regex import regex
from lab.reading.template_check import check_applied
from lab.reading.template_fault import TemplateFault
from lab.reading.template_nodes import (
    Applied,
    Binary,
    Chain,
    Choice,
    Compared,
    Const,
    Item,
    Joined,
    Listed,
    Mapped,
    Node,
    Part,
    Unary,
)
from lab.reading.template_scan import MAX_EXPRESSION
from lab.reading.template_syntax import syntax_fault

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_DEPTH = 80

# nine expressions of ten are a name with keys: these need no parser (its import takes 0.1 s)
_CHAIN = regex(
    r"\s*([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*|\['[^'\\\n]*'\]|\[\"[^\"\\\n]*\"\]|\[\d{1,9}\])*)\s*\Z",
    re.ASCII,
)
_KEY = regex(r"\.(\w+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]", re.ASCII)
_CONSTANTS: dict[str, Any] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "none": None,
    "None": None,
    "null": None,
}
_KEYWORDS = frozenset(("and", "or", "not", "if", "else", "in", "is"))


@lru_cache(maxsize=4096)
def parse_expression(source: str) -> Node:
    """The expression *source* as nodes.

    Raises:
        TemplateFault: it is not an expression, or uses what does not exist.
    """
    if not source.strip():
        raise TemplateFault(
            "the expression is empty", help="write a name or a value between `{{` and `}}`"
        )
    name = name_in(source)
    if name is not None:
        return name
    if len(source) > MAX_EXPRESSION:
        raise TemplateFault("the expression is too long", help="put parts of it into `vars`")
    try:
        return _lower(_parse(source), MAX_DEPTH)
    except RecursionError:
        raise _too_deep() from None


def name_in(source: str) -> Node | None:
    """What *source* means if it is a name with keys or a word such as ``true``; None if it is more."""
    simple = _CHAIN.match(source)
    return _chain(simple[1], simple[2]) if simple and simple[1] not in _KEYWORDS else None


def _chain(root: str, rest: str) -> Node:
    keys = tuple(
        int(found[4]) if found[4] else next(k for k in found.groups() if k is not None)
        for found in _KEY.finditer(rest)
    )
    return Const(_CONSTANTS[root]) if root in _CONSTANTS and not keys else Chain(root, keys)


@lru_cache(maxsize=1)
def _grammar() -> Environment:
    from jinja2 import Environment

    return Environment(autoescape=False)


def _parse(source: str) -> Any:
    from jinja2 import TemplateSyntaxError
    from jinja2.parser import Parser

    try:
        parser = Parser(_grammar(), source, state="variable")
        parsed = parser.parse_expression()
        left_over = parser.stream.current.value if not parser.stream.eos else None
    except TemplateSyntaxError as error:
        raise syntax_fault(source, error.message or "") from None
    except ValueError:  # a number of thousands of digits
        raise TemplateFault("a number in the expression is too long") from None
    if left_over is not None:
        raise syntax_fault(source, f"got {left_over!r}")
    return parsed


def _too_deep() -> TemplateFault:
    return TemplateFault(
        "the expression is nested too deeply",
        help="put parts of it into `vars`; to join many texts use `~`",
    )


def _lower(node: Any, depth: int) -> Node:
    """Jinja2's node as ours. Only what is listed here exists in a Labfile."""
    if depth < 0:
        raise _too_deep()
    lowered = _LOWER.get(type(node).__name__)
    if lowered is None:
        raise TemplateFault("this sort of expression is not possible in a template")
    found: Node = lowered(node, depth - 1)
    return found


def _name(node: Any, _depth: int) -> Node:
    return Const(None) if node.name == "null" else Chain(node.name, ())


def _many(nodes: Any, depth: int) -> tuple[Node, ...]:
    return tuple(_lower(each, depth) for each in nodes)


def _attribute(node: Any, depth: int) -> Node:
    return _item(_lower(node.node, depth), Const(node.attr))


def _subscript(node: Any, depth: int) -> Node:
    base = _lower(node.node, depth)
    if type(node.arg).__name__ == "Slice":
        cuts = (node.arg.start, node.arg.stop, node.arg.step)
        return Part(base, *(None if each is None else _lower(each, depth) for each in cuts))
    return _item(base, _lower(node.arg, depth))


def _item(base: Node, key: Node) -> Node:
    if not isinstance(base, Chain):
        return Item(base, key)
    match key:
        case Const(value=str() | int() as value) if not isinstance(value, bool):
            return Chain(base.root, (*base.keys, value))
        case _:
            return Chain(base.root, (*base.keys, key))


def _constant(node: Any, _depth: int) -> Node:
    return Const(node.value)


def _list(node: Any, depth: int) -> Node:
    return Listed(_many(node.items, depth))


def _dict(node: Any, depth: int) -> Node:
    return Mapped(
        tuple((_lower(pair.key, depth), _lower(pair.value, depth)) for pair in node.items)
    )


def _concat(node: Any, depth: int) -> Node:
    return Joined(_many(node.nodes, depth))


def _choice(node: Any, depth: int) -> Node:
    if node.expr2 is None:
        raise TemplateFault(
            "`a if condition` has no `else`",
            help="say what it is otherwise: {{ a if condition else b }}",
        )
    return Choice(_lower(node.test, depth), _lower(node.expr1, depth), _lower(node.expr2, depth))


def _compare(node: Any, depth: int) -> Node:
    rest = tuple((operand.op, _lower(operand.expr, depth)) for operand in node.ops)
    return Compared(_lower(node.expr, depth), rest)


def _unary(node: Any, depth: int) -> Node:
    return Unary(type(node).__name__.lower(), _lower(node.node, depth))


def _binary(node: Any, depth: int) -> Node:
    name = type(node).__name__.lower()
    return Binary(name, _lower(node.left, depth), _lower(node.right, depth))


def _arguments(node: Any, depth: int) -> tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise TemplateFault("`*` and `**` before arguments are not possible in a template")
    named = tuple((each.key, _lower(each.value, depth)) for each in node.kwargs)
    return _many(node.args, depth), named


def _filter(node: Any, depth: int) -> Node:
    args, named = _arguments(node, depth)
    return check_applied(Applied("filter", node.name, _lower(node.node, depth), args, named))


def _test(node: Any, depth: int) -> Node:
    args, named = _arguments(node, depth)
    return check_applied(Applied("test", node.name, _lower(node.node, depth), args, named))


def _call(node: Any, depth: int) -> Node:
    called = _lower(node.node, depth)
    args, named = _arguments(node, depth)
    match called:
        case Chain(root=name, keys=()):
            return check_applied(Applied("function", name, None, args, named))
        case Chain(keys=keys) if isinstance(keys[-1], str):
            return check_applied(Applied("method", keys[-1], called, args, named))
        case Item(key=Const(value=str() as name)):
            return check_applied(Applied("method", name, called, args, named))
        case _:
            raise TemplateFault("only functions can be called", help="see `range(3)`")


_LOWER: dict[str, Any] = {
    "Name": _name,
    "Const": _constant,
    "Getattr": _attribute,
    "Getitem": _subscript,
    "List": _list,
    "Tuple": _list,
    "Dict": _dict,
    "Concat": _concat,
    "CondExpr": _choice,
    "Compare": _compare,
    **dict.fromkeys(("Neg", "Pos", "Not"), _unary),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow", "And", "Or"), _binary),
    "Filter": _filter,
    "Test": _test,
    "Call": _call,
}
