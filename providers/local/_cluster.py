"""The replicas of a training on this machine: their names, their addresses, and what each is told."""

from __future__ import annotations

import contextlib
import json
import math
import socket
from collections.abc import Iterator, Mapping, Sequence

from lab.kinds.training import Replicas
from lab.kinds.training import Training as Spec
from lab.model.frozen import dataclass
from lab.provider import Task

CHIEF, WORKER, PS, EVALUATOR = "chief", "worker", "ps", "evaluator"
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
_BETWEEN = "TF_NUM_INTEROP_THREADS"
_SERVING = 4  # threads between operations; with one, a parameter server's cluster waits for itself


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a training; the only one of a plain training has no sort and no name."""

    sort: str = ""
    index: int = 0

    @property
    def name(self) -> str:
        """``worker-1``, as it is called in the log."""
        return f"{self.sort}-{self.index}" if self.sort else ""

    @property
    def serves(self) -> bool:
        """Whether it waits for others for ever and never ends by itself."""
        return self.sort == PS


def replicas_of(spec: Spec) -> list[Replica]:
    """All replicas, the one that decides first; that their numbers make a cluster was checked before."""
    if spec.replicas is None:
        return [Replica()]
    counts = _counts(spec.replicas)
    return [Replica(sort, i) for sort, count in counts.items() for i in range(count)]


def _counts(replicas: Replicas) -> dict[str, int]:
    return {
        CHIEF: replicas.chief,
        WORKER: replicas.worker,
        PS: replicas.ps,
        EVALUATOR: replicas.evaluator,
    }


def tf_configs(replicas: Sequence[Replica]) -> dict[Replica, str]:
    """TF_CONFIG for each replica, with ports of this machine that were free a moment ago.

    Whoever listens on one first has it: a replica that finds its port taken is started again elsewhere.
    """
    if not replicas[0].sort:
        return {}
    cluster: dict[str, list[str]] = {}
    inside = [
        replica for replica in replicas if replica.sort != EVALUATOR
    ]  # it is not of the cluster
    for replica, port in zip(inside, _free_ports(len(inside)), strict=True):
        cluster.setdefault(replica.sort, []).append(f"127.0.0.1:{port}")
    return {
        replica: json.dumps(
            {"cluster": cluster, "task": {"type": replica.sort, "index": replica.index}}
        )
        for replica in replicas
    }


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]


def share_of(
    task: Task[Spec], replica: Replica, replicas: Sequence[Replica], given: Mapping[str, str]
) -> dict[str, str]:
    """What a replica is told of the cores and GPUs that it may use; what is *given* holds as it is."""
    told: dict[str, str] = {}
    if task.resources.cpu:
        each = max(1, math.floor(task.resources.cpu / len(replicas)))
        between = max(each, _SERVING) if any(r.serves for r in replicas) else each
        told = {**dict.fromkeys(_THREADS, str(each)), _BETWEEN: str(between)}
        told = {name: value for name, value in told.items() if name not in given}
    if task.gpus and "CUDA_VISIBLE_DEVICES" not in task.env and len(replicas) > 1:
        told["CUDA_VISIBLE_DEVICES"] = ",".join(_dealt(task.gpus, replica, replicas))
    return told


def _dealt(gpus: Sequence[str], replica: Replica, replicas: Sequence[Replica]) -> Iterator[str]:
    """The replica's own GPUs, dealt in turn to those that compute; too few are shared by all of them."""
    computing = [each for each in replicas if each.sort in (CHIEF, WORKER)]
    if replica not in computing:
        return
    at = computing.index(replica)
    if len(gpus) < len(computing):
        yield gpus[at % len(gpus)]
        return
    yield from (gpu for i, gpu in enumerate(gpus) if i % len(computing) == at)
