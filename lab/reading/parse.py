"""From the bytes of a Labfile to its document: every fault that can be found, at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from lab.model.diagnostic import Diagnostic, LabfileError
from lab.model.document import Document, Layer
from lab.model.tree import Json
from lab.reading import parse_refusals as refuse
from lab.reading.parse_bytes import decode
from lab.reading.parse_cache import from_json, to_json
from lab.reading.parse_events import first_span, locate
from lab.reading.parse_lines import lines_of
from lab.reading.parse_scalars import resolve
from lab.reading.parse_syntax import explain, mend
from lab.reading.parse_tree import MAX_FAULTS, Reader

__all__ = ["from_json", "merge", "parse", "parse_value", "to_json"]

_MOST_MENDS = 25
# Each mend reads the text anew, so that a long one is mended less often.
_MEND_BUDGET = 2 * 1024 * 1024


def parse(name: str, data: bytes) -> Layer:
    """Read one text; *name* is how messages call it. Raises LabfileError with all its faults."""
    text = decode(name, data)
    reader = Reader(name, text).read()
    root = reader.top[0] if reader.top else None
    if reader.error or reader.faults or reader.twice or not isinstance(root, dict):
        raise LabfileError(*_faults(name, text, reader, is_map=True))
    return Layer(name, text, root, reader.texts(), partial(locate, name, text))


def _faults(name: str, text: str, reader: Reader, *, is_map: bool) -> list[Diagnostic]:
    found, text, reader = _syntax(name, text, reader)
    found += reader.faults
    found += _twice(name, text, reader)
    root = reader.top[0] if reader.top else None
    if is_map and reader.error is None and not isinstance(root, dict):
        found += [_no_map(name, text, root)] if root is not None or not found else []
    # A template in braces can be met twice, as the outer and as the inner map.
    distinct = {(_place(each), each.summary): each for each in reversed(found)}
    return sorted(distinct.values(), key=_place)[:MAX_FAULTS]


def _syntax(name: str, text: str, reader: Reader) -> tuple[list[Diagnostic], str, Reader]:
    """Find what is not YAML, fault by fault; then the text and the reading to look on in."""
    found: list[Diagnostic] = []
    lines = lines_of(text)
    for _ in range(min(_MOST_MENDS, 1 + _MEND_BUDGET // (len(text) + 1))):
        if reader.error is None:
            break
        finding = explain(name, lines, reader.error)
        # After a first fault, odd indentation may be its consequence rather than another.
        if finding.fault in found or (found and finding.layout):
            break
        found.append(finding.fault)
        mended = mend(lines, finding)
        if mended is None:
            break
        lines, text = mended, "\n".join(mended)
        reader = Reader(name, text).read()
    return found, text, reader


def _twice(name: str, text: str, reader: Reader) -> list[Diagnostic]:
    if not reader.twice:
        return []
    places = locate(name, text, max(again.line for _, again in reader.twice))
    return [
        refuse.again(str(path[-1]), again, places[path][0] if path in places else None)
        for path, again in reader.twice
    ]


def _no_map(name: str, text: str, root: Json) -> Diagnostic:
    span = first_span(name, text)
    if root is None or span is None:
        return refuse.empty(name)
    return refuse.not_a_map(root, span)


def _place(fault: Diagnostic) -> tuple[int, int]:
    return (fault.span.line, fault.span.column) if fault.span else (0, 0)


def parse_value(text: str) -> Json:
    """Read the TEXT of `--var x=TEXT`: brackets and quotes as YAML, all else one plain scalar.

    Raises ValueError with the reason in one line.
    """
    stripped = text.strip()
    if not stripped:
        return ""
    if stripped[0] not in "[{\"'" or stripped.startswith(("{{", "{%")):
        value = resolve(stripped)
        return text if isinstance(value, str) else value
    try:
        clean = decode("value", stripped.encode())
    except UnicodeEncodeError:
        raise ValueError("it is not UTF-8") from None
    except LabfileError as error:
        raise ValueError(error.diagnostics[0].summary) from None
    reader = Reader("value", clean).read()
    if reader.error or reader.faults or reader.twice:
        fault = _faults("value", clean, reader, is_map=False)[0]
        raise ValueError(f"{fault.summary}; {fault.help}" if fault.help else fault.summary)
    return reader.top[0]


def merge(base: Layer | Document, overlays: Iterable[Layer]) -> Document:
    """Lay overlays over a base: maps merge, everything else replaces, null takes away."""
    below = base if isinstance(base, Document) else Document(base.tree, (base,))
    above = tuple(overlays)
    tree = below.tree
    for overlay in above:
        tree = _merged(tree, overlay.tree)
    return Document(tree, below.layers + above)


def _merged(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    tree = dict(below)
    for key, value in above.items():
        old = tree.get(key)
        if value is None:
            tree.pop(key, None)
        elif isinstance(value, dict):
            # Also where nothing is below: a null in a new map has nothing to take away.
            tree[key] = _merged(old if isinstance(old, dict) else {}, value)
        else:
            tree[key] = value
    return tree
