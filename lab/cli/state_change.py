"""`lab state rm`, `mv` and `compact`: what is remembered is changed, under the lock and on the record."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from lab.cli import arguments
from lab.cli.asking import ask
from lab.cli.locking import held
from lab.cli.state_list import no_record, picked
from lab.cli.state_open import record_change, state_of, state_parser
from lab.cli.terminal import interactive
from lab.model.address import instance, is_name, split
from lab.model.diagnostic import Diagnostic, LabfileError, StateError
from lab.model.event import Event, RecordMoved, StepForgotten
from lab.model.state import Record, State

KEPT_RUNS = 50


def rm(words: Sequence[str]) -> int:
    """Forgets steps; what they made stays in the world."""
    parser = state_parser(
        "rm", "Forget steps without destroying what they made; the next apply makes them anew."
    )
    parser.add_argument("steps", nargs="+", metavar="STEP", help="addresses or patterns")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    arguments.add_lock(parser)
    args = arguments.parse(parser, words)
    command = "state rm " + " ".join(args.steps)
    with state_of(args) as lab, held(lab, command, args.lock_timeout):
        found = picked(args.steps, lab.load().records)
        shown = _shown(found)
        _agree(args, f"{shown} would be forgotten", f"Forget {shown}?")

        def changes(state: State, run: int, now: float) -> list[Event]:
            return [
                StepForgotten(run=run, time=now, address=a, cause="asked for with `lab state rm`")
                for a in found
                if a in state.records
            ]

        record_change(lab, command, "forgotten", changes)
    print(f"Forgot {shown}. What was made stays where it is; lab knows nothing of it any more.")
    return 0


def mv(words: Sequence[str]) -> int:
    """Gives a step's record another address, after the step was renamed in the Labfile."""
    parser = state_parser(
        "mv", "Remember OLD as NEW, after a step was renamed: its results are kept."
    )
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    arguments.add_lock(parser)
    args = arguments.parse(parser, words)
    _require_address(args.new)
    command = f"state mv {args.old} {args.new}"
    with state_of(args) as lab, held(lab, command, args.lock_timeout):
        moves = _moves(args.old, args.new, lab.load().records)

        def changes(state: State, run: int, now: float) -> list[Event]:
            needing = _needing(state.records, moves)
            return [
                RecordMoved(run=run, time=now, address=a, to=b, needed_by=needing[a])
                for a, b in moves.items()
            ]

        record_change(lab, command, "moved", changes)
    for old, new in moves.items():
        print(f"`{old}` is remembered as `{new}` now.")
    return 0


def compact(words: Sequence[str]) -> int:
    """Drops old history; records and the list of runs stay."""
    parser = state_parser(
        "compact", "Drop the history of old runs; what is remembered of steps stays as it is."
    )
    parser.add_argument(
        "--keep",
        type=arguments.positive,
        default=KEPT_RUNS,
        metavar="RUNS",
        help=f"keep the history of so many runs (default: {KEPT_RUNS})",
    )
    arguments.add_lock(parser)
    args = arguments.parse(parser, words)
    with state_of(args) as lab, held(lab, "state compact", args.lock_timeout):
        dropped = lab.compact(args.keep)
    print(f"Dropped {dropped} events." if dropped else "There was nothing to drop.")
    return 0


def _agree(args: argparse.Namespace, what: str, question: str) -> None:
    if args.yes:
        return
    if not interactive():
        raise LabfileError(
            Diagnostic(summary=f"{what}, and nobody can be asked", help="add `--yes`")
        )
    ask(question)


def _moves(old: str, new: str, records: Mapping[str, Record]) -> dict[str, str]:
    """What moves where: one record, or every instance of a step that has a matrix.

    Raises:
        StateError: there is nothing to move, or something is at its new address already.
    """
    if old in records:
        moves = {old: new}
    else:
        mine = [address for address in records if split(address)[0] == old != address]
        moves = {address: instance(new, split(address)[1]) for address in mine}
    if not moves:
        raise no_record(old, records)
    taken = [b for b in moves.values() if b in records]
    if taken:
        raise StateError(
            Diagnostic(
                summary=f"{_shown(taken)} is remembered already, and was not overwritten",
                help=f"`lab state rm '{taken[0]}'` forgets it first, if that is what you want",
            )
        )
    return moves


def _needing(records: Mapping[str, Record], moves: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """For each that moves, the records that needed it, where they lie once it and those before it have moved."""
    found: dict[str, list[str]] = {address: [] for address in moves}
    turn = {address: i for i, address in enumerate(moves)}
    for address in records:
        for moved in moves.keys() & set(_needs(records, address)):
            already = turn.get(address, len(turn)) <= turn[moved]
            found[moved].append(moves[address] if already else address)
    return {address: tuple(needing) for address, needing in found.items()}


def _needs(records: Mapping[str, Record], address: str) -> tuple[str, ...]:
    try:
        return records[address].needs
    except StateError:  # it is damaged, which is no reason not to move others
        return ()


def _require_address(text: str) -> None:
    name, key = split(text)
    fits = all(is_name(part) for part in name.split("/")) and (key or name == text)
    if not fits or not text.isprintable():
        raise arguments.usage(
            f"`{text}` cannot be the name of a step",
            "names are letters, digits, `_` and `-`; an instance is written train[lr=0.1]",
        )


def _shown(addresses: Sequence[str]) -> str:
    shown = ", ".join(f"`{address}`" for address in addresses[:6])
    return shown + (f" and {len(addresses) - 6} more" if len(addresses) > 6 else "")
