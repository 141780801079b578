"""Faults of brackets: never closed, closed wrongly, or short of a comma."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, printable
from lab.reading.parse_lines import flow_end, indent_of, quoted, scan
from lab.reading.parse_trouble import Fill, Finding, Trouble

_PAIRS = {"[": "]", "{": "}"}


def brackets(t: Trouble) -> Finding | None:
    """Brackets that are not closed, closed wrongly, or lack a comma."""
    char = t.char()
    if "flow" not in t.context:
        return _closes_nothing(t) if char in tuple("]}") else None
    opener = "[" if "sequence" in t.context else "{"
    if t.at_end or _is_next_key(t):
        return _never_closed(t)
    if "node content" in t.problem or char == ",":
        summary, advice = "a value is missing here", "remove the extra comma"
    elif char in tuple("]}"):
        summary = f"`{opener}` is closed by `{char}`"
        advice = f"write `{_PAIRS[opener]}` here"
    elif char == ":":
        return _colon_in_item(t)
    else:
        summary, advice = "a comma is missing before this", "put a comma between the two values"
    opened = (("opened here", t.span(*t.began, t.began[1] + 1)),) if t.began != t.at else ()
    return Finding(Diagnostic(summary=summary, help=advice, span=t.here(), notes=opened))


def _is_next_key(t: Trouble) -> bool:
    """Tell whether the trouble is at a key of the block around the brackets."""
    number, column = t.at
    entry = t.entry(number)
    if number == t.began[0] or entry.key is None:
        return False
    outside = entry.indent <= indent_of(t.line(t.began[0]))
    return t.char() == ":" or (column == entry.key_start and outside)


def _never_closed(t: Trouble) -> Finding | None:
    places = [(t.began[0], t.began[1])] if t.line(t.began[0])[t.began[1] :][:1] in _PAIRS else []
    for number in range(t.at[0], max(t.at[0] - 1000, -1), -1):
        opened = scan(t.line(number), len(t.line(number))).brackets
        places += [(number, opened[-1])] if opened and not places else []
    if not places:
        return None
    number, column = places[0]
    char = t.line(number)[column]
    fault = Diagnostic(
        summary=f"this bracket (`{char}`) is never closed",
        help=f"put a `{_PAIRS.get(char, ']')}` after the last value",
        span=t.span(number, column, column + 1),
    )
    return Finding(fault)


def _closes_nothing(t: Trouble) -> Finding:
    char = t.char()
    fault = Diagnostic(
        summary=f"`{char}` closes nothing",
        detail="No bracket is open here.",
        help=f"remove it, or quote the value if it starts with `{char}`",
        span=t.here(),
    )
    return Finding(fault)


def _colon_in_item(t: Trouble) -> Finding:
    number, column = t.at
    line = t.line(number)
    start = max(line.rfind(each, 0, column) for each in "[{,") + 1
    start += indent_of(line[start:])
    end = flow_end(line, column)
    word = line[start:column].rpartition(" ")[2]
    second = ": " in line[start:column] and word
    fault = Diagnostic(
        summary="a second colon in one item" if second else "a colon in a value without quotes",
        detail="Inside brackets a comma parts one item from the next.",
        help=f"put a comma before `{printable(word)}`, or quote the value"
        if second
        else t.corrected(number, start, end, quoted(line[start:end])) or "quote the value",
        span=t.span(number, column, column + 1),
    )
    return Finding(fault, (Fill(number, start, end),))
