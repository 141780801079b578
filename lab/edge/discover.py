"""Which providers are installed: the built-in ones, and those that other packages bring by entry point.

Asking what is installed takes longer than a plan (importing importlib.metadata alone some 30 ms), so it is
done only when something is wanted that is not built in: a kind or a place that a Labfile names or a
record remembers, or a list of all. A plug-in is imported when its kind is used, and not before, so that a
broken one harms nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab.kinds.catalog import Catalog
from lab.model.diagnostic import Diagnostic, LabError, Severity
from lab.provider import Provider
from providers import PLACES, SPECS, find

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "lab.providers"
MEMBERS = ("Spec", "observe", "apply", "destroy")
_KNOWN_PLACES = frozenset(place for places in PLACES.values() for place in places)

Key = tuple[str, str]  # kind, place


def installed() -> Iterable[EntryPoint]:
    """The entry points of lab's group in all packages that are installed beside it."""
    from importlib.metadata import entry_points  # slow, see above

    return entry_points(group=GROUP)


class Registry:
    """Implements ports.Registry. Mutable: it remembers what was asked for.

    Args:
        entries: gives the entry points; called at most once.
        all_kinds: whether the catalog lists what plug-ins bring.
    """

    def __init__(
        self, entries: Callable[[], Iterable[EntryPoint]] = installed, *, all_kinds: bool = True
    ) -> None:
        self._entries, self._all_kinds = entries, all_kinds
        self._loaded: dict[Key, Provider] = {}

    def find(self, kind: str, place: str) -> Provider | None:
        """The provider of *kind* on *place*; a built-in one always wins.

        Raises:
            LabError: a plug-in brings it and cannot be used; the message names its package.
        """
        return find(kind, place) or self._plugin((kind, place))

    def catalog(self) -> Catalog:
        """The kinds that are known here, and where each can be made."""
        if not self._all_kinds:
            return Catalog(SPECS, PLACES)
        places = {kind: list(where) for kind, where in PLACES.items()}
        for kind, place in self._claims:
            there = places.setdefault(kind, [])
            if place not in there:
                there.append(place)
        return Catalog(_Specs(self, tuple(places)), {k: tuple(v) for k, v in places.items()})

    def spec(self, kind: str) -> type[Any] | None:
        """The keys of *kind*, built in or not."""
        if kind in SPECS:
            return SPECS[kind]
        for claimed, place in self._claims:
            provider = self._plugin((claimed, place)) if claimed == kind else None
            if provider is not None:
                return provider.Spec
        return None

    def problems(self) -> list[Diagnostic]:
        """What is wrong with the plug-ins, all of them loaded: for ``lab doctor``."""
        found: list[Diagnostic] = []
        for key, entries in self._claims.items():
            if find(*key) is not None:
                found += [_shadowing(entry, key) for entry in entries]
                continue
            try:
                self._plugin(key)
            except LabError as error:
                found += error.diagnostics
        return found

    @cached_property
    def _claims(self) -> Mapping[Key, tuple[EntryPoint, ...]]:
        claims: dict[Key, tuple[EntryPoint, ...]] = {}
        for entry in self._entries():
            place, _, kind = entry.name.rpartition(".")
            key = (kind, place or "local")
            claims[key] = (*claims.get(key, ()), entry)
        return claims

    def _plugin(self, key: Key) -> Provider | None:
        if key in self._loaded:
            return self._loaded[key]
        entries = self._claims.get(key, ())
        if not entries:
            return None
        if len(entries) > 1:
            others = ", ".join(_package(entry) for entry in entries[1:])
            raise LabError(_fault(entries[0], f"{others} brings `{entries[0].name}` too"))
        self._loaded[key] = _load(entries[0], key[0])
        return self._loaded[key]


class _Specs(Mapping[str, Any]):
    """Kinds and their keys, where a plug-in is imported when its kind is looked up."""

    def __init__(self, registry: Registry, kinds: tuple[str, ...]) -> None:
        self._registry, self._kinds = registry, kinds

    def __getitem__(self, kind: str) -> type[Any]:
        spec = self._registry.spec(kind) if kind in self._kinds else None
        if spec is None:
            raise KeyError(kind)
        return spec

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


def discover(kinds: Iterable[str] | None = None, places: Iterable[str] = ()) -> Registry:
    """The registry for a Labfile that names *kinds* on target providers *places*; with None, for all.

    Whatever is not built in makes its catalog list the plug-ins' kinds too, if only to tell what was meant.
    """
    known = kinds is not None and set(kinds) <= set(SPECS) and set(places) <= _KNOWN_PLACES
    return Registry(all_kinds=not known)


def _load(entry: EntryPoint, kind: str) -> Provider:
    try:
        provider: Provider = entry.load()
    except Exception as error:
        told = f"importing {entry.value} failed with {type(error).__name__}: {error}"
        raise LabError(_fault(entry, told)) from error
    missing = [name for name in MEMBERS if not hasattr(provider, name)]
    if missing:
        raise LabError(_fault(entry, f"{entry.value} has no {', '.join(missing)}"))
    built_in = SPECS.get(kind)
    if built_in is not None and provider.Spec is not built_in:
        told = f"its Spec is not {built_in.__module__}.{built_in.__qualname__}"
        raise LabError(_fault(entry, f"{told}: one kind has the same keys wherever it runs"))
    return provider


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown package"


def _fault(entry: EntryPoint, reason: str) -> Diagnostic:
    package = _package(entry)
    return Diagnostic(
        summary=f"the plug-in `{entry.name}` of the package {package} cannot be used",
        detail=f"{reason}.",
        help=f"update {package} where lab is installed, or remove it there",
    )


def _shadowing(entry: EntryPoint, key: Key) -> Diagnostic:
    return Diagnostic(
        summary=f"the plug-in `{entry.name}` of the package {_package(entry)} is not used",
        detail=f"lab itself makes `{key[0]}` on `{key[1]}`, and no plug-in takes its place.",
        help="give the plug-in's kind or place another name",
        severity=Severity.WARNING,
    )
