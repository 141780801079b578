"""From a document to a Labfile: structure checked, variables settled, `like` and `matrix` expanded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lab.kinds.catalog import Catalog
from lab.kinds.shape_fault import Fault, wrong
from lab.kinds.shape_types import Anything, Table
from lab.kinds.shape_words import as_written, met
from lab.model.document import Document
from lab.model.labfile import Labfile
from lab.model.tree import Json
from lab.reading.bind_findings import Findings
from lab.reading.bind_ground import Ground
from lab.reading.bind_like import Written, resolve_like
from lab.reading.bind_steps import bind_steps
from lab.reading.bind_target import declared_targets
from lab.reading.bind_top import (
    check_top,
    describe,
    lab_name,
    lab_outputs,
    secret_sources,
    section,
    state_settings,
    step_defaults,
)
from lab.reading.bind_vars import settle_vars
from lab.reading.scope import ambient

_MAPS = Table(Anything())


def bind(
    document: Document,
    *,
    root: str,
    source: str,
    overlay: str,
    given: Mapping[str, Json],
    environ: Mapping[str, str],
    catalog: Catalog,
) -> Labfile:
    """Return what the document declares.

    *root* and *source* are the absolute paths of the Labfile's folder and of itself. *given* holds
    the variables that the command line and the environment set, merged by precedence; it is taken
    as it is, without rendering.

    Raises:
        LabfileError: with all faults, in the order of the text.
    """
    findings = Findings(document)
    tree = document.tree
    if not check_top(tree, findings):
        findings.say()
    name = lab_name(tree, source, findings)
    environ = ambient(environ, section(tree, "secrets", findings))
    around = {"env": environ, "lab": {"name": name, "root": root, "overlay": overlay}}
    variables = settle_vars(section(tree, "vars", findings), given, around, findings)
    static = {"vars": variables, **around}
    ground, written = _grounded(
        Ground(
            findings=findings, catalog=catalog, static=static, root=root, name=name, overlay=overlay
        ),
        tree,
    )
    labfile = replace(_labfile(document, ground, written), source=source, environ=environ)
    findings.say()
    return labfile


def _labfile(document: Document, ground: Ground, written: Mapping[str, Written]) -> Labfile:
    tree, findings = document.tree, ground.findings
    bound = bind_steps(written, ground)
    return Labfile(
        name=ground.name,
        overlay=ground.overlay,
        root=ground.root,
        source="",
        description=describe(tree, ground),
        vars=ground.static["vars"],
        secrets=secret_sources(section(tree, "secrets", findings), ground),
        targets=ground.targets,
        state=state_settings(tree, ground, named="name" in tree),
        steps=tuple(step for steps in bound.values() for step in steps),
        instances={name: tuple(step.address for step in steps) for name, steps in bound.items()},
        matrices=frozenset(name for name, steps in bound.items() if steps and steps[0].matrix),
        outputs=lab_outputs(section(tree, "outputs", findings), ground),
        document=document,
    )


def _grounded(bare: Ground, tree: Mapping[str, Json]) -> tuple[Ground, dict[str, Written]]:
    """Add what all steps stand on, in the order in which one part needs another."""
    findings = bare.findings
    _refuse_recipes(tree, findings)
    written = resolve_like(_steps(tree, findings), findings)
    ground = replace(
        bare,
        targets=declared_targets(section(tree, "targets", findings), bare),
        defaults=step_defaults(section(tree, "defaults", findings), bare),
        names=tuple(written),
    )
    return ground, written


def _steps(tree: Mapping[str, Json], findings: Findings) -> dict[str, Mapping[str, Json]]:
    """Return the steps that are maps; of the others, say what they should be."""
    steps = tree.get("steps")
    if steps is None:
        return {}  # it is told already
    if isinstance(steps, list):
        findings.add([_list_of_steps(steps)])
        return {}
    found: dict[str, Mapping[str, Json]] = {}
    for name, step in section(tree, "steps", findings).items():
        if isinstance(step, Mapping):
            found[name] = step
        else:
            findings.add([_no_step(name, step)])
    return found


def _list_of_steps(steps: list[Json]) -> Fault:
    named = next((s["name"] for s in steps if isinstance(s, Mapping) and "name" in s), "train")
    return Fault(
        path=("steps",),
        summary="'steps' must be a map of names to steps, not a list",
        detail="A step's name is its key, so that others can refer to it; the order follows from"
        " what each step uses, and from `needs`.",
        help=f"write each as\n  steps:\n    {_key(str(named))}:\n      kind: command",
    )


def _key(text: str) -> str:
    return "-".join(text.casefold().split()) or "train"


def _no_step(name: str, step: Json) -> Fault:
    if step is None:
        fault = wrong(_MAPS, step, ("steps", name))
        return Fault(
            path=fault.path,
            summary=f"the step '{name}' has no keys",
            detail="At least its `kind` is needed.",
            help="write its keys below it, indented: kind: command",
            at_key=True,
        )
    return Fault(
        path=("steps", name),
        summary=f"the step '{name}' must be a map of its keys, not {met(step)}",
        help=f"write {name}: {{kind: command, command: {as_written(step)}}}"
        if isinstance(step, (str, list))
        else f"write {name}: {{kind: command, command: …}}",
    )


def _refuse_recipes(tree: Mapping[str, Json], findings: Findings) -> None:
    """Recipes are expanded before binding; one that is still there would be lost silently."""
    if section(tree, "recipes", findings):
        findings.add(
            [
                Fault(
                    path=("recipes",),
                    summary="this lab does not know recipes yet",
                    help="write their steps into the Labfile",
                    at_key=True,
                )
            ]
        )
