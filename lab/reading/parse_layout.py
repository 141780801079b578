"""Faults of layout: tabs, indentation, and text outside of the file's one map."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, printable
from lab.reading.parse_lines import indent_of, is_blank, spaces
from lab.reading.parse_refusals import odd_key
from lab.reading.parse_trouble import Fill, Finding, Trouble


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
        detail=f"It starts with {spaces(entry.indent)}; the lines that it could belong to start "
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
