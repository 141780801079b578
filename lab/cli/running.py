"""What a run needs of the command line: who is told, how it is stopped, and whether it may destroy."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from lab.cli.asking import ask
from lab.cli.session import Session
from lab.cli.streams import heard_or_not
from lab.cli.terminal import colourful, interactive
from lab.edge.process import Cancel
from lab.edge.process_survivors import end_marked, find_marked
from lab.edge.work import clear_outputs
from lab.model.diagnostic import Diagnostic, LabfileError
from lab.model.event import Event, RunStarted, StepFailed, StepSkipped
from lab.model.plan import Plan
from lab.ports import Reporter
from lab.report.console import Console
from lab.report.jsonlines import JsonLines
from lab.report.plan_text import FEW, plan_text
from lab.running.schedule import Limits

WIDEST = 28  # columns of a name in plain lines
SHOW_CURSOR = b"\x1b[?25h\n"
SURVIVOR_GRACE = 5.0  # seconds between asking an old child to end and ending it


def limits(session: Session, args: argparse.Namespace) -> Limits:
    """What may be in use at once: the machine's, unless the command line says less."""
    machine = session.machine
    return Limits(
        jobs=args.jobs or machine.cpus,
        cpu=args.cpu if args.cpu is not None else float(machine.cpus),
        gpu=args.gpu if args.gpu is not None else machine.gpus,
        memory=machine.memory,
        devices=machine.devices,
        cores=machine.cores,
    )


class Recorder:
    """Passes events on, and keeps those that the last words of a run are about.

    That nobody reads them any more, or that a disk is full, is no reason to stop a training.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.heard: list[Event] = []

    def tell(self, event: Event) -> None:
        if isinstance(event, StepFailed | StepSkipped):
            self.heard.append(event)
        with heard_or_not():  # a reporter does nothing but write
            self._reporter.tell(event)


@contextlib.contextmanager
def reporting(session: Session, args: argparse.Namespace, plan: Plan) -> Iterator[Recorder]:
    """Whoever is told: JSON lines, a live terminal, or plain lines."""
    with _reporter(session, args, plan) as reporter:
        yield Recorder(reporter)


@contextlib.contextmanager
def _reporter(session: Session, args: argparse.Namespace, plan: Plan) -> Iterator[Reporter]:
    longest = max((len(a.address) for a in plan.actions), default=8)
    kept = args.verbose > 0 or plan.summary().get("keep", 0) <= FEW
    if args.json:
        yield JsonLines(sys.stdout)
    elif moves(args):
        from lab.report.live import Live  # rich takes longer to import than a plan to make

        steps = session.graph.steps
        runs = [a.address for a in plan.actions if a.verb.runs and a.address in steps]
        with Live(
            {address: session.graph.needs.get(address, ()) for address in runs},
            longest=longest,
            kept=kept,
            alone=_alone({address: steps[address].options.mutex for address in runs}),
            stopping=session.stop.is_set,
        ) as live:
            yield live
    else:
        yield Console(
            sys.stdout,
            colour=colourful(sys.stdout),
            wide=min(WIDEST, longest),
            quiet=args.quiet,
            kept=kept,
        )


def moves(args: argparse.Namespace) -> bool:
    """Whether a person looks on, so that lines may move."""
    return sys.stdout.isatty() and colourful(sys.stdout) and not args.quiet and not args.json


def _alone(mutexes: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """For each step, the others that share a mutex with it."""
    groups: dict[str, list[str]] = {}
    for address, names in mutexes.items():
        for name in names:
            groups.setdefault(name, []).append(address)
    return {
        address: [other for name in names for other in groups[name] if other != address]
        for address, names in mutexes.items()
        if names
    }


@contextlib.contextmanager
def interruptible(stop: Cancel, *, moving: bool) -> Iterator[None]:
    """While it lasts, Ctrl-C (or SIGTERM) stops the run cleanly, and a second one at once.

    Where lines are *moving*, they say so themselves; a line from elsewhere would go in among them.
    """

    def wished(number: int, frame: FrameType | None) -> None:
        if not stop.is_set():
            if not moving:
                _say(2, b"\nstopping: the running steps are being ended (again to stop at once)\n")
            stop.set()
            return
        if moving:
            _say(1, SHOW_CURSOR)
        os._exit(130)  # the warden ends every descendant when this process is gone

    before = {number: signal.signal(number, wished) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(stream: int, text: bytes) -> None:
    """Writes at once; a stream that nobody reads any more is no reason not to stop."""
    with contextlib.suppress(OSError):
        os.write(stream, text)


def begin(session: Session, run: int, command: str) -> RunStarted:
    """Records that a run begins."""
    started = run_started(session, run, command)
    session.ports.journal.append(started)
    return started


def run_started(session: Session, run: int, command: str) -> RunStarted:
    """That a run begins here and now."""
    return RunStarted(
        run=run,
        time=session.clock.now(),
        command=command,
        labfile=session.read.shown,
        host=socket.gethostname(),
        pid=os.getpid(),
    )


def end_survivors(session: Session) -> None:
    """Ends what an earlier run left running: possible only if both lab and its warden were killed."""
    assert session.journal is not None, "only a session that writes may end processes"
    last = next(iter(session.journal.runs(newest=1)), None)
    if last is not None and last.finished is None:
        prefix = session.mark + ":"
        survivors = find_marked(prefix)
        if survivors:
            print(f"ending {len(survivors)} processes that a killed run had left", file=sys.stderr)
            end_marked(prefix, SURVIVOR_GRACE)
            # They may have written once more since the lock was taken.
            clear_outputs(session.labfile.root, session.labfile.name, session.labfile.overlay)


def confirm(plan: Plan, args: argparse.Namespace) -> None:
    """Asks before infrastructure is destroyed or replaced; without a terminal, `--yes` must say so.

    Raises:
        LabfileError: nobody can be asked, or the answer is no.
    """
    asking = [action.address for action in plan.actions if action.asks]
    if not asking or args.yes:
        return
    shown = ", ".join(f"`{address}`" for address in asking)
    if not interactive() or args.json:
        raise LabfileError(
            Diagnostic(
                summary=f"the plan destroys or replaces {shown}, and nobody can be asked",
                help="read it with `lab plan`, then add `--yes`",
            )
        )
    print(plan_text(plan, colour=colourful(sys.stdout)))
    ask(f"This destroys or replaces {shown}. Go on?")


def tail(path: str, lines: int) -> Sequence[str]:
    """The last lines of a log, however big it is."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.removesuffix("\n").split("\n")[-lines:] if text else []
