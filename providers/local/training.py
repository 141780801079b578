"""The ``training`` kind on this machine: its processes, its metrics while it runs, its checkpoint kept."""

from __future__ import annotations

import os
import posixpath
import shutil
import time
from collections.abc import Mapping, Sequence

import lab.provider
from lab.crashpoint import passing
from lab.kinds.training import JsonlMetrics, StdoutMetrics
from lab.kinds.training import Training as Spec
from lab.kinds.warm import Cold, Warm, start_of
from lab.model.frozen import dataclass
from lab.provider import Io, Refused, Task, Value, leave_in_place, unobservable

from ._argv import arguments, argv_of
from ._cluster import replicas_of
from ._curve import Curve, read_curve
from ._metrics import Origin, Source, source_of
from ._outputs import given_outputs
from ._program import collect, folder, surroundings
from ._replicas import Work, train
from ._strategy import check_strategy
from ._watch import Watch

__all__ = ["Spec", "adopt", "apply", "arguments", "destroy", "observe"]

observe = unobservable
destroy = leave_in_place

_INJECT = posixpath.join(posixpath.dirname(str(lab.provider.__file__)), "inject")
_SEEDED = posixpath.join(_INJECT, "seeded")
_SEEDS = 2**32  # PYTHONHASHSEED is below it


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """How this attempt begins: afresh, or where a killed or failed one of the same training was."""

    resumes: bool
    since: float  # when the training's first attempt began, seconds since the epoch
    checkpoint: str
    metrics_file: str
    curve: str


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Runs the training to its end; its last metrics, its artifacts and its own values are the outputs."""
    spec = task.spec
    argv, replicas = list(argv_of(task, io)), replicas_of(spec)
    check_strategy(task, argv, io)
    begun = _begin(task, io)
    source = source_of(spec.metrics, task.root, _origin(begun))
    kept = None if begun.curve == begun.metrics_file else begun.curve
    env, cwd = _env(task, begun, io), folder(task.root, spec.cwd)
    with Watch(source, kept, io) as watch:
        work = Work(argv=argv, cwd=cwd, env=env, on_line=watch.hear, start=_start(task, argv, cwd))
        values = train(task, io, replicas, work)
    return collect(spec.artifacts, values, io, {"metrics": _last(source, spec)})


def adopt(task: Task[Spec], id: str, io: Io) -> Mapping[str, Value]:
    """Takes a training that has ended elsewhere: its artifacts, and its metrics from where they are read.

    *id* is the file with its own values, or, where metrics are printed, with what it printed; ``-``: none.
    """
    spec, values = task.spec, {}
    named = spec.metrics.path if isinstance(spec.metrics, JsonlMetrics) else None
    metrics_file = folder(task.root, named or f"{task.directory}/metrics.jsonl")
    source = source_of(spec.metrics, task.root, Origin(file=metrics_file, since=0.0))
    if isinstance(spec.metrics, StdoutMetrics):
        _hear(source, id, task.root)
    elif id != "-":
        values = given_outputs(folder(task.root, id))
    source.poll()
    metrics = _last(source, spec)
    if not (spec.artifacts or metrics or values):
        raise Refused(
            "nothing shows that this training was run",
            "It declares no artifacts, and there are no metrics of it.",
        )
    return collect(spec.artifacts, values, io, {"metrics": metrics})


def _hear(source: Source, id: str, root: str) -> None:
    if id == "-":
        raise Refused(
            "this training's metrics are read from what it prints",
            "Name the file that holds what it printed, instead of `-`.",
        )
    with open(folder(root, id), encoding="utf-8", errors="replace") as file:
        for line in file:
            source.hear(line.rstrip("\n"))


# --- what is run ------------------------------------------------------------------------------


def _env(task: Task[Spec], begun: Begun, io: Io) -> dict[str, str]:
    spec = task.spec
    given = {**io.ambient, **task.env}
    first = _SEEDED if spec.seed is not None else ""  # it hands over to what it stands before
    paths = [path for path in (first, given.get("PYTHONPATH"), _INJECT) if path]
    env = {
        **surroundings(spec.environment, task.env, io.ambient),
        "LAB_CHECKPOINT_DIR": begun.checkpoint,
        "LAB_METRICS_FILE": begun.metrics_file,
        "PYTHONPATH": os.pathsep.join(paths),  # the user's own first: `import lab_keras` comes last
        "PYTHONUNBUFFERED": given.get("PYTHONUNBUFFERED", "1"),  # or metrics come when it ends
    }
    if spec.seed is not None:
        env |= {"LAB_SEED": str(spec.seed), "PYTHONHASHSEED": str(spec.seed % _SEEDS)}
    return env


def _start(task: Task[Spec], argv: Sequence[str], cwd: str) -> Warm | Cold:
    spec = task.spec
    return start_of(
        argv,
        cwd,
        _text,
        declared=spec.warm,
        environment=spec.environment is not None,
        several="[" in task.address,
        replicas=spec.replicas is not None,
    )


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return None


# --- how it begins ----------------------------------------------------------------------------


def _begin(task: Task[Spec], io: Io) -> Begun:
    """Keeps what an attempt at the same training left, or clears away what another one did."""
    spec, root = task.spec, task.root
    checkpoint = folder(root, spec.checkpoint)
    shown = posixpath.relpath(checkpoint, root)
    ours = task.memory if isinstance(task.memory, Mapping) else {}
    resumes = task.attempt > 1  # the attempt before it was of this very training
    since = time.time()
    match ours if resumes else task.left:
        case {"digest": str(digest), "checkpoint": str(where), "since": float(then)}:
            same = bool(digest) and digest == task.digest and where == shown
            resumes, since = resumes or same, then if same else since
        case _:
            pass
    named = spec.metrics.path if isinstance(spec.metrics, JsonlMetrics) else None
    begun = Begun(
        resumes=resumes,
        since=since,
        checkpoint=checkpoint,
        metrics_file=folder(root, named or f"{task.directory}/metrics.jsonl"),
        curve=f"{task.directory}/curve.jsonl",
    )
    if not resumes:
        _require_ours(checkpoint, task, known=ours.get("checkpoint") == shown)
    io.remember({"digest": task.digest, "since": since, "checkpoint": shown})
    passing("training.begun")
    if not resumes:
        _clear(begun)
        passing("training.cleared")
    os.makedirs(checkpoint, exist_ok=True)
    return begun


def _require_ours(checkpoint: str, task: Task[Spec], *, known: bool) -> None:
    """Refuses to empty a folder that may hold what somebody wants to keep."""
    within = f"{checkpoint.rstrip('/')}/"
    holds_lab = f"{task.root}/".startswith(within)
    holds_step = f"{task.directory}/".startswith(within)
    if holds_lab or holds_step:
        raise Refused(
            f"`checkpoint` is {checkpoint}, which holds more than checkpoints",
            "It is emptied before a training that starts anew. Leave it out, or name a folder of its"
            " own such as `{{ step.dir }}/checkpoint`.",
        )
    inside = checkpoint.startswith(f"{task.directory}/")
    if inside or known or not os.path.isdir(checkpoint) or not os.listdir(checkpoint):
        return
    raise Refused(
        f"the checkpoint folder {checkpoint} is not empty, and this step did not fill it",
        "It would be emptied before the training starts. Move it away, or name another folder.",
    )


def _clear(begun: Begun) -> None:
    """Empties the checkpoint's folder; old metrics are put aside, for the file may be the user's."""
    if os.path.isdir(begun.checkpoint):
        shutil.rmtree(begun.checkpoint)
    for path in (begun.metrics_file, begun.curve):
        if os.path.isfile(path):
            os.replace(path, f"{path}.before")


def _origin(begun: Begun) -> Origin:
    before = read_curve(begun.curve) if begun.resumes else Curve()
    return Origin(file=begun.metrics_file, since=begun.since, before=before)


# --- what came of it --------------------------------------------------------------------------


def _last(source: Source, spec: Spec) -> dict[str, float]:
    if spec.metrics is not None and not source.curve.last:
        raise Refused(
            "the training ended well but reported no metrics",
            f"lab looked at {source.place}. Does the program write there? `metrics` says where to look.",
        )
    return dict(source.curve.last)
