"""Settles what all instances of a step share: its kind, its own keys, and its options as written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import bad_name
from lab.kinds.shape_scalar import Settling, is_template
from lab.kinds.shape_settle import settle_field, settle_fields
from lab.kinds.shape_types import Record
from lab.model.address import is_name
from lab.model.frozen import dataclass
from lab.model.tree import Json, Path
from lab.reading.bind_ground import Ground
from lab.reading.bind_keys import kind_of, reserved_variables, sort_keys
from lab.reading.bind_like import Written
from lab.reading.bind_options import FIELDS, STATIC
from lab.reading.template import has_template

_APART = frozenset(("kind", "like", "matrix"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step but for its instances. ``static`` and ``deferred`` are its options, settled."""

    name: str
    kind: str
    spec: Mapping[str, Json]
    static: Mapping[str, Json]
    deferred: Mapping[str, Json]
    where: Mapping[str, Path]
    dynamic: bool  # the static options need rendering
    literal: bool  # all the rest does not
    trial: Draft | None = None  # what the step makes many of

    def place(self, key: str) -> Path:
        """Where a key was written."""
        return self.where.get(key) or ("steps", self.name, key)


@dataclass(slots=True)
class _Options:
    """A step's options, settled, and whether the two sorts of them need rendering."""

    static: dict[str, Any]
    deferred: dict[str, Any]
    dynamic: bool = False
    later: bool = False


def draft(
    name: str, written: Written, ground: Ground, run: Settling, at: Path = ()
) -> Draft | None:
    """Settle what all instances of a step share; None if there is a fault, which *run* has then.

    *at* is where its keys stand, if it is not a step of the Labfile but a part of one.
    """
    if not is_name(name):
        run.faults.append(bad_name(name, ("steps", name)))
    kind = kind_of(name, written, ground, run.faults)
    spec_class = ground.catalog.specs.get(kind)
    record = record_of(spec_class) if spec_class else None
    own, spec, known = sort_keys(name, written, record, ground.catalog, run.faults)
    options, where = _with_defaults(own, written.where, ground.defaults)
    settled = _settle_options(name, options, where, run)
    if record is None:
        return None
    run.dynamic = False
    path = at or ("steps", name)
    whole = _settle_spec(record, spec, path, written, run, complain=known and written.whole)
    if run.faults:
        return None
    when = settled.deferred.get("when", True)
    return Draft(
        name=name,
        kind=kind,
        spec=whole,
        static=settled.static,
        deferred=settled.deferred,
        where=where,
        dynamic=settled.dynamic,
        literal=not (run.dynamic or settled.later or "require" in settled.deferred)
        and isinstance(when, bool),
    )


def _with_defaults(
    own: Mapping[str, Json], where: Mapping[str, Path], defaults: Mapping[str, Json]
) -> tuple[Mapping[str, Json], Mapping[str, Path]]:
    """Put `defaults` below a step's own options; `env` is merged name by name."""
    if not defaults:
        return own, where
    missing = [key for key in defaults if key not in own]
    options = {**{key: defaults[key] for key in missing}, **own}
    env, common = own.get("env"), defaults.get("env")
    if isinstance(env, Mapping) and isinstance(common, Mapping):
        options["env"] = {**common, **env}
    return options, {**where, **{key: ("defaults", key) for key in missing}}


def _settle_options(
    name: str, options: Mapping[str, Json], where: Mapping[str, Path], run: Settling
) -> _Options:
    made = _Options({}, {})
    for key, value in options.items():
        if key in _APART:
            continue
        path = where.get(key) or ("steps", name, key)
        run.dynamic = False
        settled = settle_field(FIELDS[key], value, path, run)
        if key in STATIC:
            made.static[key] = settled
            made.dynamic = made.dynamic or (run.dynamic and has_template(static_part(key, settled)))
        else:
            made.deferred[key] = settled
            made.later = made.later or run.dynamic
        if key == "env" and isinstance(settled, Mapping):
            run.faults += reserved_variables(settled, path)
        if key == "protect" and isinstance(settled, str):
            # As in `when`, the braces around an expression may be left out.
            made.static[key] = settled if is_template(settled) else f"{{{{ {settled} }}}}"
            made.dynamic = True
    return made


def static_part(key: str, value: Any) -> Any:
    """Return what must be known before planning: of a target that is a map, only its name."""
    return value.get("name") if key == "target" and isinstance(value, Mapping) else value


def _settle_spec(
    record: Record,
    spec: Mapping[str, Json],
    path: Path,
    written: Written,
    run: Settling,
    *,
    complain: bool,
) -> Mapping[str, Json]:
    """Settle the kind's own keys. Unless to *complain*, missing ones are not told.

    A key that is not known, or that `like` did not bring, may well be the one that is missing.
    """
    before = len(run.faults)
    settled = settle_fields(record, spec, path, run, written.where)
    if not complain:
        run.faults[before:] = [each for each in run.faults[before:] if each.path != path]
    return settled
