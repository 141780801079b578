"""What one step waits for, and why: its `needs`, its references, the steps that its keys name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from lab.kinds.shape_fault import Fault
from lab.model.address import split
from lab.model.frozen import dataclass
from lab.model.labfile import Labfile, Step
from lab.model.layout import step_dir
from lab.model.tree import Path
from lab.reading.bind_findings import Findings
from lab.reading.faults import place_of
from lab.reading.link_names import dash_taken_for_minus, name_fault, value_fault
from lab.reading.link_steps import misnamed, needed, unknown_step, upstream_of
from lab.reading.link_uses import Leaf, Naming, Place, Use, Uses, uses_of
from lab.reading.link_wiring import Wiring
from lab.reading.scope import base_scope
from lab.reading.template import Reference, TemplateFault, references_in


@dataclass(frozen=True, slots=True)
class Why:
    """The key of a step that makes it wait for another, and the words in it."""

    key: str
    inner: Path
    said: str
    expression: str = ""
    line: int = 0


@dataclass(slots=True)
class Edges:
    """What one step waits for; ``refs`` tells of each step whether every reference to it copes."""

    needs: dict[str, None] = field(default_factory=dict)
    refs: dict[str, bool] = field(default_factory=dict)
    why: dict[str, Why] = field(default_factory=dict)

    def refer(self, addresses: Iterable[str], why: Why, *, guarded: bool = False) -> None:
        """Takes steps whose outputs are used."""
        for address in addresses:
            self.refs[address] = self.refs.get(address, True) and guarded
            self.why.setdefault(address, why)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all steps are linked on. ``kinds`` has every step's kind by its name."""

    labfile: Labfile
    findings: Findings
    kinds: Mapping[str, str]

    def tell(self, step: Step, leaf: Leaf, fault: TemplateFault) -> None:
        """Takes the fault of a template of *step*."""
        path = place_of(self.labfile.document, step, leaf.key, leaf.inner)
        fault.path = ()
        self.findings.template(fault, path, step=step.name)

    def refuse(self, step: Step, key: str, inner: Path, said: tuple[str, str]) -> None:
        """Takes the fault of a key of *step*: its summary and its help."""
        path = place_of(self.labfile.document, step, key, inner)
        self.findings.add([Fault(path=path, summary=said[0], help=said[1])], step=step.name)


def uses_in(step: Step, wiring: Wiring, ground: Ground) -> Uses:
    """What *step* refers to; texts that are no right templates are told."""

    def tell(leaf: Leaf, fault: TemplateFault) -> None:
        ground.tell(step, leaf, fault)

    return uses_of(step, wiring, tell)


def parameters_of(step: Step, wiring: Wiring) -> Mapping[str, Any] | None:
    """What `parameters` means in *step*; None if its kind has none."""
    declared = step.spec.get(wiring.parameters, {}) if wiring.parameters else None
    return declared if isinstance(declared, Mapping) else None


def add_needs(step: Step, edges: Edges, ground: Ground) -> None:
    """Adds the edges of `needs`."""
    for index, written in enumerate(step.needs):
        addresses = needed(written, ground.labfile)
        if addresses is None:
            ground.refuse(step, "needs", (index,), unknown_step(written, ground.labfile))
        else:
            edges.needs.update(dict.fromkeys(addresses))


def why(step: Step, edges: Edges, upstream: str, labfile: Labfile) -> Why:
    """Why *step* waits for *upstream*, for who asks because of a cycle."""
    for index, written in enumerate(step.needs):
        if upstream in (needed(written, labfile) or ()):
            return Why("needs", (index,), f"'{step.name}' needs '{written}'")
    return edges.why[upstream]


def add_references(
    step: Step, uses: Uses, parameters: Mapping[str, Any] | None, edges: Edges, ground: Ground
) -> None:
    """Adds the edges of a step's references; what is wrong with its names is told."""
    for naming in uses.namings:
        _name(step, naming, edges, ground)
    if not uses.names:
        return
    labfile = ground.labfile
    directory = step_dir(labfile.root, labfile.name, labfile.overlay, step.address)
    scope = base_scope(labfile, step=step, root=labfile.root, directory=directory)
    known = {**scope, "parameters": parameters or {}, "steps": labfile.instances}
    dashes: set[Leaf] = set()
    for use in uses.names:
        if use.leaf in dashes and f"-{use.reference.expression}" in use.leaf.text:
            continue  # the rest of a name with a dash, read as another name
        fault = _follow(use, step, parameters, scope, edges, ground)
        if fault is None:
            continue
        dash = dash_taken_for_minus(use, known)
        if dash is not None:
            dashes.add(use.leaf)
        ground.tell(step, use.leaf, dash or fault)


def _follow(
    use: Use,
    step: Step,
    parameters: Mapping[str, Any] | None,
    scope: Mapping[str, Any],
    edges: Edges,
    ground: Ground,
) -> TemplateFault | None:
    fault = name_fault(use, ground.labfile, step, parameters) or value_fault(use, step, scope)
    if fault is not None or use.reference.parts[0] != "steps":
        return fault
    leaf, reference = use.leaf, use.reference
    try:
        if reference.computed:
            reference = _filled_in(use, scope)
        addresses = upstream_of(reference, ground.labfile)
    except TemplateFault as found:
        return found
    if leaf.place is Place.REQUIRE and step.address in addresses:
        return TemplateFault(
            "a step's own result is `outputs` in its `require`",
            help="write `" + ".".join(reference.parts[2:]) + "`",
            expression=reference.expression,
            line=reference.line,
        )
    said = f"'{step.name}' refers to '{reference.parts[1]}'"
    reason = Why(leaf.key, leaf.inner, said, reference.expression, reference.line)
    edges.refer(addresses, reason, guarded=reference.guarded)
    return None


def _filled_in(use: Use, scope: Mapping[str, Any]) -> Reference:
    """The same reference with the keys filled in that this very step computes from what is known."""
    for each in references_in(use.leaf.text, scope):
        same = (each.expression, each.line) == (use.reference.expression, use.reference.line)
        if same and each.parts[: len(use.reference.parts)] == use.reference.parts:
            return each
    return use.reference


def _name(step: Step, naming: Naming, edges: Edges, ground: Ground) -> None:
    """Adds the edge of a key that names a step."""
    addresses = needed(naming.name, ground.labfile)
    if addresses is None:
        wrong = unknown_step(naming.name, ground.labfile)
        ground.refuse(step, naming.key, naming.inner, wrong)
        return
    kind = ground.kinds[split(addresses[0])[0]]
    refused = misnamed(naming, kind, ground.labfile)
    if refused is not None:
        ground.refuse(step, naming.key, naming.inner, refused)
        return
    said = f"'{step.name}' names '{naming.name}'"
    edges.refer(addresses, Why(naming.key, naming.inner, said))
