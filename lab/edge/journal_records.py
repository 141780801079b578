"""The records of a lab as they lie in the journal: decoded when first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import TypeAlias

from lab.edge.journal_storage import Damaged
from lab.model.codec import CodecError, record_from_texts, record_to_texts
from lab.model.state import Record

Row: TypeAlias = "tuple[str, str | None]"
"""A record's JSON and its identity's."""


class Records(MutableMapping[str, Record]):
    """Records by address; looking at one decodes it.

    Raises:
        StateError: on looking at a record that is damaged.
    """

    def __init__(
        self, rows: Iterable[tuple[str, str, str | None]], root: str, damaged: Damaged
    ) -> None:
        # None: it has changed, and was not stored since.
        self._rows: dict[str, Row | None] = {
            address: (text, ident) for address, text, ident in rows
        }
        self._known: dict[str, Record] = {}
        self._root, self._damaged = root, damaged

    def __getitem__(self, address: str) -> Record:
        record = self._known.get(address)
        if record is None:
            record = self._known[address] = self._decoded(address)
        return record

    def __setitem__(self, address: str, record: Record) -> None:
        self._known[address] = record
        self._rows[address] = None

    def __delitem__(self, address: str) -> None:
        del self._rows[address]
        self._known.pop(address, None)

    def __contains__(self, address: object) -> bool:
        return address in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"Records({', '.join(self._rows)})"

    def row(self, address: str) -> Row | None:
        """What is to be stored of the record at *address*; None if there is none."""
        if address in self._rows and self._rows[address] is None:
            self._rows[address] = record_to_texts(self._known[address], self._root)
        return self._rows.get(address)

    def copy(self) -> Records:
        """The same records, which later changes of these do not reach."""
        twin = Records((), self._root, self._damaged)
        twin._rows, twin._known = self._rows.copy(), self._known.copy()
        return twin

    def _decoded(self, address: str) -> Record:
        row = self._rows[address]
        assert row is not None, "what has changed is known"
        text, identity = row
        try:
            return record_from_texts(text, identity, self._root)
        except CodecError as error:
            said = f"The record of {address} cannot be read ({error})"
            raise self._damaged(said) from None
