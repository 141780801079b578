"""One step is made: begun durably, tried as often as it may be, and ended durably."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from lab.kinds.shape import SpecFault, to_spec
from lab.model.diagnostic import Diagnostic, LabError, PlanError, StateError
from lab.model.event import StepFailed, StepFinished, StepRetried
from lab.model.frozen import dataclass
from lab.model.labfile import OnFailure
from lab.model.plan import Verb
from lab.model.state import Done, Record
from lab.model.values import Value
from lab.planning.inputs import made_by, named
from lab.ports import Cancel
from lab.reading.template import TemplateFault
from lab.running.attempt import Bench, Failure, Job, Tell, attempt, expected
from lab.running.destroy import Gone, undo
from lab.running.intent import to_make, without_beginning
from lab.running.io import Memory, Ports
from lab.running.rendered import kept_env, rendered, without_secrets
from lab.running.telling import Entry, Telling

LONGEST_PAUSE = 300.0  # seconds between two attempts, at most
TRANSIENT_ATTEMPTS = 3  # further attempts after a transient failure, where the Labfile does not say


@dataclass(frozen=True, slots=True)
class Made:
    """The step is done, which ``entry`` says: it is in line to be stored and told."""

    done: Done
    entry: Entry


@dataclass(frozen=True, slots=True)
class Broken:
    """The step failed for good in this run; ``entry`` likewise, where that is not told already."""

    failure: Failure
    entry: Entry | None = None


Result: TypeAlias = "Made | Broken"


def make(
    job: Job, ports: Ports, before: Entry | None = None, *, stop: Cancel, telling: Telling
) -> Result:
    """Makes one step and enters its beginning and its end. What a step can do wrong is a Broken.

    The end is in line to be stored, but may not be yet: so it shares a commit with the beginning of
    whatever comes next. *before* is such an end, and is stored before this step begins.

    Raises:
        StateError: the journal could not store an event; the step must then not be reported as done.
    """
    if before is not None and not _is_quickly_prepared(job):
        telling.reach(before)
    began = ports.clock.now()
    try:
        tree = _prepared(job, ports)
    except (TemplateFault, SpecFault, LabError, OSError) as error:
        telling.reach(telling.enter(without_beginning(job, ports.files, began)))
        return _broken(job, ports, expected(error), began, "", 1, telling)
    if _undoes(job) and job.record is not None:
        came = _undone(job, job.record, ports, stop, telling)
        if isinstance(came, Failure):
            return Broken(came)
        job = replace(job, record=None)
    log_path = ports.work.log_path(job.run, job.step.address)
    fields = without_secrets(tree["fields"], ports.secrets)
    env = kept_env(job, tree["env"], ports)
    intent = to_make(job, ports.files, began, log=log_path, fields=fields, env=env)
    telling.reach(telling.enter(intent))
    try:
        made, number = _attempts(job, ports, tree, log_path, stop, telling)
    except StateError:
        raise
    except (LabError, OSError) as error:  # no folder, no log
        made, number = expected(error), 1
    if isinstance(made, Failure):
        return _broken(job, ports, made, began, log_path, number, telling)
    return _made(job, ports, made, began, log_path, number, telling)


def _is_quickly_prepared(job: Job) -> bool:
    """Whether nothing can hold it up before it begins, as a secret's command or undoing does."""
    return job.step.literal and not _undoes(job)


def _undoes(job: Job) -> bool:
    """Whether the step is made anew and what was made before is destroyed first."""
    record = job.record
    return job.decision.verb is Verb.REPLACE and record is not None and record.infrastructure


def _prepared(job: Job, ports: Ports) -> dict[str, Any]:
    """The step's keys as the provider gets them, if nothing speaks against beginning."""
    if job.fault is not None:
        raise job.fault
    tree = rendered(job, ports)
    if job.wanted.missing:
        shown = ", ".join(job.wanted.missing)
        raise PlanError(
            Diagnostic(
                summary=f"a declared input is not there: {shown}",
                detail="The step's `inputs` name it.",
                help="Mend the path, or make the file; a step that makes it comes before in `needs`.",
            )
        )
    if job.decision.verb is Verb.REPLACE:
        to_spec(job.spec_type, tree["spec"])  # what cannot be made is no reason to destroy
    return tree


def _undone(job: Job, record: Record, ports: Ports, stop: Cancel, tell: Tell) -> Gone | Failure:
    """What is made anew is destroyed first, by whoever made it, as an event of its own.

    So that a crash in between leaves a record either of the old thing or of none.
    """
    return undo(
        record,
        job.former,
        ports,
        root=job.graph.labfile.root,
        run=job.run,
        cause=job.decision.cause,
        stop=stop,
        tell=tell,
        lines=job.lines,
    )


def _attempts(
    job: Job, ports: Ports, tree: Mapping[str, Any], log_path: str, stop: Cancel, tell: Tell
) -> tuple[dict[str, Value] | Failure, int]:
    record = job.record
    unfinished = bool(record and record.tried and record.tried.remembered)
    directory = ports.work.prepare(job.step.address)
    with ports.work.open_log(job.run, job.step.address) as sink:
        bench = Bench(
            directory=directory,
            log_path=log_path,
            sink=sink,
            spec=tree["spec"],
            env=tree["env"],
            fields=tree["fields"],
            memory=Memory(record.memory if record else None, unfinished),
        )
        return _try(job, ports, bench, stop, tell)


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
        doubled = retries.backoff * 2.0 ** min(number - 1, 64)
        pause = came.after if came.after is not None else doubled
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
        ports.work.prepare(job.step.address)  # a try may have removed its own folder


def _again(job: Job, failure: Failure, number: int) -> bool:
    retries = job.step.options.retries
    if failure.interrupted or failure.reason == "bug":
        return False
    if retries.attempts:
        named = failure.reason == "timeout" or failure.reason.startswith("exit:")
        word = failure.reason if named else "error"
        return number <= retries.attempts and (not retries.on or word in retries.on)
    return failure.transient and number <= TRANSIENT_ATTEMPTS


def _made(
    job: Job,
    ports: Ports,
    outputs: Mapping[str, Value],
    began: float,
    log_path: str,
    number: int,
    telling: Telling,
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
        made=_files_made(job, ports),
    )
    finished = StepFinished(run=job.run, time=now, address=job.step.address, done=done)
    return Made(done, telling.enter(finished))


def _files_made(job: Job, ports: Ports) -> tuple[str, ...]:
    """Files that the command names and that were not there before: it wrote them, they are no inputs."""
    old = made_by(job.record)
    if job.fault is not None:
        return tuple(old)
    before = job.wanted.identity.get("inputs", {})
    try:
        there = named(job.spec_type, job.wanted.identity, ports.files)
    except PlanError:  # it made something that nobody may read: what is done is done all the same
        return tuple(old)
    return tuple(path for path in there if path not in before or path in old)


def _broken(
    job: Job,
    ports: Ports,
    failure: Failure,
    began: float,
    log_path: str,
    number: int,
    telling: Telling,
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
        seconds=max(0.0, now - began),  # a clock may be set back
        made=_files_made(job, ports),
    )
    return Broken(failure, telling.enter(failed))
