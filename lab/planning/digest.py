"""What counts in a step's identity, and the digest of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, field
from functools import lru_cache
from typing import Any

from lab.kinds.shape import partial
from lab.kinds.shape_derive import key_of, record_of
from lab.kinds.shape_types import Record as Shaped
from lab.kinds.spec import Option
from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.model.state import Record
from lab.model.tree import digest, text_of
from lab.model.values import Unknown
from lab.planning.inputs import declared, made_by, named
from lab.planning.outcome import Outcome, identity_of, steps_scope
from lab.ports import Files
from lab.reading.scope import base_scope
from lab.reading.template import render

ROOT_MARK = "<lab.root>"
DIR_MARK = "<step.dir>"
MISSING_INPUT = "(missing)"

Fingerprint = Callable[[str], "str | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a step is to be. ``digest`` is empty while ``unknown`` names what must happen first: mostly steps.

    ``identity`` is the tree that the digest is taken of; its leaves may be Unknown. ``missing`` are declared
    inputs that are not there. ``basis`` is, for a kind that can go on from what it made, the digest of all
    that must stay as it is for that.
    """

    identity: Mapping[str, Any]
    digest: str
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that deciding looks at besides the step itself."""

    graph: Graph
    files: Files
    specs: Mapping[str, type[Any]]
    fingerprint: Fingerprint
    records: Mapping[str, Record] = field(default_factory=dict)


def want(
    world: World, step: Step, outcomes: Mapping[str, Outcome], planned: Wanted | None = None
) -> Wanted:
    """The identity of *step*, given what is known of the steps before it.

    *planned* is what was planned for it: what cannot have changed since is not found out again.

    Raises:
        TemplateFault: an expression of the step fails on the values that are known.
    """
    spec_type = world.specs[step.kind]
    tree = _tree(world, step, outcomes)
    inputs, missing = _inputs(world, step, spec_type, tree, outcomes)
    if planned is not None and step.literal and _reads(planned, inputs, missing):
        return planned
    spec = _counted(spec_type, tree["spec"])
    identity: dict[str, Any] = {"kind": step.kind, "target": tree["target"], **spec}
    if getattr(spec_type, "version", 1) != 1:
        identity["version"] = spec_type.version
    if tree["env"]:
        identity["env"] = tree["env"]
    if inputs:
        identity["inputs"] = inputs
    if step.trial is not None:
        inner = want(world, step.trial, outcomes)
        identity["trial"] = inner.identity
        missing = (*missing, *inner.missing)
    unknown = unknowns_in(identity)
    return Wanted(
        identity=identity,
        digest="" if unknown else digest(identity),
        unknown=unknown,
        missing=missing,
        basis=digest(basis) if not unknown and (basis := _basis(spec_type, identity)) else "",
    )


def _basis(spec_type: type[Any], identity: Mapping[str, Any]) -> Mapping[str, Any]:
    """The identity without the keys whose change goes on from what was made; nothing for other kinds."""
    goes_on = getattr(spec_type, "goes_on", ())
    left = dict(identity) if goes_on else {}
    for path in goes_on:
        key, _, inner = path.partition(".")
        if not inner:
            left.pop(key, None)
        elif isinstance(left.get(key), Mapping):
            left[key] = {name: each for name, each in left[key].items() if name != inner}
    return left


def _reads(planned: Wanted, inputs: Mapping[str, Any], missing: tuple[str, ...]) -> bool:
    """Whether what was planned reads just these inputs, with these contents."""
    known = not planned.unknown and planned.missing == missing
    return known and planned.identity.get("inputs", {}) == inputs


def _tree(world: World, step: Step, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The step's spec, env, inputs and target in the identity rendering."""
    target: Any = step.target.provider
    if step.target.fields:
        target = {"provider": step.target.provider, **step.target.fields}
    raw = {"spec": step.spec, "env": step.env, "inputs": list(step.inputs), "target": target}
    if step.literal:
        return raw
    rendered: dict[str, Any] = render(raw, identity_scope(world, step, outcomes))
    # what programs get counts: a variable 3.10 is the text 3.10 where a text is wanted, and no 3.1
    rendered["spec"] = partial(world.specs[step.kind], rendered["spec"])
    rendered["env"] = {name: variable(value) for name, value in rendered["env"].items()}
    return rendered


def variable(value: Any) -> Any:
    """A value of `env` as programs get it: text as it is, nothing as nothing, the rest as the Labfile has it."""
    if isinstance(value, Unknown):
        return value
    return "" if value is None else text_of(value)


def identity_scope(world: World, step: Step, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """What templates see when identity is rendered: content for artifacts, marks for places, hashes for secrets."""
    labfile = world.graph.labfile
    scope = base_scope(labfile, step=step, root=ROOT_MARK, directory=DIR_MARK)
    scope["steps"] = steps_scope(world.graph, step.address, outcomes, identity_of(labfile.root))
    scope["secrets"] = Hashed(world.fingerprint)
    return scope


class Hashed(Mapping[str, Any]):
    """Secrets as they count in identity, each asked for only when a template uses it."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._fingerprint = fingerprint

    def __getitem__(self, name: str) -> Any:
        found = self._fingerprint(name)
        # a command is not run while planning: what its secret is will be known when the step's turn comes
        return f"<secret {name} {found}>" if found else Unknown((f"reading the secret `{name}`",))

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@lru_cache(maxsize=256)
def _defaults(spec_type: type[Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """The fields' plain defaults, and the fields that do not count."""
    defaults: dict[str, Any] = {}
    left_out = set()
    for field_name, known in spec_type.__dataclass_fields__.items():
        name, about = key_of(field_name), known.metadata.get("lab")
        if isinstance(about, Option) and not about.identity:
            left_out.add(name)
        if known.default is not MISSING:
            defaults[name] = known.default
        elif known.default_factory is not MISSING:
            defaults[name] = known.default_factory()
    return defaults, frozenset(left_out)


def _counted(spec_type: type[Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that count: not those left out by their kind, not those that say what is the default anyway."""
    defaults, left_out = _defaults(spec_type)  # type: ignore[arg-type]  # a class is hashable
    return {
        key: _without(value, _nested_left_out(spec_type, key))  # type: ignore[arg-type]  # likewise
        for key, value in spec.items()
        if key not in left_out and (key not in defaults or value != defaults[key])
    }


def _without(value: Any, left_out: frozenset[str]) -> Any:
    if not left_out or not isinstance(value, Mapping):
        return value
    return {key: each for key, each in value.items() if key not in left_out}


@lru_cache(maxsize=1024)
def _nested_left_out(spec_type: type[Any], key: str) -> frozenset[str]:
    """The keys inside *key* that do not count."""
    known = record_of(spec_type).fields.get(key)
    inner = known.shape if known is not None else None
    if not isinstance(inner, Shaped):
        return frozenset()
    return frozenset(name for name, each in inner.fields.items() if not each.option.identity)


def _inputs(
    world: World,
    step: Step,
    spec_type: type[Any],
    tree: Mapping[str, Any],
    outcomes: Mapping[str, Outcome],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    record = world.records.get(step.address)
    made = made_by(record)
    inside = world.graph.inside.get(step.address, {})
    given = list(_flat(tree["inputs"]))
    patterns = tuple(p for p in given if isinstance(p, str))
    unknown = [p for p in given if isinstance(p, Unknown)]
    asked = list(dict.fromkeys(declared(patterns, world.files)))
    implicit = [p for p in named(spec_type, tree["spec"], world.files) if p not in made]
    found: dict[str, Any] = {f"({u})": u for u in unknown}
    missing: list[str] = []
    for path in dict.fromkeys([*asked, *implicit, *inside]):
        upstream = inside.get(path)
        if upstream is not None and isinstance(outcomes.get(upstream, Unknown(())), Unknown):
            found[path] = Unknown((upstream,))
            continue
        content = world.files.digest(path)
        if content is None and path in asked:
            missing.append(path)
        found[path] = content or MISSING_INPUT
    return found, tuple(missing)


def _flat(inputs: Iterable[Any]) -> Iterator[Any]:
    """`inputs` one by one: an expression may have given several at once."""
    for each in inputs:
        if isinstance(each, list | tuple):
            yield from _flat(each)
        else:
            yield each


def unknowns_in(tree: object) -> tuple[str, ...]:
    """What unknown leaves of *tree* wait for (steps, for the most part), in order of appearance."""
    found: dict[str, None] = {}
    stack = [tree]
    while stack:
        value = stack.pop()
        if isinstance(value, Unknown):
            found.update(dict.fromkeys(value.after))
        elif isinstance(value, Mapping):
            stack.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            stack.extend(reversed(value))
    return tuple(found)
