"""All steps: what will happen to each, in an order in which it can, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from lab.kinds.shape import Fault, SpecFault
from lab.kinds.spec import Lifecycle
from lab.model.address import owner, split
from lab.model.diagnostic import Diagnostic, PlanError
from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.model.plan import Action, Plan, Verb
from lab.model.values import Unknown
from lab.planning.conditions import condition, looked_over, real_scope
from lab.planning.decide import UNSEEN, Decision, Seen, decide
from lab.planning.digest import Wanted, World, want
from lab.planning.outcome import Known, Outcome, Skipped
from lab.planning.removals import removals, renamed
from lab.planning.room import require_room, size_of
from lab.planning.select import EVERYTHING, Selection, left_out, replaced
from lab.reading.faults import diagnose
from lab.reading.template import TemplateFault

Directory = Callable[[str], str]


@dataclass(slots=True)
class Sketch:
    """A plan while it grows: mutable because each step's decision depends on those before it.

    ``doubts`` are the steps that may yet be skipped, with what must run before that is known.
    """

    actions: list[Action] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    doubts: dict[str, Unknown] = field(default_factory=dict)
    size: int = 0  # characters that templates made, in all steps together


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan with what was found out on the way, so that a run need not find it out again."""

    plan: Plan
    outcomes: Mapping[str, Outcome]
    wanted: Mapping[str, Wanted]


def make_plan(
    world: World,
    *,
    directory: Directory,
    seen: Mapping[str, Seen] | None = None,
    selection: Selection = EVERYTHING,
) -> Draft:
    """The plan for *world*.

    Args:
        world: the graph, the records, and the files to look at.
        directory: a step's folder by its address, for `step.dir`.
        seen: what was observed of recorded steps.
        selection: which steps the command is about.

    Raises:
        PlanError: a step is left out whose outputs are needed and were never recorded; a protected thing
            would be destroyed.
        LabfileError: an expression fails on values that are known now.
    """
    graph = world.graph
    gone = [address for address in world.records if owner(address) not in graph.steps]
    excluded = left_out(graph, selection, gone)
    replace = replaced(graph, selection, excluded)
    sketch = Sketch()
    faults: dict[Diagnostic, None] = {}
    for address, step in graph.steps.items():
        if address in excluded:
            _leave_out(world, address, sketch)
            continue
        found = (seen or {}).get(address, UNSEEN)
        faults.update(_faults_of_step(world, step, sketch, directory, found, address in replace))
        sketch.size += size_of(step, sketch.wanted.get(address))
        require_room(sketch.size, address)
    if faults:
        raise PlanError(*faults)
    going = [world.records[address] for address in gone if address not in excluded]
    sketch.actions += removals(going)
    _refuse_protected(world, sketch.actions)
    sketch.warnings += renamed(going, sketch.actions, sketch.wanted)
    plan = Plan(actions=tuple(sketch.actions), left_out=excluded, warnings=tuple(sketch.warnings))
    return Draft(plan=plan, outcomes=sketch.outcomes, wanted=sketch.wanted)


def _leave_out(world: World, address: str, sketch: Sketch) -> None:
    """A step that the selection leaves out gives its recorded outputs, if it has any."""
    record = world.records.get(address)
    if record is not None and record.done is not None:
        sketch.outcomes[address] = Known(record.done.outputs)


def _faults_of_step(
    world: World, step: Step, sketch: Sketch, directory: Directory, seen: Seen, replace: bool
) -> dict[Diagnostic, None]:
    """Plans *step*. What speaks against it is told when all steps have been looked at."""
    try:
        _plan_step(world, step, sketch, directory, seen, replace)
    except PlanError as error:
        sketch.outcomes[step.address] = Unknown((step.address,))
        return dict.fromkeys(error.diagnostics)
    return {}


def _plan_step(
    world: World, step: Step, sketch: Sketch, directory: Directory, seen: Seen, replace: bool
) -> None:
    graph, address = world.graph, step.address
    _need_recorded(graph, address, sketch.outcomes)
    reason = skip_reason(graph, step, sketch.outcomes, directory(address))
    reason = reason or _doubt(graph, step, sketch)
    if isinstance(reason, str):
        sketch.outcomes[address] = Skipped(reason)
        sketch.actions.append(_action(world, step, Decision(Verb.SKIP, reason)))
        return
    wanted = wanted_of(world, step, sketch.outcomes)
    record = world.records.get(address)
    decision = decide(
        wanted,
        record,
        looked_over(graph, step, sketch.outcomes, directory(address), record, seen),
        spec_type=world.specs[step.kind],
        cache=step.options.cache,
        replace=replace,
    )
    _need_inputs(step, wanted, decision, sketch)
    outcome: Outcome = Unknown((address,))
    if decision.verb is Verb.KEEP and reason is None and record and record.done:
        outcome = Known(record.done.outputs)
    if reason is not None:
        sketch.doubts[address] = reason
    if reason is not None and decision.verb is not Verb.KEEP:
        told = f"{decision.cause}; whether it runs is known after {', '.join(reason.after)}"
        decision = Decision(decision.verb, told, decision.changes)
    sketch.outcomes[address] = outcome
    sketch.wanted[address] = wanted
    sketch.actions.append(_action(world, step, decision))


def _action(world: World, step: Step, decision: Decision) -> Action:
    lifecycle = getattr(world.specs[step.kind], "lifecycle", Lifecycle.WORK)
    record = world.records.get(step.address)
    undone = decision.verb is Verb.REPLACE and record is not None and record.infrastructure
    return Action(
        address=step.address,
        kind=step.kind,
        target=step.target.name,
        verb=decision.verb,
        cause=decision.cause,
        changes=decision.changes,
        infrastructure=undone or lifecycle is Lifecycle.INFRASTRUCTURE,
    )


def wanted_of(
    world: World, step: Step, outcomes: Mapping[str, Outcome], planned: Wanted | None = None
) -> Wanted:
    """:func:`want`, with a failing expression, or a value of a wrong sort, told at its place in the Labfile."""
    try:
        return want(world, step, outcomes, planned)
    except TemplateFault as fault:
        raise _as_error(world.graph, step, fault) from None
    except SpecFault as error:
        raise PlanError(*(_misfit(world.graph, step, fault) for fault in error.faults)) from None


def _misfit(graph: Graph, step: Step, fault: Fault) -> Diagnostic:
    """A value that an expression gave and that its key does not take."""
    place = (*step.path_of(str(fault.path[0])), *fault.path[1:]) if fault.path else step.path
    return Diagnostic(
        summary=f"{fault.summary}, which its expression gave",
        detail=fault.detail,
        help=fault.help,
        span=graph.labfile.document.span_of(place),
    )


def skip_reason(
    graph: Graph, step: Step, outcomes: Mapping[str, Outcome], directory: str
) -> str | Unknown | None:
    """Why *step* does not run; None if it does, Unknown if its `when` waits for what other steps give."""
    if step.unavailable:
        return step.unavailable
    skipped = _lacks(graph, step, lambda upstream: isinstance(outcomes.get(upstream), Skipped))
    if skipped:
        return f"refers to `{skipped[0]}`, which is skipped"
    if step.when is True:
        return None
    try:
        holds = condition(step.when, real_scope(graph, step, outcomes, directory))
    except TemplateFault as fault:
        raise _as_error(graph, step, fault, key="when") from None
    if isinstance(holds, Unknown):
        return holds
    return None if holds else "`when` is false"


def _doubt(graph: Graph, step: Step, sketch: Sketch) -> Unknown | None:
    """What decides whether *step* is skipped, if it cannot do without a step that may be skipped."""
    if not sketch.doubts:
        return None

    def doubtful(upstream: str) -> bool:
        return upstream in sketch.doubts or isinstance(sketch.outcomes.get(upstream), Skipped)

    found = (sketch.doubts.get(upstream) for upstream in _lacks(graph, step, doubtful))
    return next((doubt for doubt in found if doubt is not None), None)


def _lacks(graph: Graph, step: Step, missing: Callable[[str], bool]) -> list[str]:
    """A step that *step* cannot do without and that is *missing*, or all instances of a matrix."""
    by_name: dict[str, list[str]] = {}
    for upstream in graph.refs.get(step.address, ()):
        if (step.address, upstream) not in graph.guarded:
            by_name.setdefault(split(upstream)[0], []).append(upstream)
    for addresses in by_name.values():
        if all(map(missing, addresses)):
            return addresses
    return []


def _as_error(graph: Graph, step: Step, fault: TemplateFault, key: str = "") -> PlanError:
    found = key or (str(fault.path[0]) if fault.path else "")
    if found in ("spec", "target", "inputs", "env") and len(fault.path) > 1 and found == "spec":
        found = str(fault.path[1])
    return PlanError(diagnose(graph.labfile, step, found, fault))


def _need_recorded(graph: Graph, address: str, outcomes: Mapping[str, Outcome]) -> None:
    for upstream in graph.refs.get(address, ()):
        if upstream not in outcomes:
            raise PlanError(
                Diagnostic(
                    summary=f"`{address}` needs the outputs of `{upstream}`, which is left out and never ran",
                    detail="A step that is left out gives the outputs that were recorded for it; there are none.",
                    help=f"add it with `--only +{address}`, or run `lab apply --only {upstream}` first",
                    span=graph.labfile.document.span_of(graph.steps[address].path, key=True),
                )
            )


def _need_inputs(step: Step, wanted: Wanted, decision: Decision, sketch: Sketch) -> None:
    """A declared input that is not there is a warning now, and a failure if the step runs without it."""
    if wanted.missing and decision.verb.runs:
        shown = ", ".join(f"`{path}`" for path in wanted.missing)
        sketch.warnings.append(f"{step.address}: its `inputs` name {shown}, which is not there")


def _refuse_protected(world: World, actions: list[Action]) -> None:
    faults = []
    for action in actions:
        step = world.graph.steps.get(action.address)
        record = world.records.get(action.address)
        protected = (step is not None and step.options.protect) or (
            step is None and record is not None and record.protect
        )
        if protected and action.verb in (Verb.DESTROY, Verb.REPLACE):
            faults.append(_protected(world, action))
    if faults:
        raise PlanError(*faults)


def _protected(world: World, action: Action) -> Diagnostic:
    step = world.graph.steps.get(action.address)
    span = world.graph.labfile.document.span_of(step.path_of("protect")) if step else None
    return Diagnostic(
        summary=f"`{action.address}` is protected, and the plan would {action.verb.word} it",
        detail=f"Why it would: {action.cause}.",
        help="set `protect: false` and apply that first, if you mean it"
        if step
        else f"`lab state rm {action.address}` forgets it without destroying it; or bring the step back"
        " with `protect: false`, apply, and remove it again",
        span=span,
    )


def not_asked(step: Step, decision: Decision) -> PlanError:
    """What the plan showed as unknown would have to be made anew: that must be shown and agreed to first."""
    return PlanError(
        Diagnostic(
            summary=f"`{step.address}` would have to be replaced, which the plan could not show",
            detail="Known since this run: "
            + ", ".join(str(each) for each in decision.changes)
            + ".",
            help="run the same command again: now the plan shows it; if it does not, because what this"
            f" comes from is made in every run, add `--replace '{step.address}'`",
        )
    )
