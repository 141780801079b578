"""Opens a folder's state for `lab state`: without a Labfile, and under the lock where it is changed."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence

from lab.cli.arguments import add_commands, parser
from lab.cli.home import file_journal, is_shared, journal_from
from lab.cli.labfile import Source, read_source
from lab.cli.recorded import name_of
from lab.cli.state_choice import choose, state_root
from lab.crashpoint import passing
from lab.edge.journal import Journal, LabState
from lab.model.diagnostic import Diagnostic, LabfileError, StateError
from lab.model.event import Event, RunFinished, RunStarted
from lab.model.layout import FOLDER
from lab.model.state import State

Changes = Callable[[State, int, float], Sequence[Event]]
"""Gives the events of a change, for the state as it is under the lock, the run's number and the time."""


def state_parser(verb: str, about: str) -> argparse.ArgumentParser:
    """The parser of `lab state VERB`, with what says which lab is meant."""
    made = parser(f"state {verb}", about)
    made.add_argument("--name", default="", help="the lab's name, where several have a state here")
    made.add_argument("-e", "--overlay", default="", help="the lab's overlay, if it has one")
    add_commands(made)
    return made


@contextlib.contextmanager
def state_file(args: argparse.Namespace) -> Iterator[Journal]:
    """The state of this folder or of one above it; the database that the Labfile there names, if it does.

    Raises:
        LabError: there is none, or what the Labfile says of it is wrong.
    """
    source = shared_source(args)
    if source is not None:
        with journal_from(source, plain(args)) as journal:
            yield journal
        return
    root = state_root(os.getcwd())
    if root is None:
        raise StateError(
            Diagnostic(
                summary=f"there is no state in {os.getcwd()} or above it",
                detail=f"lab keeps it in `{FOLDER}` beside the Labfile, from the first apply on.",
                help="-C DIR says in which folder to look",
            )
        )
    with file_journal(root) as journal:
        yield journal


def shared_source(args: argparse.Namespace) -> Source | None:
    """The Labfile here, if it says that the state is shared; one that cannot be read says nothing."""
    try:
        source = read_source(plain(args))
    except LabfileError:
        return None
    return source if is_shared(source) else None


def plain(args: argparse.Namespace) -> argparse.Namespace:
    """*args* as a command has them that names a Labfile: the one here."""
    return argparse.Namespace(
        labfile=None,
        overlay=args.overlay,
        var=[],
        var_file=[],
        allow_commands=args.allow_commands,
    )


@contextlib.contextmanager
def state_of(args: argparse.Namespace) -> Iterator[LabState]:
    """The state of the lab that *args* mean.

    Raises:
        StateError: there is none, or there are several.
    """
    source = shared_source(args)
    with state_file(args) as journal:
        name = args.name or (name_of(source) if source else "")
        row = choose(journal.labs(), name=name, overlay=args.overlay)
        mine = source is not None and row.name == name_of(source)
        yield journal.open(row.name, row.overlay, source.path if source and mine else "")


def record_change(lab: LabState, command: str, counted: str, changes: Changes) -> None:
    """Stores a change as a run of its own, whole or not at all, so that `lab runs` tells of it."""
    state, now = lab.load(), time.time()
    run = state.run + 1
    events = changes(state, run, now)
    began = RunStarted(
        run=run,
        time=now,
        command=command,
        labfile=lab.row.labfile,
        host=socket.gethostname(),
        pid=os.getpid(),
    )
    ended = RunFinished(run=run, time=now, outcome="done", counts={counted: len(events)})
    passing("change.before")
    lab.append(began, *events, ended)
    passing("change.after")
