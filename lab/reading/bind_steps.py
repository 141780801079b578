"""Binds steps: each to its kind's keys, its options and its target, once for every instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import Fault, bad_name
from lab.kinds.shape_scalar import Settling, is_template
from lab.kinds.shape_settle import settle_field, settle_fields
from lab.kinds.shape_types import Record
from lab.model.address import instance, is_name
from lab.model.labfile import LOCAL, Options, Step, Target
from lab.model.tree import Json, Path
from lab.model.values import Unknown
from lab.reading.bind_ground import Ground
from lab.reading.bind_keys import kind_of, reserved_variables, sort_keys
from lab.reading.bind_like import Written
from lab.reading.bind_matrix import MOST, Instance, expand
from lab.reading.bind_options import FIELDS, STATIC, options_of, words_of
from lab.reading.bind_static import render_static
from lab.reading.bind_target import target_of

_PLAIN_STEP = [Instance("", {})]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What all instances of a step share. ``static`` and ``deferred`` are its options, settled."""

    name: str
    kind: str
    spec: Mapping[str, Json]
    static: Mapping[str, Json]
    deferred: Mapping[str, Json]
    where: Mapping[str, Path]
    dynamic: bool  # the static options need rendering
    literal: bool  # all the rest does not

    def place(self, key: str) -> Path:
        """Where a key was written."""
        return self.where.get(key) or ("steps", self.name, key)


def bind_steps(written: Mapping[str, Written], ground: Ground) -> dict[str, list[Step]]:
    """Return every step's instances by its name; faults go to the ground's findings."""
    left = MOST
    bound: dict[str, list[Step]] = {}
    for name, each in written.items():
        draft = _draft(name, each, ground)
        if draft is None:
            continue
        instances = _PLAIN_STEP
        if "matrix" in each.tree:
            instances = _expanded(draft, each.tree["matrix"], left, ground)
            left -= len(instances)
        bound[name] = _steps(draft, instances, ground)
    return bound


def _draft(name: str, written: Written, ground: Ground) -> _Draft | None:
    """Settle what all instances share; None after a fault."""
    run = ground.settling()
    if not is_name(name):
        run.faults.append(bad_name(name, ("steps", name)))
    kind = kind_of(name, written, ground, run.faults)
    spec_class = ground.catalog.specs.get(kind)
    record = record_of(spec_class) if spec_class else None
    own, spec, known = sort_keys(name, written, record, ground.catalog, run.faults)
    options, where = _with_defaults(own, written.where, ground.defaults)
    static, dynamic = _settled(name, options, where, STATIC, run)
    deferred, later = _settled(name, options, where, _DEFERRED, run)
    if isinstance(deferred.get("env"), Mapping):
        run.faults += reserved_variables(deferred["env"], where.get("env", ("steps", name, "env")))
    if record is not None:
        run.dynamic = False
        spec = dict(_settle_spec(record, spec, name, written, run, known))
    if run.faults or record is None:
        ground.findings.add(run.faults, step=name)
        return None
    literal = not (later or run.dynamic or "require" in deferred)
    return _Draft(
        name=name,
        kind=kind,
        spec=spec,
        static=static,
        deferred=deferred,
        where=where,
        dynamic=dynamic,
        literal=literal and isinstance(deferred.get("when", True), bool),
    )


_DEFERRED = frozenset(("env", "inputs", "when", "require"))


def _with_defaults(
    own: Mapping[str, Json], where: Mapping[str, Path], defaults: Mapping[str, Json]
) -> tuple[Mapping[str, Json], Mapping[str, Path]]:
    """Put `defaults` below a step's own options; `env` is merged name by name."""
    missing = [key for key in defaults if key not in own]
    env, common = own.get("env"), defaults.get("env")
    merge = isinstance(env, Mapping) and isinstance(common, Mapping)
    if not missing and not merge:
        return own, where
    options = {**{key: defaults[key] for key in missing}, **own}
    if isinstance(env, Mapping) and isinstance(common, Mapping):
        options["env"] = {**common, **env}
    return options, {**where, **{key: ("defaults", key) for key in missing}}


def _settled(
    name: str,
    options: Mapping[str, Json],
    where: Mapping[str, Path],
    keys: frozenset[str],
    run: Settling,
) -> tuple[dict[str, Any], bool]:
    """Settle some of a step's options; also whether they need rendering."""
    run.dynamic = False
    made = {
        key: settle_field(FIELDS[key], value, where.get(key) or ("steps", name, key), run)
        for key, value in options.items()
        if key in keys
    }
    protect = made.get("protect")
    if isinstance(protect, str):
        run.dynamic = True
        made["protect"] = protect if is_template(protect) else f"{{{{ {protect} }}}}"
    return made, run.dynamic


def _settle_spec(
    record: Record,
    spec: Mapping[str, Json],
    name: str,
    written: Written,
    run: Settling,
    known: bool,
) -> Mapping[str, Json]:
    path = ("steps", name)
    before = len(run.faults)
    settled = settle_fields(record, spec, path, run, written.where)
    if not (known and written.whole):
        # A key that is not known, or not copied, may well be the one that is missing.
        run.faults[before:] = [each for each in run.faults[before:] if each.path != path]
    return settled


def _expanded(draft: _Draft, tree: Json, left: int, ground: Ground) -> list[Instance]:
    path = draft.place("matrix")
    findings = ground.findings
    rendered = render_static(tree, ground.static, path, findings, owner="a matrix", step=draft.name)
    if isinstance(rendered, Unknown):
        return []
    instances, faults = expand(rendered, path, left)
    findings.add(faults, step=draft.name)
    return instances


def _steps(draft: _Draft, instances: Iterable[Instance], ground: Ground) -> list[Step]:
    shared = None if draft.dynamic else _decided(draft, draft.static, "", ground)
    deferred = draft.deferred
    env = deferred.get("env", {})
    inputs, require = words_of(deferred.get("inputs")), words_of(deferred.get("require"))
    made: list[Step] = []
    for each in instances:
        address = instance(draft.name, each.key)
        decided = shared or _rendered(draft, each, address, ground)
        if decided is None:
            continue
        target, options, needs = decided
        made.append(
            Step(
                address=address,
                name=draft.name,
                kind=draft.kind,
                target=target,
                spec=draft.spec,
                env=env if isinstance(env, Mapping) else {},
                inputs=inputs,
                when=deferred.get("when", True),
                require=require,
                matrix=each.values,
                options=options,
                needs=needs,
                path=("steps", draft.name),
                where=draft.where,
                literal=draft.literal and _plain(target),
            )
        )
    return made


def _plain(target: Target) -> bool:
    return target is LOCAL or not target.fields


def _rendered(
    draft: _Draft, each: Instance, address: str, ground: Ground
) -> tuple[Target, Options, tuple[str, ...]] | None:
    """Render the static options of one instance, and decide what they mean."""
    scope = ground.static_scope(draft.name, address, each.values)
    rendered: dict[str, Json] = {}
    run = Settling(templates=False)
    for key, value in draft.static.items():
        path = draft.place(key)
        found = render_static(
            value, scope, path, ground.findings, owner=f"`{key}`", step=draft.name
        )
        if isinstance(found, Unknown):
            return None
        # What `protect` comes to is told as it is, a number for one, and not as a text.
        rendered[key] = found if key == "protect" else settle_field(FIELDS[key], found, path, run)
    if run.faults:
        ground.findings.add(run.faults, step=draft.name, address=address)
        return None
    return _decided(draft, rendered, address, ground)


def _decided(
    draft: _Draft, static: Mapping[str, Json], address: str, ground: Ground
) -> tuple[Target, Options, tuple[str, ...]] | None:
    faults: list[Fault] = []
    options = options_of(static, draft.place, faults)
    target, misplaced = target_of(
        static.get("target", LOCAL.name), draft.place("target"), draft.kind, ground
    )
    ground.findings.add([*faults, *misplaced], step=draft.name, address=address)
    return target, options, words_of(static.get("needs"))
