"""Which cores a running step is kept to: its own while there are enough, else those with the least to do."""

from __future__ import annotations

import math
from collections.abc import Sequence


class Cores:
    """Mutable: it knows what it has lent. Without any cores nothing is lent, and steps run where they like."""

    def __init__(self, cores: Sequence[int]) -> None:
        self._busy = dict.fromkeys(cores, 0.0)
        self._lent: dict[str, tuple[tuple[int, ...], float]] = {}

    def lend(self, address: str, wish: float) -> None:
        """Takes as many cores as *wish* needs; one that needs all of them, or named no number, is not kept to any."""
        count = math.ceil(wish)
        if not 0 < count < len(self._busy):
            return
        chosen = sorted(self._busy, key=self._busy.__getitem__)[:count]  # of equals the first
        share = wish / count
        for core in chosen:
            self._busy[core] += share
        self._lent[address] = (tuple(sorted(chosen)), share)

    def of(self, address: str) -> tuple[int, ...]:
        """Those that a running step has; none where it may use all."""
        return self._lent.get(address, ((), 0.0))[0]

    def give_back(self, address: str) -> None:
        """The step is over; it may have had none."""
        cores, share = self._lent.pop(address, ((), 0.0))
        for core in cores:
            self._busy[core] -= share
