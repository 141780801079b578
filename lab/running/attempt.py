"""One attempt at a step: the provider is asked to make it, and what comes of it is checked."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from lab.crashpoint import passing
from lab.kinds.shape import SpecFault, to_spec
from lab.model.diagnostic import LabError, StateError
from lab.model.event import Event, StepProgress
from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.model.plan import Verb
from lab.model.state import Record
from lab.model.tree import format_path
from lab.model.values import Json, Unknown, Value, artifacts_in, pack
from lab.planning.conditions import unmet
from lab.planning.decide import Decision
from lab.planning.digest import Wanted
from lab.planning.outcome import Outcome
from lab.ports import Cancel, Sink
from lab.provider import Cancelled, Provider, Refused, Retry, Task, TimedOut
from lab.reading.template import TemplateFault
from lab.running.io import Memory, Place, Ports, StepIo, texts_in
from lab.running.io_children import Children
from lab.running.keeping import keep_curve, keep_inputs, keep_outputs

Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A step to be made now, and all that was found out about it."""

    graph: Graph
    step: Step
    decision: Decision
    wanted: Wanted
    record: Record | None
    provider: Provider
    former: (
        Provider | None
    )  # made what the record stands for: its kind or target may have been another
    spec_type: type[Any]
    outcomes: Mapping[str, Outcome]
    run: int
    lines: bool = False
    keeps: bool = False  # what it reads and makes is kept, for later
    gpus: tuple[str, ...] = ()  # devices that are this step's own while it runs
    cores: tuple[int, ...] = ()  # cores that its programs are kept to; none: all
    fault: LabError | None = None  # why it cannot even begin
    children: Children | None = None  # of a step that makes any
    parameters: Mapping[str, Json] = field(default_factory=dict)  # of a child
    hear: Callable[[StepProgress], None] | None = None  # whose child it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where a step is made: its folder, its log, its keys rendered for the provider, and its memory."""

    directory: str
    log_path: str
    sink: Sink
    spec: Mapping[str, Any]
    env: Mapping[str, str]
    fields: Mapping[str, Any]
    memory: Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt did not make the step. ``reason`` is what ``retries.on`` names."""

    error: str
    detail: str = ""
    reason: str = "error"
    transient: bool = False  # the provider says that another attempt may well succeed
    after: float | None = None
    interrupted: bool = False


def attempt(
    job: Job, ports: Ports, bench: Bench, number: int, *, stop: Cancel, tell: Tell
) -> dict[str, Value] | Failure:
    """Asks the provider once. Every way in which that can go wrong is a Failure.

    Raises:
        StateError: what the provider remembered could not be stored.
    """
    passing("intent.after")
    timeout = job.step.options.timeout
    deadline = None if timeout is None else ports.clock.monotonic() + timeout
    try:
        task = _task(job, bench, number)
        io = _io(job, ports, bench, stop, tell, deadline)
        if job.keeps and number == 1:
            keep_inputs(job.wanted.identity, ports)
        outputs = _applied(job, task, io)
        _check_values(outputs, ports)
        _check_requirements(job, outputs, bench)
        _settle(outputs, ports)
        if job.keeps:
            keep_outputs(job.step, ports, outputs)
        passing("end.before")
        return outputs
    except StateError:
        raise
    except (
        Cancelled,
        TimedOut,
        Retry,
        Refused,
        SpecFault,
        TemplateFault,
        LabError,
        OSError,
    ) as error:
        return expected(error, timeout)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a provider's bug must not stop the others
        return Failure(
            error=f"the provider of `{job.step.kind}` failed: {type(error).__name__}: {error}",
            detail="This is a bug in the provider, not in your Labfile.\n" + traceback.format_exc(),
            reason="bug",
        )
    finally:
        keep_curve(job.step, job.run, ports)


def _applied(job: Job, task: Task[Any], io: StepIo) -> dict[str, Value]:
    """What the provider makes; its children end before it does."""
    try:
        return dict(job.provider.apply(task, io))
    finally:
        if job.children is not None:
            job.children.close()


def expected(error: Exception, timeout: float | None = None) -> Failure:
    """What an error that steps may well have means."""
    match error:
        case Cancelled():
            return Failure(error="stopped", interrupted=True)
        case TimedOut() if timeout is None:
            return Failure(error="not done in time", reason="timeout")
        case TimedOut():
            return Failure(
                error=f"not done within {timeout:g} s",
                detail="`timeout` is the longest that one attempt may take.",
                reason="timeout",
            )
        case Retry(summary=summary, after=after, detail=detail):
            return Failure(error=summary, detail=detail, transient=True, after=after)
        case Refused(summary=summary, detail=detail, reason=reason):
            return Failure(error=summary, detail=detail, reason=reason)
        case SpecFault():
            return Failure(
                error="; ".join(f"`{format_path(f.path)}`: {f.summary}" for f in error.faults),
                detail="The value came from another step or a variable; it is checked again once it is known.",
            )
        case TemplateFault(summary=summary, help=help):
            return Failure(error=summary, detail=help)
        case LabError(diagnostics=(first, *_)):
            return Failure(error=first.summary, detail=f"{first.detail} {first.help}".strip())
        case OSError():
            return Failure(error=_os_error(error), detail="The operating system refused it.")
        case _:
            raise AssertionError(error)


def _task(job: Job, bench: Bench, number: int) -> Task[Any]:
    memory = bench.memory
    return Task(
        address=job.step.address,
        spec=to_spec(job.spec_type, bench.spec),
        directory=bench.directory,
        root=job.graph.labfile.root,
        env=bench.env,
        target=bench.fields,
        digest=job.wanted.digest,
        basis=job.wanted.basis,
        left=memory.value if memory.unfinished else None,
        memory=memory.value,
        record=job.record,
        replacing=job.decision.verb is Verb.REPLACE,
        attempt=number,
        run=job.run,
        resources=job.step.options.resources,
        gpus=job.gpus,
    )


def _io(
    job: Job, ports: Ports, bench: Bench, stop: Cancel, tell: Tell, deadline: float | None
) -> StepIo:
    labfile = job.graph.labfile
    env = {
        "LAB_STEP": job.step.address,
        "LAB_STEP_DIR": bench.directory,
        "LAB_ROOT": labfile.root,
        "LAB_RUN": str(job.run),
        **({"CUDA_VISIBLE_DEVICES": ",".join(job.gpus)} if job.gpus else {}),
        **bench.env,
    }
    place = Place(
        address=job.step.address,
        root=labfile.root,
        directory=bench.directory,
        run=job.run,
        log_path=bench.log_path,
        env=env,
        cores=job.cores,
    )
    return StepIo(
        ports,
        place,
        stop=stop,
        sink=bench.sink,
        tell=_overheard(tell, job.hear),
        deadline=deadline,
        memory=bench.memory,
        lines=job.lines,
        children=job.children,
    )


def _overheard(tell: Tell, hear: Callable[[StepProgress], None] | None) -> Tell:
    """Progress is told to whoever the child belongs to as well."""
    if hear is None:
        return tell

    def both(event: Event) -> None:
        tell(event)
        if isinstance(event, StepProgress) and event.metrics:
            hear(event)

    return both


def _settle(outputs: Mapping[str, Value], ports: Ports) -> None:
    """What is about to be recorded is on the disk first: a record outlives a loss of power, and so must this."""
    for artifact in artifacts_in(outputs):
        ports.work.settle(artifact)
        passing("artifact.synced")


def _check_values(outputs: Mapping[str, Value], ports: Ports) -> None:
    """Outputs must be storable, and hold no secret: they are kept in clear text."""
    for name, value in outputs.items():
        try:
            texts = list(texts_in(pack(value, "\0")))
        except TypeError as error:
            raise Refused(f"the output `{name}` cannot be stored: {error}", reason="bug") from None
        if any(ports.secrets.redact(text) != text for text in (name, *texts)):
            raise Refused(
                f"the output `{name}` holds the value of a secret",
                "Outputs are kept in the state in clear text. Hand the secret itself to the step that"
                ' needs it: `env: {TOKEN: "{{ secrets.NAME }}"}`.',
            )


def _check_requirements(job: Job, outputs: Mapping[str, Value], bench: Bench) -> None:
    found = unmet(job.graph, job.step, job.outcomes, bench.directory, outputs)
    assert not isinstance(found, Unknown), "everything that the step refers to has run"
    if found:
        raise Refused(
            found,
            "The step itself ended well; what it made does not meet its `require`.",
            reason="require",
        )


def _os_error(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{what}: {error.filename}" if error.filename else what
