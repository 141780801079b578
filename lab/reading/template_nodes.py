"""The expressions of templates as values, whichever parser read them."""

from __future__ import annotations

from typing import Any, TypeAlias

from lab.model.frozen import dataclass
from lab.model.regex import regex

_WORD = regex(r"[A-Za-z_]\w*\Z")


@dataclass(frozen=True, slots=True)
class Const:
    """A value that stands in the expression itself."""

    value: Any


@dataclass(frozen=True, slots=True)
class Chain:
    """A name and the keys after it: ``steps.a.outputs['x'][0]``; a computed key is a node."""

    root: str
    keys: tuple[str | int | Node, ...]

    def __str__(self) -> str:
        return self.root + "".join(_shown(key) for key in self.keys)


@dataclass(frozen=True, slots=True)
class Item:
    """A key of something that is not a name: ``(a | items)[0]``."""

    base: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a list or a text: ``a[1:3]``."""

    base: Node
    start: Node | None
    stop: Node | None
    step: Node | None


@dataclass(frozen=True, slots=True)
class Listed:
    """``[a, b]``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """``{'a': b}``."""

    pairs: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """``a ~ b``: both as text, side by side."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """``-a``, ``+a`` or ``not a``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, and ``and`` and ``or``, which may leave their right side alone."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Compared:
    """``a < b <= c``, ``a in b``."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """``a if test else b``."""

    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Applied:
    """``a | name(args)``, ``a is name(args)``, or the function ``name(args)`` without a base."""

    sort: str  # filter, test, function
    name: str
    base: Node | None
    args: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()


Node: TypeAlias = (
    "Const | Chain | Item | Part | Listed | Mapped | Joined | Unary | Binary | Compared"
    " | Choice | Applied"
)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside *node*, in the order in which they are written."""
    match node:
        case Const():
            return ()
        case Chain(keys=keys):
            return tuple(key for key in keys if not isinstance(key, str | int))
        case Item(base=base, key=key):
            return (base, key)
        case Part(base=base, start=start, stop=stop, step=step):
            return tuple(each for each in (base, start, stop, step) if each is not None)
        case Listed(items=nodes) | Joined(parts=nodes):
            return nodes
        case Mapped(pairs=pairs):
            return tuple(each for pair in pairs for each in pair)
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Compared(first=first, rest=rest):
            return (first, *(each for _, each in rest))
        case Choice(test=test, then=then, otherwise=otherwise):
            return (then, test, otherwise)
        case Applied(base=base, args=args, named=named):
            return (*(() if base is None else (base,)), *args, *(each for _, each in named))


def _shown(key: str | int | Node) -> str:
    match key:
        case str() if _WORD.match(key):
            return f".{key}"
        case str() | int():
            return f"[{key!r}]"
        case _:
            return "[…]"
