"""Faults of layout: tabs, indentation, missing colons, and brackets that do not pair."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, printable
from lab.reading.parse_lines import flow_end, indent_of, is_blank, missing_space, quoted, scan
from lab.reading.parse_refusals import odd_key
from lab.reading.parse_trouble import Fill, Finding, Trouble

_PAIRS = {"[": "]", "{": "}"}


def tab(t: Trouble) -> Finding | None:
    """A tab among the blanks that start a line."""
    number = t.at[0]
    line = t.line(number)
    if "\t" not in line[: indent_of(line)]:
        return None
    indented = [n for n, each in enumerate(t.lines) if "\t" in each[: indent_of(each)]]
    fills = tuple(Fill(n, 0, indent_of(t.lines[n]), " " * indent_of(t.lines[n])) for n in indented)
    others = sum(n > number for n in indented)
    more = f" The same on {others} more line{'s' if others > 1 else ''} below." if others else ""
    column = line.index("\t")
    fault = Diagnostic(
        summary="a tab in the indentation",
        detail=f"YAML indents by spaces alone, as each editor shows a tab in its own width.{more}",
        help="replace each tab by two spaces",
        span=t.span(number, column, column + 1),
    )
    return Finding(fault, fills, layout=True)


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
    number = t.began[0] if lacking else t.above(t.at[0])
    if number is None:
        return _long_key(t)
    space = missing_space(t.line(number))
    if space:
        return _missing_space(t, number, *space)
    entry = t.entry(number)
    if not lacking and entry.indent < t.entry(t.at[0]).indent:
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
    return Finding(fault, (Fill(number, column, column + 1, " "),) if len(line) > column else ())


def _no_colon(t: Trouble, number: int) -> Finding:
    entry = t.entry(number)
    line = t.line(number)
    text = line[entry.value : entry.end]
    key, equals, value = text.partition("=")
    fixed = f"`{key.strip()}: {value.strip()}`" if equals else f"`{text}: …`"
    fault = Diagnostic(
        summary="expected `key: value`",
        detail="A YAML map uses `:`, not `=`." if equals else "This line has no `: ` in it.",
        help=f"write {printable(fixed)}" if len(fixed) < 70 else "write a key and a colon first",
        span=t.span(number, entry.value, entry.end),
    )
    # As a comment the line is out of the way.
    fills = () if entry.item else (Fill(number, entry.indent, entry.indent + 1, "#"),)
    return Finding(fault, fills)


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
        help=f"start it with {_spaces(depth)}, as `{printable(name)}` does"
        if upper.key
        else f"give `{printable(name)}` a key, or remove this line",
        span=t.span(number, entry.indent, entry.end),
        notes=(("the line above", t.span(above, upper.key_start, upper.end)),),
    )
    return Finding(fault, layout=True)


def _spaces(count: int) -> str:
    return "no spaces" if count == 0 else f"{count} space{'s' if count > 1 else ''}"


def brackets(t: Trouble) -> Finding | None:
    """Brackets that are not closed, closed wrongly, or lack a comma."""
    char = t.char()
    if "flow" not in t.context:
        return _closes_nothing(t) if char in tuple("]}") else None
    opener = "[" if "sequence" in t.context else "{"
    if t.at_end or (t.at[0] > t.began[0] and char == ":" and t.entry(t.at[0]).key):
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
    fault = Diagnostic(
        summary="a colon inside a value that is not quoted",
        detail="Inside brackets a colon with a space after it makes a map of one key.",
        help=t.corrected(number, start, end, quoted(line[start:end])) or "put the value in quotes",
        span=t.span(number, column, column + 1),
    )
    return Finding(fault, (Fill(number, start, end),))


def shape(t: Trouble) -> Finding | None:
    """A line whose indentation fits none above, or a list and a map in one place."""
    number, column = t.at
    entry = t.entry(number)
    if column > entry.key_start or not t.context.startswith("while parsing a block"):
        return None
    in_list = "mapping" not in t.context
    same = entry.indent == t.began[1]
    if same and in_list != entry.item:
        return _mixed(t, in_list=in_list)
    if t.char() == ":" and column == entry.key_start:
        return Finding(odd_key("", t.here()))
    levels = [f"{depth} (`{printable(name)}`)" for depth, name in _levels(t, number)]
    listed = " or ".join([", ".join(levels[:-1]), levels[-1]] if levels[1:] else levels)
    fault = Diagnostic(
        summary="the indentation of this line fits no line above it",
        detail=f"It starts with {_spaces(entry.indent)}; the lines that it could belong to start "
        f"with {listed}."
        if listed
        else "",
        help="indent it exactly as its neighbours",
        span=t.span(number, entry.indent, entry.end),
    )
    return Finding(fault, layout=True)


def _mixed(t: Trouble, *, in_list: bool) -> Finding:
    number = t.at[0]
    entry = t.entry(number)
    other = t.span(t.began[0], t.began[1], t.began[1] + 1)
    fault = Diagnostic(
        summary="a key among the items of a list" if in_list else "a list item among keys",
        detail="A value is either a list, all of whose lines start with `- `, or a map.",
        help="start the line with `- `, or indent it as the key that it belongs to"
        if in_list
        else "give the list a key of its own, or indent it below the key that it belongs to",
        span=t.span(number, entry.indent, entry.end),
        notes=(("the list starts here" if in_list else "the map starts here", other),),
    )
    return Finding(fault, layout=True)


def _levels(t: Trouble, number: int) -> list[tuple[int, str]]:
    found: dict[int, str] = {}
    lowest = 1_000_000
    for above in range(number - 1, max(number - 2000, -1), -1):
        line = t.line(above)
        if is_blank(line) or indent_of(line) >= lowest:
            continue
        entry = t.entry(above)
        lowest = entry.indent
        name = entry.key or line[entry.value : entry.end][:30]
        found[entry.indent] = f"- {name}" if entry.item else name
        if entry.item and entry.key:
            found[entry.key_start] = name
        if lowest == 0:
            break
    return sorted(found.items())


def document(t: Trouble) -> Finding | None:
    """Text outside of the file's one map."""
    if "document start" not in t.problem:
        return None
    number = t.at[0]
    first = next((n for n in range(number) if not is_blank(t.lines[n])), number)
    if t.entry(first).indent > t.entry(number).indent:
        fault = Diagnostic(
            summary="the first line is indented further than the ones below it",
            help="start the keys of the top level in the first column",
            span=t.span(first, 0, t.entry(first).indent),
        )
        return Finding(fault, layout=True)
    fault = Diagnostic(
        summary="text after the end of the file's map",
        detail="The value that the file began with is complete before this line.",
        help="remove what is outside of it; `...` and brackets end a document",
        span=t.span(number, t.entry(number).indent, t.entry(number).end),
    )
    return Finding(fault)


def directive(t: Trouble) -> Finding | None:
    """A `%YAML` line that asks for something else."""
    if "directive" not in t.context and "incompatible" not in t.problem:
        return None
    fault = Diagnostic(
        summary="a line that starts with `%` is an instruction to a YAML parser",
        detail="lab reads YAML 1.2 and needs none.",
        help="remove the line, or quote the value",
        span=t.span(t.began[0], 0, len(t.line(t.began[0]))),
    )
    return Finding(fault)
