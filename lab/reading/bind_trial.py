"""Makes a step of what a sweep's `trial` says: `like` followed, its keys checked, its parameters sampled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import Fault
from lab.kinds.shape_scalar import Settling
from lab.kinds.shape_words import listed, met
from lab.kinds.spec import Role
from lab.model.diagnostic import did_you_mean
from lab.model.tree import Json, Path
from lab.reading.bind_draft import Draft, draft
from lab.reading.bind_ground import Ground
from lab.reading.bind_like import Written
from lab.reading.bind_options import FIELDS

KIND = "training"
OWN = ("env", "inputs", "mutex", "needs", "resources", "retries", "timeout")
"""The options that a trial can have; the others are the whole sweep's."""


def with_trial(
    made: Draft | None,
    written: Written,
    steps: Mapping[str, Written],
    ground: Ground,
    run: Settling,
) -> Draft | None:
    """Return the draft with the draft of its trials, if its kind makes any; faults go to *run*."""
    if made is None:
        return None
    spec_class = ground.catalog.specs[made.kind]
    key = _trial_key(spec_class)
    if not key:
        return made
    path = written.where.get(key, ("steps", made.name, key))
    tree = made.spec[key]
    assert isinstance(tree, Mapping), "its shape says so"
    keys = _combined(made.name, tree, path, steps, run.faults)
    inner = draft(made.name, keys, ground, run, path) if keys is not None else None
    if inner is None:
        return None
    swept = made.spec.get("parameters")
    declared = inner.spec.get("parameters")
    samples = {
        **(declared if isinstance(declared, Mapping) else {}),
        **(dict(_samples(swept)) if isinstance(swept, Mapping) else {}),
    }
    inner = replace(inner, spec={**inner.spec, "parameters": samples}, literal=False)
    return replace(made, spec={**made.spec, key: {}}, trial=inner)


def _trial_key(spec_class: type[object]) -> str:
    fields = record_of(spec_class).fields.items()
    return next((key for key, known in fields if known.option.role is Role.TRIAL), "")


def _combined(
    name: str,
    tree: Mapping[str, Json],
    path: Path,
    steps: Mapping[str, Written],
    faults: list[Fault],
) -> Written | None:
    """Return a trial's keys, own and copied, or None if `like` leads nowhere."""
    own = {key: value for key, value in tree.items() if key != "like"}
    faults += _misplaced(own, path)
    source = Written({}, {})
    if "like" in tree:
        found = _source(name, tree["like"], (*path, "like"), steps, faults)
        if found is None:
            return None
        source = found
    other = str(tree.get("like"))
    copied = {
        key: value
        for key, value in source.tree.items()
        if key not in own and key != "kind" and (key in OWN or key not in FIELDS)
    }
    where = {key: source.where.get(key, ("steps", other, key)) for key in copied}
    dropped = {key for key, value in own.items() if value is None and key in source.tree}
    kept = {key: value for key, value in own.items() if key not in dropped and _is_own(key)}
    where |= {key: (*path, key) for key in kept}
    return Written({"kind": KIND, **copied, **kept}, where, source.whole)


def _is_own(key: str) -> bool:
    return key in OWN or key not in FIELDS


def _misplaced(own: Mapping[str, Json], path: Path) -> Iterator[Fault]:
    for key, value in own.items():
        if key == "kind":
            always = "a trial is always a training, and a training's `command` runs any program"
            told = "delete the line" if value == KIND else always
            yield Fault(path=(*path, key), summary="a trial has no `kind`", help=told, at_key=True)
        elif not _is_own(key):
            yield Fault(
                path=(*path, key),
                summary=f"a trial has no `{key}` of its own",
                detail="It is not a step of the Labfile: the sweep decides when it runs.",
                help=f"write `{key}` in the sweep, outside `trial`",
                at_key=True,
            )


def _source(
    name: str, other: Json, path: Path, steps: Mapping[str, Written], faults: list[Fault]
) -> Written | None:
    """Return the step that trials are like; it must be a training."""
    if not isinstance(other, str) or not other:
        faults.append(
            Fault(path=path, summary=f"'like' must be the name of a step, not {met(other)}")
        )
        return None
    found = steps.get(other)
    trainings = [each for each, keys in steps.items() if keys.tree.get("kind") == KIND]
    if found is None or other == name:
        known = f"the trainings are {listed(trainings)}" if trainings else ""
        faults.append(
            Fault(
                path=path,
                summary=f"there is no step '{other}' for a trial to be like"
                if other != name
                else "a sweep's trial cannot be like the sweep",
                help=did_you_mean(other, trainings) or known or "write out what one trial is",
            )
        )
        return None
    kind = found.tree.get("kind")
    if kind is not None and kind != KIND:
        faults.append(
            Fault(
                path=path,
                summary=f"a trial is a training, and '{other}' is of kind {kind}",
                help=f"make '{other}' a training: its `command` runs any program, and `metrics`"
                " says where the objective is read"
                if kind == "command"
                else did_you_mean(other, trainings),
            )
        )
        return None
    return found


def _samples(swept: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """One value of each parameter, for as long as none is chosen: what identity is rendered with."""
    for name, known in swept.items():
        if isinstance(known, Mapping):
            values = known.get("list")
            yield (
                name,
                values[-1] if isinstance(values, list) and values else known.get("max", values),
            )
