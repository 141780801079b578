"""Links steps: every reference becomes an edge or a fault, the edges a graph without cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from lab.kinds.catalog import Catalog
from lab.model.address import split
from lab.model.diagnostic import Diagnostic, LabfileError, Span
from lab.model.frozen import dataclass
from lab.model.graph import CycleError, Graph, in_order
from lab.model.labfile import Labfile, Step
from lab.reading.bind_findings import Findings
from lab.reading.faults import place_of
from lab.reading.link_edges import (
    Edges,
    Ground,
    Why,
    add_needs,
    add_references,
    parameters_of,
    uses_in,
    why,
)
from lab.reading.link_files import Artifacts, Clash
from lab.reading.link_names import dash_taken_for_minus, name_fault, value_fault
from lab.reading.link_steps import upstream_of
from lab.reading.link_trial import connect_trial
from lab.reading.link_uses import Leaf, Place, Use, Uses, used_in
from lab.reading.link_warnings import plain_credentials, unused_parameters, unused_variables
from lab.reading.link_wiring import Wiring, wiring_of
from lab.reading.pinpoint import pinpoint
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, leaves


@dataclass(slots=True)
class _Warnings:
    """Warnings, each once; most are found again in every instance of a matrix."""

    found: dict[tuple[Span | None, str], Diagnostic] = field(default_factory=dict)

    def take(self, warnings: Iterable[Diagnostic]) -> None:
        for each in warnings:
            self.found.setdefault((each.span, each.summary), each)


def link(labfile: Labfile, catalog: Catalog) -> Graph:
    """The graph of a Labfile's steps.

    Raises:
        LabfileError: with everything that is wrong with its names, and the cycle if there is one.
    """
    findings = Findings(labfile.document)
    ground = Ground(labfile, findings, {step.name: step.kind for step in labfile.steps})
    warnings = _Warnings()
    trials = {step.trial.kind for step in labfile.steps if step.trial is not None}
    kinds = {*ground.kinds.values(), *trials}
    wirings = {kind: wiring_of(catalog.specs[kind]) for kind in kinds}
    edges = _connect(ground, wirings, warnings)
    artifacts = Artifacts()
    for step in labfile.steps:
        artifacts.declare(step, wirings[step.kind], labfile)
        if step.trial is not None:
            artifacts.declare_trial(step.trial, wirings[step.trial.kind], labfile)
    for clash in (*artifacts.clashes, *artifacts.nested()):
        findings.tell(_clash(clash, labfile))
    inside = _read(artifacts, ground, wirings, edges)
    _check_outputs(ground)
    findings.say()
    warnings.take(unused_variables(labfile))
    return _graph(labfile, edges, inside, tuple(warnings.found.values()))


def _connect(
    ground: Ground, wirings: Mapping[str, Wiring], warnings: _Warnings
) -> dict[str, Edges]:
    """Every step's edges; what its names do wrong is told."""
    edges: dict[str, Edges] = {}
    known: dict[str, Uses] = {}
    for step in ground.labfile.steps:
        wiring = wirings[step.kind]
        found = edges[step.address] = Edges()
        if step.needs:
            add_needs(step, found, ground)
        if step.env:
            warnings.take(plain_credentials(step, ground.labfile))
        if not step.literal:
            uses = known.get(step.name)
            if uses is None or step.target.fields:
                uses = known[step.name] = uses_in(step, wiring, ground)
            add_references(step, uses, parameters_of(step, wiring), found, ground)
        if wiring.parameters in step.spec:
            uses = known.get(step.name)
            warnings.take(unused_parameters(step, wiring, uses, ground.labfile))
        if step.trial is not None:
            connect_trial(step, step.trial, wirings[step.trial.kind], found, ground)
    return edges


def _read(
    artifacts: Artifacts,
    ground: Ground,
    wirings: Mapping[str, Wiring],
    edges: Mapping[str, Edges],
) -> dict[str, dict[str, str]]:
    """What steps read of others' artifacts: a reference, though not written as one."""
    inside: dict[str, dict[str, str]] = {}
    if not artifacts.made:
        return inside
    for step in ground.labfile.steps:
        reads = artifacts.read_by(step, wirings[step.kind])
        if step.trial is not None:
            reads |= artifacts.read_by(step.trial, wirings[step.trial.kind])
        for path, maker in reads.items():
            address = maker.step.address
            inside.setdefault(step.address, {})[path] = address
            said = f"'{step.name}' reads {path}, which '{maker.step.name}' makes"
            edges[step.address].refer([address], Why("", (), said))
    return inside


def _clash(clash: Clash, labfile: Labfile) -> Diagnostic:
    first, second = clash.first.step, clash.second.step
    if clash.around:
        summary = (
            f"'{second.name}' makes {clash.path} inside {clash.around}, which '{first.name}' makes"
        )
    elif first is second:
        summary = f"every trial of '{first.name}' makes the same artifact {clash.path}"
    elif first.name == second.name:
        summary = f"every instance of '{first.name}' makes the same artifact {clash.path}"
    else:
        summary = f"'{first.name}' and '{second.name}' make the same artifact {clash.path}"
    document = labfile.document
    here = place_of(document, second, str(clash.second.place[0]), clash.second.place[1:])
    there = place_of(document, first, str(clash.first.place[0]), clash.first.place[1:])
    name = clash.path.rpartition("/")[2]
    return Diagnostic(
        summary=summary,
        detail="Each would change what the other made, and both would never be done.",
        help=f"keep it in the step's own folder: {{{{ step.dir }}}}/{name}",
        span=document.span_of(here),
        notes=() if here == there else (("the other one", document.span_of(there)),),
    )


def _check_outputs(ground: Ground) -> None:
    """The Labfile's own outputs refer to steps, but nothing waits for them."""
    labfile = ground.labfile
    scope = base_scope(labfile, step=None, root=labfile.root, directory="")
    known = {**scope, "steps": labfile.instances}

    def tell(leaf: Leaf, fault: TemplateFault) -> None:
        fault.path = ()
        ground.findings.template(fault, ("outputs", *leaf.inner))

    for inner, text in leaves(labfile.outputs):
        leaf = Leaf(Place.OUTPUTS, "outputs", inner, text)
        for use in used_in(leaf, tell):
            fault = _output_fault(use, labfile, scope)
            if fault is not None:
                tell(leaf, dash_taken_for_minus(use, known) or fault)


def _output_fault(use: Use, labfile: Labfile, scope: Mapping[str, Any]) -> TemplateFault | None:
    fault = name_fault(use, labfile, None, None) or value_fault(use, None, scope)
    if fault is not None or use.reference.parts[0] != "steps":
        return fault
    try:
        upstream_of(use.reference, labfile)
    except TemplateFault as found:
        return found
    return None


def _graph(
    labfile: Labfile,
    edges: Mapping[str, Edges],
    inside: Mapping[str, Mapping[str, str]],
    warnings: tuple[Diagnostic, ...],
) -> Graph:
    steps = {step.address: step for step in labfile.steps}
    needs = {a: tuple({**each.needs, **dict.fromkeys(each.refs)}) for a, each in edges.items()}
    try:
        ordered = in_order(steps, needs)
    except CycleError as error:
        raise LabfileError(_cycle(error.cycle, labfile, steps, edges)) from None
    return Graph(
        labfile=labfile,
        steps={address: steps[address] for address in ordered},
        needs=needs,
        refs={a: tuple(each.refs) for a, each in edges.items()},
        guarded=frozenset(
            (a, upstream)
            for a, each in edges.items()
            for upstream, guarded in each.refs.items()
            if guarded
        ),
        inside=inside,
        warnings=warnings,
    )


def _cycle(
    cycle: tuple[str, ...],
    labfile: Labfile,
    steps: Mapping[str, Step],
    edges: Mapping[str, Edges],
) -> Diagnostic:
    notes: list[tuple[str, Span | None]] = []
    for address, upstream in zip(cycle, cycle[1:], strict=False):
        step = steps[address]
        found = why(step, edges[address], upstream, labfile)
        path = place_of(labfile.document, step, found.key, found.inner)
        span = pinpoint(labfile.document, path, found.expression, found.line)
        notes.append((found.said, span))
    alone = len(cycle) == 2
    return Diagnostic(
        summary=f"'{split(cycle[0])[0]}' waits for itself"
        if alone
        else f"steps wait for each other: {' -> '.join(cycle)}",
        detail=""
        if alone
        else "Each of them waits for the one after the arrow, so none can begin.",
        help="take one of these references or `needs` out",
        span=notes[0][1],
        notes=tuple(notes[1:]) if not alone else (),
    )
