"""How a line of a Labfile reads to a person: its key, its value, its quotes and brackets."""

from __future__ import annotations

from lab.model.frozen import dataclass
from lab.model.regex import regex

_LINE_BREAK = regex(r"\r\n|\r|\n")
_LEAD = regex(r"[ \t]*(?:-[ \t]+)*")
_KEY = regex(r"""("[^"]*"|'[^']*'|[^\s"'#\[\]{},&*!|>%@`-][^#:{}\[\]"]*):(?=[ \t]|$)""")
_NO_SPACE = regex(r"([A-Za-z_][\w.-]*):(?!//)[^\s:]")
_NO_COLON = regex(r"([A-Za-z_][\w.-]*)[ \t]+[{\[\"'].*[}\]\"'][ \t]*$")
_QUOTED = {
    '"': regex(r'"(?:[^"\\]|\\.)*"'),
    "'": regex(r"'(?:[^']|'')*'"),
}
_LONGEST_EXAMPLE = 70
# What may stand before the start of a value.
_BEFORE_VALUE = ":-,[{?"
# No person wrote a line longer than this; what it lacks in advice it gains in speed.
LONGEST_LINE = 1000


def lines_of(text: str) -> list[str]:
    """Return the lines without their ends."""
    return _LINE_BREAK.split(text)


def indent_of(line: str) -> int:
    """Return how many spaces or tabs a line starts with."""
    return len(line) - len(line.lstrip(" \t"))


def is_blank(line: str) -> bool:
    """Tell whether a line holds nothing, or a comment alone."""
    stripped = line.strip()
    return not stripped or stripped[0] == "#"


def quoted(value: str) -> str:
    """Return a value in the quotes that need the least escaping."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def corrected(line: str, start: int, end: int, value: str) -> str:
    """Return "write `…`", the line with a stretch replaced; '' where that is too long to help."""
    kept = line[: max(entry_of(line).end, end)]
    shown = (kept[:start] + value + kept[end:]).strip()
    if len(shown) > _LONGEST_EXAMPLE:
        return ""
    return f"write `{shown}`" if "`" not in shown else f"write:\n  {shown}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A block line in pieces: `key` is None where it has none; `value` and `end` are columns."""

    indent: int
    item: bool
    key: str | None
    key_start: int
    value: int
    end: int


def entry_of(line: str) -> Entry:
    """Take a line apart as `indent - key: value # comment`."""
    lead = _LEAD.match(line)
    start = lead.end() if lead else 0
    key = _KEY.match(line, start)
    value = key.end() if key else start
    value += len(line[value:]) - len(line[value:].lstrip(" \t"))
    return Entry(
        indent=indent_of(line),
        item="-" in line[:start],
        key=key.group(1).rstrip() if key else None,
        key_start=start,
        value=min(value, len(line)),
        end=max(value_end(line, value), min(value, len(line))),
    )


def value_end(line: str, start: int) -> int:
    """Return the column after a block value: before a comment and the blanks in front of it."""
    end = len(line)
    comment = line.find(" #", start)
    if comment >= 0 and scan(line, comment + 1).quote is None:
        end = comment
    return len(line[:end].rstrip())


def missing_colon(line: str) -> int | None:
    """Return where a colon is missing between a word and a bracket or quote that ends a line."""
    entry = entry_of(line)
    found = None if entry.key is not None else _NO_COLON.match(line, entry.key_start)
    return found.end(1) if found else None


def missing_space(line: str) -> tuple[int, str] | None:
    """Return where a space is missing after a key's colon, and the key; None if nowhere."""
    entry = entry_of(line)
    found = None if entry.key is not None else _NO_SPACE.match(line, entry.key_start)
    return (found.end(1) + 1, found.group(1)) if found else None


@dataclass(frozen=True, slots=True)
class Scan:
    """What is open at a column of a line: a quote and where it began, and brackets."""

    quote: str | None
    quote_start: int
    brackets: tuple[int, ...]


def scan(line: str, upto: int) -> Scan:
    """Read a line up to a column, as if it began outside of quotes and brackets."""
    brackets: list[int] = []
    index = 0
    before = ""
    while index < min(upto, len(line)):
        char = line[index]
        fresh = before in _BEFORE_VALUE and (index == 0 or line[index - 1] in " \t,[{")
        if fresh and char in _QUOTED:
            found = _QUOTED[char].match(line, index)
            if found is None or found.end() > upto:
                return Scan(char, index, tuple(brackets))
            index, before = found.end(), char
            continue
        if char == "#" and (index == 0 or line[index - 1] in " \t"):
            break
        if char in "[{" and (fresh or brackets):
            brackets.append(index)
        elif char in "]}" and brackets:
            brackets.pop()
        before = before if char in " \t" else char
        index += 1
    return Scan(None, -1, tuple(brackets))


def starts_value(line: str, column: int) -> bool:
    """Tell whether an unquoted value may start at the column."""
    before = line[:column].rstrip(" \t")
    return (not before or before[-1] in _BEFORE_VALUE) and scan(line, column).quote is None


def flow_end(line: str, start: int) -> int:
    """Return the column after a value that stands inside brackets."""
    template = line.find("}}", start) if line.startswith("{{", start) else -1
    index = template + 2 if template >= 0 else start
    while index < len(line) and line[index] not in ",]}":
        index += 1
    return len(line[:index].rstrip())


def quoted_before(before: str) -> bool:
    """Tell whether the text ends with a quoted value that also starts on its line."""
    return any(
        found.end() == len(before) and starts_value(before, found.start())
        for pattern in _QUOTED.values()
        for found in pattern.finditer(before)
    )


def spaces(count: int) -> str:
    """Return a number of spaces in words."""
    return "no spaces" if count == 0 else f"{count} space{'s' if count > 1 else ''}"
