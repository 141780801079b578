"""Faults of a single value: templates, signs, colons, quotes and brackets that want quoting."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, printable
from lab.reading.parse_lines import (
    flow_end,
    quoted,
    quoted_before,
    scan,
    starts_value,
    value_end,
)
from lab.reading.parse_refusals import unquoted_template
from lab.reading.parse_trouble import Fill, Finding, Trouble

_SIGNS = {
    "@": "YAML keeps `@` for itself.",
    "`": "YAML keeps the backtick for itself.",
    "%": "`%` starts a directive of the YAML parser.",
    "*": "`*` repeats what `&` marked.",
    "&": "`&` marks a value for repetition.",
    "!": "`!` starts a tag, which tells a type; lab takes types from how values look.",
    "|": "`|` starts a text of several lines, and only they may follow.",
    ">": "`>` starts a text of several folded lines, and only they may follow.",
    "?": "`?` starts a key of several lines.",
    ",": "`,` parts the items of a list in brackets.",
}
_SIGN_CONTEXTS = ("alias", "anchor", "tag", "block scalar", "a node")


def template(t: Trouble) -> Finding | None:
    """A value that starts with `{{` or `{%` and has no quotes."""
    for number, upto in ((t.at[0], t.at[1] + 1), (t.began[0], t.began[1] + 2)):
        line = t.line(number)
        upto = len(line) if number != t.at[0] else upto
        column = _template_start(line, upto)
        if column >= 0:
            return _template_at(t, number, column)
    return None


def _template_start(line: str, upto: int) -> int:
    """Return the last place before a column where an unquoted template starts a value."""
    column = upto
    while column >= 0:
        column = max(line.rfind("{{", 0, column + 1), line.rfind("{%", 0, column + 1))
        inside = scan(line, column)
        if inside.quote:
            column = inside.quote_start
        elif column >= 0 and starts_value(line, column):
            return column
        column -= 1
    return -1


def _template_at(t: Trouble, number: int, column: int) -> Finding:
    line = t.line(number)
    flow = scan(line, column).brackets != () or (number > t.began[0] and "flow" in t.context)
    end = flow_end(line, column) if flow else value_end(line, column)
    span = t.span(number, column, end)
    fills = (Fill(number, column, end),)
    value = line[column:end]
    if value[-1:] in ("'", '"') and value.count(value[-1]) == 1:
        # A quote that lost its partner: the correction brings both.
        value = value[:-1]
    if value.startswith("{%"):
        return Finding(
            Diagnostic(
                summary="`{% … %}` is not part of the language",
                detail="lab evaluates expressions alone; a step is repeated by `matrix` and "
                "left out by `when`.",
                help='write an expression: `"{{ a if x else b }}"`',
                span=span,
            ),
            fills,
        )
    if value.count("{{") != value.count("}}"):
        closed = quoted(value + " }}")
        advice = "" if "}}" in value else t.corrected(number, column, end, closed)
        return Finding(unquoted_template(span, advice))
    advice = t.corrected(number, column, end, quoted(value))
    return Finding(unquoted_template(span, advice), fills)


def sign(t: Trouble) -> Finding | None:
    """A value that starts with a character that means something to YAML."""
    starts = (
        any(each in t.context for each in _SIGN_CONTEXTS) and "parsing a block" not in t.context
    )
    number, column = t.began if starts else t.at
    line = t.line(number)
    char = line[column : column + 1]
    if char not in _SIGNS or not starts_value(line, column):
        return None
    if char == "," and scan(line, column).brackets:
        return None
    flow = scan(line, column).brackets != ()
    end = flow_end(line, column) if flow else value_end(line, column)
    if char == "%" and not line[:column].strip():
        return Finding(_sign_fault(t, number, column, end, char))
    return Finding(_sign_fault(t, number, column, end, char), (Fill(number, column, end),))


def _sign_fault(t: Trouble, number: int, column: int, end: int, char: str) -> Diagnostic:
    value = t.line(number)[column:end]
    return Diagnostic(
        summary=f"a value that starts with {'a backtick' if char == '`' else f'`{char}`'} "
        "must be quoted",
        detail=_SIGNS[char],
        help=t.corrected(number, column, end, quoted(value)) or "put the whole value in quotes",
        span=t.span(number, column, end),
    )


def colon(t: Trouble) -> Finding | None:
    """A second `: ` on a line, inside a value that has no quotes."""
    number, column = t.at
    entry = t.entry(number)
    if t.char() != ":" or entry.key is None or column <= entry.value:
        return None
    line = t.line(number)
    flow = scan(line, column).brackets != ()
    if flow:
        return None
    value = line[entry.value : entry.end]
    return Finding(
        Diagnostic(
            summary="a colon inside a value that is not quoted",
            detail="A colon with a space after it parts a key from its value, and this line "
            f"has `{printable(entry.key)}:` already.",
            help=t.corrected(number, entry.value, entry.end, quoted(value))
            or "put the whole value in quotes",
            span=t.span(number, column, column + 1),
        ),
        (Fill(number, entry.value, entry.end),),
    )


def escape(t: Trouble) -> Finding | None:
    """A backslash in double quotes that escapes nothing."""
    if "escape" not in t.problem and "hexdecimal" not in t.problem:
        return None
    number, column = t.at
    line = t.line(number)
    column = line.rfind("\\", 0, column + 1)
    if column < 0:
        return None
    surrogate = line[column : column + 3].lower() in ("\\ud",)
    end = column + (6 if surrogate else 2)
    shown = printable(line[column:end])
    return Finding(
        Diagnostic(
            summary=f"`{shown}` in double quotes means nothing",
            detail="It is half of a pair of UTF-16 codes."
            if surrogate
            else "In double quotes a backslash starts an escape, such as `\\n`.",
            help="write the character itself"
            if surrogate
            else "use single quotes, in which a backslash is just itself, or double it: `\\\\`",
            span=t.span(number, column, end),
        ),
        (Fill(number, column, min(end, len(line))),),
    )


def open_quote(t: Trouble) -> Finding | None:
    """A quote that is never closed, or closed by one that was meant to open another."""
    if "quoted scalar" in t.context and "escape" not in t.problem:
        return Finding(_open_quote(t, t.began[0], t.began[1], "It is open to the end of the file."))
    number, column = t.at
    before = t.line(number)[:column].rstrip()
    if not before or before[-1] not in "\"'" or quoted_before(before):
        return None
    for above in range(number - 1, t.began[0] - 1, -1):
        found = scan(t.line(above), len(t.line(above)))
        if found.quote == before[-1]:
            closed = f"It is open until line {number + 1}, where the next quote closes it."
            return Finding(_open_quote(t, above, found.quote_start, closed))
    return None


def _open_quote(t: Trouble, number: int, column: int, why: str) -> Diagnostic:
    line = t.line(number)
    quote = line[column : column + 1]
    if line[:column].endswith(quote):
        return Diagnostic(
            summary=f"a quote (`{quote}`) too many",
            help="remove it",
            span=t.span(number, column, column + 1),
        )
    inside = scan(line, column).brackets
    fixed = "" if inside else t.corrected(number, len(line.rstrip()), len(line.rstrip()), quote)
    return Diagnostic(
        summary=f"this quote (`{quote}`) is never closed",
        detail=why,
        help=fixed or f"put a `{quote}` at the end of the value",
        span=t.span(number, column, column + 1),
    )


def trailing(t: Trouble) -> Finding | None:
    """Text that follows a closed quote, a closed bracket or an alias on the same line."""
    number, column = t.at
    line = t.line(number)
    entry = t.entry(number)
    before = line[:column].rstrip()
    if column <= entry.value or "flow" in t.context or scan(line, column).brackets:
        return None
    start = line[entry.value : entry.value + 1]
    if (start not in tuple("\"'[{*&") and before[-1:] not in tuple("]}")) or t.char() in tuple(
        "]}"
    ):
        return None
    what = {'"': "quote", "'": "quote", "]": "bracket", "}": "bracket"}.get(before[-1:], "value")
    value = line[entry.value : entry.end]
    inner = value.replace("''", "'")
    apostrophe = start == "'" == value[-1] and len(value) > 1
    fixed = f'"{inner[1:-1]}"' if apostrophe and '"' not in inner else quoted(value)
    return Finding(
        Diagnostic(
            summary=f"text after the closing {what}" if what != "value" else "text after a value",
            detail="The value ends there; what follows belongs to nothing.",
            help=t.corrected(number, entry.value, entry.end, fixed)
            or "put the whole value in quotes",
            span=t.span(number, column, entry.end),
        ),
        # A key in what follows is most likely the next line's: filled, its own lines would stray.
        () if ":" in line[column:] else (Fill(number, entry.value, entry.end),),
    )
