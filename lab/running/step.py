"""One step is made: begun durably, tried as often as it may be, and ended durably."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lab.kinds.spec import Lifecycle
from lab.model.diagnostic import LabError
from lab.model.event import StepFailed, StepFinished, StepRetried, StepStarted
from lab.model.labfile import OnFailure
from lab.model.state import Done
from lab.model.values import Value
from lab.planning.conditions import real_scope
from lab.planning.inputs import named
from lab.ports import Cancel, Secrets
from lab.reading.template import TemplateFault, render
from lab.running.attempt import Bench, Failure, Job, Tell, attempt
from lab.running.io import Ports

LONGEST_PAUSE = 300.0  # seconds between two attempts, at most
TRANSIENT_ATTEMPTS = 3  # further attempts after a transient failure, where the Labfile does not say


@dataclass(frozen=True, slots=True)
class Made:
    """The step is done, and that is durable."""

    done: Done


@dataclass(frozen=True, slots=True)
class Broken:
    """The step failed for good in this run, and that is durable."""

    failure: Failure


Result: TypeAlias = "Made | Broken"


def make(job: Job, ports: Ports, *, stop: Cancel, tell: Tell) -> Result:
    """Makes one step and journals its beginning and its end. What a step can do wrong is a Broken.

    Raises:
        StateError: the journal could not store an event; the step must then not be reported as done.
    """
    began = ports.clock.now()
    log_path = ports.work.log_path(job.run, job.step.address)
    try:
        directory = ports.work.prepare(job.step.address)
        tree = _rendered(job, ports.secrets, directory)
        _require_inputs(job)
    except (TemplateFault, LabError, OSError) as error:
        ports.journal.append(_intent(job, began, "", {}))
        return _broken(job, ports, _unprepared(error), began, "", 1, tell)
    intent = _intent(job, began, log_path, _without_secrets(tree["fields"], ports.secrets))
    ports.journal.append(intent)
    tell(intent)
    with ports.work.open_log(job.run, job.step.address) as sink:
        env = {name: _text(value) for name, value in tree["env"].items()}
        bench = Bench(
            directory=directory,
            log_path=log_path,
            sink=sink,
            spec=tree["spec"],
            env=env,
            fields=tree["fields"],
        )
        came, number = _try(job, ports, bench, stop, tell)
    if isinstance(came, Failure):
        return _broken(job, ports, came, began, log_path, number, tell)
    return _made(job, ports, came, began, log_path, number, tell)


def _try(
    job: Job, ports: Ports, bench: Bench, stop: Cancel, tell: Tell
) -> tuple[dict[str, Value] | Failure, int]:
    """Attempts until one succeeds or no more are allowed."""
    number = 0
    while True:
        number += 1
        came = attempt(job, ports, bench, number, stop=stop, tell=tell)
        if not isinstance(came, Failure) or not _again(job, came, number):
            return came, number
        retries = job.step.options.retries
        pause = came.after if came.after is not None else retries.backoff * 2.0 ** (number - 1)
        pause = min(pause, LONGEST_PAUSE)
        retried = StepRetried(
            run=job.run,
            time=ports.clock.now(),
            address=job.step.address,
            attempt=number,
            error=ports.secrets.redact(came.error),
            delay=pause,
        )
        ports.journal.append(retried)
        tell(retried)
        bench.sink.write(f"\n[lab] attempt {number} failed: {retried.error}\n".encode())
        if stop.wait(pause):
            return Failure(error="stopped", interrupted=True), number


def _again(job: Job, failure: Failure, number: int) -> bool:
    retries = job.step.options.retries
    if failure.interrupted or failure.reason == "bug":
        return False
    if retries.attempts:
        return number <= retries.attempts and (not retries.on or failure.reason in retries.on)
    return failure.transient and number <= TRANSIENT_ATTEMPTS


def _made(
    job: Job,
    ports: Ports,
    outputs: Mapping[str, Value],
    began: float,
    log_path: str,
    number: int,
    tell: Tell,
) -> Made:
    now = ports.clock.now()
    done = Done(
        run=job.run,
        digest=job.wanted.digest,
        identity=job.wanted.identity,
        outputs=outputs,
        started=began,
        finished=now,
        attempts=number,
        log=log_path,
        made=tuple(_files_made(job, ports)),
    )
    finished = StepFinished(run=job.run, time=now, address=job.step.address, done=done)
    ports.journal.append(finished)
    tell(finished)
    return Made(done)


def _files_made(job: Job, ports: Ports) -> Iterator[str]:
    """Files that the command names and that were not there before: it wrote them, they are no inputs."""
    before = job.wanted.identity.get("inputs", {})
    old = job.record.done.made if job.record and job.record.done else ()
    for path in named(job.spec_type, job.wanted.identity, ports.files):
        if path not in before or path in old:
            yield path


def _broken(
    job: Job, ports: Ports, failure: Failure, began: float, log_path: str, number: int, tell: Tell
) -> Broken:
    now = ports.clock.now()
    failed = StepFailed(
        run=job.run,
        time=now,
        address=job.step.address,
        error=ports.secrets.redact(failure.error),
        detail=ports.secrets.redact(failure.detail),
        log=log_path,
        attempt=number,
        interrupted=failure.interrupted,
        counts=job.step.options.on_failure is not OnFailure.IGNORE,
        seconds=now - began,
    )
    ports.journal.append(failed)
    tell(failed)
    return Broken(failure)


def _intent(job: Job, now: float, log_path: str, fields: Mapping[str, Any]) -> StepStarted:
    step = job.step
    return StepStarted(
        run=job.run,
        time=now,
        address=step.address,
        kind=step.kind,
        target=step.target.name,
        place=step.target.provider,
        fields=fields,
        verb=job.decision.verb.word,
        cause=job.decision.cause,
        digest=job.wanted.digest,
        version=getattr(job.spec_type, "version", 1),
        infrastructure=getattr(job.spec_type, "lifecycle", None) is Lifecycle.INFRASTRUCTURE,
        protect=step.options.protect,
        needs=tuple(job.graph.needs.get(step.address, ())),
        log=log_path,
    )


def _rendered(job: Job, secrets: Secrets, directory: str) -> dict[str, Any]:
    """Spec, env and the target's fields as the provider gets them: real paths, secrets resolved now."""
    step = job.step
    raw = {"spec": step.spec, "env": step.env, "fields": step.target.fields}
    if step.literal:
        return raw
    scope = real_scope(job.graph, step, job.outcomes, directory)
    scope["secrets"] = Resolved(secrets)
    tree: dict[str, Any] = render(raw, scope)
    return tree


class Resolved(Mapping[str, str]):
    """Secrets by name, each read when a template asks for it and not before."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def __getitem__(self, name: str) -> str:
        return self._secrets.value(name)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _require_inputs(job: Job) -> None:
    if job.wanted.missing:
        shown = ", ".join(job.wanted.missing)
        raise FileNotFoundError(2, "a declared input is not there", shown)


def _without_secrets(fields: Mapping[str, Any], secrets: Secrets) -> dict[str, Any]:
    return {k: secrets.redact(v) if isinstance(v, str) else v for k, v in fields.items()}


def _unprepared(error: Exception) -> Failure:
    match error:
        case TemplateFault(summary=summary, help=help):
            return Failure(error=summary, detail=help)
        case LabError(diagnostics=(first, *_)):
            return Failure(error=first.summary, detail=f"{first.detail} {first.help}".strip())
        case OSError(strerror=str(what), filename=name):
            return Failure(error=f"{what}: {name}" if name else what)
        case _:
            return Failure(error=str(error))


def _text(value: Any) -> str:
    """A value of `env` as programs get it: text as it is, the rest as YAML writes it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case _:
            return getattr(value, "text", None) or str(value)
