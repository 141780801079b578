"""`lab apply`: makes the world as the Labfile says, and remembers it."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.complain import show
from lab.cli.ending import OUTCOMES, ending
from lab.cli.locking import locked
from lab.cli.outputs import Evaluated, evaluated
from lab.cli.run_record import RunRecord
from lab.cli.running import begin, confirm, end_survivors, interruptible, limits, moves, reporting
from lab.cli.saved import is_saved_plan, recall, refuse_if_moved, require_sealed
from lab.cli.session import Session, Survey, warnings_of
from lab.cli.streams import heard_or_not
from lab.cli.terminal import colourful
from lab.model.diagnostic import Diagnostic, Severity
from lab.model.event import RunFinished, StepKept, StepSkipped
from lab.model.plan import Verb
from lab.planning.plan import Draft
from lab.report.jsonlines import JsonLines
from lab.report.plan_text import plan_text
from lab.running.run import Run, Settings


def main(words: Sequence[str]) -> int:
    """Plans, asks where something would be destroyed, runs, and says what came of it."""
    parser = arguments.parser(
        "apply",
        "Make everything as the Labfile says, in parallel, and remember each finished step.",
    )
    arguments.add_labfile(parser, plan_file=True)
    arguments.add_selection(parser)
    arguments.add_refresh(parser)
    arguments.add_running(parser)
    args = arguments.parse(parser, words)
    path, before = args.labfile, None
    if is_saved_plan(path):
        before = recall(path, args)
    session = Session.open(args, write=True)
    try:
        with locked(session, args, "apply"):
            session.reload()
            if before is not None:
                require_sealed(path, session)
            end_survivors(session)
            _make_ready(session, args)
            selection = arguments.selection(args)
            found = session.survey(refresh=args.refresh, selection=selection)
            commands = before is None or args.allow_commands  # a saved plan's steps stay as unknown
            draft = session.plan(selection, found, commands=commands)
            if before is not None:
                refuse_if_moved(path, session, draft, before)
            if not (args.quiet or args.json):
                show(warnings_of(session, found))
            if draft.plan.empty and not _protects(session, draft):
                return _nothing_to_do(session, args, draft)
            if not (args.quiet or args.json):
                show(_cautions(draft))
            confirm(draft.plan, args)
            return _run(session, args, found, draft)
    finally:
        session.close()


def _make_ready(session: Session, args: argparse.Namespace) -> None:
    """Where steps are sure to run, what starts their programs starts now, beside the planning."""
    steps, records = session.graph.steps, session.state.records
    if args.replace or len(records) < len(steps):
        with contextlib.suppress(OSError):  # the first step that needs it says what is wrong
            session.processes.warm()


def _run(session: Session, args: argparse.Namespace, found: Survey, draft: Draft) -> int:
    number = session.state.run + 1
    with (
        interruptible(session.stop, moving=moves(args)),
        reporting(session, args, draft.plan) as reporter,
    ):
        started = begin(session, number, "apply")
        record = RunRecord(session, number)
        record.begin()
        reporter.tell(started)
        report = Run(
            draft,
            session.world(),
            session.read.registry,
            session.ports,
            Settings(
                limits=limits(session, args), fail_fast=args.fail_fast, lines=args.verbose > 0
            ),
            run=number,
            seen=found.seen,
            stop=session.stop,
            tell=reporter.tell,
        ).go()
        outputs = evaluated(session, report.outcomes)
        finished = RunFinished(
            run=number,
            time=session.clock.now(),
            outcome=report.outcome,
            counts=report.counts,
            outputs=outputs.shown,
        )
        session.ports.journal.append(finished)
        reporter.tell(finished)
        record.write()
    if not args.json:
        with heard_or_not():
            ending(session, args, reporter.heard, report, outputs, since=started.time)
    return OUTCOMES[report.outcome]


def _nothing_to_do(session: Session, args: argparse.Namespace, draft: Draft) -> int:
    """Everything is as it should be: no run begins, and why is said."""
    outputs = evaluated(session, draft.outcomes)
    if args.json:
        _tell_kept(session, draft, outputs)
    elif not args.quiet:
        print(plan_text(draft.plan, colour=colourful(sys.stdout), verbose=args.verbose > 0))
        outputs.print()
    return 0


def _tell_kept(session: Session, draft: Draft, outputs: Evaluated) -> None:
    """What a run would have told of steps that are as they should be."""
    lines, run, now = JsonLines(sys.stdout), session.state.run, session.clock.now()
    for action in draft.plan.actions:
        event = StepKept if action.verb is Verb.KEEP else StepSkipped
        lines.tell(event(run=run, time=now, address=action.address, cause=action.cause))
    words = {"keep": "kept", "skip": "skipped"}
    counts = {words[word]: count for word, count in draft.plan.summary().items()}
    lines.tell(RunFinished(run=run, time=now, outcome="done", counts=counts, outputs=outputs.shown))


def _cautions(draft: Draft) -> tuple[Diagnostic, ...]:
    """What the plan warns of, for those who apply without reading it."""
    return tuple(
        Diagnostic(severity=Severity.WARNING, summary=sentence) for sentence in draft.plan.warnings
    )


def _protects(session: Session, draft: Draft) -> bool:
    """Whether a kept step's `protect` changed: that alone must be recorded."""
    records, steps = session.state.records, session.graph.steps
    return any(
        records[action.address].protect != steps[action.address].options.protect
        for action in draft.plan.actions
        if action.verb is Verb.KEEP
    )
