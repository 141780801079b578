"""What is wrong with a training's replicas, strategy and restarts taken together, as far as the Labfile shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from lab.model.tree import Path

Finding: TypeAlias = "tuple[Path, str, str]"
"""Where, what, and what to do about it."""

Counts: TypeAlias = "Mapping[str, int]"
"""How many processes of each sort there are to be."""

_SORTS = ("chief", "worker", "ps", "evaluator")
_ALONE = "write `replicas: {worker: 2}`, with or without a chief, or leave `strategy` out"
_SERVED = "write `replicas: {chief: 1, worker: 2, ps: 1}`"


def findings(tree: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything at once; where a number or the strategy is not known yet, nothing."""
    if "max_restarts" in tree and tree.get("restart", "never") == "never":
        yield (
            ("max_restarts",),
            "`max_restarts` says how often `restart: on_failure` starts again, and nothing restarts here",
            "write `restart: on_failure` beside it, or leave it out",
        )
    counts = _counts(tree.get("replicas"))
    strategy = tree.get("strategy", "none")
    if counts is None or not isinstance(strategy, str):
        return
    if tree.get("replicas") is not None:
        yield from _cluster(counts)
        if not _trains(counts):
            return  # what the strategy lacks then is the same again
    check = _STRATEGIES.get(strategy)
    if check is not None:
        yield from check(counts)


def _counts(replicas: Any) -> Counts | None:
    """The numbers of all sorts; None if one of them is not known."""
    if replicas is None:
        return dict.fromkeys(_SORTS, 0)
    if not isinstance(replicas, Mapping):
        return None
    counts = {sort: replicas.get(sort, 0) for sort in _SORTS}
    known = all(isinstance(n, int) and not isinstance(n, bool) for n in counts.values())
    return counts if known else None


def _trains(counts: Counts) -> int:
    return counts["chief"] + counts["worker"]


def _cluster(counts: Counts) -> Iterator[Finding]:
    for sort in ("chief", "evaluator"):
        if counts[sort] > 1:
            yield (
                ("replicas", sort),
                f"there can be one {sort} at most, not {counts[sort]}",
                "TensorFlow knows no more in one cluster; `worker` and `ps` may be any number",
            )
    if not _trains(counts):
        yield (
            ("replicas",),
            "there is neither a chief nor a worker, so that nobody would train",
            "write for example `replicas: {worker: 2}`",
        )


def _mirrored(counts: Counts) -> Iterator[Finding]:
    if _trains(counts) > 1:
        yield (
            ("strategy",),
            f"`mirrored` is of one process, and {_trains(counts)} train here",
            "leave `replicas` out, or write `strategy: multi_worker`",
        )
    elif counts["ps"]:
        yield (
            ("replicas", "ps"),
            "`mirrored` has no parameter servers",
            "leave `ps` out, or write `strategy: parameter_server`",
        )


def _multi_worker(counts: Counts) -> Iterator[Finding]:
    if _trains(counts) < 2:
        yield ("strategy",), "`multi_worker` needs two processes that train, or more", _ALONE
    if counts["ps"]:
        yield (
            ("replicas", "ps"),
            "`multi_worker` has no parameter servers",
            "leave `ps` out, or write `strategy: parameter_server`",
        )


def _parameter_server(counts: Counts) -> Iterator[Finding]:
    lacking = [sort for sort in ("chief", "worker", "ps") if not counts[sort]]
    if lacking:
        yield (
            ("strategy",),
            "`parameter_server` needs a chief that coordinates, workers and parameter servers;"
            f" there is no {' and no '.join(lacking)}",
            _SERVED,
        )


_STRATEGIES: Mapping[str, Callable[[Counts], Iterator[Finding]]] = {
    "mirrored": _mirrored,
    "multi_worker": _multi_worker,
    "parameter_server": _parameter_server,
}
