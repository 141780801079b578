"""What operators mean between the values of templates, each bounded before it is computed."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from lab.model.regex import regex
from lab.reading.template_fault import Missing, TemplateFault
from lab.reading.template_limits import MAX_BITS, Work, as_text, size, sort_of

_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=",
    "in": "in", "notin": "not in",
}  # fmt: skip
_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_DIRECTIVE = regex(r"%([-+ #0]*)(\d*)(?:\.(\d*))?(.?)", re.DOTALL)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compute(name: str, left: Any, right: Any, work: Work) -> Any:
    """``left OPERATOR right`` for arithmetic.

    Raises:
        TemplateFault: these values have no such result, or it is too big.
    """
    if is_number(left) and is_number(right):
        return _number(name, left, right)
    match name, left, right:
        case "add", str(), str():
            work.room(len(left) + len(right))
            return left + right
        case "add", list(), list():
            return work.checked([*left, *right])
        case "mul", (str() | list()), int() if is_number(right):
            return _repeated(left, right, work)
        case "mul", int(), (str() | list()) if is_number(left):
            return _repeated(right, left, work)
        case "mod", str(), _:
            return formatted(left, [right], work)
        case _:
            raise _unfit(name, left, right)


def _unfit(name: str, left: Any, right: Any) -> TemplateFault:
    sign = _SIGNS[name]
    summary = f"`{sign}` does not work between {sort_of(left)} and {sort_of(right)}"
    if left is None or right is None:
        return Missing(summary, help="say what to take instead of null: `… | default(0)`")
    if name == "add" and isinstance(left, str) | isinstance(right, str):
        return TemplateFault(summary, help="to join values as text write `~` for `+`")
    if {sort_of(left), sort_of(right)} == {"a text", "a number"}:
        return TemplateFault(summary, help="make a number of the text: `… | int`, `… | float`")
    return TemplateFault(summary)


def _number(name: str, left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int)
    if whole and name == "pow" and abs(left) > 1 and right * left.bit_length() > MAX_BITS:
        raise TemplateFault("the number would be too big", help="use a float: 10.0 ** 3")
    try:
        found = _NUMBERS[name](left, right)
    except ZeroDivisionError:
        raise TemplateFault(f"`{_SIGNS[name]}` by zero") from None
    except OverflowError:
        raise TemplateFault("the number would be too big") from None
    if isinstance(found, complex) or (whole and int(found).bit_length() > MAX_BITS):
        raise TemplateFault(f"`{_SIGNS[name]}` has no usable result for these numbers")
    return found


def _repeated(value: Any, times: int, work: Work) -> Any:
    characters, elements = size(value)
    times = max(times, 0)
    work.room(characters * times, elements * times)
    return value * times


def formatted(text: str, values: list[Any], work: Work) -> str:
    """``text % values`` as C's printf has it: d i u o x X e E f F g G c s and %%."""
    widths, waiting = 0, list(values)
    pieces: list[str] = []
    at = 0
    for found in _DIRECTIVE.finditer(text):
        _, width, precision, sort = found.groups()
        if not sort or sort not in "diouxXeEfFgGcs%":
            raise TemplateFault(
                "the format has a directive that does not exist",
                help="such as '%.3f' % x, '%05d' % x; write %% for a percent sign",
            )
        if len(width) > 4 or len(precision or "") > 3:
            raise TemplateFault("the format asks for too many characters")
        widths += int(width or 0) + int(precision or 0)
        work.room(len(text) + widths)
        pieces.append(text[at : found.start()])
        pieces.append("%" if sort == "%" else _directed(found.group(), sort, waiting))
        at = found.end()
    if waiting:
        raise TemplateFault("the format has fewer directives than there are values")
    return work.checked("".join([*pieces, text[at:]]))


def _directed(directive: str, sort: str, waiting: list[Any]) -> str:
    if not waiting:
        raise TemplateFault("the format has more directives than there are values")
    value = waiting.pop(0)
    if sort == "s":
        return directive % as_text(value)
    if not is_number(value):
        raise TemplateFault(
            f"`%{sort}` formats a number, and this is {sort_of(value)}",
            help="make a number of a text with `| int` or `| float`",
        )
    return str(directive % value)


def ordered(name: str, left: Any, right: Any, work: Work) -> bool:
    """Whether ``left OPERATOR right`` holds, for comparisons and ``in``."""
    work.spend(_effort(name, left, right))
    match name:
        case "eq":
            return bool(left == right)
        case "ne":
            return bool(left != right)
        case "in" | "notin":
            return _contains(right, left) is (name == "in")
        case _:
            return _before(name, left, right)


def _before(name: str, left: Any, right: Any) -> bool:
    same = any(isinstance(left, each) and isinstance(right, each) for each in (str, list))
    if not same and not (is_number(left) and is_number(right)):
        raise _unfit(name, left, right)
    try:
        return _ORDERS[name](left, right)
    except TypeError:
        raise _unfit(name, left, right) from None


def _contains(whole: Any, part: Any) -> bool:
    match whole:
        case list():
            return part in whole
        case str() if isinstance(part, str):
            return part in whole
        case Mapping() if not isinstance(part, list | Mapping):
            return isinstance(part, str) and part in whole
        case None:
            raise Missing("`in` does not work in null", help="write `… | default([])`")
        case _:
            raise TemplateFault(f"{sort_of(part)} cannot be looked for in {sort_of(whole)}")


def _weight(value: Any) -> int:
    characters, elements = size(value)
    return elements + characters // 8


def _effort(name: str, left: Any, right: Any) -> int:
    """About how many elements a comparison looks at."""
    if isinstance(left, list | Mapping):
        return _weight(right)
    if name in ("in", "notin") and isinstance(right, str | list):
        return 1 + (len(right) // 8 if isinstance(right, str) else len(right))
    return 1 + (len(left) // 8 if isinstance(left, str) else 0)
