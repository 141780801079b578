"""`lab state unlock` and `check`: what to do when something is wrong with the state."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from lab.cli import arguments
from lab.cli.complain import complain
from lab.cli.state_choice import choose
from lab.cli.state_open import state_file, state_of, state_parser
from lab.cli.state_salvage import salvage_to, tell
from lab.edge.journal import Journal, LabState
from lab.edge.journal_errors import DamagedStateError
from lab.edge.lock import GONE, Lock, Proof
from lab.model.diagnostic import StateError
from lab.model.layout import lab_key

_PROOFS = {
    Proof.ALIVE: "it is running",
    Proof.DEAD: "it does not run any more",
    Proof.SILENT: "its lease has ended, for it has not been heard of",
    Proof.UNKNOWN: "whether it still runs cannot be seen from here",
}


def unlock(words: Sequence[str]) -> int:
    """Says who holds the lock, and releases it if they are dead."""
    parser = state_parser(
        "unlock", "Release the lock of a command that does not run any more; it says which one."
    )
    parser.add_argument(
        "--force", action="store_true", help="release it in any case; its holder records no more"
    )
    args = arguments.parse(parser, words)
    with state_of(args) as lab:
        lock, key = Lock(lab, "lab state unlock"), _key(lab)
        found = lock.standing()
        if found is None:
            print(f"Nobody holds the lock of {key}.")
            return 0
        holder, proof = found
        print(f"{key} is held by {holder}: {_PROOFS[proof]}.", flush=True)
        released = lock.unlock(force=args.force)
    if released is None:
        print("It has just been released by itself.")
    elif proof in GONE:
        print("Released.")
    else:
        print("Released. If that command still runs, it stops at the next thing that it records.")
    return 0


def check(words: Sequence[str]) -> int:
    """Reads all of the state and says what is wrong with it; exit 4 if anything is."""
    parser = state_parser("check", "Read the whole state, and say what is damaged.")
    parser.add_argument(
        "--salvage", metavar="FILE", help="write what can still be read into a new state, FILE"
    )
    args = arguments.parse(parser, words)
    if args.salvage is not None:
        return salvage_to(args)
    try:
        return _check(args)
    except DamagedStateError as error:
        complain(error)
        tell(args)
        return error.exit_code


def _check(args: argparse.Namespace) -> int:
    faults = 0
    with state_file(args) as journal:
        for lab in _labs(journal, args):
            found = lab.check()
            faults += len(found)
            for fault in found:
                print(f"{_key(lab)}: {fault}")
            if not found:
                count = len(lab.load().records)
                print(f"{_key(lab)}: whole, with {count} step{'s' if count != 1 else ''}")
    if faults:
        print(
            "\nCopy the folder .lab away before anything else. `lab state rm STEP` drops a damaged\n"
            "record, so that the step is made anew; the rest of the state stays as it is.\n"
            "`lab state check --salvage FILE` writes all that is whole into a new state."
        )
    return StateError.exit_code if faults else 0


def _labs(journal: Journal, args: argparse.Namespace) -> Iterator[LabState]:
    rows = journal.labs()
    if args.name or args.overlay:
        rows = [choose(rows, name=args.name, overlay=args.overlay)]
    for row in rows:
        yield journal.open(row.name, row.overlay)


def _key(lab: LabState) -> str:
    return lab_key(lab.row.name, lab.row.overlay)
