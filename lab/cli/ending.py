"""What a run leaves on the screen: each failure with its log's end, what was skipped, and how to go on."""

from __future__ import annotations

import argparse
import os
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
    took = duration(session.clock.now() - since)
    word, style = {
        "done": ("Done", "green"),
        "failed": ("Failed", "red"),
        "interrupted": ("Interrupted", "yellow"),
    }[report.outcome]
    counts = counted(report.counts, PHRASES) or "nothing ran"
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
    if said:
        lines += [paint("  │ ", "red", colour) + printable(line) for line in said]
    if event.log:
        lines.append(paint(f"  log: {os.path.relpath(event.log)}", "dim", colour))
    if skipped:
        more = f" and {len(skipped) - 6} more" if len(skipped) > 6 else ""
        lines.append(f"  skipped because of it: {', '.join(skipped[:6])}{more}")
    return "\n".join(lines)


def again(session: Session, args: argparse.Namespace, verb: str) -> str:
    """The command that goes on from here."""
    words = ["lab", verb]
    if os.path.basename(session.read.shown) != session.read.shown or args.labfile:
        words.append(session.read.shown)
    if args.overlay:
        words += ["-e", args.overlay]
    words += [f"--var {text}" for text in args.var]
    return " ".join(words)
