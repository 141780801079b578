"""`lab plan`: what would change, and why."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.complain import show
from lab.cli.saved import save
from lab.cli.session import Session, warnings_of
from lab.cli.standing import holding
from lab.cli.terminal import colourful
from lab.model.diagnostic import Diagnostic, Severity
from lab.report.plan_json import plan_json
from lab.report.plan_text import plan_text
from lab.report.value_text import json_line

EXIT_PENDING = 5


def main(words: Sequence[str]) -> int:
    """Makes the plan and prints it; nothing is run and nothing is changed."""
    parser = arguments.parser("plan", "Show what `lab apply` would do, and why. Runs no step.")
    arguments.add_labfile(parser)
    arguments.add_selection(parser)
    arguments.add_refresh(parser)
    arguments.add_output(parser)
    parser.add_argument("--check", action="store_true", help="exit 5 if anything would change")
    parser.add_argument(
        "--out", metavar="FILE", help="save the plan; `lab apply FILE` runs exactly it"
    )
    arguments.add_commands(parser)
    args = arguments.parse(parser, words)
    session = Session.open(args, write=False, allow_commands=args.allow_commands)
    try:
        if args.out and not session.state.key:
            session.open_state(write=True)  # for the key that the plan is sealed with
        selection = arguments.selection(args)
        found = session.survey(refresh=args.refresh, selection=selection)
        draft = session.plan(selection, found)
        if not args.quiet:
            show((*_going_on(session), *warnings_of(session, found)))
        if args.out:
            save(args.out, session, draft, args)
        if args.json:
            print(json_line(plan_json(draft.plan, session.read.shown)))
        elif not args.quiet:
            print(plan_text(draft.plan, colour=colourful(sys.stdout), verbose=args.verbose > 0))
            if args.out:
                print(f"\nSaved. `lab apply {args.out}` runs exactly this plan, or refuses.")
        return EXIT_PENDING if args.check and not draft.plan.empty else 0
    finally:
        session.close()


def _going_on(session: Session) -> tuple[Diagnostic, ...]:
    """That another command is changing the lab, if the state looks as if one did."""
    records = session.state.records.values()
    if session.journal is None or not any(r.tried and not r.tried.error for r in records):
        return ()
    held = holding(session.journal)
    if held is None:
        return ()
    return (
        Diagnostic(
            severity=Severity.WARNING,
            summary=f"`{held.holder.command}` is changing this lab now (process {held.holder.pid})",
            detail="The plan takes what it is running for interrupted, and holds only until it ends.",
        ),
    )
