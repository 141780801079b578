"""Which kinds exist, what their keys are, and on which targets each can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Catalog:
    """``specs`` maps a kind to its Spec dataclass; ``places`` maps it to the target providers that make it."""

    specs: Mapping[str, type[Any]]
    places: Mapping[str, tuple[str, ...]]
