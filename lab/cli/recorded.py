"""A lab's state, opened to be read: no graph, no world, and no Labfile that must be right."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import ClassVar

from lab.cli.home import file_journal, is_shared, journal_from
from lab.cli.labfile import Source, find, read_source
from lab.cli.state_choice import choose, state_root
from lab.edge.journal import Journal, LabState
from lab.model.diagnostic import Diagnostic, LabError, LabfileError
from lab.model.frozen import dataclass
from lab.model.layout import lab_key
from lab.model.state import Record, State
from lab.reading.bind_findings import Findings
from lab.reading.bind_top import lab_name


class NotYetError(LabError):
    """What was asked for is right, and there is nothing of it yet."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is remembered of one lab, and its Labfile as read; ``faults`` say why it could not be."""

    root: str
    journal: Journal
    lab: LabState
    state: State
    source: Source | None = None
    faults: tuple[Diagnostic, ...] = ()

    @property
    def key(self) -> str:
        """The lab's name as people know it: ``mnist``, ``mnist@prod``."""
        return lab_key(self.lab.row.name, self.lab.row.overlay)

    def declared(self) -> list[str]:
        """The names of the Labfile's steps, right or wrong."""
        steps = self.source.document.tree.get("steps") if self.source else None
        return list(steps) if isinstance(steps, Mapping) else []

    def record(self, address: str) -> Record | None:
        """The record of a step; None if there is none."""
        return self.state.records.get(address)


@contextlib.contextmanager
def recorded(args: argparse.Namespace) -> Iterator[Recorded]:
    """The state of the lab whose Labfile *args* name; of the only lab here, where there is no Labfile.

    Raises:
        LabError: there is neither, or the state cannot be read.
    """
    whose = _whose(args)
    source = whose.source
    with journal_from(source, args) if source else file_journal(whose.root) as journal:
        asking = source.path if source and is_shared(source) else ""
        lab = journal.open(whose.name, whose.overlay, asking)
        yield Recorded(
            root=whose.root,
            journal=journal,
            lab=lab,
            state=lab.load(),
            source=whose.source,
            faults=whose.faults,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whose:
    root: str
    name: str
    overlay: str
    source: Source | None = None
    faults: tuple[Diagnostic, ...] = ()


def _whose(args: argparse.Namespace) -> _Whose:
    """Which lab is meant."""
    try:
        path = find(args.labfile)
    except LabfileError as error:
        root = state_root(os.getcwd())
        if args.labfile is not None or root is None:
            raise
        with file_journal(root) as journal:
            row = choose(journal.labs(), overlay=args.overlay)
        return _Whose(root=root, name=row.name, overlay=row.overlay, faults=error.diagnostics)
    try:
        source = read_source(args)
        name = name_of(source)
        return _Whose(root=source.root, name=name, overlay=args.overlay, source=source)
    except LabfileError as error:
        remembered = _remembered_name(path, args.overlay)
        if remembered is None:
            raise
        return _Whose(
            root=os.path.dirname(path),
            name=remembered,
            overlay=args.overlay,
            faults=error.diagnostics,
        )


def name_of(source: Source) -> str:
    """The name that a Labfile gives its lab.

    Raises:
        LabfileError: it is no name.
    """
    findings = Findings(source.document)
    name = lab_name(source.document.tree, source.path, findings)
    findings.say()
    return name


def _remembered_name(path: str, overlay: str) -> str | None:
    """The lab that the file at *path*, which cannot be read now, declared; None if that is not certain."""
    root = os.path.dirname(path)
    with file_journal(root) as journal:
        rows = journal.labs()
    names = [r.name for r in rows if (r.labfile, r.overlay) == (os.path.basename(path), overlay)]
    return names[0] if len(names) == 1 else None
