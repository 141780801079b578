"""What YAML allows and lab does not, in words: each says why, and what to write instead."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, Span, printable
from lab.model.regex import regex
from lab.reading.parse_lines import corrected, quoted

_TAG = regex(r"![^\s,\[\]{}]*")


def unquoted_template(span: Span, advice: str) -> Diagnostic:
    """Refuse a value that starts with braces; *advice* shows the corrected line, or is ''."""
    return Diagnostic(
        summary="a value that starts with `{{` must be quoted",
        detail="An unquoted `{` opens a map in YAML, which tears the template apart.",
        help=advice or "put the whole value in quotes",
        span=span,
    )


def too_many(span: Span, limit: int) -> Diagnostic:
    """Refuse a text whose aliases unfold into too much."""
    return Diagnostic(
        summary="the file unfolds into more than lab reads",
        detail=f"With every alias (`*name`) written out it has over {limit:,} values, or over "
        "64 MiB of text. A file of nested aliases can be small and yet fill the memory.",
        help="use fewer aliases; `like`, `vars` and recipes are made for repetition",
        span=span,
    )


def too_deep(span: Span, limit: int) -> Diagnostic:
    """Refuse what is nested beyond reason."""
    return Diagnostic(
        summary=f"nested more than {limit} levels deep",
        detail="No Labfile needs so many maps and lists inside one another.",
        help="look for brackets that are never closed, or an alias that contains itself",
        span=span,
    )


def odd_key(text: str, span: Span) -> Diagnostic:
    """Refuse the merge key and the empty key."""
    if not text:
        return Diagnostic(
            summary="a key is missing before `:`",
            help='write `key: value`; a value that starts with a colon is quoted: `":value"`',
            span=span,
        )
    return Diagnostic(
        summary="merge keys (`<<`) are not part of the language",
        detail="YAML 1.2 dropped them. lab copies steps by name instead, so that the plan can "
        "say where each key comes from.",
        help="in a step write `like: other-step`, and beside it the keys that differ",
        span=span,
    )


def complex_key(span: Span, line: str) -> Diagnostic:
    """Refuse a map or list as a key, which most often is a template without quotes."""
    start = span.column - 2
    if line[max(start, 0) : start + 2] == "{{":
        return _template(span, line, start)
    return Diagnostic(
        summary="a map or a list cannot be a key",
        help="write a plain word before the `:`, or quote the key",
        span=Span(span.source, span.line, span.column, span.line, span.column + 1),
    )


def _template(span: Span, line: str, start: int) -> Diagnostic:
    end = line.find("}}", start)
    end = len(line.rstrip()) if end < 0 else end + 2
    place = Span(span.source, span.line, start + 1, span.line, end + 1)
    return unquoted_template(place, corrected(line, start, end, quoted(line[start:end])))


def colon_in_key(key: str, span: Span) -> Diagnostic:
    """Refuse `{a:1}`, in which YAML takes `a:1` for a key without a value."""
    name, _, value = key.partition(":")
    return Diagnostic(
        summary=f"a space is missing after `{printable(name)}:`",
        detail=f"Without the space `{printable(key)}` is one key without a value.",
        help=f"write `{printable(name)}: {printable(value)}`",
        span=span,
    )


def unknown_alias(name: str, span: Span, *, inside: bool) -> Diagnostic:
    """Refuse an alias whose anchor is not known, or not complete."""
    shown = printable(name)
    if inside:
        return Diagnostic(
            summary=f"`*{shown}` stands inside what it repeats",
            detail=f"The value marked `&{shown}` would contain itself without end.",
            help="take the alias out, or write the value in full",
            span=span,
        )
    return Diagnostic(
        summary=f"nothing above is marked `&{shown}`",
        detail=f"An unquoted `*` at the start of a value repeats what `&{shown}` marks.",
        help=f'if a pattern is meant, quote it: `"*{shown}"`',
        span=span,
    )


def second_document(span: Span) -> Diagnostic:
    """Refuse more than one document in a text."""
    return Diagnostic(
        summary="a second document starts here",
        detail="The line `---` parts a file into several documents; lab reads one per file.",
        help="remove the `---`, or move what follows to a file of its own",
        span=Span(span.source, span.line, span.column, span.line, span.column + 3),
    )


def tag(span: Span, line: str) -> Diagnostic:
    """Refuse a tag: types follow from how values look, and nothing is constructed."""
    found = _TAG.search(line, span.column - 1)
    name = found.group() if found else "!"
    start = found.start() + 1 if found else span.column
    return Diagnostic(
        summary=f"tags such as `{printable(name)}` are not part of the language",
        detail="A Labfile is plain data: text, numbers, booleans, lists and maps.",
        help='remove the tag; to have a text, quote the value: `"3.10"`',
        span=Span(span.source, span.line, start, span.line, start + len(name)),
    )


def again(key: str, span: Span, first: Span | None) -> Diagnostic:
    """Refuse a key that its map already holds."""
    return Diagnostic(
        summary=f"`{printable(key)}` is given twice",
        detail="A map holds a key once; of two, one would be lost silently.",
        help="remove or rename one of them",
        span=span,
        notes=(("first given here", first),) if first else (),
    )


def empty(name: str) -> Diagnostic:
    """Refuse a text that says nothing."""
    return Diagnostic(
        summary="the file is empty",
        detail="It holds nothing but blanks and comments.",
        help="write `key: value` lines; a map without keys is written `{}`",
        span=Span(name, 1, 1, 1, 1),
    )


def not_a_map(root: object, span: Span) -> Diagnostic:
    """Refuse a list or a single value in place of the map of keys."""
    start = Span(span.source, span.line, span.column, span.line, span.column + 1)
    if not isinstance(root, list):
        return Diagnostic(
            summary="the file must be a map of `key: value` lines",
            detail="It is one single value.",
            help="put a space after each key's colon: `name: mnist`",
            span=span,
        )
    if not any(isinstance(each, dict) and "name" in each for each in root):
        return Diagnostic(
            summary="the file must be a map of `key: value` lines, not a list",
            detail="A line that starts with `- ` or `[` begins a list.",
            help="start each line of the top level with a key",
            span=start,
        )
    return Diagnostic(
        summary="the file must be a map of `key: value` lines, not a list",
        detail="A playbook is a list of `- name:` entries; in a Labfile each step's name is a key "
        "below `steps`, and the order follows from what needs what.",
        help="write each step under its name:\n"
        "  steps:\n    train:\n      command: [python, train.py]",
        span=start,
    )
