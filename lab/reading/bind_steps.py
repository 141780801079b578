"""Binds steps: each to its kind's keys, its options and its target, once for every instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lab.kinds.shape_fault import Fault
from lab.kinds.shape_scalar import Settling
from lab.kinds.shape_settle import settle_field
from lab.model.address import instance
from lab.model.labfile import LOCAL, Options, Step, Target
from lab.model.tree import Json
from lab.model.values import Unknown
from lab.reading.bind_draft import Draft, draft, static_part
from lab.reading.bind_ground import Ground
from lab.reading.bind_like import Written
from lab.reading.bind_matrix import MOST, Instance, expand
from lab.reading.bind_options import FIELDS, options_of, words_of
from lab.reading.bind_static import render_static
from lab.reading.bind_target import target_of, unavailable
from lab.reading.bind_trial import with_trial
from lab.reading.template import has_template

_PLAIN_STEP = [Instance("", {})]


def bind_steps(written: Mapping[str, Written], ground: Ground) -> dict[str, list[Step]]:
    """Return every step's instances by its name; faults go to the ground's findings."""
    left = MOST
    bound: dict[str, list[Step]] = {}
    run = ground.settling()
    for name, each in written.items():
        made = with_trial(draft(name, each, ground, run), each, written, ground, run)
        if run.faults:
            ground.findings.add(run.faults, step=name)
            run = ground.settling()
        if made is None:
            continue
        instances = _PLAIN_STEP
        if "matrix" in each.tree:
            instances = _expanded(made, each.tree["matrix"], left, ground)
            left -= len(instances)
        bound[name] = _steps(made, instances, ground)
    return bound


def _expanded(step: Draft, tree: Json, left: int, ground: Ground) -> list[Instance]:
    path = step.place("matrix")
    findings = ground.findings
    rendered = render_static(tree, ground.static, path, findings, owner="a matrix", step=step.name)
    if isinstance(rendered, Unknown):
        return []
    instances, faults = expand(rendered, path, left)
    findings.add(faults, step=step.name)
    return instances


def _steps(step: Draft, instances: Iterable[Instance], ground: Ground) -> list[Step]:
    shared = None if step.dynamic else _decided(step, step.static, "", ground)
    deferred = step.deferred
    env = deferred.get("env", {})
    inputs, require = words_of(deferred.get("inputs")), words_of(deferred.get("require"))
    made: list[Step] = []
    for each in instances:
        address = instance(step.name, each.key)
        decided = shared or _rendered(step, each, address, ground)
        if decided is None:
            continue
        target, options, needs = decided
        made.append(
            Step(
                address=address,
                name=step.name,
                kind=step.kind,
                target=target,
                spec=step.spec,
                env=env if isinstance(env, Mapping) else {},
                inputs=inputs,
                when=deferred.get("when", True),
                require=require,
                matrix=each.values,
                options=options,
                needs=needs,
                path=("steps", step.name),
                where=step.where,
                literal=step.literal and _plain(target),
                unavailable=unavailable(step.kind, target, ground),
                trial=_trial(step.trial, each, ground),
            )
        )
    return made


def _trial(step: Draft | None, each: Instance, ground: Ground) -> Step | None:
    """What one instance of a step makes many of; the path says where it was written."""
    if step is None:
        return None
    made = next(iter(_steps(step, [each], ground)), None)
    return None if made is None else replace(made, path=("steps", step.name, "trial"))


def _plain(target: Target) -> bool:
    return target is LOCAL or not has_template(target.fields)


def _rendered(
    step: Draft, each: Instance, address: str, ground: Ground
) -> tuple[Target, Options, tuple[str, ...]] | None:
    """Render the static options of one instance, and decide what they mean."""
    scope = ground.static_scope(step.name, address, each.values)
    rendered: dict[str, Json] = {}
    run = Settling(templates=False)
    for key, value in step.static.items():
        path = step.place(key)
        found = _rendered_option(step, key, value, scope, ground)
        if isinstance(found, Unknown):
            return None
        # What `protect` comes to is told as it is, a number for one, and not as a text.
        rendered[key] = found if key == "protect" else settle_field(FIELDS[key], found, path, run)
    if run.faults:
        ground.findings.add(run.faults, step=step.name, address=address)
        return None
    return _decided(step, rendered, address, ground)


def _rendered_option(
    step: Draft, key: str, value: Json, scope: Mapping[str, Any], ground: Ground
) -> Any:
    part = static_part(key, value)
    path = step.place(key) if part is value else (*step.place(key), "name")
    owner = f"`{key}`"
    found = render_static(part, scope, path, ground.findings, owner=owner, step=step.name)
    if isinstance(found, Unknown) or part is value or not isinstance(value, Mapping):
        return found
    return {**value, "name": found}


def _decided(
    step: Draft, static: Mapping[str, Json], address: str, ground: Ground
) -> tuple[Target, Options, tuple[str, ...]] | None:
    faults: list[Fault] = []
    options = options_of(static, step.place, faults)
    target, misplaced = target_of(
        static.get("target", LOCAL.name), step.place("target"), step.kind, ground
    )
    ground.findings.add([*faults, *misplaced], step=step.name, address=address)
    return target, options, words_of(static.get("needs"))
