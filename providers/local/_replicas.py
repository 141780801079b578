"""Trains with one process or several, and again where that is wanted; says how each replica ended."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Callable, Mapping, Sequence

from lab.kinds.training import Training as Spec
from lab.kinds.warm import Cold, Warm
from lab.model.frozen import dataclass
from lab.model.layout import OUTPUT_FILE
from lab.provider import Completed, Io, Json, Refused, Task

from ._cluster import Replica, share_of, tf_configs
from ._group import Came, End, Group, Program
from ._outputs import output_file, take_outputs
from ._program import require_success
from ._resident import MemoryLimit
from ._strategy import hint_of

_OTHER_PORTS = 3  # so often other ports are tried where one was taken in the meantime
_GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every replica runs; ``on_line`` is told what the one that decides prints."""

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    on_line: Callable[[str], None]
    start: Warm | Cold = Cold("nobody asked")


@dataclass(slots=True)
class Heard:
    """Listens to what replicas print. Mutable: the last advice on what they complained of."""

    hint: str = ""

    def hear(self, line: str) -> None:
        self.hint = hint_of(line) or self.hint


def train(task: Task[Spec], io: Io, replicas: Sequence[Replica], work: Work) -> dict[str, Json]:
    """Runs to the end; gives the values that the replica that decides wrote to LAB_OUTPUT.

    Raises:
        Refused: a replica failed, and is not to be started again or was too often; or they held more
            memory than they may.
    """
    _clear(task)
    restarts = moves = 0
    while True:
        heard = Heard()
        with output_file(task.directory) as output:
            came, held = _once(task, io, replicas, work, output, restarts, heard)
            if came.culprit is None:
                _summary(came, io)
                return take_outputs(output)
        if held:
            raise _too_much(task, held)
        if came.port_taken and moves < _OTHER_PORTS and replicas[0].sort:
            moves += 1
            io.note("[lab] a replica's port was taken: all replicas are started again on others")
            continue
        if task.spec.restart == "never" or restarts >= task.spec.max_restarts:
            _summary(came, io)
            raise _failed(came.culprit, heard.hint, restarts, alone=len(replicas) == 1)
        restarts += 1
        said = f"{_told(came.culprit)}; started again ({restarts} of {task.spec.max_restarts})"
        io.note(f"[lab] {said}", tell=True)


def _once(
    task: Task[Spec],
    io: Io,
    replicas: Sequence[Replica],
    work: Work,
    output: str,
    restarts: int,
    heard: Heard,
) -> tuple[Came, int]:
    configs = tf_configs(replicas)
    programs = []
    for i, replica in enumerate(replicas):
        env = {**work.env, **share_of(task, replica, replicas, {**io.ambient, **task.env})}
        env |= {"LAB_OUTPUT": output, "LAB_RESTART": str(restarts)}
        if replica.sort:
            env |= {"TF_CONFIG": configs[replica], "LAB_REPLICA": replica.name}
        if i:
            env |= _aside(task, replica)
        on_line = _both(work.on_line, heard.hear) if not i else heard.hear
        part = io.part(replica.name)
        warm = work.start if isinstance(work.start, Warm) else None
        programs.append(Program(replica, work.argv, work.cwd, env, on_line, part, warm))
    group = Group(programs, io)
    with MemoryLimit(task.directory, task.resources.memory, group.end) as limit:
        came = group.run()
    _tell_fresh(came, work.start, io)
    return came, limit.over


def _tell_fresh(came: Came, start: Warm | Cold, io: Io) -> None:
    """Notes why a program began in a fresh process, where somebody may have expected otherwise."""
    reasons = [end.came.fresh for end in came.ends if isinstance(end.came, Completed)]
    if isinstance(start, Cold) and start.wanted:
        reasons.append(start.reason)
    for reason in dict.fromkeys(filter(None, reasons)):
        io.note(f"[lab] it ran in a fresh process: {reason}")


def _both(one: Callable[[str], None], other: Callable[[str], None]) -> Callable[[str], None]:
    def hear(line: str) -> None:
        one(line)
        other(line)

    return hear


def _aside(task: Task[Spec], replica: Replica) -> dict[str, str]:
    """Where a replica that does not decide writes metrics and values, which nobody counts twice."""
    folder = f"{_folder(task)}/{replica.name}"
    os.makedirs(folder, exist_ok=True)
    return {"LAB_METRICS_FILE": f"{folder}/metrics.jsonl", "LAB_OUTPUT": f"{folder}/{OUTPUT_FILE}"}


def _folder(task: Task[Spec]) -> str:
    return posixpath.join(task.directory, "replicas")


def _clear(task: Task[Spec]) -> None:
    if os.path.isdir(_folder(task)):
        shutil.rmtree(_folder(task))


def _summary(came: Came, io: Io) -> None:
    if len(came.ends) > 1:
        for end in sorted(came.ends, key=lambda end: end.replica.name):
            io.note(f"[lab] {_told(end)} after {end.seconds:.1f} s")


def _told(end: End) -> str:
    """``worker-1: killed by SIGKILL``."""
    name = end.replica.name or "the training"
    if end.well:
        return f"{name}: exit 0"
    if end.told:
        return f"{name}: ended with the others"
    assert isinstance(end.came, Completed), "what running raises is raised before anything is told"
    try:
        require_success(end.came, name)
    except Refused as error:
        return error.summary
    return f"{name}: exit 0"


def _failed(end: End, hint: str, restarts: int, *, alone: bool) -> Refused:
    assert isinstance(end.came, Completed), "what running raises is raised before"
    try:
        require_success(end.came, end.replica.name)
    except Refused as error:
        times = "once" if restarts == 1 else f"{restarts} times"
        again = f" It had been started again {times}." if restarts else ""
        others = "" if alone else "The other replicas were ended with it."
        detail = " ".join(x for x in (hint, error.detail, f"{others}{again}".strip()) if x)
        return Refused(error.summary, detail, reason=error.reason)
    return Refused(f"{end.replica.name} was ended", "Nothing else is known of it.")


def _too_much(task: Task[Spec], held: int) -> Refused:
    return Refused(
        f"its processes held {held / _GIB:.2f} GiB, more than the {task.resources.memory / _GIB:.2f} GiB"
        " of `resources.memory`",
        "They were ended. Ask for more, or make batches or the model smaller.",
        reason="memory",
    )
