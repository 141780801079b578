"""Turns the options that every step has into values, once they are rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.kinds.quantity import cores, octets, seconds
from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import Fault
from lab.kinds.shape_words import met
from lab.model.labfile import PLAIN, OnFailure, Options, Resources, Retries
from lab.model.tree import Json, Path
from lab.reading.words import StepWords

FIELDS = record_of(StepWords).fields
"""The keys that every step has, by name."""

STATIC = frozenset(
    (
        "target",
        "needs",
        "retries",
        "timeout",
        "protect",
        "tags",
        "mutex",
        "resources",
        "cache",
        "on_failure",
        "description",
    )
)
"""Keys that are known before planning; templates in them see only what is static."""

_FAILURES: Mapping[str, OnFailure] = {each.value: each for each in OnFailure}


def options_of(
    given: Mapping[str, Json], place: Callable[[str], Path], faults: list[Fault]
) -> Options:
    """Return the options of a step; *given* is rendered and has the right shapes."""
    if given.keys() <= {"target", "needs"}:
        return PLAIN
    timeout = _seconds(given.get("timeout"))
    if timeout == 0:
        summary = "'timeout' must be more than 0"
        told = "delete the line, for a step may take as long as it needs without it"
        faults.append(Fault(path=place("timeout"), summary=summary, help=told))
    protect = given.get("protect", False)
    if not isinstance(protect, bool):
        faults.append(_no_flag("protect", protect, place("protect")))
    return Options(
        timeout=timeout,
        retries=_retries(given.get("retries", 0)),
        protect=protect is True,
        tags=words_of(given.get("tags")),
        mutex=words_of(given.get("mutex")),
        resources=_resources(given.get("resources")),
        cache=given.get("cache", True) is True,
        on_failure=_FAILURES[str(given.get("on_failure", "fail"))],
        description=str(given.get("description", "")),
    )


def words_of(value: Json) -> tuple[str, ...]:
    """Return one word or a list of them as a tuple, each once."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(dict.fromkeys(str(each) for each in value))
    return (str(value),)


def _no_flag(key: str, value: Json, path: Path) -> Fault:
    return Fault(
        path=path,
        summary=f"the expression of '{key}' must give true or false, not {met(value)}",
        help="compare with something: {{ lab.overlay == 'prod' }}",
    )


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    return seconds(value) if isinstance(value, str) else float(value)


def _retries(value: Any) -> Retries:
    if not isinstance(value, Mapping):
        return Retries(attempts=int(value))
    return Retries(
        attempts=int(value["attempts"]),
        backoff=_seconds(value.get("backoff", 1.0)) or 0.0,
        on=words_of(value.get("on")),
    )


def _resources(value: Any) -> Resources:
    if not isinstance(value, Mapping):
        return Resources()
    cpu, memory = value.get("cpu", 0.0), value.get("memory", 0)
    return Resources(
        cpu=(cores(cpu) or 0.0) if isinstance(cpu, str) else float(cpu),
        memory=(octets(memory) or 0) if isinstance(memory, str) else int(memory),
        gpu=int(value.get("gpu", 0)),
    )
