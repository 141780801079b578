"""`lab destroy`: undoes what the state knows, the last made first."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.asking import ask
from lab.cli.ending import OUTCOMES, ending
from lab.cli.locking import locked
from lab.cli.outputs import Evaluated
from lab.cli.running import begin, end_survivors, interruptible, moves, reporting
from lab.cli.session import Session
from lab.cli.streams import heard_or_not
from lab.cli.terminal import colourful, interactive
from lab.model.diagnostic import Diagnostic, LabfileError, PlanError
from lab.model.event import RunFinished
from lab.model.plan import Action, Plan
from lab.planning.removals import destructions, still_needed
from lab.planning.select import left_out
from lab.report.jsonlines import JsonLines
from lab.report.plan_text import plan_text, steps_of
from lab.running.course import Course
from lab.running.removal import Remover
from lab.running.run import Report
from lab.running.schedule import Limits
from lab.running.telling import Telling


def main(words: Sequence[str]) -> int:
    """Shows what would be destroyed, asks, and destroys it in reverse order."""
    parser = arguments.parser(
        "destroy",
        "Undo what was made, the last made first. Artifacts are deleted if they are still as they were made.",
    )
    arguments.add_labfile(parser)
    arguments.add_selection(parser, replace=False)
    arguments.add_running(parser, resources=False)
    args = arguments.parse(parser, words)
    session = Session.open(args, write=True)
    try:
        with locked(session, args, "destroy"):
            session.reload()
            end_survivors(session)
            plan = _plan(session, args)
            if not plan.actions:
                return _nothing(session, args)
            _confirm(plan, args)
            return _run(session, args, plan)
    finally:
        session.close()


def _nothing(session: Session, args: argparse.Namespace) -> int:
    """There is nothing to destroy: no run begins."""
    if args.json:
        now, run = session.clock.now(), session.state.run
        JsonLines(sys.stdout).tell(RunFinished(run=run, time=now, outcome="done"))
    elif not args.quiet:
        picked = not arguments.selection(args).everything
        known = "nothing that was picked was made" if picked else "nothing was made"
        print(f"Nothing to destroy: as far as the state knows, {known}.")
    return 0


def _plan(session: Session, args: argparse.Namespace) -> Plan:
    """Every selected record, the last made first.

    Raises:
        PlanError: one of them is protected, or needed by what would stay.
    """
    graph, records = session.graph, session.state.records
    edges = {**graph.needs, **{address: record.needs for address, record in records.items()}}
    gone = [address for address in records if address not in graph.steps]
    excluded = left_out(graph, arguments.selection(args), gone, edges)
    chosen = [record for address, record in records.items() if address not in excluded]
    actions = destructions(chosen, "asked for with `lab destroy`")
    faults = [_protected(session, a.address) for a in actions if _is_protected(session, a)]
    for address, needers in still_needed(records, chosen).items():
        faults.append(_needed(address, needers))
    if faults:
        raise PlanError(*faults)
    return Plan(actions=tuple(actions), left_out=excluded)


def _is_protected(session: Session, action: Action) -> bool:
    step = session.graph.steps.get(action.address)
    return step.options.protect if step else session.state.records[action.address].protect


def _protected(session: Session, address: str) -> Diagnostic:
    step = session.graph.steps.get(address)
    if step is None:
        detail = "It is no longer in the Labfile; that it is protected is remembered."
        advice = f"leave it out with `--exclude {shlex.quote('+' + address)}`; `lab state rm {address}` forgets it"
    else:
        detail = "Nothing is destroyed."
        advice = f"leave it out, with what it needs: `--exclude {shlex.quote('+' + address)}`; or set `protect: false`"
    return Diagnostic(
        summary=f"`{address}` is protected, and would be destroyed",
        detail=detail,
        help=advice,
        span=session.labfile.document.span_of(step.path_of("protect")) if step else None,
    )


def _needed(address: str, needers: Sequence[str]) -> Diagnostic:
    shown = ", ".join(f"`{each}`" for each in needers[:6])
    more = f" and {len(needers) - 6} more" if len(needers) > 6 else ""
    with_them = shlex.quote(f"{address}+")
    return Diagnostic(
        summary=f"`{address}` cannot be destroyed alone: {shown}{more} was made with it and would stay",
        detail="Nothing is destroyed.",
        help=f"`--only {with_them}` takes along what needs it; `lab state rm STEP` forgets a step as it is",
    )


def _confirm(plan: Plan, args: argparse.Namespace) -> None:
    if args.yes:
        return
    if not interactive() or args.json:
        raise LabfileError(
            Diagnostic(
                summary=f"{_steps(plan)} would be destroyed, and nobody can be asked",
                help="add `--yes`",
            )
        )
    print(plan_text(plan, colour=colourful(sys.stdout), verbose=args.verbose > 0))
    ask("Destroy all of it?")


def _steps(plan: Plan) -> str:
    count = steps_of(plan)
    return f"{count} step{'s' if count != 1 else ''}"


def _run(session: Session, args: argparse.Namespace, plan: Plan) -> int:
    number = session.state.run + 1
    with (
        interruptible(session.stop, moving=moves(args)),
        reporting(session, args, plan) as reporter,
    ):
        started = begin(session, number, "destroy")
        reporter.tell(started)
        telling = Telling(reporter.tell, session.ports.journal, session.stop)
        course = Course(graph=session.graph, run=number, clock=session.clock, tell=telling)
        forced = Remover(
            records=session.state.records,
            registry=session.read.registry,
            ports=session.ports,
            root=session.labfile.root,
            stop=session.stop,
            limits=Limits(jobs=args.jobs or session.machine.cpus, cpu=0.0),
            tell=telling,
            fail_fast=args.fail_fast,
            lines=args.verbose > 0,
        ).remove(plan.actions, course)
        if telling.error is not None:
            raise telling.error
        outcome = _outcome(course, stopped=session.stop.is_set() and not forced)
        finished = RunFinished(
            run=number, time=session.clock.now(), outcome=outcome, counts=course.counts
        )
        session.ports.journal.append(finished)
        reporter.tell(finished)
    report = Report(outcome=outcome, counts=course.counts, failed=tuple(course.failed))
    if not args.json:
        none, since = Evaluated({}, {}), started.time
        with heard_or_not():
            ending(session, args, reporter.heard, report, none, since=since, verb="destroy")
    return OUTCOMES[outcome]


def _outcome(course: Course, *, stopped: bool) -> str:
    """How it ended; whoever stopped it knows that not everything is gone."""
    return "interrupted" if stopped else "failed" if course.failed else "done"
