"""A plan becomes events: what may start is decided, made by a crew, and what came of it decides what is next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from lab.model.event import ProtectSet
from lab.model.frozen import dataclass
from lab.model.graph import among
from lab.model.labfile import OnFailure, Step
from lab.model.never import assert_never
from lab.model.plan import Verb
from lab.planning.decide import UNSEEN, Seen
from lab.planning.digest import World
from lab.planning.outcome import Known, Outcome
from lab.planning.plan import Draft
from lab.ports import Cancel, Registry
from lab.running.attempt import Job, Tell
from lab.running.children import Brood, Home
from lab.running.course import Course
from lab.running.crew import Crew
from lab.running.io import Ports
from lab.running.keeping import trains
from lab.running.nursery import Nursery
from lab.running.removal import Remover
from lab.running.schedule import Demand, Limits, Schedule
from lab.running.settle import Keep, Make, Skip, settle
from lab.running.step import Broken, Made, Result, make
from lab.running.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run is to go."""

    limits: Limits
    fail_fast: bool = False
    lines: bool = False  # tell every line of the steps' logs


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run ended. ``outcome`` is done, failed or interrupted."""

    outcome: str
    counts: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


class Run:
    """One run of a plan. Mutable: it follows what happens, from one thread of the crew at a time."""

    def __init__(
        self,
        draft: Draft,
        world: World,
        registry: Registry,
        ports: Ports,
        settings: Settings,
        *,
        run: int,
        seen: Mapping[str, Seen],
        stop: Cancel,
        tell: Tell,
    ) -> None:
        self._draft, self._world, self._registry, self._ports = draft, world, registry, ports
        self._settings, self._run, self._seen, self._stop = settings, run, seen, stop
        self._actions = {action.address: action for action in draft.plan.actions}
        self._jobs: dict[str, Job] = {}
        self._telling = Telling(tell, ports.journal, stop)
        self._keeps = trains(world.graph)
        self._forced = False  # stopped by --fail-fast, not by a person
        self._needs = among(world.graph, self._actions)
        self._course = Course(
            graph=world.graph,
            needs=self._needs,
            run=run,
            clock=ports.clock,
            tell=self._telling.later,
            outcomes={a: o for a, o in draft.outcomes.items() if a not in self._actions},
        )
        self._schedule = self._scheduled()
        self._crew = Crew(self)
        self._nursery = Nursery(stop, self._crew.again)

    def go(self) -> Report:
        """Runs the plan to its end.

        Raises:
            LabError: the state could not be written; whatever was running has been stopped first.
            Exception: likewise, what a reporter raised.
        """
        try:
            self._crew.go()
        finally:
            self._telling.flush()
        self._remove()
        if self._telling.error is not None:
            raise self._telling.error
        interrupted = self._stop.is_set() and not self._forced
        failed = self._course.failures()
        return Report(
            outcome="interrupted" if interrupted else "failed" if failed else "done",
            counts=dict(self._course.counts),
            outcomes={
                a: o for a, o in self._course.outcomes.items() if a not in self._course.failed
            },
            failed=failed,
        )

    def _scheduled(self) -> Schedule:
        steps = self._world.graph.steps
        seconds = {a: r.done.seconds for a, r in self._world.records.items() if r.done}
        seconds.update({a: 0.0 for a in self._needs if not self._actions[a].verb.runs})
        demands = {a: _demand(steps[a]) for a in self._needs}
        return Schedule(self._needs, limits=self._settings.limits, demands=demands, seconds=seconds)

    def decide(self, ended: tuple[Job, Result] | None) -> Iterable[Job]:
        """Takes what has ended; gives what may start now (see Crew)."""
        schedule = self._schedule
        if ended is not None:
            job, came = ended
            schedule.end(job.step.address)
            if not self._nursery.ended(job.step.address, came):
                self._ended(job.step.address, came)
        self._jobs |= self._nursery.admit(schedule)
        for withdrawn in self._nursery.withdraw(schedule):
            del self._jobs[withdrawn]
        if self._stop.is_set():
            return ()
        while (address := schedule.ready()) is not None:
            # Kept and skipped steps end at once, the others are held until there is room for them.
            if self._settled(address):
                schedule.end(address)
            else:
                schedule.hold(address)
        return [self._equipped(address) for address in schedule.startable()]

    def _equipped(self, address: str) -> Job:
        job, schedule = self._jobs.pop(address), self._schedule
        gpus, cores = schedule.devices_of(address), schedule.cores_of(address)
        return replace(job, gpus=gpus, cores=cores) if gpus or cores else job

    def make(self, job: Job, before: Result | None) -> Result:
        """Makes one step, in a thread of the crew."""
        entry = before.entry if before is not None else None
        with self._nursery.minding(job.step.address) as stop:
            return make(job, self._ports, entry, stop=stop, telling=self._telling)

    def settle(self, before: Result) -> None:
        """Sees to it that a step's end is told."""
        if before.entry is not None:
            self._telling.reach(before.entry)

    def stop(self) -> None:
        """Nothing new begins, and what runs is stopped."""
        self._stop.set()

    def _settled(self, address: str) -> bool:
        """Decides *address* now that everything before it has ended; True if it does not run."""
        course, action = self._course, self._actions[address]
        step = self._world.graph.steps[address]
        blocker = course.blocker(step)
        if blocker is not None:
            course.barred(address, blocker)
            return True
        directory = self._ports.work.step_dir(address)
        seen = self._seen.get(address, UNSEEN)
        before = self._draft.wanted.get(address)
        settled = settle(self._world, action, course.outcomes, seen, directory, before)
        match settled:
            case Skip(cause=cause):
                course.skipped(address, cause)
            case Keep(cause=cause):
                self._keep(step, cause)
            case Make():
                self._jobs[address] = self._job(step, settled)
            case _:
                assert_never(settled)
        return not isinstance(settled, Make)

    def _job(self, step: Step, settled: Make) -> Job:
        provider = self._registry.find(step.kind, step.target.provider)
        assert provider is not None, "bind refuses a kind that has no provider"
        record = self._world.records.get(step.address)
        return Job(
            graph=self._world.graph,
            step=step,
            decision=settled.decision,
            wanted=settled.wanted,
            record=record,
            provider=provider,
            former=self._registry.find(record.kind, record.place) if record else None,
            spec_type=self._world.specs[step.kind],
            outcomes=self._course.outcomes,
            run=self._run,
            lines=self._settings.lines,
            keeps=self._keeps,
            fault=settled.fault,
            children=self._children(step),
        )

    def _children(self, step: Step) -> Brood | None:
        """What a step with a trial makes its children with."""
        if step.trial is None:
            return None
        provider = self._registry.find(step.trial.kind, step.trial.target.provider)
        assert provider is not None, "what a trial is is made wherever its sweep is"
        home = Home(
            world=self._world,
            provider=provider,
            ports=self._ports,
            outcomes=self._course.outcomes,
            run=self._run,
            lines=self._settings.lines,
        )
        return Brood(step, self._nursery, home)

    def _ended(self, address: str, came: Result) -> None:
        match came:
            case Made(done=done):
                word = "replaced" if self._actions[address].verb is Verb.REPLACE else "updated"
                created = self._actions[address].verb is Verb.CREATE
                self._course.made(address, Known(done.outputs), "created" if created else word)
            case Broken(failure=failure):
                policy = self._course.broke(address, failure)
                if (
                    self._settings.fail_fast
                    and policy is OnFailure.FAIL
                    and not self._stop.is_set()
                ):
                    self._forced = True
                    self._stop.set()

    def _keep(self, step: Step, cause: str) -> None:
        record = self._world.records[step.address]
        assert record.done is not None, "only a finished step is kept"
        if record.protect != step.options.protect:
            self._ports.journal.append(
                ProtectSet(
                    run=self._run,
                    time=self._ports.clock.now(),
                    address=step.address,
                    protect=step.options.protect,
                )
            )
        self._course.kept(step.address, Known(record.done.outputs), cause)

    def _remove(self) -> None:
        """Last of all; nothing is removed after a failure, for what failed may still need it."""
        removing = [a for a in self._draft.plan.actions if a.verb in (Verb.DESTROY, Verb.FORGET)]
        if failed := self._course.failures():
            for action in removing:
                self._course.barred(action.address, failed[0])
            return
        remover = Remover(
            records=self._world.records,
            registry=self._registry,
            ports=self._ports,
            root=self._world.graph.labfile.root,
            stop=self._stop,
            limits=self._settings.limits,
            tell=self._telling,
            fail_fast=self._settings.fail_fast,
            lines=self._settings.lines,
        )
        self._forced |= remover.remove(removing, self._course)


def _demand(step: Step) -> Demand:
    if step.trial is not None:
        return Demand(mutex=step.options.mutex, waits=True)
    return Demand(step.options.resources, step.options.mutex)
