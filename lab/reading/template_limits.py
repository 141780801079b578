"""How much a template may cost: counted, so that the same template always ends the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lab.model.tree import text_of
from lab.reading.template_fault import Missing, TemplateFault

MAX_CHARACTERS = 1 << 20  # of one result
MAX_ELEMENTS = 100_000  # of one result, at all depths together
MAX_BITS = 4096  # of a whole number
MAX_WORK = 2_000_000  # units of one rendering, all its results together
CHARACTERS_A_UNIT = 8

V = TypeVar("V")


class Work:
    """The units that a rendering may still spend: one an element, one a few characters."""

    __slots__ = ("apply", "left")

    def __init__(self, apply: Callable[..., Any], left: int = MAX_WORK) -> None:
        """*apply* applies a filter or test by name, for those that are told another one's name."""
        self.apply, self.left = apply, left

    def spend(self, units: int) -> None:
        """Takes *units* away.

        Raises:
            TemplateFault: nothing is left.
        """
        self.left -= units
        if self.left < 0:
            raise TemplateFault(
                "the template takes too much work to render",
                help="let a step compute it: its outputs can be used here",
            )

    def room(self, characters: int, elements: int = 1) -> None:
        """Makes sure, before it is made, that a result may have this size, and pays for it."""
        if characters > MAX_CHARACTERS:
            raise _too_big("a text of more than 1 MiB")
        if elements > MAX_ELEMENTS:
            raise _too_big(f"more than {MAX_ELEMENTS:,} elements")
        self.spend(elements + characters // CHARACTERS_A_UNIT)

    def checked(self, value: V) -> V:
        """*value*, once its size is known to be allowed and is paid for."""
        self.room(*size(value))
        return value


def _too_big(what: str) -> TemplateFault:
    return TemplateFault(
        f"the result is too big: {what}",
        help="let a step write it to a file, and use the file",
    )


def size(value: object) -> tuple[int, int]:
    """How many characters and elements *value* has at all depths; counting ends at the limit."""
    characters, elements = 0, 0
    stack = [value]
    while stack and elements <= MAX_ELEMENTS and characters <= MAX_CHARACTERS:
        each = stack.pop()
        elements += 1
        if isinstance(each, str):
            characters += len(each)
        elif isinstance(each, Mapping):
            characters += sum(map(len, map(str, each)))
            stack.extend(each.values())
        elif isinstance(each, list | tuple):
            elements += max(0, len(each) - MAX_ELEMENTS)
            stack.extend(each[:MAX_ELEMENTS])
        elif type(each) is int and each.bit_length() > MAX_BITS:
            raise TemplateFault("the result is too big: a number of more than 1,200 digits")
    return characters, elements


def sort_of(value: object) -> str:
    """What people call the type of *value*."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a map"
        case _:
            return "not a value"


def as_text(value: Any) -> str:
    """*value* inside a text: numbers as they are written, true and false, lists and maps as JSON.

    Raises:
        Missing: it is null, which no text stands for.
    """
    if isinstance(value, str):
        return value
    if value is None:
        raise Missing(
            "null has no text",
            help="say what to write instead: {{ … | default('') }}",
        )
    return text_of(value)
