"""The Go templates in which older Katib Experiments hold their trials, filled with marks for the parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.model.frozen import dataclass
from lab.model.regex import regex

# `{{-` takes the blanks before it along, `-}}` those behind it.
_ACTION = regex(r"(?s)(?:\s*\{\{-|\{\{)\s*(.*?)\s*(?:-\}\}\s*|\}\})")
_OPENING = regex(r"(with|range|if)\s+(\S+)\Z")
_META = {
    ".Trial": "${trialSpec.Name}",
    ".NameSpace": "${trialSpec.Namespace}",
    ".Experiment": "experiment",
}


class GoTemplateFault(Exception):
    """A template holds what is not known here; ``line`` is 0-based in its text."""

    def __init__(self, summary: str, line: int) -> None:
        super().__init__(summary)
        self.summary, self.line = summary, line


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of plain text, or what stands between braces."""

    text: str
    line: int
    action: bool


def filled(template: str, parameters: Sequence[str]) -> str:
    """*template* with ``${trialParameters.NAME}`` where a parameter's value will stand.

    Raises:
        GoTemplateFault: it uses more of Go's template language than Katib's variables, `with`,
            `range` and `if` over the parameters.
    """
    pieces = list(_pieces(template))
    text, at = _block(pieces, 0, tuple(parameters), None, inner=False)
    if at < len(pieces):
        raise GoTemplateFault("an `end` ends nothing", pieces[at].line)
    return text


def _pieces(template: str) -> Iterator[_Piece]:
    at = 0
    for match in _ACTION.finditer(template):
        line = template.count("\n", 0, match.start(1))
        yield _Piece(template[at : match.start()], line, action=False)
        yield _Piece(match.group(1), line, action=True)
        at = match.end()
    yield _Piece(template[at:], template.count("\n", 0, at), action=False)


def _block(
    pieces: Sequence[_Piece],
    at: int,
    parameters: tuple[str, ...],
    name: str | None,
    *,
    inner: bool,
) -> tuple[str, int]:
    """The text from *at* to the `end` of this block, and where that stands; *name*: the parameter in turn."""
    found: list[str] = []
    while at < len(pieces):
        piece = pieces[at]
        if not piece.action:
            found.append(piece.text)
        elif piece.text == "end":
            return "".join(found), at
        elif (opening := _OPENING.match(piece.text)) is not None:
            text, at = _opened(pieces, at, opening.group(1), opening.group(2), parameters, name)
            found.append(text)
        else:
            found.append(_value(piece, name))
        at += 1
    if inner:
        raise GoTemplateFault("a block has no `end`", pieces[-1].line)
    return "".join(found), at


def _opened(
    pieces: Sequence[_Piece],
    at: int,
    word: str,
    over: str,
    parameters: tuple[str, ...],
    name: str | None,
) -> tuple[str, int]:
    if over not in (".HyperParameters", "."):
        raise GoTemplateFault(f"`{word} {over}` is not known here", pieces[at].line)
    names: tuple[str | None, ...] = parameters if word == "range" else (name,)
    texts, end = [], at
    for each in names or (None,):
        text, end = _block(pieces, at + 1, parameters, each, inner=True)
        texts.append(text)
    return "".join(texts) if parameters else "", end


def _value(piece: _Piece, name: str | None) -> str:
    if piece.text in _META:
        return _META[piece.text]
    if name is not None and piece.text == ".Name":
        return name
    if name is not None and piece.text == ".Value":
        return f"${{trialParameters.{name}}}"
    raise GoTemplateFault(f"`{{{{{piece.text}}}}}` is not known here", piece.line)
