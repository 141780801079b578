"""What a run had made when it lost the database: kept in a file, and taken in only if nobody came between."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import field, replace

from lab.edge.journal_errors import made
from lab.edge.journal_schema import make_folder
from lab.edge.journal_storage import UnreachableError
from lab.model.codec import CodecError, dumps, event_from_json, event_to_json, loads
from lab.model.diagnostic import StateError
from lab.model.event import Event, StepFinished
from lab.model.frozen import dataclass
from lab.model.layout import FOLDER
from lab.model.values import Json

_KEPT, _REFUSED = ".kept", ".refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file of events that never reached the journal.

    ``epoch`` is the right by which they were made. ``unsure`` are numbers: if one of them is the
    newest event's in the journal, the first ``first`` events have reached it after all.
    """

    path: str
    epoch: int
    unsure: tuple[int, ...] = ()
    first: int = 0
    events: tuple[Event, ...] = ()

    @property
    def finished(self) -> list[str]:
        """The steps whose results these are."""
        return [event.address for event in self.events if isinstance(event, StepFinished)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of kept results: what was taken in, and what was not, with its file."""

    taken: tuple[str, ...] = ()
    refused: tuple[Kept, ...] = field(default=())


def was_kept(cut: UnreachableError, path: str) -> StateError:
    """Nothing more can be recorded; what is lost so is not."""
    return StateError(
        replace(
            cut.diagnostics[0],
            detail=f"{cut.diagnostics[0].detail}\nWhat the run had made since is kept in {path}.",
            help="When the database can be reached again: `lab apply` takes it in, unless somebody"
            " else has had the lab in between.",
        )
    )


class Keeper:
    """Keeps events of the lab with the secret *key* in files below *root*."""

    def __init__(self, root: str, key: str) -> None:
        self._root, self._folder = root, os.path.join(root, FOLDER, "kept")
        self._mark = hashlib.sha256(key.encode()).hexdigest()[:16]

    def path(self, epoch: int) -> str:
        return os.path.join(self._folder, f"{self._mark}-{epoch}{_KEPT}")

    def keep(self, epoch: int, events: Sequence[Event], unsure: Sequence[int]) -> str:
        """Adds events to the file of *epoch*, synced; gives its path.

        Raises:
            StateError: it cannot be written.
        """
        path = self.path(epoch)
        with made(path):
            make_folder(os.path.dirname(self._folder))
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            head: dict[str, Json] = {"epoch": epoch, "unsure": list(unsure), "first": len(events)}
            lines = [] if os.path.exists(path) else [head]
            lines += [event_to_json(event, self._root) for event in events]
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with open(handle, "a", encoding="utf-8") as file:
                file.writelines(f"{dumps(line)}\n" for line in lines)
                file.flush()
                os.fsync(handle)
        return path

    def found(self) -> Iterator[Kept]:
        """What is kept of this lab, oldest first. A file that is damaged has no events."""
        paths = glob.glob(f"{glob.escape(self._folder)}/{self._mark}-*{_KEPT}")
        yield from sorted((self._read(path) for path in paths), key=lambda each: each.epoch)

    def done(self, kept: Kept) -> None:
        """It has been taken in."""
        with made(kept.path):
            os.unlink(kept.path)

    def refuse(self, kept: Kept) -> Kept:
        """It is set aside, for a person to look at."""
        aside = kept.path.removesuffix(_KEPT) + _REFUSED
        with made(aside):
            os.replace(kept.path, aside)
        return Kept(path=aside, epoch=kept.epoch, events=kept.events)

    def _read(self, path: str) -> Kept:
        with contextlib.suppress(OSError, UnicodeDecodeError, CodecError, ValueError, TypeError):
            with open(path, encoding="utf-8") as file:
                head, *lines = file.read().splitlines()
            said = json.loads(head)
            events = [event_from_json(loads(line), self._root) for line in lines]
            return Kept(
                path=path,
                epoch=int(said["epoch"]),
                unsure=tuple(said["unsure"]),
                first=int(said["first"]),
                events=tuple(event for event in events if event is not None),
            )
        return Kept(path=path, epoch=-1)
