"""The intents that are durable before the world may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.crashpoint import passing
from lab.kinds.spec import Lifecycle
from lab.model.event import StepStarted
from lab.model.state import Record
from lab.model.values import Json
from lab.planning.inputs import made_by, unmade
from lab.ports import Files
from lab.running.attempt import Job


def to_make(
    job: Job,
    files: Files,
    now: float,
    *,
    log: str,
    fields: Mapping[str, Any],
    env: Mapping[str, Json],
) -> StepStarted:
    """A step is to be made; *fields* are its target's and *env* its own, without secrets."""
    passing("intent.before")
    step, spec_type = job.step, job.spec_type
    return StepStarted(
        run=job.run,
        time=now,
        address=step.address,
        kind=step.kind,
        target=step.target.name,
        place=step.target.provider,
        fields=fields,
        env=env,
        verb=job.decision.verb.word,
        cause=job.decision.cause,
        digest=job.wanted.digest,
        version=getattr(spec_type, "version", 1),
        infrastructure=getattr(spec_type, "lifecycle", None) is Lifecycle.INFRASTRUCTURE,
        protect=step.options.protect,
        needs=tuple(job.graph.needs.get(step.address, ())),
        log=log,
        unmade=unmade(spec_type, job.wanted.identity, made_by(job.record), files),
        parameters=job.parameters,
    )


def without_beginning(job: Job, files: Files, now: float) -> StepStarted:
    """A step cannot even begin: of what was made before, all stays as it is recorded."""
    verb, cause, record = job.decision.verb.word, job.decision.cause, job.record
    if record is not None and record.done is not None:
        return on_record(record, job.run, now, verb=verb, cause=cause, log="")
    return to_make(job, files, now, log="", fields={}, env={})


def on_record(
    record: Record, run: int, now: float, *, verb: str, cause: str, log: str
) -> StepStarted:
    """Something is to be done with what *record* stands for."""
    return StepStarted(
        run=run,
        time=now,
        address=record.address,
        kind=record.kind,
        target=record.target,
        place=record.place,
        fields=record.fields,
        env=record.env,
        verb=verb,
        cause=cause,
        digest=record.done.digest if record.done else "",
        version=record.version,
        infrastructure=record.infrastructure,
        protect=record.protect,
        needs=record.needs,
        log=log,
        unmade=tuple(made_by(record)),
        parameters=record.parameters,
    )
