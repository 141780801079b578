"""Values that Python source names, worked out from its text; nothing of it is run."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

UNKNOWN: Any = object()
"""What only running the program could tell."""

_LARGEST = 10**12
_SUMS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
_PATHS = frozenset({"Path", "PurePath", "pathlib.Path", "pathlib.PurePath", "str", "os.fspath"})
_JOINS = frozenset({"os.path.join", "path.join", "osp.join"})


def constants(tree: ast.Module) -> dict[str, Any]:
    """The names that a module sets once, to a value that its text gives."""
    found: dict[str, Any] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        found[name] = UNKNOWN if name in found else value_of(value, found)
    return {name: value for name, value in found.items() if value is not UNKNOWN}


def value_of(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression; UNKNOWN where its text does not give it. Paths are texts."""
    match node:
        case ast.Constant(value=value):
            return value if isinstance(value, bool | int | float | str | None) else UNKNOWN
        case ast.Name(id=name):
            return names.get(name, UNKNOWN)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = value_of(operand, names)
            return -inner if _is_number(inner) else UNKNOWN
        case ast.BinOp(left=left, op=op, right=right):
            return _sum(value_of(left, names), op, value_of(right, names))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            values = [value_of(item, names) for item in items]
            return UNKNOWN if UNKNOWN in values else values
        case ast.Call(func=func, args=args) if args:
            return _called(dotted(func), [value_of(arg, names) for arg in args])
        case _:
            return UNKNOWN


def dotted(node: ast.expr) -> str:
    """`os.path.join` for the expression that is so written; empty for any other."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            before = dotted(value)
            return f"{before}.{attr}" if before else ""
        case _:
            return ""


def _called(name: str, args: list[Any]) -> Any:
    if not all(isinstance(arg, str) for arg in args):
        return UNKNOWN
    if name in _JOINS or (name in _PATHS and len(args) > 1):
        return "/".join(arg.rstrip("/") for arg in args)
    return args[0] if name in _PATHS else UNKNOWN


def _sum(left: Any, op: ast.operator, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str) and isinstance(op, ast.Div):
        return f"{left.rstrip('/')}/{right}"  # Path("out") / "model.pt"
    if isinstance(left, str) and isinstance(right, str) and isinstance(op, ast.Add):
        return left + right
    if not (_is_number(left) and _is_number(right)) or type(op) not in _SUMS:
        return UNKNOWN
    if isinstance(op, ast.Pow) and (abs(left) > 1000 or abs(right) > 30):
        return UNKNOWN
    try:
        value = _SUMS[type(op)](left, right)
    except (ArithmeticError, ValueError):
        return UNKNOWN
    return value if _is_number(value) and abs(value) <= _LARGEST else UNKNOWN


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
