"""`lab doctor`: checks what a Labfile needs of this machine."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence

from lab.cli import arguments
from lab.cli.doctor_machine import cache_folder, python, resources, room, uv
from lab.cli.doctor_state import of_state
from lab.cli.doctor_steps import of_steps
from lab.cli.labfile import Read, find, read_labfile
from lab.cli.session import Session
from lab.cli.terminal import colourful
from lab.edge.machine import Machine, bare
from lab.model.diagnostic import LabError, LabfileError
from lab.model.layout import FOLDER
from lab.report.checks import Check, Status, checks_json, checks_text

ABOUT = """Check what a Labfile needs of this machine: tools, room, files, secrets, and the state.

Nothing is changed, nothing is downloaded, no network is needed, and no secret is shown. Exits 1 if
something would keep `lab apply` from working."""

EXIT_PROBLEM = 1


def main(words: Sequence[str]) -> int:
    """Prints a line for each check, and for each that is not well a fix."""
    parser = arguments.parser("doctor", ABOUT)
    arguments.add_labfile(parser)
    arguments.add_commands(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON list of checks")
    parser.add_argument("-q", "--quiet", action="store_true", help="show only what is not well")
    args = arguments.parse(parser, words)
    checks = list(_checks(args))
    if args.json:
        print(json.dumps(checks_json(checks), ensure_ascii=False))
    else:
        print(checks_text(checks, colour=colourful(sys.stdout), quiet=args.quiet))
    return EXIT_PROBLEM if any(check.status is Status.FAIL for check in checks) else 0


def _checks(args: argparse.Namespace) -> Iterator[Check]:
    read, faults = _read(args)
    if read is None:
        yield from _machine(None)
        yield from faults
        return
    session = Session(read, allow_commands=args.allow_commands)
    try:
        yield from _machine(session)
        yield from _of_labfile(read)
        yield from of_steps(session, read.shown)
        yield from of_state(session, read.shown)
    finally:
        session.close()


def _read(args: argparse.Namespace) -> tuple[Read | None, list[Check]]:
    """The Labfile, or why there is none; without one here, the machine alone is looked at."""
    try:
        find(args.labfile)
    except LabfileError as error:
        if args.labfile is not None:
            raise
        text = "none here or above: only this machine was looked at"
        return None, [
            Check(about="Labfile", name="Labfile", text=text, fix=error.diagnostics[0].help)
        ]
    try:
        return read_labfile(args), []
    except LabError as error:
        count = len(error.diagnostics)
        first = str(error).splitlines()[0]
        more = f", and {count - 1} more" if count > 1 else ""
        fix = " ".join(["lab validate", *([args.labfile] if args.labfile else [])])
        return None, [
            Check(about="Labfile", name="Labfile", text=first + more, status=Status.FAIL, fix=fix)
        ]


def _machine(session: Session | None) -> Iterator[Check]:
    # Without a Labfile nobody knows which variables are secrets, so that programs are given hardly any.
    machine = session.machine if session else Machine(bare(os.environ))
    steps = session.graph.steps.values() if session else ()
    root = session.labfile.root if session else os.getcwd()
    yield python()
    yield uv(machine, needed=any(step.kind == "environment" for step in steps))
    yield from room([("this lab", os.path.join(root, FOLDER)), ("the cache", cache_folder())])
    yield from resources(machine, [(step.address, step.options.resources) for step in steps])


def _of_labfile(read: Read) -> Iterator[Check]:
    count, warned = len(read.graph.steps), len(read.graph.warnings)
    text = f"right: {count} step{'' if count == 1 else 's'}"
    if warned:
        text += f", {warned} warning{'' if warned == 1 else 's'}"
    fix = "lab validate" if warned else ""
    status = Status.WARN if warned else Status.OK
    yield Check(about=read.shown, name="Labfile", text=text, status=status, fix=fix)
