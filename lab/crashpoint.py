"""The places at which tests kill lab: names that running code passes, and that nothing listens to outside tests.

No code of lab reads a variable or kills a process for this. A test's own program calls :func:`listen`
before it calls ``lab.cli.main``; without that, passing a point is a call that does nothing. So there is
nothing that a stray variable, an option or a Labfile could switch on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

Point: TypeAlias = Literal[
    # the state and its lock
    "state.filled",  # a new state is whole, under another name
    "state.linked",  # it has its name
    "lock.kernel",  # the kernel's lock is taken, the row in the state not yet
    "lock.claimed",
    "lock.vacating",
    "lock.vacated",  # the row is given back, the kernel's lock not yet
    "lock.evicted",
    # every write to the journal, whatever it stores
    "commit.before",
    "commit.inside",  # written, not committed
    "commit.after",
    # one step
    "intent.before",
    "intent.after",
    "remember.before",
    "remember.after",
    "spawn.before",
    "spawn.after",
    "child.ended",
    "artifact.before",  # it is about to be hashed
    "artifact.after",
    "artifact.synced",
    "end.before",  # it is made, and its end is not in line to be stored
    "report.before",  # what is to be told is stored
    "report.after",
    # removal
    "undo.before",
    "undo.asked",  # its provider has destroyed it, what lab itself removes is there
    "undo.artifact",  # one artifact is gone
    "undo.folder",  # the step's folder is gone, its record not
    "undo.after",
    "forget.before",
    "forget.after",
    # other verbs
    "change.before",  # `lab state mv` and `rm`
    "change.after",
    "compact.inside",
    "compact.after",
    "gc.before",
    "gc.after",
    # a dataset
    "download.before",
    "download.whole",
    "store.synced",
    "store.renamed",
    "unpack.whole",
    "unpack.renamed",  # the note of what it holds is not there yet
    "unpack.noted",
    "place.ready",
    "place.done",
    # a training
    "training.begun",  # it is remembered, and what an older one left is still there
    "training.cleared",
    # an environment
    "venv.made",
    "venv.locked",
    "venv.taken",
    "venv.installed",
    "venv.marked",
]
POINTS: tuple[Point, ...] = get_args(Point)

_listener: Callable[[Point], None] | None = None


def passing(point: Point) -> None:
    """Running code is at *point*."""
    if _listener is not None:
        _listener(point)


def listen(listener: Callable[[Point], None] | None) -> None:
    """From now on *listener* is told each point that is passed, in the thread that passes it; for tests alone."""
    global _listener  # noqa: PLW0603 - one process, one listener, and none but in tests
    _listener = listener
