"""`lab state list` and `show`: what is remembered, as it lies in the state."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab.cli import arguments
from lab.cli.standing import Holding, holding, standing
from lab.cli.state_choice import choose
from lab.cli.state_open import state_file, state_of, state_parser
from lab.cli.status_rows import trials_text
from lab.cli.terminal import colourful, width
from lab.edge.journal import Journal, LabState
from lab.model.address import broods, matches
from lab.model.codec import record_to_json
from lab.model.diagnostic import Diagnostic, StateError, did_you_mean
from lab.model.layout import lab_key
from lab.model.state import Record
from lab.report.moments import since
from lab.report.tables import Cell, Column, table
from lab.report.value_text import json_line
from lab.report.words import paint

COLUMNS = (
    Column(sign=True),
    Column(title="step", gives=True),
    Column(title="kind"),
    Column(title="on"),
    Column(title="status"),
    Column(title="run", right=True),
    Column(title="when"),
    Column(gives=True),
)


def list_(words: Sequence[str]) -> int:
    """Prints a line for each record of each lab here."""
    parser = state_parser("list", "What is remembered, of every lab that has its state here.")
    parser.add_argument("--json", action="store_true", help="for machines; it has all trials")
    arguments.add_trials(parser)
    args = arguments.parse(parser, words)
    with state_file(args) as journal:
        labs = list(_labs(journal, args))
        found = {_key(lab): list(_records(lab)) for lab in labs}
        helds = {_key(lab): holding(lab) for lab in labs}
    if args.json:
        rows = [_json(k, a, r, helds[k]) for k, each in found.items() for a, r in each]
        print(json_line(rows))
        return 0
    for i, (key, records) in enumerate(found.items()):
        _print(key, records, helds[key], first=i == 0, trials=args.trials)
    if not found:
        print("No lab has a state here yet.")
    return 0


def show(words: Sequence[str]) -> int:
    """Prints one record as JSON."""
    parser = state_parser("show", "A step's record as JSON, as the state has it.")
    parser.add_argument("step", metavar="STEP")
    args = arguments.parse(parser, words)
    with state_of(args) as lab:
        records = lab.load().records
        if args.step not in records:
            raise no_record(args.step, records)
        print(json.dumps(record_to_json(records[args.step], lab.root), indent=2, default=dict))
    return 0


def picked(words: Sequence[str], records: Mapping[str, Record]) -> list[str]:
    """The addresses of records that *words* name; patterns, and names of steps that have a matrix.

    Raises:
        StateError: a word names none.
    """
    found: dict[str, None] = {}
    for word in words:
        hits = [word] if word in records else [a for a in records if matches(a, word)]
        if not hits:
            raise no_record(word, records)
        found.update(dict.fromkeys(hits))
    return list(found)


def no_record(word: str, records: Mapping[str, Record]) -> StateError:
    """Nothing is remembered of *word*."""
    return StateError(
        Diagnostic(
            summary=f"nothing is remembered of `{word}`",
            help=did_you_mean(word, records) or "`lab state list` shows what is",
        )
    )


def _labs(journal: Journal, args: argparse.Namespace) -> Iterator[LabState]:
    rows = journal.labs()
    if args.name or args.overlay:
        rows = [choose(rows, name=args.name, overlay=args.overlay)]
    for row in rows:
        yield journal.open(row.name, row.overlay)


def _key(lab: LabState) -> str:
    return lab_key(lab.row.name, lab.row.overlay)


def _records(lab: LabState) -> Iterator[tuple[str, Record | None]]:
    """Every address with its record; None for one that is damaged, which must not hide the others."""
    records = lab.load().records
    for address in records:
        yield address, _readable(records, address)


def _readable(records: Mapping[str, Record], address: str) -> Record | None:
    try:
        return records[address]
    except StateError:
        return None


def _json(key: str, address: str, record: Record | None, held: Holding | None) -> dict[str, Any]:
    head: dict[str, Any] = {"lab": key, "step": address}
    if record is None:
        return {**head, "status": "damaged"}
    newest = record.tried or record.done
    return {
        **head,
        "kind": record.kind,
        "target": record.target,
        "status": standing(record, held).name.lower(),
        "run": newest.run if newest else None,
        "started": newest.started if newest else None,
        "finished": record.done.finished if record.done and not record.tried else None,
        "done_in_run": record.done.run if record.done else None,
        "infrastructure": record.infrastructure,
        "protect": record.protect,
    }


def _print(
    key: str,
    records: Sequence[tuple[str, Record | None]],
    held: Holding | None,
    *,
    first: bool,
    trials: bool,
) -> None:
    colour = colourful(sys.stdout)
    whose = {} if trials else broods(address for address, _ in records)
    hidden = {address for each in whose.values() for address in each}
    by_address = dict(records)
    records = [each for each in records if each[0] not in hidden]
    notes = {
        address: trials_text(standing(by_address[each], held) for each in keys)
        for address, keys in whose.items()
    }
    count = f"{len(records)} step{'s' if len(records) != 1 else ''}"
    print(("" if first else "\n") + paint(key, "bold", colour) + f": {count}")
    if records:
        now = time.time()
        rows = [
            [*_row(address, record, held, now), Cell(notes.get(address, ""), "dim")]
            for address, record in records
        ]
        print(table(COLUMNS, rows, colour=colour, width=width(sys.stdout), indent="  "))


def _row(address: str, record: Record | None, held: Holding | None, now: float) -> list[Cell]:
    if record is None:
        damaged = [Cell("!", "red"), Cell(address, "bold"), Cell(""), Cell("")]
        return [*damaged, Cell("damaged", "red"), Cell(""), Cell("")]
    about, newest = standing(record, held), record.tried or record.done
    ended = record.done.finished if record.done and not record.tried else None
    when = ended if ended is not None else newest.started if newest else None
    return [
        Cell(about.sign, about.style),
        Cell(address, "bold"),
        Cell(record.kind),
        Cell(record.target),
        Cell(about.word, about.style),
        Cell(str(newest.run) if newest else ""),
        Cell(since(when, now) if when is not None else "", "dim"),
    ]
