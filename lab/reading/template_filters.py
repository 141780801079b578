"""The filters, tests and functions of templates, with a sentence and an example each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.model.frozen import dataclass
from lab.reading import template_lists as lists
from lab.reading import template_texts as texts
from lab.reading.template_fault import TemplateFault
from lab.reading.template_limits import Work, sort_of
from lab.reading.template_operators import is_number, ordered


@dataclass(frozen=True, slots=True)
class Entry:
    """One filter, test or function: ``example`` is an expression, ``gives`` its value."""

    function: Callable[..., Any]
    doc: str
    example: str
    gives: Any

    @property
    def help(self) -> str:
        """What it is, and an example, for who used it wrongly."""
        return f"{self.doc[:1].lower()}{self.doc[1:-1]}: {{{{ {self.example} }}}}"


def _default(_work: Work, value: Any, other: Any, boolean: Any = False) -> Any:
    return other if value is None or (boolean and not value) else value


FILTERS: Mapping[str, Entry] = {
    "abs": Entry(texts.absolute, "A number without its sign.", "-3 | abs", 3),
    "b64decode": Entry(
        texts.b64decode, "The text that base64 text stands for.", "'aGk=' | b64decode", "hi"
    ),
    "b64encode": Entry(texts.b64encode, "A text in base64.", "'hi' | b64encode", "aGk="),
    "basename": Entry(texts.basename, "The last part of a path.", "'a/b.txt' | basename", "b.txt"),
    "capitalize": Entry(
        texts.capitalize, "The first letter large, the others small.", "'ab' | capitalize", "Ab"
    ),
    "default": Entry(
        _default, "Another value for what is missing or null.", "none | default(1)", 1
    ),
    "dirname": Entry(texts.dirname, "A path without its last part.", "'a/b.txt' | dirname", "a"),
    "first": Entry(lists.first, "The first element.", "[1, 2] | first", 1),
    "float": Entry(
        texts.to_float,
        "A number with a point; the argument is for what is none.",
        "'1.5' | float",
        1.5,
    ),
    "format": Entry(texts.format_, "printf's format, filled in.", "'%.2f' | format(0.5)", "0.50"),
    "fromjson": Entry(
        texts.fromjson, "The value that a JSON text stands for.", "'[1, 2]' | fromjson", [1, 2]
    ),
    "indent": Entry(
        texts.indent, "Every line but the first indented.", "'a\\nb' | indent(2)", "a\n  b"
    ),
    "int": Entry(texts.to_int, "A whole number; the argument is for what is none.", "'3' | int", 3),
    "items": Entry(lists.items, "A map as a list of [key, value].", "{'a': 1} | items", [["a", 1]]),
    "join": Entry(lists.join, "The elements as one text.", "[1, 2] | join(',')", "1,2"),
    "last": Entry(lists.last, "The last element.", "[1, 2] | last", 2),
    "length": Entry(lists.length, "How many elements or characters.", "'abc' | length", 3),
    "list": Entry(
        lists.to_list,
        "A list: of a map, its keys; of a text, its characters.",
        "{'a': 1} | list",
        ["a"],
    ),
    "lower": Entry(texts.lower, "Small letters.", "'AB' | lower", "ab"),
    "map": Entry(
        lists.map_, "A filter, or a key, for every element.", "['a'] | map('upper')", ["A"]
    ),
    "max": Entry(lists.largest, "The largest element.", "[1, 3, 2] | max", 3),
    "min": Entry(lists.smallest, "The smallest element.", "[1, 3, 2] | min", 1),
    "quote": Entry(
        texts.quote, "One word for the shell, whatever is in it.", "'a b' | quote", "'a b'"
    ),
    "reject": Entry(
        lists.reject, "The elements for which a test does not hold.", "[1, 2] | reject('odd')", [2]
    ),
    "rejectattr": Entry(
        lists.rejectattr,
        "The maps for whose key a test does not hold.",
        "[{'a': 1}] | rejectattr('a', 'odd')",
        [],
    ),
    "replace": Entry(
        texts.replace,
        "A text with a part exchanged, everywhere.",
        "'a-b' | replace('-', '_')",
        "a_b",
    ),
    "reverse": Entry(lists.reverse, "Back to front.", "[1, 2] | reverse", [2, 1]),
    "round": Entry(
        texts.round_,
        "Rounded to so many decimals; 'ceil' and 'floor' choose the side.",
        "3.14159 | round(2)",
        3.14,
    ),
    "select": Entry(
        lists.select, "The elements for which a test holds.", "[1, 2] | select('odd')", [1]
    ),
    "selectattr": Entry(
        lists.selectattr,
        "The maps for whose key a test holds.",
        "[{'a': 1}] | selectattr('a', 'eq', 1)",
        [{"a": 1}],
    ),
    "sort": Entry(lists.sort, "In order; large and small letters alike.", "[2, 1] | sort", [1, 2]),
    "split": Entry(
        texts.split,
        "The pieces of a text; at white space without an argument.",
        "'a,b' | split(',')",
        ["a", "b"],
    ),
    "string": Entry(texts.string, "As text.", "1 | string", "1"),
    "sum": Entry(lists.total, "All numbers added.", "[1, 2] | sum", 3),
    "title": Entry(texts.title, "Each word's first letter large.", "'a b' | title", "A B"),
    "tojson": Entry(texts.tojson, "As JSON.", "{'a': [1]} | tojson", '{"a":[1]}'),
    "trim": Entry(
        texts.trim,
        "Without white space (or the given characters) at both ends.",
        "' a ' | trim",
        "a",
    ),
    "unique": Entry(
        lists.unique, "Each element once; large and small letters alike.", "[1, 1] | unique", [1]
    ),
    "upper": Entry(texts.upper, "Large letters.", "'ab' | upper", "AB"),
    "urlencode": Entry(texts.urlencode, "As part of a URL.", "'a b' | urlencode", "a%20b"),
}


def _ordered(name: str) -> Callable[..., bool]:
    def test(work: Work, value: Any, other: Any) -> bool:
        return ordered(name, value, other, work)

    return test


def _is(*types: type) -> Callable[..., bool]:
    def test(_work: Work, value: Any) -> bool:
        return isinstance(value, types) and (bool in types or not isinstance(value, bool))

    return test


def _whole(value: Any, word: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TemplateFault(f"`is {word}` asks of a whole number, and this is {sort_of(value)}")


def _divisible(_work: Work, value: Any, by: Any) -> bool:
    number = _whole(by, "divisibleby")
    if number == 0:
        raise TemplateFault("`is divisibleby` by zero")
    return _whole(value, "divisibleby") % number == 0


TESTS: Mapping[str, Entry] = {
    "boolean": Entry(_is(bool), "True or false.", "true is boolean", True),
    "defined": Entry(
        lambda _work, _value: True, "Whether it is there at all.", "1 is defined", True
    ),
    "divisibleby": Entry(_divisible, "Without remainder.", "6 is divisibleby(3)", True),
    "endswith": Entry(texts.endswith, "Whether a text ends so.", "'ab' is endswith('b')", True),
    "eq": Entry(_ordered("eq"), "Equal.", "1 is eq(1)", True),
    "even": Entry(lambda _work, value: _whole(value, "even") % 2 == 0, "Even.", "2 is even", True),
    "false": Entry(lambda _work, value: value is False, "False itself.", "false is false", True),
    "float": Entry(_is(float), "A number with a point.", "1.5 is float", True),
    "ge": Entry(_ordered("gteq"), "At least.", "2 is ge(1)", True),
    "gt": Entry(_ordered("gt"), "More than.", "2 is gt(1)", True),
    "in": Entry(_ordered("in"), "Among the elements.", "1 is in([1])", True),
    "integer": Entry(_is(int), "A whole number.", "1 is integer", True),
    "le": Entry(_ordered("lteq"), "At most.", "1 is le(2)", True),
    "list": Entry(_is(list), "A list.", "[] is list", True),
    "lt": Entry(_ordered("lt"), "Less than.", "1 is lt(2)", True),
    "mapping": Entry(
        lambda _work, value: isinstance(value, Mapping), "A map.", "{} is mapping", True
    ),
    "ne": Entry(_ordered("ne"), "Not equal.", "1 is ne(2)", True),
    "none": Entry(lambda _work, value: value is None, "Null.", "none is none", True),
    "number": Entry(lambda _work, value: is_number(value), "A number.", "1 is number", True),
    "odd": Entry(lambda _work, value: _whole(value, "odd") % 2 == 1, "Odd.", "1 is odd", True),
    "startswith": Entry(
        texts.startswith, "Whether a text begins so.", "'ab' is startswith('a')", True
    ),
    "string": Entry(_is(str), "A text.", "'a' is string", True),
    "true": Entry(lambda _work, value: value is True, "True itself.", "true is true", True),
    "undefined": Entry(
        lambda _work, _value: False, "Whether it is missing.", "1 is undefined", False
    ),
}

FUNCTIONS: Mapping[str, Entry] = {
    "range": Entry(
        lists.range_,
        "The whole numbers from 0, or from a start, up to a stop.",
        "range(3)",
        [0, 1, 2],
    ),
}
