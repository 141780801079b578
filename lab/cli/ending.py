"""What a run leaves on the screen: each failure with its log's end, what was skipped, and how to go on."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence

from lab.cli.outputs import Evaluated
from lab.cli.running import tail
from lab.cli.session import Session
from lab.cli.terminal import colourful
from lab.model.diagnostic import printable
from lab.model.event import Event, StepFailed, StepSkipped
from lab.report.words import counted, duration, paint
from lab.running.run import Report

LOG_LINES = 20
LONGEST_LINE = 400  # characters of a line of a log
OUTCOMES = {"done": 0, "failed": 1, "interrupted": 130}  # exit codes

PHRASES = {
    "created": "created",
    "updated": "updated",
    "replaced": "replaced",
    "destroyed": "destroyed",
    "forgotten": "forgotten",
    "kept": "kept",
    "skipped": "skipped",
    "failed": "failed",
    "interrupted": "interrupted",
}


def ending(
    session: Session,
    args: argparse.Namespace,
    heard: Sequence[Event],
    report: Report,
    outputs: Evaluated,
    *,
    since: float,
    verb: str = "apply",
) -> None:
    """Prints how a run ended, for people."""
    colour = colourful(sys.stdout)
    for text in _failures(heard, colour):
        print(text)
    if args.quiet and report.outcome == "done":
        return
    outputs.print()
    took = duration(max(0.0, session.clock.now() - since))  # a clock may be set back
    word, style = {
        "done": ("Done", "green"),
        "failed": ("Failed", "red"),
        "interrupted": ("Interrupted", "yellow"),
    }[report.outcome]
    counts = counted(report.counts, PHRASES) or "nothing ran"
    if trials := report.counts.get("trials", 0):
        counts += f", with {trials} trial{'s' if trials != 1 else ''}"
    print(f"\n{paint(word, style, colour)} in {took}: {counts}.")
    if report.outcome != "done":
        print(f"To go on: {paint(again(session, args, verb), 'bold', colour)}")


def _failures(events: Sequence[Event], colour: bool) -> Iterator[str]:
    skipped: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, StepSkipped) and event.because:
            skipped.setdefault(event.because, []).append(event.address)
    for event in events:
        if isinstance(event, StepFailed) and not event.interrupted:
            yield _failure(event, skipped.get(event.address, []), colour)


def _failure(event: StepFailed, skipped: list[str], colour: bool) -> str:
    head = paint("✗", "red", colour) + " " + paint(event.address, "bold", colour)
    lines = ["", f"{head}: {printable(event.error)}"]
    lines += [f"  {printable(line)}" for line in event.detail.splitlines()]
    said = tail(event.log, LOG_LINES) if event.log else []
    lines += [paint("  │ ", "red", colour) + printable(_cut(line)) for line in said]
    if os.path.exists(event.log):
        lines.append(paint(f"  log: {os.path.relpath(event.log)}", "dim", colour))
    if skipped:
        more = f" and {len(skipped) - 6} more" if len(skipped) > 6 else ""
        lines.append(f"  skipped because of it: {', '.join(skipped[:6])}{more}")
    return "\n".join(lines)


def _cut(line: str) -> str:
    """A line as a terminal would show it at last: without what a progress bar wrote over, not too long."""
    last = line.rstrip("\r").rsplit("\r", 1)[-1]
    return last if len(last) <= LONGEST_LINE else last[:LONGEST_LINE] + " …"


def again(session: Session, args: argparse.Namespace, verb: str) -> str:
    """The command that goes on from here; what `--replace` named runs again only if it has not ended well."""
    given = [
        ("-C", [args.folder]),
        ("-e", [args.overlay]),
        ("--var", args.var),
        ("--var-file", args.var_file),
        ("--only", args.only),
        ("--exclude", args.exclude),
        ("--tags", args.tags),
        ("-j", [args.jobs]),
    ]
    words = ["lab", verb, *([session.read.shown] if args.labfile else [])]
    for option, values in given:
        words += [word for value in values if value for word in (option, str(value))]
    return shlex.join(words)
