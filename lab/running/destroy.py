"""What a record stands for is undone: the provider destroys it, its artifacts go, and so does the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lab.model.event import StepDestroyed, StepFailed, StepStarted
from lab.model.state import Record
from lab.model.values import Artifact
from lab.ports import Cancel
from lab.provider import Cancelled, Provider, Refused, Retry, TimedOut
from lab.running.attempt import Failure, Tell
from lab.running.io import Place, Ports, StepIo


@dataclass(frozen=True, slots=True)
class Gone:
    """It is undone. ``left`` are artifacts that stay because their bytes are not the recorded ones."""

    left: tuple[str, ...] = ()


def undo(
    record: Record,
    provider: Provider | None,
    ports: Ports,
    *,
    root: str,
    run: int,
    cause: str,
    stop: Cancel,
    tell: Tell,
    lines: bool = False,
) -> Gone | Failure:
    """Destroys what *record* stands for. The intent is durable first; the record goes only when all is gone."""
    began = ports.clock.now()
    log_path = ports.work.log_path(run, record.address)
    intent = _intent(record, run, began, cause, log_path)
    ports.journal.append(intent)
    tell(intent)
    with ports.work.open_log(run, record.address) as sink:
        place = Place(
            address=record.address,
            root=root,
            directory=ports.work.prepare(record.address),
            run=run,
            log_path=log_path,
            env={"LAB_STEP": record.address, "LAB_ROOT": root, "LAB_RUN": str(run)},
        )
        io = StepIo(ports, place, stop=stop, sink=sink, tell=tell, deadline=None, lines=lines)
        failure = _asked(provider, record, io)
        left = () if failure else tuple(_remove_artifacts(record, ports, io))
    if failure is not None:
        return _failed(record, failure, ports, run, began, log_path, tell)
    destroyed = StepDestroyed(run=run, time=ports.clock.now(), address=record.address)
    ports.journal.append(destroyed)
    ports.work.forget(record.address)
    tell(destroyed)
    return Gone(left)


def _failed(
    record: Record,
    failure: Failure,
    ports: Ports,
    run: int,
    began: float,
    log_path: str,
    tell: Tell,
) -> Failure:
    now = ports.clock.now()
    failed = StepFailed(
        run=run,
        time=now,
        address=record.address,
        error=failure.error,
        detail=failure.detail,
        log=log_path,
        interrupted=failure.interrupted,
        seconds=now - began,
    )
    ports.journal.append(failed)
    tell(failed)
    return failure


def _intent(record: Record, run: int, now: float, cause: str, log_path: str) -> StepStarted:
    return StepStarted(
        run=run,
        time=now,
        address=record.address,
        kind=record.kind,
        target=record.target,
        place=record.place,
        fields=record.fields,
        verb="destroy",
        cause=cause,
        digest=record.done.digest if record.done else "",
        version=record.version,
        infrastructure=record.infrastructure,
        protect=record.protect,
        needs=record.needs,
        log=log_path,
    )


def _asked(provider: Provider | None, record: Record, io: StepIo) -> Failure | None:
    if provider is None:
        return Failure(
            error=f"no provider for `{record.kind}` on `{record.place}` is installed",
            detail=f"Install what brings it, or `lab state rm {record.address}` forgets it as it is.",
        )
    try:
        provider.destroy(record, io)
    except Cancelled:
        return Failure(error="stopped", interrupted=True)
    except TimedOut:
        return Failure(error="not destroyed in time", reason="timeout")
    except (Refused, Retry) as error:
        return Failure(error=error.summary, detail=error.detail)
    except Exception as error:  # noqa: BLE001 - a provider's bug must not stop the others
        return Failure(
            error=f"the provider of `{record.kind}` failed: {type(error).__name__}: {error}",
            detail="This is a bug in the provider; what it was destroying may be half gone.",
            reason="bug",
        )
    return None


def _remove_artifacts(record: Record, ports: Ports, io: StepIo) -> Iterator[str]:
    artifacts: list[Artifact] = record.done.artifacts if record.done else []
    for artifact in artifacts:
        if not ports.work.remove_artifact(artifact):
            io.note(f"kept {artifact.path}: it is not as this step made it")
            yield artifact.path
