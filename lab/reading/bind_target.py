"""Targets: those that a Labfile declares, and which one a step means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lab.kinds.catalog import Catalog
from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import Fault, bad_name, missing
from lab.kinds.shape_settle import settle
from lab.kinds.shape_types import Anything
from lab.kinds.shape_words import listed, met
from lab.model.address import is_name
from lab.model.diagnostic import did_you_mean
from lab.model.labfile import LOCAL, Target
from lab.model.tree import Json, Path
from lab.reading.bind_ground import Ground
from lab.reading.words import TargetWords

_WORDS = record_of(TargetWords)


STANDARD = (
    "docker",
    "kubernetes",
    "kubeflow",
    "kind",
    "minikube",
    "k3d",
    "minikf",
    "eks",
    "gke",
    "aks",
)
"""Providers that the language names whether or not they are installed: an optional target may be one."""


def providers_of(catalog: Catalog) -> list[str]:
    """Return the names of all providers, in the order in which kinds name them."""
    return list(dict.fromkeys(each for places in catalog.places.values() for each in places))


def declared_targets(tree: Mapping[str, Json], ground: Ground) -> dict[str, Target]:
    """Return the declared targets by name, and `local`."""
    targets = {LOCAL.name: LOCAL}
    for name, fields in tree.items():
        path = ("targets", name)
        faults = [] if is_name(name) else [bad_name(name, path)]
        target = _declared(name, fields, path, ground, faults)
        ground.findings.add(faults)
        # A faulty target is known all the same, lest the steps on it be told as faults too.
        targets[name] = target or Target(name=name, provider="")
    return targets


def _declared(
    name: str, fields: Json, path: Path, ground: Ground, faults: list[Fault]
) -> Target | None:
    if not isinstance(fields, Mapping):
        faults.append(_no_map(name, fields, path, ground))
        return None
    run = ground.settling()
    for key, value in fields.items():
        known = _WORDS.fields.get(key)
        settle(known.shape if known else Anything(), value, (*path, key), run)
    faults += run.faults
    if "provider" not in fields:
        faults.append(missing(_WORDS, "provider", path))
    if faults:
        return None
    provider = str(fields["provider"])
    known_providers = providers_of(ground.catalog)
    optional = fields.get("optional") is True
    if provider not in known_providers and not (optional and provider in STANDARD):
        faults.append(_unknown_provider(provider, known_providers, (*path, "provider")))
    if name == LOCAL.name and provider != LOCAL.provider:
        faults.append(_not_local(provider, path))
    if faults:
        return None
    rest = {k: v for k, v in fields.items() if k not in _WORDS.fields}
    return Target(name=name, provider=provider, fields=rest, optional=optional)


def _no_map(name: str, fields: Json, path: Path, ground: Ground) -> Fault:
    known = providers_of(ground.catalog)
    provider = fields if isinstance(fields, str) and fields in known else "docker"
    return Fault(
        path=path,
        summary=f"the target '{name}' must be a map of its settings, not {met(fields)}",
        detail="Its `provider` says what sort of place it is.",
        help=f"write {name}: {{provider: {provider}}}",
    )


def _unknown_provider(provider: str, known: Iterable[str], path: Path) -> Fault:
    known = tuple(known)
    if provider in STANDARD:
        return Fault(
            path=path,
            summary=f"no package that makes things on '{provider}' is installed",
            help=f"install one, or add optional: true to skip its steps here; there is {listed(known)}",
        )
    return Fault(
        path=path,
        summary=f"unknown provider '{provider}'",
        help=did_you_mean(provider, known) or f"the providers are {listed(known)}",
    )


def _not_local(provider: str, path: Path) -> Fault:
    return Fault(
        path=path,
        summary="`local` is always this machine",
        detail="Every step without a `target` runs there.",
        help=f"give the {provider} target another name, and write defaults: {{target: NAME}}",
        at_key=True,
    )


def target_of(value: Json, path: Path, kind: str, ground: Ground) -> tuple[Target, list[Fault]]:
    """Return the target that a step's rendered `target` means."""
    over: Mapping[str, Json] = {}
    name, place = value, path
    if isinstance(value, Mapping):
        over = {key: each for key, each in value.items() if key != "name"}
        name, place = value.get("name"), (*path, "name")
    if not isinstance(name, str):
        return LOCAL, [_no_name(path)]
    target = ground.targets.get(name)
    if target is None:
        return LOCAL, [_unknown(name, place, ground)]
    fixed = [key for key in _WORDS.fields if key in over]
    if fixed:
        return target, [_fixed(key, name, (*path, key)) for key in fixed]
    faults = _misplaced(kind, target, place, ground)
    if over:
        fields = {**target.fields, **over}
        target = Target(
            name=name, provider=target.provider, fields=fields, optional=target.optional
        )
    return target, faults


def unavailable(kind: str, target: Target, ground: Ground) -> str:
    """Return why a step of *kind* never runs on *target* here, which is optional; empty if it does."""
    if not target.optional or target.provider in ground.catalog.places.get(kind, ()):
        return ""
    return f"the optional target `{target.name}` is not there: nothing makes a {kind} on {target.provider}"


def _no_name(path: Path) -> Fault:
    return Fault(
        path=path,
        summary="'target' has no `name`",
        detail="As a map it is a target's name, and the fields that differ for this step.",
        help="write target: {name: kf, namespace: team-b}",
        at_key=True,
    )


def _unknown(name: str, path: Path, ground: Ground) -> Fault:
    others = [each for each in ground.targets if each != LOCAL.name]
    providers = providers_of(ground.catalog)
    told = did_you_mean(name, ground.targets)
    if not told and name in providers:
        told = f"declare it: targets: {{{name}: {{provider: {name}}}}}"
    return Fault(
        path=path,
        summary=f"unknown target '{name}'",
        detail="" if others else "The Labfile declares no `targets`; there is only `local`.",
        help=told or f"the targets are {listed(ground.targets)}",
    )


def _fixed(key: str, name: str, path: Path) -> Fault:
    return Fault(
        path=path,
        summary=f"a step cannot change `{key}` of its target",
        help=f"declare another target beside '{name}', with its own `{key}`",
        at_key=True,
    )


def _misplaced(kind: str, target: Target, path: Path, ground: Ground) -> list[Fault]:
    places = ground.catalog.places.get(kind, ())
    if target.provider in places or not target.provider or target.optional:
        return []
    there = [name for name, each in ground.targets.items() if each.provider in places]
    on = "" if target.name == target.provider else f", which is {target.provider}"
    told = f"it runs on {listed(places)}" if places else "no installed provider makes it"
    if there:
        told += f"; here that is target: {' or '.join(there)}"
    return [Fault(path=path, summary=f"a {kind} does not run on '{target.name}'{on}", help=told)]
