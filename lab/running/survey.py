"""Looks, without changing anything, whether what was recorded is still there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from lab.model.frozen import dataclass
from lab.model.state import Record
from lab.model.values import Artifact
from lab.planning.decide import NotAsked, Seen
from lab.ports import Files, Registry
from lab.provider import Io, Observation, Provider, unobservable

THREADS = 16
PATIENCE, OFTEN = (
    2.0,
    10.0,
)  # seconds until it is told whose answer is waited for: first, then again

Slow = Callable[[Sequence[str]], None]
"""Is told the addresses of steps that have not answered yet."""


@dataclass(frozen=True, slots=True)
class Blind:
    """A provider could not look; the plan goes on with what is recorded, and says so."""

    address: str
    reason: str


def survey(
    records: Iterable[Record],
    files: Files,
    registry: Registry,
    io_for: Callable[[Record], Io],
    *,
    refresh: bool = True,
    slow: Slow = lambda waiting: None,
) -> tuple[dict[str, Seen], list[Blind]]:
    """What is there of each finished record; those that nothing was asked about are left out.

    Args:
        records: what to look for.
        files: to check artifacts.
        registry: finds the provider that looks.
        io_for: the world for a provider that looks at a record.
        refresh: whether providers are asked; artifacts are always checked.
        slow: told now and then, when answers take long, whose are waited for.
    """
    seen: dict[str, Seen] = {}
    blind: list[Blind] = []
    asking: list[tuple[Record, Provider]] = []
    for record in records:
        if record.done is None:
            continue
        gone, altered = _artifacts(record.done.outputs, files)
        if gone or altered:
            seen[record.address] = Seen(gone=gone, altered=altered)
        provider = _observer(record, registry) if refresh else None
        if provider is not None:
            asking.append((record, provider))
    for address, observation in _ask(asking, io_for, blind, slow):
        before = seen.get(address, Seen())
        seen[address] = Seen(observation=observation, gone=before.gone, altered=before.altered)
    return seen, blind


def _artifacts(
    outputs: Mapping[str, object], files: Files
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    gone, altered = [], []
    for name, value in outputs.items():
        if not isinstance(value, Artifact):
            continue
        if not value.digest.startswith("sha256:"):
            if not files.exists(value.path):
                gone.append(name)
            continue
        now = files.digest(value.path)
        if now is None:
            gone.append(name)
        elif now != value.digest:
            altered.append(name)
    return tuple(gone), tuple(altered)


def _observer(record: Record, registry: Registry) -> Provider | None:
    provider = registry.find(record.kind, record.place)
    if provider is None or provider.observe is unobservable:
        return None
    return provider


def _ask(
    asking: list[tuple[Record, Provider]],
    io_for: Callable[[Record], Io],
    blind: list[Blind],
    slow: Slow,
) -> Iterable[tuple[str, Observation | NotAsked | None]]:
    """Asks many providers at once; a provider that cannot look is not a reason to change anything."""
    answers: dict[str, Observation | NotAsked | None] = {}
    todo = asking[::-1]
    open_ = {record.address: None for record, _ in asking}
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not todo:
                    return
                record, provider = todo.pop()
            try:
                answers[record.address] = provider.observe(record, io_for(record))
            except Exception as error:  # noqa: BLE001 - a look that fails must not stop a plan
                answers[record.address] = NotAsked()
                with lock:
                    blind.append(Blind(record.address, str(error) or type(error).__name__))
            with lock:
                del open_[record.address]

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(THREADS, len(todo)))]
    for thread in threads:
        thread.start()
    patience = PATIENCE
    for thread in threads:
        thread.join(patience)
        while thread.is_alive():
            with lock:
                waiting = list(open_)
            slow(waiting)
            patience = OFTEN
            thread.join(patience)
    return answers.items()
