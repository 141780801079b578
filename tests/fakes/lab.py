"""A lab as a test sees it: change its Labfile, its files or its world, look at the plan, apply it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache

from lab.model.document import Document
from lab.model.event import Event
from lab.model.graph import Graph
from lab.model.labfile import Labfile
from lab.model.plan import Action
from lab.model.state import Record
from lab.model.tree import Json
from lab.planning.digest import World
from lab.planning.plan import Draft, make_plan
from lab.planning.select import EVERYTHING, Selection
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import parse
from lab.running.io import Place, Ports, StepIo
from lab.running.run import Report, Run, Settings
from lab.running.schedule import Limits
from lab.running.survey import survey

from .kinds import CATALOG, SPECS
from .ports import (
    ROOT,
    FakeCancel,
    FakeClock,
    FakeFiles,
    FakeJournal,
    FakeMachine,
    FakeProcesses,
    FakeSecrets,
    FakeWork,
)
from .toy import FakeRegistry, Toy

PLENTY = Limits(jobs=8, cpu=8.0, gpu=2, memory=1 << 30)


def labfile_of(
    text: str,
    *,
    given: Mapping[str, Json] | None = None,
    environ: Mapping[str, str] | None = None,
    root: str = ROOT,
) -> Labfile:
    """A Labfile from its text; `labfile: 1` and a name are added."""
    whole = "labfile: 1\nname: t\n" + textwrap.dedent(text)
    layer = parse("Labfile.yaml", whole.encode())
    return bind(
        Document(layer.tree, (layer,)),
        root=root,
        source=f"{root}/Labfile.yaml",
        overlay="",
        given=given or {},
        environ=environ or {},
        catalog=CATALOG,
    )


def graph_of(text: str, **how: Mapping[str, Json] | None) -> Graph:
    """The graph of a Labfile's text."""
    return link(labfile_of(text, **how), CATALOG)  # type: ignore[arg-type]


@lru_cache(maxsize=64)
def _graph(text: str, given: str) -> Graph:
    return graph_of(text, given=json.loads(given))


class Lab:
    """Everything of one lab but its text lasts from plan to plan; assign ``text`` to edit the Labfile."""

    def __init__(
        self,
        text: str,
        *,
        files: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self.text = text
        self.vars: dict[str, Json] = {}
        self.files = FakeFiles(files)
        self.journal, self.clock = FakeJournal(), FakeClock()
        self.secrets, self.processes = FakeSecrets(secrets), FakeProcesses()
        self.work = FakeWork(self.files)
        self.stop = FakeCancel(self.clock)
        self.toy = Toy(SPECS["job"], self.files)
        self.service = Toy(SPECS["service"], self.files, self.toy)
        self.registry = FakeRegistry(
            {(k, p): t for k, t in (("job", self.toy), ("service", self.service))
             for p in ("local", "remote")}
        )  # fmt: skip
        self.told: list[Event] = []
        self.runs = 0

    @property
    def records(self) -> dict[str, Record]:
        return self.journal.records

    @property
    def ports(self) -> Ports:
        return Ports(
            files=self.files,
            processes=self.processes,
            journal=self.journal,  # type: ignore[arg-type]  # the core only appends
            clock=self.clock,
            secrets=self.secrets,
            work=self.work,
            machine=FakeMachine(),
        )

    def world(self) -> World:
        return World(
            graph=_graph(self.text, json.dumps(self.vars)),
            files=self.files,
            specs=SPECS,
            fingerprint=self.secrets.fingerprint,
            records=dict(self.records),
        )

    def draft(self, **selection: Sequence[str]) -> Draft:
        """The plan and what was found out with it; *selection* as in Selection."""
        chosen = Selection(**selection) if selection else EVERYTHING  # type: ignore[arg-type]
        seen, _ = survey(self.records.values(), self.files, self.registry, self._looking)
        return make_plan(self.world(), directory=self.work.step_dir, seen=seen, selection=chosen)

    def plan(self, **selection: Sequence[str]) -> str:
        """The plan as text, without the steps that are kept."""
        return "\n".join(str(a) for a in self.draft(**selection).plan.actions)

    def verbs(self, **selection: Sequence[str]) -> dict[str, str]:
        """For each step of the plan, what happens to it."""
        return {a.address: a.verb.word for a in self.draft(**selection).plan.actions}

    def actions(self, **selection: Sequence[str]) -> dict[str, Action]:
        return {a.address: a for a in self.draft(**selection).plan.actions}

    def apply(
        self,
        draft: Draft | None = None,
        *,
        limits: Limits = PLENTY,
        fail_fast: bool = False,
        lines: bool = False,
        **selection: Sequence[str],
    ) -> Report:
        """Plans and runs; what is told is added to ``told``, what ran is in ``toy.ran`` alone."""
        self.runs += 1
        self.toy.ran.clear()
        self.toy.ended.clear()
        self.toy.beside.clear()
        self.toy.destroyed.clear()
        self.told.clear()
        seen, _ = survey(self.records.values(), self.files, self.registry, self._looking)
        return Run(
            draft or self.draft(**selection),
            self.world(),
            self.registry,
            self.ports,
            Settings(limits=limits, fail_fast=fail_fast, lines=lines),
            run=self.runs,
            seen=seen,
            stop=self.stop,
            tell=self.told.append,
        ).go()

    def happened(self, *kinds: type[Event]) -> list[str]:
        """The addresses that events of these sorts were told about, in order."""
        return [getattr(event, "address", "") for event in self.told if isinstance(event, kinds)]

    def outputs(self, address: str) -> dict[str, object]:
        done = self.records[address].done
        assert done is not None
        return dict(done.outputs)

    def error(self, address: str) -> str:
        """Why the last attempt at a step failed, as it is remembered."""
        tried = self.records[address].tried
        assert tried is not None
        return tried.error

    def restarted(self) -> Lab:
        """The same lab after lab itself was killed: only what is durable is left."""
        other = Lab(self.text)
        other.vars, other.files, other.journal = self.vars, self.files, self.journal
        other.work, other.secrets, other.runs = self.work, self.secrets, self.runs
        other.toy.files = other.service.files = self.files
        other.toy.there |= self.toy.there
        return other

    def _looking(self, record: Record) -> StepIo:
        place = Place(
            address=record.address,
            root=ROOT,
            directory=self.work.step_dir(record.address),
            run=self.runs,
            log_path="",
            env={},
        )
        return StepIo(
            self.ports, place, stop=self.stop, sink=None, tell=lambda event: None, deadline=None
        )
