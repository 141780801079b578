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
from lab.ports import Cancel
from lab.provider import Io, Provider, Task, not_importable
from lab.reading.template import TemplateFault
from lab.running.attempt import Bench, Failure, Job, attempt, expected
from lab.running.intent import to_make
from lab.running.io import Memory, Ports
from lab.running.rendered import kept_env, rendered, without_secrets
from lab.running.standing import Standing


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
    mine = replace(job, provider=_saying(job.provider, id))
    try:
        bench = _bench(mine, ports)
        env = kept_env(mine, bench.env, ports)
    except (TemplateFault, SpecFault, LabError, OSError) as error:
        return expected(error)
    outputs = attempt(
        mine, replace(ports, journal=held), bench, 1, stop=stop, tell=lambda event: None
    )
    if isinstance(outputs, Failure):
        return outputs
    fields = without_secrets(bench.fields, ports.secrets)
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


def _saying(provider: Provider, id: str) -> Provider:
    """In an attempt it is not asked to make something, but to say what is there."""

    def say(task: Task[Any], io: Io) -> Mapping[str, Value]:
        adopted: Mapping[str, Value] = getattr(provider, "adopt", not_importable)(task, id, io)
        return adopted

    return Standing(provider, say)


def _bench(job: Job, ports: Ports) -> Bench:
    """The step's keys as its provider gets them; its folder is not made."""
    tree = rendered(job, ports)
    return Bench(
        directory=ports.work.step_dir(job.step.address),
        log_path="",
        sink=Nowhere(),
        spec=tree["spec"],
        env=tree["env"],
        fields=tree["fields"],
        memory=Memory(),
    )
