"""`lab reproduce`: makes what a run made again, elsewhere, and says whether it came out the same."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.home import file_journal
from lab.cli.named import add_words, take_labfile
from lab.cli.recorded import Recorded, recorded
from lab.cli.reproduce_check import Check, checks_of, checks_text
from lab.cli.reproduce_scratch import Again, again_of, apply_words, fill
from lab.cli.terminal import colourful, width
from lab.cli.trained import run_number
from lab.report.value_text import json_line

TOLERANCE = 1e-6
ABOUT = """Make again what a run made, from what was kept of it: the Labfile with its overlay and variables, the files
that its steps read, and its environments' locks. It happens in a folder of its own, which is removed if all comes
out the same; nothing here changes. Exit code 0: it did, 1: it did not."""


def main(words: Sequence[str]) -> int:
    """Fills a folder, applies there, and compares."""
    parser = arguments.parser("reproduce", ABOUT)
    add_words(parser, "RUN", "the run's number")
    arguments.add_commands(parser)
    parser.add_argument(
        "--into", metavar="DIR", help="the folder, which stays; it must not be there yet"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        metavar="T",
        help=f"how far a metric may be off, as a part of its value (default: {TOLERANCE:g})",
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    if len(rest) != 1:
        raise arguments.usage("`lab reproduce` wants a run", "for example: lab reproduce 3")
    if args.into is not None and os.path.lexists(args.into):
        raise arguments.usage(f"there is something at {args.into} already", "name another place")
    with recorded(args) as lab:
        again = again_of(lab, run_number(lab, rest[0]))
        folder = args.into or tempfile.mkdtemp(prefix="lab-reproduce-")
        code, found = _make(lab, again, os.path.realpath(folder), args.tolerance, as_json=args.json)
    same = code == 0 and all(each.same for each in found if each.counts)
    if args.json:
        steps = [each.json() for each in found]
        print(json_line({"run": again.run, "same": same, "folder": folder, "checks": steps}))
    elif code == 0:
        print(checks_text(found, colour=colourful(sys.stdout), width=width(sys.stdout)))
    if same and args.into is None:
        shutil.rmtree(folder, ignore_errors=True)
    elif not args.json:
        print(f"\nIt lies in {folder}.")
    return 0 if same else 1


def _make(
    lab: Recorded, again: Again, folder: str, tolerance: float, *, as_json: bool
) -> tuple[int, list[Check]]:
    fill(lab, again, folder)
    code = _apply(apply_words(again, folder), quiet=as_json)
    if code != 0:
        return code, []
    with file_journal(folder) as journal:
        made = journal.open(again.name, again.overlay).load().records
    return 0, checks_of(again, made, folder, tolerance)


def _apply(words: list[str], *, quiet: bool) -> int:
    """A program of its own: it has its own working folder, signals and locks."""
    import subprocess  # it takes as long to import as a small plan to make

    environ = {n: v for n, v in os.environ.items() if not n.startswith("LAB_VAR_")}
    program = [sys.executable, "-c", "from lab.cli.main import program; program()", "apply", *words]
    return subprocess.run(
        program, env=environ, stdout=sys.stderr if quiet else None, check=False
    ).returncode
