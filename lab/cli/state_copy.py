"""`lab state pull`, `push` and `join`: a lab's whole state is carried elsewhere, and shared."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.home import file_journal, is_shared, journal_from
from lab.cli.labfile import Source, read_source
from lab.cli.locking import held
from lab.cli.recorded import name_of
from lab.cli.state_open import plain, state_of, state_parser
from lab.edge.contents import contents
from lab.edge.journal import Journal
from lab.edge.journal_copy import Carried, from_text, to_json
from lab.edge.journal_errors import made
from lab.edge.journal_schema import FORMAT, make_folder
from lab.edge.private import private
from lab.model.diagnostic import Diagnostic, LabfileError, StateError
from lab.model.layout import FOLDER, lab_key
from lab.report.moments import since

PULL = """The whole state of a lab as one JSON object: what is remembered of steps, runs and events.

Printed, it lacks the key of the hashes that stand for secrets: with `--out` it is all there, in a file that only
you can read, and `lab state push` can put it elsewhere without loss."""

PUSH = """Put a lab's state where its Labfile says that it lies: what `lab state pull --out FILE` wrote, or, without
FILE, what lies in `.lab` beside the Labfile. That is how a lab moves to a team's database.

A state that is there already is not overwritten, unless --replace names it; it is then saved first."""

JOIN = """Use the lab of this name that others have in the database, from this checkout on.

It is needed once, where the Labfile here is not the one that made it, byte for byte."""

_BIGGEST = 4 * 1024**3  # bytes of a state that was pulled


def pull(words: Sequence[str]) -> int:
    """Prints the whole state of a lab as one JSON object, or writes it with its key."""
    parser = state_parser("pull", PULL)
    parser.add_argument("--out", metavar="FILE", help="write it there, with the key of its hashes")
    args = arguments.parse(parser, words)
    with state_of(args) as lab:
        carried = lab.carry()
    if args.out is None:
        print(json.dumps(to_json(carried, FORMAT), indent=1))
        return 0
    _write(args.out, carried)
    print(f"{_all(carried)} of {lab_key(carried.name, carried.overlay)} are in {args.out}.")
    return 0


def push(words: Sequence[str]) -> int:
    """Puts a state where the Labfile says that it lies."""
    parser = state_parser("push", PUSH)
    parser.add_argument("file", nargs="?", metavar="FILE", help="default: what lies in `.lab`")
    parser.add_argument("--replace", metavar="LAB", help="overwrite the state of that name")
    arguments.add_lock(parser)
    args = arguments.parse(parser, words)
    source, name = _source(args)
    key = lab_key(name, args.overlay)
    with _journal(source, args) as journal:
        journal.labs()  # a target that cannot be read is told of first
        carried = _carried(args.file, source, name, args.overlay)
        lab = journal.open(name, args.overlay, source.path, create=True)
        with held(lab, f"state push {args.file or ''}".strip(), args.lock_timeout):
            there = lab.carry()
            if there.same_as(carried):
                print(f"{journal.path} has all of it already.")
                return 0
            if not there.empty:
                _agree(there, carried, key, args.replace, journal.path)
                print(f"What was there is saved in {_saved(source.root, there, key)}.", flush=True)
            lab.take_over(carried)
    print(f"{_all(carried)} of {key} are in {journal.path} now.")
    return 0


def join(words: Sequence[str]) -> int:
    """Lets this checkout use the lab of its name."""
    args = arguments.parse(state_parser("join", JOIN), words)
    source, name = _source(args)
    key = lab_key(name, args.overlay)
    with _journal(source, args) as journal:
        known = journal.labs()
        if not is_shared(source):
            raise _not_shared(key)
        row = journal.join(name, args.overlay, source.path)
    if row is None:
        raise StateError(
            Diagnostic(
                summary=f"{journal.path} has no lab named {key}",
                detail=f"It has: {', '.join(lab_key(each.name, each.overlay) for each in known)}."
                if known
                else "It has none at all yet.",
                help="`lab apply` makes it",
            )
        )
    runs = f"{row.run} run{'' if row.run == 1 else 's'}"
    print(f"This checkout uses {key} in {journal.path} now: {runs} so far.")
    return 0


def _not_shared(key: str) -> LabfileError:
    return LabfileError(
        Diagnostic(
            summary=f"the state of {key} lies in its own folder, and is nobody else's",
            help='write `state: {backend: postgresql, dsn: "{{ secrets.state_dsn }}"}` to share it',
        )
    )


def _source(args: argparse.Namespace) -> tuple[Source, str]:
    source = read_source(plain(args))
    name = name_of(source)
    if args.name not in ("", name):
        raise arguments.usage(
            f"the Labfile here is `{name}`, not `{args.name}`", help="-C DIR says which one"
        )
    return source, name


def _journal(source: Source, args: argparse.Namespace) -> Journal:
    return journal_from(source, plain(args))


def _carried(path: str | None, source: Source, name: str, overlay: str) -> Carried:
    """What is to be pushed.

    Raises:
        LabError: there is nothing, or it is another lab's.
    """
    key = lab_key(name, overlay)
    if path is None:
        if not is_shared(source):
            raise arguments.usage(
                "which state is to be pushed?",
                help="the Labfile's state lies in `.lab` already; name a FILE that was pulled",
            )
        with file_journal(source.root) as journal:
            carried = journal.open(name, overlay).carry()
        if carried.empty:
            raise StateError(
                Diagnostic(summary=f"there is no state of {key} in {source.root}/{FOLDER}")
            )
        return carried
    try:
        text = contents(path, _BIGGEST).decode("utf-8", "replace")
    except OSError as error:
        raise StateError(
            Diagnostic(summary=f"{path} cannot be read: {error.strerror or error}")
        ) from None
    carried = from_text(text, path, FORMAT, source.root)
    theirs = lab_key(carried.name, carried.overlay)
    if theirs != key:
        raise StateError(
            Diagnostic(
                summary=f"{path} holds the state of {theirs}, and the lab here is {key}",
                help="-C DIR and -e OVERLAY say which lab is meant",
            )
        )
    return carried


def _agree(there: Carried, carried: Carried, key: str, word: str | None, place: str) -> None:
    """Refuses to overwrite, unless *word* is the lab's name."""
    if word == key:
        return
    newer = there.run > carried.run or there.newest > carried.newest
    now = time.time()
    compared = (
        f"There: {_all(there)}, the newest run {there.run}, {since(there.newest, now)}."
        f" Here: {_all(carried)}, the newest run {carried.run}, {since(carried.newest, now)}."
    )
    same = bool(there.key) and there.key == carried.key
    raise StateError(
        Diagnostic(
            summary=f"{place} has a{' newer' if newer else ''} state of {key} already,"
            " which is not overwritten",
            detail=compared + ("" if same else " They have not come from one another."),
            help=f"`lab state push … --replace {key}` overwrites it, and saves it first",
        )
    )


def _saved(root: str, there: Carried, key: str) -> str:
    folder = os.path.join(root, FOLDER)
    with made(folder):
        make_folder(folder)
    path = os.path.join(folder, f"replaced-{key}-{time.strftime('%Y%m%d-%H%M%S')}.json")
    _write(path, there)
    return path


def _write(path: str, carried: Carried) -> None:
    """Writes all of it, the key too, for this user only; whole or not at all."""
    partial = f"{path}.{os.getpid()}.part"
    with made(path):
        with open(partial, "w", encoding="utf-8", opener=private) as file:
            json.dump({**to_json(carried, FORMAT), "key": carried.key}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)


def _all(carried: Carried) -> str:
    counts = (
        (len(carried.records), "step"),
        (len(carried.runs), "run"),
        (len(carried.events), "event"),
    )
    each = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts]
    return f"{each[0]}, {each[1]} and {each[2]}"
