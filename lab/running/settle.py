"""What was planned for a step is settled now that everything before it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from lab.model.diagnostic import PlanError
from lab.model.frozen import dataclass
from lab.model.plan import Action, Verb
from lab.planning.conditions import looked_over
from lab.planning.decide import Decision, Seen, decide
from lab.planning.digest import Wanted, World
from lab.planning.outcome import Outcome
from lab.planning.plan import not_asked, skip_reason, wanted_of

NOTHING = Wanted(identity={}, digest="")


@dataclass(frozen=True, slots=True)
class Skip:
    """It does not run, for a reason of its own."""

    cause: str


@dataclass(frozen=True, slots=True)
class Keep:
    """It stays as it is."""

    cause: str


@dataclass(frozen=True, slots=True)
class Make:
    """It is made; with a ``fault`` it fails at once: an expression fails on what is known only now."""

    decision: Decision
    wanted: Wanted = NOTHING
    fault: PlanError | None = None


Settled: TypeAlias = "Skip | Keep | Make"


def settle(
    world: World,
    action: Action,
    outcomes: Mapping[str, Outcome],
    seen: Seen,
    directory: str,
    before: Wanted | None = None,
) -> Settled:
    """Only what was unknown may still be kept, and only what waited for its `when` be skipped.

    *before* is what was wanted when it was planned.
    """
    step = world.graph.steps[action.address]
    planned = Decision(action.verb, action.cause, action.changes)
    try:
        reason = skip_reason(world.graph, step, outcomes, directory)
        if isinstance(reason, str):
            return Skip(reason)
        if action.verb is Verb.KEEP:
            return Keep(action.cause)
        wanted = wanted_of(world, step, outcomes, before)
        if action.verb in (Verb.UNKNOWN, Verb.UPDATE):
            record = world.records.get(step.address)
            found = looked_over(world.graph, step, outcomes, directory, record, seen)
            return _known(world, action, wanted, found)
    except PlanError as fault:
        return Make(planned, fault=fault)
    return Make(planned, wanted)


def _known(world: World, action: Action, wanted: Wanted, seen: Seen) -> Keep | Make:
    """What was unknown is kept or updated, and nothing else: nobody was asked for more.

    What was to be updated is; but of that too a part may have been unknown.
    """
    step, record = world.graph.steps[action.address], world.records.get(action.address)
    decision = decide(
        wanted, record, seen, spec_type=world.specs[step.kind], cache=step.options.cache
    )
    if decision.verb is Verb.REPLACE and record is not None and record.infrastructure:
        raise not_asked(step, decision)
    if action.verb is Verb.UPDATE:
        return Make(Decision(action.verb, action.cause, action.changes), wanted)
    if decision.verb is Verb.KEEP:
        return Keep("what it depends on came out the same")
    return Make(Decision(Verb.UPDATE, decision.cause, decision.changes), wanted)
