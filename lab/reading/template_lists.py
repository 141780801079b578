"""Filters over lists and maps: pure, and bounded before they make anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lab.model.tree import canonical
from lab.reading.template_fault import Missing, TemplateFault
from lab.reading.template_limits import MAX_BITS, MAX_ELEMENTS, Work, as_text, size, sort_of
from lab.reading.template_operators import is_number


def elements(value: Any, name: str, work: Work) -> Sequence[Any]:
    """The elements of *value*, paid for: a list's, a map's keys, a text's characters."""
    match value:
        case list() | str():
            found: Sequence[Any] = value
        case Mapping():
            found = list(value)
        case None:
            raise Missing(f"`{name}` needs a list, and this is null")
        case _:
            raise TemplateFault(f"`{name}` needs a list, and this is {sort_of(value)}")
    work.spend(1 + len(found))
    return found


def at_path(value: Any, attribute: Any, name: str) -> Any:
    """What stands in *value* at the dotted path *attribute*; a number is a place in a list."""
    for key in str(attribute).split("."):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise Missing(
                f"`{name}`: an element has no `{key}`",
                help="leave out those without it first: `| selectattr('x', 'defined')`",
            )
    return value


def _by(value: Any, attribute: Any, name: str) -> Any:
    return value if attribute is None else at_path(value, attribute, name)


def first(work: Work, value: Any) -> Any:
    return _end(elements(value, "first", work), 0, "first")


def last(work: Work, value: Any) -> Any:
    return _end(elements(value, "last", work), -1, "last")


def _end(found: Sequence[Any], place: int, name: str) -> Any:
    if not found:
        raise Missing(f"`{name}` of nothing", help="say what to take then: `| default(…)`")
    return found[place]


def length(work: Work, value: Any) -> int:
    if isinstance(value, str | list | Mapping):
        return len(value)
    return len(elements(value, "length", work))


def to_list(work: Work, value: Any) -> list[Any]:
    return list(elements(value, "list", work))


def items(_work: Work, value: Any) -> list[Any]:
    if not isinstance(value, Mapping):
        sort = Missing if value is None else TemplateFault
        raise sort(f"`items` needs a map, and this is {sort_of(value)}")
    return [[key, each] for key, each in value.items()]


def join(work: Work, value: Any, between: Any = "", attribute: Any = None) -> str:
    found = [_by(each, attribute, "join") for each in elements(value, "join", work)]
    glue = as_text(between)
    characters, _ = size(found)
    work.room(characters + len(found) * len(glue))
    return glue.join(as_text(each) for each in found)


def reverse(work: Work, value: Any) -> Any:
    found = elements(value, "reverse", work)
    return found[::-1] if isinstance(found, str) else list(reversed(found))


def range_(work: Work, start: Any, stop: Any = None, step: Any = 1) -> list[int]:
    numbers = (start, 0 if stop is None else stop, step)
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        raise TemplateFault("`range` needs whole numbers")
    if step == 0:
        raise TemplateFault("`range` cannot go on by zero")
    found = range(start) if stop is None else range(start, stop, step)
    if any(abs(n) >> 62 for n in numbers) or len(found) > MAX_ELEMENTS:
        raise TemplateFault(f"`range` gives at most {MAX_ELEMENTS:,} numbers")
    work.spend(len(found))
    return list(found)


def _sort_key(name: str, attribute: Any, exact: object) -> Callable[[Any], Any]:
    def key(each: Any) -> Any:
        found = _by(each, attribute, name)
        if found is None:
            raise Missing(f"`{name}` cannot put null into an order")
        return found.casefold() if isinstance(found, str) and not exact else found

    return key


def _in_order(found: Sequence[Any], name: str, key: Callable[[Any], Any], work: Work) -> list[Any]:
    work.spend(size(list(found))[1] * 5)
    keys = [key(each) for each in found]
    sorts = {"a number" if is_number(each) else sort_of(each) for each in keys}
    if len(sorts) > 1 or sorts & {"a map"}:
        raise TemplateFault(f"`{name}` cannot put {' and '.join(sorted(sorts))} into an order")
    try:
        return [found[i] for i in sorted(range(len(keys)), key=keys.__getitem__)]
    except TypeError:
        raise TemplateFault(
            f"`{name}` cannot put lists of different things into an order"
        ) from None


def sort(
    work: Work,
    value: Any,
    reverse: Any = False,
    case_sensitive: Any = False,
    attribute: Any = None,
) -> list[Any]:
    key = _sort_key("sort", attribute, bool(case_sensitive))
    found = _in_order(elements(value, "sort", work), "sort", key, work)
    return found[::-1] if reverse else found


def smallest(work: Work, value: Any, attribute: Any = None) -> Any:
    key = _sort_key("min", attribute, True)
    return _end(_in_order(elements(value, "min", work), "min", key, work), 0, "min")


def largest(work: Work, value: Any, attribute: Any = None) -> Any:
    key = _sort_key("max", attribute, True)
    return _end(_in_order(elements(value, "max", work), "max", key, work), -1, "max")


def unique(work: Work, value: Any, case_sensitive: Any = False, attribute: Any = None) -> list[Any]:
    found: dict[bytes, Any] = {}
    work.spend(sum(size(value)))
    for each in elements(value, "unique", work):
        key = _by(each, attribute, "unique")
        key = key.casefold() if isinstance(key, str) and not case_sensitive else key
        found.setdefault(canonical(key), each)
    return list(found.values())


def total(work: Work, value: Any, attribute: Any = None, start: Any = 0) -> int | float:
    result: int | float = 0
    for each in [start, *elements(value, "sum", work)]:
        found = each if each is start else _by(each, attribute, "sum")
        if not is_number(found):
            raise TemplateFault(f"`sum` adds numbers, and an element is {sort_of(found)}")
        result += found
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise TemplateFault("the number would be too big")
    return result


def map_(
    work: Work, value: Any, *args: Any, attribute: Any = None, default: Any = None
) -> list[Any]:
    found = elements(value, "map", work)
    if attribute is None and not args:
        raise TemplateFault("`map` needs a filter's name or `attribute=`")
    if attribute is None:
        return [work.apply("filter", each, *args) for each in found]
    return [_attribute_or(each, attribute, default) for each in found]


def _attribute_or(value: Any, attribute: Any, default: Any) -> Any:
    try:
        return at_path(value, attribute, "map")
    except Missing:
        if default is None:
            raise
        return default


def _holds(work: Work, value: Any, args: tuple[Any, ...]) -> bool:
    return bool(work.apply("test", value, *args)) if args else bool(value)


def select(work: Work, value: Any, *args: Any) -> list[Any]:
    return [e for e in elements(value, "select", work) if _holds(work, e, args)]


def reject(work: Work, value: Any, *args: Any) -> list[Any]:
    return [e for e in elements(value, "reject", work) if not _holds(work, e, args)]


def _attribute_holds(work: Work, value: Any, attribute: Any, args: tuple[Any, ...]) -> bool:
    name = args[0] if args else None
    try:
        found = at_path(value, attribute, "selectattr")
    except Missing:
        if name in ("defined", "undefined"):
            return bool(name == "undefined")
        raise
    return _holds(work, found, args)


def selectattr(work: Work, value: Any, attribute: Any, *args: Any) -> list[Any]:
    found = elements(value, "selectattr", work)
    return [each for each in found if _attribute_holds(work, each, attribute, args)]


def rejectattr(work: Work, value: Any, attribute: Any, *args: Any) -> list[Any]:
    found = elements(value, "rejectattr", work)
    return [each for each in found if not _attribute_holds(work, each, attribute, args)]
