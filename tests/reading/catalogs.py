"""The catalog of all portable kinds, found as they are written, for tests that need one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

import lab.kinds
from lab.kinds.catalog import Catalog


@cache
def portable() -> Catalog:
    """Return every kind in `lab.kinds`; `command` also runs in Docker, so that places can differ."""
    specs: dict[str, type[Any]] = {}
    for module in pkgutil.iter_modules(lab.kinds.__path__):
        for found in vars(importlib.import_module(f"lab.kinds.{module.name}")).values():
            if isinstance(found, type) and isinstance(vars(found).get("kind"), str):
                specs[found.kind] = found  # type: ignore[attr-defined]
    places = {kind: ("local",) for kind in specs}
    return Catalog(specs=specs, places={**places, "command": ("local", "docker")})
