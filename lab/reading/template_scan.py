"""Texts cut into plain stretches and the expressions between ``{{`` and ``}}``."""

from __future__ import annotations

import re

from lab.model.frozen import dataclass
from lab.model.regex import regex
from lab.reading.template_fault import TemplateFault

MAX_TEXT = 1 << 20  # characters of a text that holds expressions
MAX_EXPRESSION = 8192  # characters of one expression
MAX_SOURCE = 1 << 16  # characters of all expressions of one text

_WORDS = (
    "if elif else endif for endfor set endset block endblock macro endmacro include import from"
    " extends call endcall filter endfilter raw endraw with endwith autoescape do"
)
_STATEMENT = r"\{%[-+]?\s*(?P<word>" + "|".join(_WORDS.split()) + r")\b"
# `${##` belongs to the shell, and `{%` alone to printf: neither begins anything of ours
_OPENING = regex(r"(?P<open>\{\{)|(?P<note>(?<!\$)\{##)|" + _STATEMENT)
_TOKEN = regex(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?P<quote>['"])|(?P<close>\}\})|(?P<bracket>[][(){}])""",
    re.DOTALL,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Cut:
    """One expression's text as written, and the 0-based line on which it begins."""

    source: str
    line: int


def is_template(text: str) -> bool:
    """Whether *text* holds an expression, a comment, or a statement (which is a fault)."""
    return "{" in text and _OPENING.search(text) is not None


def cut(text: str) -> list[str | Cut]:
    """*text* as plain stretches and expressions, in order; comments are left out.

    Raises:
        TemplateFault: an expression is not closed or too long, or a statement is used.
    """
    if len(text) > MAX_TEXT:
        raise TemplateFault("a text with `{{ }}` may have at most 1 MiB", help="use a file for it")
    pieces: list[str | Cut] = []
    at = line = counted = spent = 0
    opening = _OPENING.search(text)
    while opening is not None:
        start = opening.start()
        line += text.count("\n", counted, start)
        counted = start
        pieces.append(text[at:start])
        if opening["word"]:
            raise _statement(text, start, opening["word"], line)
        if opening["note"]:
            at = _end_of_note(text, start, line)
        else:
            _refuse_dollar(text, start, line)
            source, at = _expression(text, start + 2, line)
            spent += len(source)
            if spent > MAX_SOURCE:
                raise _too_long(line)
            pieces.append(Cut(source, line))
        opening = _OPENING.search(text, at)
    pieces.append(text[at:])
    return [piece for piece in _trimmed(pieces) if piece != ""]


def _trimmed(pieces: list[str | Cut]) -> list[str | Cut]:
    """*pieces* after ``{{-`` and ``-}}``, which take away the white space beside them."""
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            continue
        source, before, after = piece.source, pieces[index - 1], pieces[index + 1]
        if source[:1] == "-" and source[1:2].isspace() and isinstance(before, str):
            source, pieces[index - 1] = source[1:], before.rstrip()
        if source[-1:] == "-" and isinstance(after, str):
            source, pieces[index + 1] = source[:-1], after.lstrip()
        pieces[index] = Cut(source, piece.line)
    return pieces


def _expression(text: str, start: int, line: int) -> tuple[str, int]:
    """The expression that begins at *start*, and where the text goes on after its ``}}``."""
    opened: list[tuple[str, int]] = []
    at = start
    while (token := _TOKEN.search(text, at)) is not None:
        at = token.end()
        bracket = token["bracket"]
        if token.start() - start > MAX_EXPRESSION:
            raise _too_long(line)
        if bracket == "}" and not opened:
            break
        if token["close"] and not opened:
            return text[start : token.start()], at
        if token["close"] and opened[-1][0] == "{":
            opened.pop()
            at -= 1
        elif token["close"] or (bracket in _PAIRS and not _closes(opened, bracket)):
            raise _unbalanced(text, start, token.start(), opened, line)
        elif token["quote"]:
            raise _unclosed_quote(text, start, token.start(), line)
        elif bracket and bracket not in _PAIRS:
            opened.append((bracket, token.start()))
    raise _unclosed(text, start, line)


def _closes(opened: list[tuple[str, int]], bracket: str) -> bool:
    if not opened or opened[-1][0] != _PAIRS[bracket]:
        return False
    opened.pop()
    return True


def _end_of_note(text: str, start: int, line: int) -> int:
    end = text.find("##}", start + 3)
    if end < 0:
        raise TemplateFault(
            "a comment that begins with `{##` is not closed",
            help="close it with `##}`",
            expression="{##",
            line=line,
        )
    return end + 3


def _too_long(line: int) -> TemplateFault:
    return TemplateFault(
        "the expression is too long",
        help="split it: put parts of it into `vars`, or let a step compute it",
        line=line,
    )


def _first_line(text: str, start: int) -> str:
    return text[start : start + 120].split("\n", 1)[0].rstrip()


def _unclosed(text: str, start: int, line: int) -> TemplateFault:
    return TemplateFault(
        "`{{` is not closed by `}}`",
        help="close the expression with `}}`; to get two braces as text, write {{ '{{' }}",
        expression=_first_line(text, start - 2),
        line=line,
    )


def _unclosed_quote(text: str, start: int, at: int, line: int) -> TemplateFault:
    end = text.find("}}", start)
    source = text[start:end].strip() if end > at else _first_line(text, start - 2)
    return TemplateFault(
        f"a quoted text in the expression is not closed: a second {text[at]} is missing",
        help="quote texts inside an expression with '…' or \"…\"; write \\' for a quote inside",
        expression=source,
        line=line,
    )


def _unbalanced(
    text: str, start: int, at: int, opened: list[tuple[str, int]], line: int
) -> TemplateFault:
    bracket = text[at] if text[at : at + 2] != "}}" or not opened else opened[-1][0]
    missing = "closed" if opened and bracket == opened[-1][0] else "opened"
    end = text.find("}}", start)
    source = text[start:end].strip() if end > start else _first_line(text, start)
    return TemplateFault(
        f"the bracket `{bracket}` in the expression was never {missing}",
        help="every ( [ { needs its ) ] } inside the same `{{ }}`",
        expression=source,
        line=line,
    )


def _refuse_dollar(text: str, start: int, line: int) -> None:
    if start and text[start - 1] == "$":
        raise TemplateFault(
            "`${{ }}` is another tool's spelling",
            help="write `{{ … }}` without the dollar sign; for a dollar sign before a value, write"
            " {{ '$' ~ … }}",
            expression="${{",
            line=line,
        )


def _statement(text: str, start: int, word: str, line: int) -> TemplateFault:
    return TemplateFault(
        f"`{{% {word} %}}` is not allowed: templates hold expressions only",
        help=_INSTEAD.get(word, "only `{{ expression }}` is possible; keep logic in your programs"),
        expression=_first_line(text, start).split("%}", 1)[0].rstrip(),
        line=line,
    )


_IF = (
    "to choose a value write {{ a if condition else b }}; to leave out a whole step use its `when`"
)
_FOR = (
    "to run a step for each of several values use its `matrix`; to join a list write"
    " {{ vars.items | join(' ') }}"
)
_INSTEAD = {
    **dict.fromkeys(("if", "elif", "else", "endif"), _IF),
    **dict.fromkeys(("for", "endfor"), _FOR),
    **dict.fromkeys(("set", "endset", "with", "endwith"), "declare the value under `vars`"),
    **dict.fromkeys(("include", "import", "from", "extends"), "share steps with a recipe"),
    **dict.fromkeys(("raw", "endraw"), "to get two braces as text, write {{ '{{' }}"),
}
