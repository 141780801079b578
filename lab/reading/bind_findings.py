"""Collects what is wrong with a document, and says it all at once in the order of the text."""

from __future__ import annotations

from collections.abc import Iterable

from lab.kinds.shape_fault import Fault
from lab.model.diagnostic import Diagnostic, LabfileError, Span
from lab.model.document import Document
from lab.model.tree import Json, Path
from lab.reading.foreign import taught_nested
from lab.reading.pinpoint import pinpoint
from lab.reading.template import TemplateFault

_MOST = 50
_ENOUGH = 500  # faults; who has more mends these first, and each costs time


class Findings:
    """The faults of one document. Positions are looked up here and nowhere else, once a fault."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: dict[tuple[Span | None, str], Diagnostic] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, faults: Iterable[Fault], *, step: str = "", address: str = "") -> None:
        """Take faults; of one in a key that *step* copied by `like`, or of an instance, say so."""
        for fault in faults:
            if fault.unknown:
                fault = taught_nested(fault, self._value_at(fault.path))
            span = self.document.span_of(fault.path, key=fault.at_key) if fault.path else None
            self._take(
                Diagnostic(
                    summary=fault.summary,
                    detail=fault.detail,
                    help=fault.help,
                    span=span,
                    notes=(
                        *self._taken_away(fault),
                        *self._copied(fault.path, step),
                        *_of(step, address),
                    ),
                )
            )

    def template(self, fault: TemplateFault, path: Path, *, step: str = "") -> None:
        """Take the fault of a template; *path* leads to the tree that was rendered."""
        whole = (*path, *fault.path)
        self._take(
            Diagnostic(
                summary=fault.summary,
                help=fault.help,
                span=pinpoint(self.document, whole, fault.expression, fault.line),
                notes=self._copied(whole, step),
            )
        )

    def tell(self, fault: Diagnostic) -> None:
        """Take a fault that knows its place."""
        self._take(fault)

    def say(self) -> None:
        """Raise LabfileError with all faults, if there are any."""
        if not self._found:
            return
        names = [layer.name for layer in self.document.layers]

        def place(fault: Diagnostic) -> tuple[int, int, int]:
            span = fault.span
            return (names.index(span.source), span.line, span.column) if span else (-1, 0, 0)

        raise LabfileError(*sorted(self._found.values(), key=place)[:_MOST])

    def _take(self, fault: Diagnostic) -> None:
        key = (fault.span, fault.summary)
        known = self._found.get(key)
        # A fault that is also one of the step that it was copied from is told there.
        if known is None or (known.notes and not fault.notes):
            self._found[key] = fault
        if len(self._found) >= _ENOUGH:
            self.say()

    def _value_at(self, path: Path) -> Json:
        value: Json = self.document.tree
        for part in path:
            match value, part:
                case dict(), str():
                    value = value.get(part)
                case list(), int() if part < len(value):
                    value = value[part]
                case _:
                    return None
        return value

    def _taken_away(self, fault: Fault) -> list[tuple[str, Span | None]]:
        """Tell where an overlay took away what is missing."""
        found: list[tuple[str, Span | None]] = []
        for key in fault.lacks:
            path = (*fault.path, key)
            layer = self.document.layer_of(path)
            if layer is not None and layer is not self.document.layers[0]:
                found.append((f"`{key}` is taken away here", layer.span_of(path, key=True)))
        return found

    def _copied(self, path: Path, step: str) -> tuple[tuple[str, Span | None], ...]:
        if not step or path[:2] == ("steps", step) or path[:1] != ("steps",):
            return ()
        like: Path = ("steps", step, "like")
        if self.document.layer_of(like) is None:
            like = ("steps", step, "trial", "like")
        place = self.document.span_of(like)
        return ((f"copied into '{step}' by `like` here", place),)


def _of(step: str, address: str) -> tuple[tuple[str, Span | None], ...]:
    return ((f"so it comes out in {address}", None),) if address != step and address else ()
