"""Over random labs, random edits and random failures: plans do not lie, and crashes lose nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from fakes.lab import Lab
from fakes.random_labs import Round, prepare, rounds
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lab.model.event import (
    Event,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepKept,
    StepSkipped,
    StepStarted,
)
from lab.model.graph import Graph, closure
from lab.model.labfile import OnFailure
from lab.model.plan import Action, Verb
from lab.model.state import Record
from lab.report.plan_json import plan_json
from lab.report.plan_text import plan_text
from lab.running.run import Report
from lab.running.schedule import Limits

BOUNDED = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
World: TypeAlias = "tuple[dict[str, str], set[tuple[str, str]]]"
ENDS = (StepFinished, StepFailed, StepKept, StepSkipped)


class Told:
    """What was told in one run, ready to be asked."""

    def __init__(
        self, lab: Lab, actions: Mapping[str, Action], report: Report, before: Mapping[str, Record]
    ) -> None:
        self.events: list[Event] = list(lab.told)
        self.actions, self.report = actions, report
        self.graph: Graph = lab.world().graph
        self.ran = set(lab.toy.ran)
        self.beside = {address: set(others) for address, others in lab.toy.beside.items()}
        self.destroyed = list(lab.toy.destroyed)
        self.fresh = {a for a in self.ran if a not in before or not before[a].infrastructure}

    def of(self, *kinds: type[Event]) -> dict[str, Event]:
        """The last event of these sorts for each step; a destruction is no making."""
        return {
            getattr(each, "address", ""): each
            for each in self.events
            if isinstance(each, kinds) and getattr(each, "verb", "") != "destroy"
        }


def applied(lab: Lab, chapter: Round) -> Told:
    prepare(lab, chapter)
    names = [plot.name for plot in chapter.plots]
    replace = names[:1] if chapter.again else []
    draft = lab.draft(replace=replace) if replace else lab.draft()
    assert str(draft.plan) is not None
    assert plan_text(draft.plan, colour=False)
    assert json.dumps(plan_json(draft.plan, "Labfile.yaml"), allow_nan=False)
    before = dict(lab.records)
    report = lab.apply(
        draft,
        limits=Limits(jobs=chapter.jobs, cpu=chapter.cores),
        fail_fast=chapter.fail_fast,
    )
    lab.stop = type(lab.stop)(lab.clock)
    return Told(lab, {action.address: action for action in draft.plan.actions}, report, before)


@given(rounds())
@BOUNDED
def test_what_the_plan_shows_is_what_apply_does(story: list[Round]) -> None:
    lab = Lab("steps: {}")
    for chapter in story:
        told = applied(lab, chapter)
        event(told.report.outcome)
        verbs_are_kept(told)
        order_is_kept(told)
        limits_are_kept(told, chapter)
        failures_bar_what_is_below(told)
        the_next_plan_is_what_is_left(lab, told)


def verbs_are_kept(told: Told) -> None:
    started, skipped, kept = told.of(StepStarted), told.of(StepSkipped), told.of(StepKept)
    stopped = told.report.outcome != "done" or bool(told.of(StepFailed))
    for address, action in told.actions.items():
        match action.verb:
            case Verb.CREATE | Verb.UPDATE | Verb.REPLACE:
                if address in started:
                    assert started[address].verb == action.verb.word  # type: ignore[union-attr]
                elif address in skipped and not because(skipped[address]):
                    assert "whether it runs is known after" in action.cause
                else:
                    assert stopped
                assert address not in kept
            case Verb.UNKNOWN:
                if address in started:
                    assert started[address].verb in ("update", "unknown")  # type: ignore[union-attr]
                assert stopped or address in {**started, **skipped, **kept}
            case Verb.KEEP:
                assert address not in started
                assert stopped or address in {**skipped, **kept}
            case Verb.SKIP:
                assert address not in started
                assert stopped or address in skipped
            case Verb.FORGET | Verb.DESTROY:
                sort = StepForgotten if action.verb is Verb.FORGET else StepDestroyed
                assert stopped or address in told.of(sort)
    if told.report.outcome == "done":
        gone = {a for a, action in told.actions.items() if action.verb is Verb.DESTROY}
        assert gone <= set(told.destroyed)
    asked = {a for a, action in told.actions.items() if action.verb in (Verb.DESTROY, Verb.REPLACE)}
    assert set(told.destroyed) <= asked
    assert told.ran <= set(started)
    anew = {a for a in told.destroyed if a in told.graph.steps}
    assert anew == {a for a in told.ran if told.actions[a].asks} - told.fresh


def because(skipped: Event) -> str:
    return getattr(skipped, "because", "")


def order_is_kept(told: Told) -> None:
    begun = {each.address: i for i, each in enumerate(told.events) if isinstance(each, StepStarted)}
    ended = {
        getattr(each, "address", ""): i
        for i, each in enumerate(told.events)
        if isinstance(each, ENDS)
    }
    for address, start in begun.items():
        for upstream in told.graph.needs.get(address, ()):
            assert ended[upstream] < start
        assert not lacking(told, address), "it refers to what was skipped"


def lacking(told: Told, address: str) -> list[str]:
    """The steps that this one refers to without a default, and that were skipped altogether."""
    skipped = told.of(StepSkipped)
    groups: dict[str, list[str]] = {}
    for upstream in told.graph.refs.get(address, ()):
        if (address, upstream) not in told.graph.guarded:
            groups.setdefault(upstream.partition("[")[0], []).append(upstream)
    return [name for name, group in groups.items() if all(each in skipped for each in group)]


def limits_are_kept(told: Told, chapter: Round) -> None:
    for address, others in told.beside.items():
        together = [told.graph.steps[each].options for each in (address, *others)]
        assert len(together) <= chapter.jobs
        held = [name for options in together for name in options.mutex]
        assert len(held) == len(set(held))
        wishes = [options.resources.cpu for options in together if options.resources.cpu]
        assert len(wishes) < 2 or sum(wishes) <= chapter.cores


def failures_bar_what_is_below(told: Told) -> None:
    started = told.of(StepStarted)
    for address, failed in told.of(StepFailed).items():
        step = told.graph.steps[address]
        allowed = step.options.on_failure is not OnFailure.FAIL
        interrupted = isinstance(failed, StepFailed) and failed.interrupted
        edges = told.graph.refs if allowed and not interrupted else told.graph.needs
        copes = told.graph.guarded if edges is told.graph.refs else frozenset()
        first = [
            a for a in told.graph.steps if address in edges.get(a, ()) and (a, address) not in copes
        ]
        below = {*first, *told.graph.downstream(first)}
        assert not below & set(started)


def the_next_plan_is_what_is_left(lab: Lab, told: Told) -> None:
    restless = {a for a, step in told.graph.steps.items() if not step.options.cache}
    ended_well = {**told.of(StepFinished), **told.of(StepKept)}
    verbs = lab.verbs()
    open_steps = {a for a in verbs if a not in ended_well and verbs[a] not in ("keep", "skip")}
    unsettled = closure({*restless, *open_steps}, dependents(told.graph))
    for address in ended_well:
        usual = {"keep", "skip"} | ({"unknown"} if address in unsettled else set())
        # what was kept may have been decided by what then failed
        changed = (
            {"update", "replace"} if told.of(StepFailed) and address in told.of(StepKept) else set()
        )
        assert verbs[address] in usual | changed or address in restless, (address, verbs)
    if told.report.outcome == "done" and not restless and not told.of(StepFailed):
        assert lab.draft().plan.empty, lab.plan()
    for address in told.of(StepFailed):
        assert verbs.get(address) in ("create", "update", "replace", "skip", "destroy")


def dependents(graph: Graph) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {address: [] for address in graph.steps}
    for address, upstreams in graph.refs.items():
        for upstream in upstreams:
            found[upstream].append(address)
    return found


@given(rounds(most=1))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_what_runs_beside_each_other_is_allowed_to(story: list[Round]) -> None:
    lab = Lab("steps: {}")
    lab.toy.pause = lab.service.pause = 0.004
    (chapter,) = story
    limits_are_kept(applied(lab, chapter), chapter)


@given(rounds())
@BOUNDED
def test_once_nothing_fails_any_more_everything_is_done(story: list[Round]) -> None:
    lab = Lab("steps: {}")
    for chapter in story:
        applied(lab, chapter)
    lab.toy.fails.clear()
    # a second time, where what was unknown has to be replaced: that is shown first
    for _ in range(2):
        report = lab.apply()
    assert set(report.failed) <= moving(lab)
    settled(lab)


def moving(lab: Lab) -> set[str]:
    """Steps that run every time, and whatever they might change: that is unknown in every plan."""
    graph = lab.world().graph
    restless = [a for a, step in graph.steps.items() if not step.options.cache]
    return {*restless, *closure(restless, graph.dependents())}


def settled(lab: Lab) -> None:
    verbs, restless = lab.verbs(), moving(lab)
    assert all(verb in ("keep", "skip") for a, verb in verbs.items() if a not in restless), (
        lab.plan()
    )
    known = {(a, str(r.memory["region"])) for a, r in lab.records.items() if r.infrastructure}  # type: ignore[index,call-overload]
    assert lab.toy.there == known, "something is in the world that no record tells of"


@given(rounds(most=2), st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_after_a_crash_at_any_event_all_is_finished_and_nothing_done_twice(
    story: list[Round], data: st.DataObject
) -> None:
    lab = Lab("steps: {}")
    for chapter in story[:-1]:
        applied(lab, chapter)
    before = len(lab.journal.lines)
    worlds: list[World] = []
    lab.journal.before = lambda: worlds.append(world_of(lab))
    told = applied(lab, story[-1])
    lab.journal.before = lambda: None
    lines = list(lab.journal.lines)
    worlds.append(world_of(lab))
    for stored in range(before, len(lines) + 1):
        late = data.draw(st.booleans(), label="the world is further than the journal")
        crashed(lab, lines, stored, worlds[min(stored - before + late, len(worlds) - 1)], told)


def world_of(lab: Lab) -> World:
    return dict(lab.files.texts), set(lab.toy.there)


def crashed(lab: Lab, lines: list[str], stored: int, world: World, told: Told) -> None:
    """Goes on from a state of *stored* events and a world as it was about then."""
    again = lab.restarted()
    again.files.texts = dict(world[0])
    again.toy.there.clear()
    again.toy.there.update(world[1])
    again.journal = type(lab.journal)()
    again.journal.lines = list(lines)
    again.journal.cut(stored)
    prepare_again(again, lab)
    durable = again.journal.events()
    finished = {e.address for e in durable if isinstance(e, StepFinished) and e.run == lab.runs}
    begun_again = {e.address for e in durable if isinstance(e, StepStarted) and e.run == lab.runs}
    assert finished <= begun_again
    first = again.apply()
    assert not (finished - moving(again)) & set(again.toy.ran), told.report
    if first.outcome != "done":
        again.apply()
    settled(again)


def prepare_again(again: Lab, lab: Lab) -> None:
    prepare(again, Round((), frozenset(), 2, 4.0, False, frozenset(), False))
    again.text = lab.text
