"""Which providers are installed: the built-in ones, and those that other packages bring by entry point.

Reading the entry points of every installed package takes longer than a plan, so it is done only when a Labfile
names a kind or a target that is not built in, and when somebody asks for all kinds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from lab.kinds.catalog import Catalog
from lab.model.diagnostic import Diagnostic, LabError
from lab.provider import Provider
from providers import PLACES, SPECS, find

GROUP = "lab.providers"
MEMBERS = ("Spec", "observe", "apply", "destroy")


@dataclass(slots=True)
class Registry:
    """Implements ports.Registry. Mutable: plug-ins are added while it is made, and never after."""

    plugins: dict[tuple[str, str], Provider] = field(default_factory=dict)

    def find(self, kind: str, place: str) -> Provider | None:
        return find(kind, place) or self.plugins.get((kind, place))

    def catalog(self) -> Catalog:
        """All kinds that are known here, and where each can be made."""
        specs: dict[str, type[Any]] = dict(SPECS)
        places = {kind: list(where) for kind, where in PLACES.items()}
        for (kind, place), provider in self.plugins.items():
            specs.setdefault(kind, provider.Spec)
            places.setdefault(kind, []).append(place)
        return Catalog(specs, {kind: tuple(where) for kind, where in places.items()})


def discover(kinds: Iterable[str] | None = None, places: Iterable[str] = ()) -> Registry:
    """The registry for a Labfile that names *kinds* on *places*; with None, every plug-in is loaded.

    Raises:
        LabError: a plug-in cannot be loaded, or claims what is built in.
    """
    registry = Registry()
    if kinds is not None and set(kinds) <= set(SPECS) and set(places) <= {"local"}:
        return registry
    for entry in entry_points(group=GROUP):
        place, _, kind = entry.name.rpartition(".")
        place = place or "local"
        key = (kind, place)
        if find(kind, place) is not None or key in registry.plugins:
            raise _fault(entry, f"it claims `{kind}` on `{place}`, which is already there")
        registry.plugins[key] = _load(entry)
    return registry


def _load(entry: EntryPoint) -> Provider:
    try:
        provider: Provider = entry.load()
    except Exception as error:
        raise _fault(entry, f"{type(error).__name__}: {error}") from error
    missing = [name for name in MEMBERS if not hasattr(provider, name)]
    if missing:
        raise _fault(entry, f"it lacks {', '.join(missing)}")
    return provider


def _fault(entry: EntryPoint, reason: str) -> LabError:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    return LabError(
        Diagnostic(
            summary=f"the plug-in `{entry.name}` of the package {package} cannot be used",
            detail=f"{reason}.",
            help=f"update or remove it: `pip install -U {package}` or `pip uninstall {package}`",
        )
    )
