"""`lab destroy`: undoes what the state knows, the last made first."""

from __future__ import annotations

import argparse
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
from lab.planning.removals import destructions
from lab.planning.select import left_out
from lab.report.jsonlines import JsonLines
from lab.report.plan_text import plan_text
from lab.running.course import Course
from lab.running.removal import Remover
from lab.running.run import Report


def main(words: Sequence[str]) -> int:
    """Shows what would be destroyed, asks, and destroys it in reverse order."""
    parser = arguments.parser(
        "destroy",
        "Undo what was made, the last made first. Artifacts are deleted if they are still as they were made.",
    )
    arguments.add_labfile(parser)
    arguments.add_selection(parser, replace=False)
    arguments.add_running(parser)
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
        print("Nothing to destroy: the state knows of nothing that was made.")
    return 0


def _plan(session: Session, args: argparse.Namespace) -> Plan:
    """Every selected record, the last made first."""
    records = session.state.records
    gone = [address for address in records if address not in session.graph.steps]
    excluded = left_out(session.graph, arguments.selection(args), gone)
    chosen = [record for address, record in records.items() if address not in excluded]
    actions = destructions(chosen, "asked for with `lab destroy`")
    protected = [a.address for a in actions if _is_protected(session, a)]
    if protected:
        raise PlanError(
            *(
                Diagnostic(
                    summary=f"`{address}` is protected: it is not destroyed, and neither is anything else",
                    help=f"leave it out with `--exclude {address}`, or set `protect: false` and apply first",
                )
                for address in protected
            )
        )
    return Plan(actions=tuple(actions), left_out=excluded)


def _is_protected(session: Session, action: Action) -> bool:
    step = session.graph.steps.get(action.address)
    return step.options.protect if step else session.state.records[action.address].protect


def _confirm(plan: Plan, args: argparse.Namespace) -> None:
    if args.yes:
        return
    if not interactive() or args.json:
        raise LabfileError(
            Diagnostic(
                summary=f"{len(plan.actions)} steps would be destroyed, and nobody can be asked",
                help="add `--yes`",
            )
        )
    print(plan_text(plan, colour=colourful(sys.stdout)))
    ask("Destroy all of it?")


def _run(session: Session, args: argparse.Namespace, plan: Plan) -> int:
    number = session.state.run + 1
    with (
        interruptible(session.stop, moving=moves(args)),
        reporting(session, args, plan) as reporter,
    ):
        started = begin(session, number, "destroy")
        reporter.tell(started)
        course = Course(graph=session.graph, run=number, clock=session.clock, tell=reporter.tell)
        Remover(
            records=session.state.records,
            registry=session.read.registry,
            ports=session.ports,
            root=session.labfile.root,
            stop=session.stop,
            lines=args.verbose > 0,
        ).remove(plan.actions, course)
        outcome = "failed" if course.failed else "interrupted" if session.stop.is_set() else "done"
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
