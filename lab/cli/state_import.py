"""`lab state import`: takes over something that is there already, as if its step had made it."""

from __future__ import annotations

from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.complain import show
from lab.cli.locking import locked
from lab.cli.named import add_words, not_known, take_labfile
from lab.cli.running import run_started
from lab.cli.session import Session, unseen
from lab.model.diagnostic import Diagnostic, LabError, LabfileError, PlanError, StateError
from lab.model.event import RunFinished
from lab.model.plan import Verb
from lab.planning.decide import Decision
from lab.planning.plan import Draft
from lab.planning.select import EVERYTHING
from lab.running.adopt import adopt
from lab.running.attempt import Failure, Job

ABOUT = """Take over something that is there already, as if STEP had made it: from then on it is observed, kept,
and undone by `lab destroy`. Nothing is run, and nothing is made.

What ID is, depends on the kind. environment: the folder of a virtual environment. dataset: the file, where it
lies. command: a file with its values as name=value lines, or - if it gives none; its artifacts must be there.
training: the same, or what it printed where its metrics are read from there. Other kinds: see their provider."""


class NotAdoptedError(LabError):
    """What is there is not what the step would make."""

    exit_code = 1


def main(words: Sequence[str]) -> int:
    """Asks the provider what ID is, and stores it as the step's."""
    parser = arguments.parser("state import", ABOUT)
    add_words(parser, "STEP ID", "a step, and what its kind calls the thing", least=2)
    arguments.add_lock(parser)
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    if len(rest) != 2:
        raise arguments.usage(
            "`lab state import` wants a step and what to import",
            "for example: lab state import env .venv",
        )
    address, thing = rest
    session = Session.open(args, write=True)
    try:
        with locked(session, args, f"state import {address}"):
            session.reload()
            job = _job(session, address)
            _import(session, job, thing)
    finally:
        session.close()
    print(f"`{address}` is `{thing}` now. `lab plan` says whether anything is left to do.")
    return 0


def _import(session: Session, job: Job, id: str) -> None:
    came = adopt(job, id, session.ports, stop=session.stop)
    if isinstance(came, Failure):
        raise NotAdoptedError(
            Diagnostic(
                summary=f"`{id}` was not imported as `{job.step.address}`: {came.error}",
                detail=came.detail,
                span=session.labfile.document.span_of(job.step.path, key=True),
            )
        )
    began = run_started(session, job.run, f"state import {job.step.address} {id}")
    ended = RunFinished(
        run=job.run, time=session.clock.now(), outcome="done", counts={"imported": 1}
    )
    session.ports.journal.append(began, *came, ended)


def _job(session: Session, address: str) -> Job:
    """The step as it would be made now, if it is known what it is to be and nothing is recorded of it.

    Raises:
        LabError: it is not so.
    """
    graph, records = session.graph, session.state.records
    if address not in graph.steps:
        raise not_known("step", address, list(graph.steps))
    if address in records:
        raise StateError(
            Diagnostic(
                summary=f"`{address}` is remembered already, and was not overwritten",
                help=f"`lab state rm '{address}'` forgets it first, if that is what you want",
            )
        )
    found = session.survey()
    draft = session.plan(EVERYTHING, found)
    show(unseen(found, "What is imported is compared with what was recorded of it."))
    return _made_ready(session, address, draft)


def _made_ready(session: Session, address: str, draft: Draft) -> Job:
    step = session.graph.steps[address]
    action = next(each for each in draft.plan.actions if each.address == address)
    wanted = draft.wanted.get(address)
    span = session.labfile.document.span_of(step.path, key=True)
    if wanted is None or action.verb is not Verb.CREATE:
        raise PlanError(Diagnostic(summary=f"`{address}` is skipped: {action.cause}", span=span))
    if not wanted.digest:
        after = ", ".join(f"`{each}`" for each in wanted.unknown[:6])
        raise PlanError(
            Diagnostic(
                summary=f"what `{address}` is to be is known only after {after}",
                detail="Something that is not known cannot be compared with what is there.",
                help=f"apply or import that first: `lab apply --only {wanted.unknown[0]}`",
                span=span,
            )
        )
    if wanted.missing:
        shown = ", ".join(wanted.missing)
        raise PlanError(
            Diagnostic(summary=f"`{address}` reads {shown}, which is not there", span=span)
        )
    provider = session.read.registry.find(step.kind, step.target.provider)
    if provider is None:
        raise LabfileError(
            Diagnostic(summary=f"no provider of `{step.kind}` is installed", span=span)
        )
    return Job(
        graph=session.graph,
        step=step,
        decision=Decision(Verb.CREATE, "asked for with `lab state import`"),
        wanted=wanted,
        record=None,
        provider=provider,
        former=None,
        spec_type=session.read.catalog.specs[step.kind],
        outcomes=draft.outcomes,
        run=session.state.run + 1,
    )
