"""Something that is there already becomes a step's: its provider says what it is, and all is stored at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.kinds.shape import SpecFault
from lab.model.diagnostic import LabError
from lab.model.event import Event, StepFinished, StepRemembered
from lab.model.frozen import dataclass
from lab.model.state import Done, State
from lab.model.values import Value
from lab.planning.conditions import real_scope
from lab.planning.digest import variable
from lab.ports import Cancel
from lab.provider import Io, Observation, Provider, Record, Task, not_importable
from lab.reading.template import TemplateFault, render
from lab.running.attempt import Bench, Failure, Job, attempt, expected
from lab.running.intent import to_make
from lab.running.io import Memory, Ports
from lab.running.variables import Resolved, kept


@dataclass(frozen=True, slots=True)
class Adopting:
    """Stands for a provider in an attempt: what it is asked is not to make, but to say what is there."""

    provider: Provider
    id: str

    @property
    def Spec(self) -> type[Any]:
        return self.provider.Spec

    def observe(self, record: Record, io: Io) -> Observation | None:
        return self.provider.observe(record, io)

    def apply(self, task: Task[Any], io: Io) -> Mapping[str, Value]:
        adopted: Mapping[str, Value] = getattr(self.provider, "adopt", not_importable)(
            task, self.id, io
        )
        return adopted

    def destroy(self, record: Record, io: Io) -> None:
        self.provider.destroy(record, io)


@dataclass(slots=True)
class Held:
    """A journal that keeps what it is given. Mutable: nothing is stored before it is certain that all will be."""

    events: list[Event]

    def load(self) -> State:
        return State()

    def append(self, *events: Event) -> None:
        self.events += events

    def enter(self, *events: Event) -> Callable[[], None]:
        self.append(*events)
        return lambda: None


class Nowhere:
    """A log of something that leaves none."""

    def write(self, data: bytes) -> object:
        return len(data)


def adopt(job: Job, id: str, ports: Ports, *, stop: Cancel) -> list[Event] | Failure:
    """The events that make *id* the step's own; a Failure where it is not what the step would make.

    Nothing is stored here: the caller appends the events at once, so that a crash leaves all or nothing.
    """
    held, began = Held([]), ports.clock.now()
    mine = replace(job, provider=Adopting(job.provider, id))
    try:
        bench = _bench(mine, ports)
        env = _kept(mine, bench, ports)
    except (TemplateFault, SpecFault, LabError, OSError) as error:
        return expected(error)
    outputs = attempt(
        mine, replace(ports, journal=held), bench, 1, stop=stop, tell=lambda event: None
    )
    if isinstance(outputs, Failure):
        return outputs
    fields = {key: _clean(value, ports) for key, value in bench.fields.items()}
    begun = to_make(mine, ports.files, began, log="", fields=fields, env=env)
    now, address = ports.clock.now(), job.step.address
    done = Done(
        run=job.run,
        digest=job.wanted.digest,
        identity=job.wanted.identity,
        outputs=outputs,
        started=began,
        finished=now,
    )
    remembered = [event for event in held.events if isinstance(event, StepRemembered)]
    finished = StepFinished(run=job.run, time=now, address=address, done=done)
    return [replace(begun, verb="import", unmade=()), *remembered[-1:], finished]


def _bench(job: Job, ports: Ports) -> Bench:
    """The step's keys as its provider gets them; its folder is not made."""
    step, directory = job.step, ports.work.step_dir(job.step.address)
    tree: dict[str, Any] = {"spec": step.spec, "env": step.env, "fields": step.target.fields}
    if not step.literal:
        scope = real_scope(job.graph, step, job.outcomes, directory)
        tree = render(tree, {**scope, "secrets": Resolved(ports.secrets)})
    return Bench(
        directory=directory,
        log_path="",
        sink=Nowhere(),
        spec=tree["spec"],
        env={name: variable(value) for name, value in tree["env"].items()},
        fields=tree["fields"],
        memory=Memory(),
    )


def _kept(job: Job, bench: Bench, ports: Ports) -> dict[str, Any]:
    scope = real_scope(job.graph, job.step, job.outcomes, bench.directory)
    return kept(job.step, bench.env, scope)


def _clean(value: Any, ports: Ports) -> Any:
    match value:
        case str():
            return ports.secrets.redact(value)
        case Mapping():
            return {key: _clean(each, ports) for key, each in value.items()}
        case list():
            return [_clean(each, ports) for each in value]
        case _:
            return value
