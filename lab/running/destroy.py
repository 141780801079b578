"""What a record stands for is undone: the provider destroys it, its artifacts go, and so does the record."""

from __future__ import annotations

from collections.abc import Iterator

from lab.crashpoint import passing
from lab.model.diagnostic import LabError, StateError
from lab.model.event import StepDestroyed, StepFailed
from lab.model.frozen import dataclass
from lab.model.state import Record
from lab.model.values import Artifact
from lab.planning.inputs import made_by
from lab.ports import Cancel
from lab.provider import Cancelled, Provider, Refused, Retry, TimedOut
from lab.reading.template import TemplateFault
from lab.running.attempt import Failure, Tell, expected
from lab.running.intent import on_record
from lab.running.io import Place, Ports, StepIo
from lab.running.variables import Restored


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
    intent = on_record(record, run, began, verb="destroy", cause=cause, log=log_path)
    ports.journal.append(intent)
    passing("undo.before")
    tell(intent)
    place = _place(record, ports, root, run, log_path)
    came = _gone(record, provider, ports, place, stop=stop, tell=tell, lines=lines)
    if isinstance(came, Failure):
        return _failed(record, came, ports, run, began, log_path, tell)
    destroyed = StepDestroyed(
        run=run, time=ports.clock.now(), address=record.address, left=came.left
    )
    ports.journal.append(destroyed)
    passing("undo.after")
    tell(destroyed)
    return came


def _place(record: Record, ports: Ports, root: str, run: int, log_path: str) -> Place:
    """Where it is undone: with the variables that it was made with, of which secrets are read only if needed."""
    directory = ports.work.step_dir(record.address)
    own = {
        "LAB_STEP": record.address,
        "LAB_STEP_DIR": directory,
        "LAB_ROOT": root,
        "LAB_RUN": str(run),
    }
    return Place(
        address=record.address,
        root=root,
        directory=directory,
        run=run,
        log_path=log_path,
        env=Restored({**own, **record.env}, ports.secrets),
    )


def _gone(
    record: Record,
    provider: Provider | None,
    ports: Ports,
    place: Place,
    *,
    stop: Cancel,
    tell: Tell,
    lines: bool,
) -> Gone | Failure:
    """What the provider made, the artifacts and the step's folder go, in this order."""
    try:
        ports.work.prepare(record.address)
        with ports.work.open_log(place.run, record.address) as sink:
            io = StepIo(ports, place, stop=stop, sink=sink, tell=tell, deadline=None, lines=lines)
            failure = _asked(provider, record, io)
            if failure is not None:
                return failure
            passing("undo.asked")
            left = tuple(_remove_artifacts(record, ports, io, place.root))
        ports.work.forget(record.address)
        passing("undo.folder")
    except StateError:
        raise
    except (LabError, OSError) as error:
        return expected(error)
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
        error=ports.secrets.redact(failure.error),
        detail=ports.secrets.redact(failure.detail),
        log=log_path,
        interrupted=failure.interrupted,
        seconds=max(0.0, now - began),
        made=tuple(made_by(record)),
    )
    ports.journal.append(failed)
    tell(failed)
    return failure


def _asked(provider: Provider | None, record: Record, io: StepIo) -> Failure | None:
    if provider is None:
        return Failure(
            error=f"no provider for `{record.kind}` on `{record.place}` is installed",
            detail=f"Install what brings it, or `lab state rm {record.address}` forgets it as it is.",
        )
    try:
        provider.destroy(record, io)
    except StateError:
        raise
    except (Cancelled, TimedOut, Refused, Retry, TemplateFault, LabError, OSError) as error:
        return expected(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a provider's bug must not stop the others
        return Failure(
            error=f"the provider of `{record.kind}` failed: {type(error).__name__}: {error}",
            detail="This is a bug in the provider; what it was destroying may be half gone.",
            reason="bug",
        )
    return None


def _remove_artifacts(record: Record, ports: Ports, io: StepIo, root: str) -> Iterator[str]:
    artifacts: list[Artifact] = record.done.artifacts if record.done else []
    for artifact in artifacts:
        if not ports.work.remove_artifact(artifact):
            io.note(f"kept {artifact.path}: it is not as this step made it")
            yield artifact.path.removeprefix(f"{root}/")
        passing("undo.artifact")
