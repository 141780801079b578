"""Faults of a line that should be `key: value` or `- item` and is not."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, printable
from lab.reading.parse_lines import missing_colon, missing_space, scan, spaces
from lab.reading.parse_trouble import Fill, Finding, Trouble


def list_on_key_line(t: Trouble) -> Finding | None:
    """A list that starts with `- ` on the line of its key, or under a value."""
    if "sequence entries" not in t.problem:
        return None
    number, column = t.at
    entry = t.entry(number)
    if entry.key is None or column != entry.value:
        return _after_value(t, "a list")
    line = t.line(number)
    item = line[column : entry.end].removeprefix("-").strip()
    below = f"\n  {line[: entry.value].strip()}\n    - {item}"
    return Finding(
        Diagnostic(
            summary="a list cannot start on the line of its key",
            help=f"start it on the next line:{printable(below)}"
            if len(item) < 60
            else "start it on the next line",
            span=t.span(number, column, column + 1),
        ),
        (Fill(number, column, entry.end),),
    )


def key_line(t: Trouble) -> Finding | None:
    """A line that should be `key: value` and is not."""
    lacking = "find expected ':'" in t.problem
    if not lacking and "mapping values" not in t.problem:
        return None
    for number in (t.began[0], t.at[0]):
        colon, space = missing_colon(t.line(number)), missing_space(t.line(number))
        if colon is not None:
            return _missing_colon(t, number, colon)
        if space:
            return _missing_space(t, number, *space)
    above = t.began[0] if lacking else t.above(t.at[0])
    if above is None:
        return _long_key(t)
    number = above
    space = missing_space(t.line(number))
    if space:
        return _missing_space(t, number, *space)
    entry = t.entry(number)
    deeper = entry.indent < t.entry(t.at[0]).indent
    if not lacking and deeper and (entry.key is not None or entry.item):
        return _after_value(t, "keys")
    if entry.key is None and not scan(t.line(number), entry.end).brackets:
        return _no_colon(t, number)
    return _long_key(t)


def _missing_space(t: Trouble, number: int, column: int, key: str) -> Finding:
    line = t.line(number)
    fault = Diagnostic(
        summary=f"a space is missing after `{key}:`",
        detail="Without the space the colon is part of the text.",
        help=t.corrected(number, column, column, " ") or f"write `{key}: …`",
        span=t.span(number, column - 1, column),
    )
    end = t.entry(number).end
    # A text of several lines needs its sign; without one its lines would look like faults.
    if line[column : column + 1] in ("|", ">") or end <= column:
        return Finding(fault)
    return Finding(fault, (Fill(number, column, end, " " + "x" * (end - column - 1)),))


def _missing_colon(t: Trouble, number: int, column: int) -> Finding:
    key = t.line(number)[t.entry(number).key_start : column]
    fault = Diagnostic(
        summary=f"a colon is missing after `{key}`",
        help=t.corrected(number, column, column, ":") or f"write `{key}: …`",
        span=t.span(number, column, column + 1),
    )
    end = t.entry(number).end
    return Finding(fault, (Fill(number, column, end, ": " + "x" * (end - column - 2)),))


def _no_colon(t: Trouble, number: int) -> Finding:
    entry = t.entry(number)
    text = t.line(number)[entry.value : entry.end]
    if text.startswith("-") and not entry.item:
        return _no_space_after_dash(t, number)
    key, equals, value = text.partition("=")
    sign = text[-1:] if text[-1:] in ("|", ">") else ""
    fixed = f"`{key.strip()}: {value.strip()}`" if equals else f"`{text}: …`"
    fixed = f"`{text[:-1].strip()}: {sign}`" if sign else fixed
    fault = Diagnostic(
        summary="expected `key: value`",
        detail="A YAML map uses `:`, not `=`." if equals else "This line has no `: ` in it.",
        help=f"write {printable(fixed)}" if len(fixed) < 70 else "write a key and a colon first",
        span=t.span(number, entry.value, entry.end),
    )
    # With a colon for its last letter the line is a key, and what is below it belongs to it.
    plain = not entry.item and entry.end - entry.value > 1 and text[-1] not in "\"'|>"
    return Finding(fault, (Fill(number, entry.end - 1, entry.end, ":"),) if plain else ())


def _no_space_after_dash(t: Trouble, number: int) -> Finding:
    column = t.entry(number).value
    fault = Diagnostic(
        summary="a space is missing after `-`",
        detail="An item of a list starts with a dash and a space.",
        help=t.corrected(number, column + 1, column + 1, " ") or "put a space after the dash",
        span=t.span(number, column, column + 1),
    )
    return Finding(fault)


def _long_key(t: Trouble) -> Finding | None:
    if t.at[1] - t.began[1] < 1024 and t.at[1] < 1024:
        return None
    fault = Diagnostic(
        summary="a key of more than 1,024 characters",
        help="quote the value if this is one, or use a short key",
        span=t.here(),
    )
    return Finding(fault)


def _after_value(t: Trouble, what: str) -> Finding | None:
    number = t.at[0]
    above = t.above(number)
    if above is None:
        return None
    entry = t.entry(number)
    upper = t.entry(above)
    name = upper.key or t.line(above)[upper.value : upper.end][:40]
    depth = upper.key_start
    fault = Diagnostic(
        summary="this line is indented too far",
        detail=f"`{printable(name)}` above it has a value already, so {what} cannot follow below.",
        help=f"start it with {spaces(depth)}, as `{printable(name)}` does"
        if upper.key
        else f"give `{printable(name)}` a key, or remove this line",
        span=t.span(number, entry.indent, entry.end),
        notes=(("the line above", t.span(above, upper.key_start, upper.end)),),
    )
    return Finding(fault, layout=True)
