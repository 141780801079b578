"""From an error of YAML's parser to words a person can act on, one fault after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.model.diagnostic import Diagnostic, printable
from lab.reading import parse_keys as keys
from lab.reading import parse_layout as layout
from lab.reading import parse_values as values
from lab.reading.parse_brackets import brackets
from lab.reading.parse_trouble import Finding, Trouble, trouble_of

# The order matters: the first rule that knows the mistake names it.
_RULES: tuple[Callable[[Trouble], Finding | None], ...] = (
    layout.tab,
    values.template,
    layout.directive,
    values.sign,
    values.escape,
    keys.list_on_key_line,
    values.colon,
    keys.key_line,
    values.open_quote,
    values.trailing,
    brackets,
    layout.shape,
    layout.document,
)


def explain(name: str, lines: list[str], error: Any) -> Finding:
    """Return what went wrong in one place, and how to read past it."""
    trouble = trouble_of(name, lines, error)
    for rule in _RULES:
        finding = rule(trouble)
        if finding is not None:
            return finding
    return Finding(_unknown(trouble))


def _unknown(t: Trouble) -> Diagnostic:
    reason = printable(t.problem or "it cannot be parsed")
    began = t.span(t.began[0], t.began[1], t.began[1] + 1)
    return Diagnostic(
        summary=f"this is not YAML: {reason}",
        detail=f"It happened {printable(t.context)}." if t.context else "",
        help="look for a missing quote, bracket or colon here or just above",
        span=t.here(),
        notes=(("it began here", began),) if t.began != t.at else (),
    )


def mend(lines: list[str], finding: Finding) -> list[str] | None:
    """Return the lines with the fault filled in; None where reading cannot go on."""
    if not finding.fills:
        return None
    mended = list(lines)
    for fill in finding.fills:
        mended[fill.line] = fill.apply(mended[fill.line])
    return mended if mended != lines else None
