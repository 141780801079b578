"""Steps that a running step makes: asked for by its provider, made by the run's crew, remembered like all others."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lab.model.address import child, child_key, owner
from lab.model.event import StepForgotten, StepProgress
from lab.model.frozen import dataclass
from lab.model.labfile import Resources, Step
from lab.model.plan import Verb
from lab.model.state import Record
from lab.model.values import Json, Value
from lab.planning.decide import Decision
from lab.planning.digest import World, want
from lab.planning.outcome import Outcome
from lab.provider import Cancelled, Child, Io, Provider, Task, Told
from lab.running.attempt import Job
from lab.running.halt import Halt
from lab.running.io import Ports
from lab.running.io_children import Hear, Stop
from lab.running.keeping import trains
from lab.running.nursery import Nursery, Ticket
from lab.running.schedule import Demand
from lab.running.standing import Standing
from lab.running.step import Made, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What all children of a step are made with."""

    world: World
    provider: Provider
    ports: Ports
    outcomes: Mapping[str, Outcome]
    run: int
    lines: bool = False


class Brood:
    """The children of one step. Implements :class:`lab.running.io.Children`; mutable: it follows them."""

    def __init__(self, step: Step, nursery: Nursery, home: Home) -> None:
        assert step.trial is not None, "only a step with a trial has children"
        self._step, self._trial, self._nursery, self._home = step, step.trial, nursery, home
        self._running: dict[str, Ticket] = {}
        records = home.world.records
        self._records = {
            child_key(a): r for a, r in records.items() if a != step.address == owner(a)
        }
        self._known = {key: self._recorded(key, record) for key, record in self._records.items()}

    def known(self) -> Mapping[str, Child]:
        return dict(self._known)

    def forget(self, key: str) -> None:
        ports, address = self._home.ports, child(self._step.address, key)
        assert key not in self._running, "a child that runs cannot be forgotten"
        event = StepForgotten(run=self._home.run, time=ports.clock.now(), address=address)
        ports.journal.append(event)
        ports.work.forget(address)
        self._records.pop(key, None)
        self._known.pop(key, None)

    def start(self, key: str, parameters: Mapping[str, Json], hear: Hear, cause: str) -> Stop:
        halt = Halt(self._nursery.stop)
        job = self._job(key, parameters, halt, hear, cause)
        begun = self._begun(key, parameters)

        def ended(came: Result) -> None:
            self._running.pop(key, None)
            self._known[key] = self._came(begun, came)
            hear(self._known[key])

        ticket = Ticket(job, self._demand(), halt, ended)
        self._running[key], self._known[key] = ticket, begun
        self._nursery.ask(ticket)
        return halt.stop

    def close(self) -> None:
        self._nursery.end(list(self._running.values()))
        self._running.clear()

    def _job(
        self, key: str, parameters: Mapping[str, Json], halt: Halt, hear: Hear, cause: str
    ) -> Job:
        home = self._home
        step = self._own_step(key, parameters)
        world = self._own_world(step, self._records.get(key))

        def progressed(event: StepProgress) -> None:
            hear(Told(key=key, metrics=event.metrics, step=event.step))

        return Job(
            graph=world.graph,
            step=step,
            decision=Decision(Verb.CREATE, cause),
            wanted=want(world, step, home.outcomes),
            record=self._records.get(key),
            provider=_stoppable(home.provider, halt),
            former=None,
            spec_type=world.specs[step.kind],
            outcomes=home.outcomes,
            run=home.run,
            lines=home.lines,
            parameters=parameters,
            hear=progressed,
            keeps=trains(home.world.graph),
        )

    def _demand(self) -> Demand:
        """A child has what its trial says, else what its step says; the step holds its mutexes for it."""
        own, whole = self._trial.options, self._step.options
        resources = own.resources if own.resources != Resources() else whole.resources
        return Demand(resources, tuple(name for name in own.mutex if name not in whole.mutex))

    def _own_step(self, key: str, parameters: Mapping[str, Json]) -> Step:
        trial = self._trial
        declared = trial.spec.get("parameters")
        merged = {**(declared if isinstance(declared, Mapping) else {}), **parameters}
        address = child(self._step.address, key)
        return replace(trial, address=address, spec={**trial.spec, "parameters": merged})

    def _own_world(self, step: Step, record: Record | None) -> World:
        """The same world with the child in it: it refers to what its owner refers to."""
        graph, address, mine = self._home.world.graph, step.address, self._step.address
        return replace(
            self._home.world,
            records={} if record is None else {address: record},
            graph=replace(
                graph,
                steps=ChainMap({address: step}, dict(graph.steps)),
                needs=ChainMap({address: (mine,)}, dict(graph.needs)),
                refs=ChainMap({address: graph.refs.get(mine, ())}, dict(graph.refs)),
                inside=ChainMap({address: graph.inside.get(mine, {})}, dict(graph.inside)),
            ),
        )

    def _begun(self, key: str, parameters: Mapping[str, Json]) -> Child:
        work, address = self._home.ports.work, child(self._step.address, key)
        return Child(
            key=key,
            parameters=parameters,
            directory=work.step_dir(address),
            log=work.log_path(self._home.run, address),
        )

    def _recorded(self, key: str, record: Record) -> Child:
        begun, tried, done = self._begun(key, record.parameters), record.tried, record.done
        if tried is not None:
            return replace(begun, log=tried.log, error="" if tried.interrupted else tried.error)
        if done is None:
            return begun
        return replace(begun, log=done.log, outputs=done.outputs, seconds=done.seconds)

    def _came(self, begun: Child, came: Result) -> Child:
        if isinstance(came, Made):
            return replace(begun, outputs=came.done.outputs, seconds=came.done.seconds)
        if came.failure.interrupted:
            return begun
        return replace(begun, error=self._home.ports.secrets.redact(came.failure.error))


def _stoppable(provider: Provider, halt: Halt) -> Provider:
    """Its step may be stopped with outputs, and is done then."""

    def make(task: Task[Any], io: Io) -> Mapping[str, Value]:
        try:
            return provider.apply(task, io)
        except Cancelled:
            if halt.outputs is None:
                raise
            return halt.outputs

    return Standing(provider, make)
