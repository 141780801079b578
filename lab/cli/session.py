"""A lab opened for a command: its graph, its state, its files, and what is there of what was made."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256

from lab.cli.foreseen import unfit
from lab.cli.home import file_journal, journal_of
from lab.cli.labfile import Read, read_labfile
from lab.edge.clock import Clock
from lab.edge.files import Files
from lab.edge.journal import Journal, LabState
from lab.edge.machine import Machine
from lab.edge.process import Cancel, Processes
from lab.edge.secrets import Secrets
from lab.edge.work import Work
from lab.model.address import owner
from lab.model.diagnostic import Diagnostic, Severity
from lab.model.frozen import dataclass
from lab.model.labfile import FromEnv
from lab.model.state import Record, State
from lab.planning.decide import Seen
from lab.planning.digest import World
from lab.planning.plan import Draft, make_plan
from lab.planning.select import EVERYTHING, Selection, left_out
from lab.provider import Io
from lab.running.io import Place, Ports, StepIo
from lab.running.survey import Blind, survey


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found of the recorded steps, and which could not be looked at."""

    seen: Mapping[str, Seen]
    blind: tuple[Blind, ...] = ()


class Session:
    """One command's view of a lab. Mutable only in that parts are opened when first asked for."""

    def __init__(self, read: Read, *, allow_commands: bool) -> None:
        self.read = read
        self.graph, self.labfile = read.graph, read.graph.labfile
        self._allow_commands = allow_commands
        self._file: Journal | None = None
        self.journal: LabState | None = None
        self.state = State()
        self.files = Files(self.labfile.root)
        self.clock = Clock()
        self.stop = Cancel()

    @classmethod
    def open(
        cls, args: argparse.Namespace, *, write: bool, allow_commands: bool = False
    ) -> Session:
        """Reads the Labfile and the state. Without *write*, a lab that has no state yet gets none.

        Raises:
            LabError: the Labfile is wrong, or the state cannot be read.
        """
        session = cls(read_labfile(args), allow_commands=write or allow_commands)
        session.open_state(write=write)
        return session

    def open_state(self, *, write: bool) -> None:
        labfile = self.labfile
        if self._file is not None:
            self._file.close()
        self._file = journal_of(labfile, allow_commands=self._allow_commands)
        self.journal = self._file.open(labfile.name, labfile.overlay, labfile.source, create=write)
        self.reload()

    @property
    def place(self) -> str:
        """What people call the place of the state; empty before it was opened."""
        return self._file.path if self._file is not None else ""

    def reload(self) -> None:
        """Takes the state as it is now (another lab may have written it while this one waited)."""
        if self.journal is not None:
            self.state = self.journal.load()

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(
            self.labfile.secrets,
            root=self.labfile.root,
            key=self.state.key,
            environ=os.environ,
            allow_commands=self._allow_commands,
        )

    @cached_property
    def machine(self) -> Machine:
        hidden = [s.name for s in self.labfile.secrets.values() if isinstance(s, FromEnv)]
        return Machine(os.environ, hidden)

    @cached_property
    def processes(self) -> Processes:
        return Processes(mark=f"{self.mark}:{os.getpid()}", ambient=self.machine.ambient)

    @cached_property
    def work(self) -> Work:
        return Work(self.labfile.root, self.labfile.name, self.labfile.overlay, self.files)

    @property
    def mark(self) -> str:
        """What marks this lab's children in their environment, wherever the checkout lies."""
        return "lab-" + sha256(self.state.key.encode()).hexdigest()[:20]

    @cached_property
    def ports(self) -> Ports:
        assert self.journal is not None, "open_state comes first"
        return Ports(
            files=self.files,
            processes=self.processes,
            journal=self.journal,
            clock=self.clock,
            secrets=self.secrets,
            work=self.work,
            machine=self.machine,
        )

    def world(self, *, commands: bool = True) -> World:
        """What deciding looks at; without *commands*, no secret's command is run for it."""
        return World(
            graph=self.graph,
            files=self.files,
            specs=self.read.catalog.specs,
            fingerprint=self.secrets.fingerprint if commands else self.secrets.fingerprint_at_hand,
            records=self.state.records,
        )

    def survey(self, *, refresh: bool = True, selection: Selection = EVERYTHING) -> Survey:
        """Looks whether what was recorded of the steps that the command is about is still there.

        Raises:
            PlanError: *selection* picks nothing.
        """
        records = self.state.records
        if not any(record.done for record in records.values()):
            return Survey({})
        gone = [address for address in records if owner(address) not in self.graph.steps]
        excluded = () if selection.everything else left_out(self.graph, selection, gone)
        seen, blind = survey(
            [record for address, record in records.items() if address not in excluded],
            self.files,
            self.read.registry,
            self._looking,
            refresh=refresh,
            slow=_slow,
        )
        return Survey(seen, tuple(blind))

    def plan(self, selection: Selection, found: Survey, *, commands: bool = True) -> Draft:
        return make_plan(
            self.world(commands=commands),
            directory=self.work.step_dir,
            seen=found.seen,
            selection=selection,
        )

    def _looking(self, record: Record) -> Io:
        """The world for a provider that only looks: nothing is logged, remembered or told."""
        place = Place(
            address=record.address,
            root=self.labfile.root,
            directory=self.work.step_dir(record.address),
            run=self.state.run,
            log_path="",
            env={},
        )
        return StepIo(
            self.ports,
            place,
            stop=self.stop,
            sink=None,
            tell=lambda event: None,
            deadline=self.clock.monotonic() + 60.0,
        )

    def close(self) -> None:
        """Ends every child that is left, and stores what was learned about files."""
        if "processes" in self.__dict__:
            self.processes.close()
        self.files.close()
        if self._file is not None:
            self._file.close()


def warnings_of(session: Session, found: Survey) -> tuple[Diagnostic, ...]:
    """What a reader should know besides the plan."""
    blind = unseen(found, "The plan takes it to be as it was recorded.")
    ahead = unfit(session.graph, session.files, session.machine.ambient)
    return (
        *session.graph.warnings,
        *_left_behind(session),
        *blind,
        *_without_gpus(session),
        *ahead,
    )


def unseen(found: Survey, meaning: str) -> tuple[Diagnostic, ...]:
    """The steps that could not be looked at, and what that means."""
    return tuple(
        Diagnostic(
            severity=Severity.WARNING,
            summary=f"could not look at `{each.address}`: {each.reason}",
            detail=meaning,
        )
        for each in found.blind
    )


def _slow(waiting: Sequence[str]) -> None:
    """Says whose answers are waited for, when looking takes long."""
    shown = ", ".join(waiting[:4]) + (f" and {len(waiting) - 4} more" if len(waiting) > 4 else "")
    print(f"looking at {shown}", file=sys.stderr, flush=True)


def _left_behind(session: Session) -> Iterator[Diagnostic]:
    """A state in `.lab` that is not used any more, because the Labfile names a database that has none of it."""
    labfile = session.labfile
    if labfile.state.backend == "local" or session.state.run:
        return
    with file_journal(labfile.root) as journal:
        run = journal.open(labfile.name, labfile.overlay).load().run
    if run:
        yield Diagnostic(
            severity=Severity.WARNING,
            summary=f"the state that this lab has in .lab ({run} run{'' if run == 1 else 's'}) is not used:"
            f" the Labfile names {session.place}, which has none yet",
            help="`lab state push` moves it there",
        )


def _without_gpus(session: Session) -> Iterator[Diagnostic]:
    """Steps that ask for more GPUs than there are: they run, for the same step may be meant for a cluster too."""
    for step in session.graph.steps.values():
        asked = step.options.resources.gpu
        if asked and asked > session.machine.gpus:
            yield Diagnostic(
                severity=Severity.WARNING,
                summary=f"`{step.address}` asks for {asked} GPU, and this machine has {session.machine.gpus}",
                detail="It runs all the same, alone among the steps that ask for GPUs.",
                span=session.labfile.document.span_of(step.path_of("resources")),
            )
