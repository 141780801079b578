"""Which step may start next: ready, longest path first, within what the machine has; pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from lab.model.frozen import dataclass
from lab.model.labfile import Resources
from lab.running.cores import Cores

UNMEASURED = 1.0  # seconds that a step is taken to last before it ever ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be in use at once: steps, cores, GPUs, bytes of memory."""

    jobs: int
    cpu: float
    gpu: int = 0
    memory: int = 0
    devices: tuple[str, ...] = ()  # the GPUs by name
    cores: tuple[int, ...] = ()  # by number, where programs can be kept to some of them


@dataclass(frozen=True, slots=True)
class Demand:
    """What a step occupies while it runs. A wish beyond the machine counts as the whole machine."""

    resources: Resources = Resources()
    mutex: tuple[str, ...] = ()
    waits: bool = False  # it only waits for its children, which have demands of their own


FREE = Demand()


def critical_paths(
    needs: Mapping[str, Iterable[str]], seconds: Mapping[str, float]
) -> dict[str, float]:
    """For each step, how long it and the longest chain of steps that wait for it last.

    *needs* must be in dependency order, as a Graph's steps are.
    """
    longest: dict[str, float] = dict.fromkeys(needs, 0.0)
    for address in reversed(list(needs)):
        longest[address] += seconds.get(address, UNMEASURED)
        for upstream in needs[address]:
            if upstream in longest:
                longest[upstream] = max(longest[upstream], longest[address])
    return longest


class Schedule:
    """The steps that are to come. Mutable: it follows a run, told what starts and what ends."""

    def __init__(
        self,
        needs: Mapping[str, Iterable[str]],
        *,
        limits: Limits,
        demands: Mapping[str, Demand],
        seconds: Mapping[str, float],
    ) -> None:
        self._limits = limits
        self._demands = dict(demands)
        self._added = 0
        self._waits: dict[str, set[str]] = {a: {n for n in needs[a] if n in needs} for a in needs}
        self._dependents: dict[str, list[str]] = {a: [] for a in needs}
        for address, upstreams in self._waits.items():
            for upstream in upstreams:
                self._dependents[upstream].append(address)
        paths = critical_paths(needs, seconds)
        self._rank: dict[str, tuple[float, ...]] = {a: (-paths[a], i) for i, a in enumerate(needs)}
        self._waiting = 0  # how many of those that run only wait
        self._ready = [(self._rank[a], a) for a, waits in self._waits.items() if not waits]
        heapq.heapify(self._ready)
        self._held: list[tuple[tuple[float, ...], str]] = []
        self._running: set[str] = set()
        self._free = list(limits.devices[: limits.gpu])
        self._devices: dict[str, tuple[str, ...]] = {}
        self._cores = Cores(limits.cores)
        self._left = len(self._waits)

    @property
    def finished(self) -> bool:
        return self._left == 0

    @property
    def running(self) -> frozenset[str]:
        return frozenset(self._running)

    def ready(self) -> str | None:
        """Takes the most urgent step whose dependencies have ended; resources are not looked at."""
        if self._ready:
            return heapq.heappop(self._ready)[1]
        return None

    def hold(self, address: str) -> None:
        """Puts a ready step back until something ends."""
        heapq.heappush(self._held, (self._rank[address], address))

    def add(self, address: str, owner: str, demand: Demand) -> None:
        """Takes a child of a running step, as urgent as that is; children keep their order."""
        self._demands[address] = demand
        self._waits[address], self._dependents[address] = set(), []
        self._added += 1
        self._rank[address] = (*self._rank[owner], self._added)
        self._left += 1
        self.hold(address)

    def withdraw(self, address: str) -> None:
        """Takes a held step back; it never runs."""
        self._held = [entry for entry in self._held if entry[1] != address]
        heapq.heapify(self._held)
        self._left -= 1

    def startable(self) -> list[str]:
        """Takes the held steps that fit now beside what is running, most urgent first, and counts them as running."""
        taken, kept = [], []
        while self._held and len(self._running) - self._waiting < self._limits.jobs:
            entry = heapq.heappop(self._held)
            if self._fits(entry[1]):
                self._running.add(entry[1])
                self._lend(entry[1])
                self._waiting += self._demands.get(entry[1], FREE).waits
                taken.append(entry[1])
            else:
                kept.append(entry)
        for entry in kept:
            heapq.heappush(self._held, entry)
        return taken

    def end(self, address: str) -> None:
        """Something is over, however it ended: those that waited for it may come."""
        if address in self._running:
            self._running.remove(address)
            self._waiting -= self._demands.get(address, FREE).waits
        self._free += self._devices.pop(address, ())
        self._cores.give_back(address)
        self._left -= 1
        for dependent in self._dependents[address]:
            waits = self._waits[dependent]
            waits.discard(address)
            if not waits:
                heapq.heappush(self._ready, (self._rank[dependent], dependent))

    def devices_of(self, address: str) -> tuple[str, ...]:
        """The GPUs that are a running step's own."""
        return self._devices.get(address, ())

    def cores_of(self, address: str) -> tuple[int, ...]:
        """The cores that a running step is kept to; none: it may use all."""
        return self._cores.of(address)

    def _lend(self, address: str) -> None:
        wish = self._demands.get(address, FREE).resources
        self._cores.lend(address, wish.cpu)
        if wish.gpu and self._free:
            self._devices[address] = tuple(self._free[: wish.gpu])
            del self._free[: wish.gpu]

    def waiting_for(self, address: str) -> list[str]:
        """The steps that *address* still waits for, in order of urgency."""
        return sorted(self._waits[address], key=self._rank.__getitem__)

    def _fits(self, address: str) -> bool:
        mine = self._demands.get(address, FREE)
        others = [self._demands.get(a, FREE) for a in self._running]
        if any(set(mine.mutex) & set(other.mutex) for other in others):
            return False
        asked, limits = mine.resources, self._limits
        return all(
            not wish or sum(taken) + min(wish, room) <= room + 1e-9
            for wish, taken, room in (
                (asked.cpu, [o.resources.cpu for o in others], limits.cpu),
                (asked.gpu, [o.resources.gpu for o in others], limits.gpu),
                (asked.memory, [o.resources.memory for o in others], limits.memory),
            )
        )
