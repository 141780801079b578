"""Expressions evaluated over plain data: no attributes, no calls but listed ones, no code made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.model.never import assert_never
from lab.reading.template_check import TABLES
from lab.reading.template_fault import Missing, TemplateFault
from lab.reading.template_limits import Work, as_text, sort_of
from lab.reading.template_lookup import item, resolve
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
from lab.reading.template_operators import compute, is_number, ordered

Scope = Mapping[str, Any]
NODE_COST = 10


def new_work() -> Work:
    """What one rendering may spend."""
    work = Work(lambda *_: None)
    work.apply = lambda sort, value, name, *args: _apply(sort, str(name), work, (value, *args), {})
    return work


def evaluate(node: Node, scope: Scope, work: Work) -> Any:
    """The value of *node*.

    Raises:
        TemplateFault: it has none.
        UnknownMet: it depends on what is not known yet.
    """
    work.spend(NODE_COST)
    match node:
        case Const(value=value):
            return value
        case Chain():
            return _chain(node, scope, work)
        case Applied():
            return _applied(node, scope, work)
        case Joined(parts=parts):
            return joined([evaluate(each, scope, work) for each in parts], work)
        case Binary():
            return _binary(node, scope, work)
        case Compared():
            return _compared(node, scope, work)
        case Choice(test=test, then=then, otherwise=otherwise):
            chosen = then if evaluate(test, scope, work) else otherwise
            return evaluate(chosen, scope, work)
        case Unary():
            return _unary(node, scope, work)
        case Listed(items=items):
            return work.checked([evaluate(each, scope, work) for each in items])
        case Mapped():
            return work.checked(_mapped(node, scope, work))
        case Item(base=base, key=key):
            return item(evaluate(base, scope, work), evaluate(key, scope, work))
        case Part():
            return _part(node, scope, work)
        case _:
            assert_never(node)


def joined(values: list[Any], work: Work) -> str:
    """*values* side by side as one text."""
    texts = [as_text(each) for each in values]
    work.room(sum(map(len, texts)))
    return "".join(texts)


def _chain(node: Chain, scope: Scope, work: Work) -> Any:
    keys = [key if isinstance(key, str | int) else evaluate(key, scope, work) for key in node.keys]
    try:
        return resolve(node.root, keys, scope)
    except Missing:
        if all(isinstance(key, str | int) for key in node.keys):
            raise
        # a computed key is a value, and may be a secret's
        raise Missing(f"`{node}`: there is no such element") from None


def _mapped(node: Mapped, scope: Scope, work: Work) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value in node.pairs:
        key = evaluate(key_node, scope, work)
        if not isinstance(key, str):
            raise TemplateFault(
                f"the key of a map is a text, and this is {sort_of(key)}",
                help="quote it: {'a': 1}",
            )
        found[key] = evaluate(value, scope, work)
    return found


def _part(node: Part, scope: Scope, work: Work) -> Any:
    value = evaluate(node.base, scope, work)
    cuts = [
        None if each is None else evaluate(each, scope, work)
        for each in (node.start, node.stop, node.step)
    ]
    if not all(each is None or type(each) is int for each in cuts) or cuts[2] == 0:
        raise TemplateFault("the numbers of a stretch `[a:b]` are whole numbers")
    if not isinstance(value, list | str):
        sort = Missing if value is None else TemplateFault
        raise sort(f"a stretch `[a:b]` is of a list or a text, and this is {sort_of(value)}")
    return work.checked(value[slice(*cuts)])


def _unary(node: Unary, scope: Scope, work: Work) -> Any:
    value = evaluate(node.operand, scope, work)
    if node.operator == "not":
        return not value
    if not is_number(value):
        sign = "-" if node.operator == "neg" else "+"
        raise TemplateFault(f"`{sign}` stands before a number, and this is {sort_of(value)}")
    return -value if node.operator == "neg" else value


def _binary(node: Binary, scope: Scope, work: Work) -> Any:
    left = evaluate(node.left, scope, work)
    match node.operator:
        case "and":
            return evaluate(node.right, scope, work) if left else left
        case "or":
            return left if left else evaluate(node.right, scope, work)
        case operator:
            return compute(operator, left, evaluate(node.right, scope, work), work)


def _compared(node: Compared, scope: Scope, work: Work) -> bool:
    left = evaluate(node.first, scope, work)
    for operator, right_node in node.rest:
        right = evaluate(right_node, scope, work)
        if not ordered(operator, left, right, work):
            return False
        left = right
    return True


def _applied(node: Applied, scope: Scope, work: Work) -> Any:
    given: list[Any] = []
    if node.base is not None:
        try:
            given.append(evaluate(node.base, scope, work))
        except Missing:
            if node.sort == "test" and node.name in ("defined", "undefined"):
                return node.name == "undefined"
            if node.name != "default":
                raise
            given.append(None)
    given += [evaluate(each, scope, work) for each in node.args]
    named = {name: evaluate(each, scope, work) for name, each in node.named}
    return _apply(node.sort, node.name, work, tuple(given), named)


def _apply(sort: str, name: str, work: Work, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """One filter, test or function over values; what does not fit is a fault, never a crash."""
    entry = TABLES[sort].get(name)
    if entry is None:
        raise TemplateFault(f"there is no {sort} of this name")
    work.spend(NODE_COST)
    try:
        return work.checked(entry.function(work, *given, **named))
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError):
        what = sort_of(given[0]) if given else "nothing"
        raise TemplateFault(
            f"the {sort} `{name}` cannot be applied to {what} with these arguments",
            help=entry.help,
        ) from None
