"""A small catalog that stays as it is while kinds are added, so that expected messages do too."""

from __future__ import annotations

from lab.kinds.catalog import Catalog
from lab.kinds.command import Command
from lab.kinds.dataset import Dataset
from lab.kinds.environment import Environment
from lab.kinds.sweep import Sweep
from lab.kinds.training import Training


def portable() -> Catalog:
    """Four kinds; `command` also runs in Docker, so that a place can be wrong for one of them."""
    specs = {each.kind: each for each in (Command, Dataset, Environment, Training)}
    places = dict.fromkeys(specs, ("local",))
    return Catalog(specs=specs, places={**places, "command": ("local", "docker")})


def sweeping() -> Catalog:
    """The same and sweeps, whose messages are about other kinds too."""
    known = portable()
    return Catalog(
        specs={**known.specs, "sweep": Sweep}, places={**known.places, "sweep": ("local",)}
    )
