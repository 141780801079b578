"""What is remembered of one run: what it did to each step, in the order in which that began."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from lab.cli.arguments import usage
from lab.cli.recorded import NotYetError, Recorded
from lab.cli.runs import counts_text, run_json
from lab.cli.standing import OUTCOME_STYLES, Holding, holding, outcome_of
from lab.cli.trained import record_of
from lab.edge.journal import Run
from lab.model.diagnostic import Diagnostic
from lab.model.event import (
    Event,
    RecordMoved,
    RunFinished,
    RunStarted,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepSkipped,
    StepStarted,
)
from lab.model.frozen import dataclass
from lab.report.moments import moment
from lab.report.tables import Cell, Column, table
from lab.report.value_text import brief
from lab.report.words import duration, paint, size

SIGNS: Mapping[str, tuple[str, str]] = {
    "running": ("▶", "cyan"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "interrupted": ("■", "yellow"),
    "killed": ("■", "red"),
    "skipped": ("·", "dim"),
    "destroyed": ("-", "red"),
    "forgotten": ("x", "red"),
    "moved": ("→", "cyan"),
}
"""What became of a step in a run, and how that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a run did to one step. ``result`` is a word of SIGNS."""

    address: str
    result: str
    action: str = ""
    cause: str = ""
    started: float | None = None
    finished: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run. ``begun`` is missing where its history was dropped."""

    run: Run
    held: Holding | None
    begun: RunStarted | None = None
    parts: tuple[Part, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] | None = None  # what was kept of how it began


def run_facts(lab: Recorded, word: str) -> RunFacts:
    """The run whose number is *word*.

    Raises:
        LabError: it is no number, or there is no such run.
    """
    if not (word.isascii() and word.isdigit()):
        raise usage(f"`{word}` is not the number of a run", "`lab runs` lists them")
    runs = lab.lab.runs()
    run = next((each for each in runs if str(each.run) == word.lstrip("0")), None)
    if run is None:
        there = f"The newest is run {runs[-1].run}." if runs else "There is none yet."
        raise NotYetError(
            Diagnostic(
                summary=f"there is no run {word}", detail=there, help="`lab runs` lists them"
            )
        )
    held = holding(lab.lab)
    events = lab.lab.events(run=run.run)
    alive = outcome_of(run, held) == "running"
    return RunFacts(
        run=run,
        held=held,
        begun=next((e for e in events if isinstance(e, RunStarted)), None),
        parts=tuple(_parts(events, "running" if alive else "killed").values()),
        outputs=next((e.outputs for e in events if isinstance(e, RunFinished)), {}),
        record=record_of(lab, run.run),
    )


def _parts(events: Iterable[Event], unended: str) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for event in events:
        address = getattr(event, "address", "")
        if address:
            before = parts.get(address, Part(address=address, result=unended))
            after = _after(before, event)
            if after is not None:
                parts[address] = after
    return parts


def _after(part: Part, event: Event) -> Part | None:
    """What is known of a step after one more event of the run; None if that says nothing."""
    match event:
        case StepStarted(verb=verb, cause=cause, time=time_):
            return replace(part, action=verb, cause=cause, started=time_)
        case StepFinished():
            return replace(part, result="done", finished=event.time)
        case StepFailed(error=error, interrupted=interrupted):
            result = "interrupted" if interrupted else "failed"
            return replace(part, result=result, finished=event.time, error=error)
        case StepSkipped(cause=cause):
            return replace(part, result="skipped", cause=cause)
        case StepDestroyed():
            return replace(part, result="destroyed", finished=event.time)
        case StepForgotten(cause=cause):
            return replace(part, result="forgotten", cause=cause)
        case RecordMoved(to=to):
            return replace(part, result="moved", cause=f"to {to}")
        case _:
            return None


def show_run_json(facts: RunFacts) -> dict[str, Any]:
    """The object of `lab show run N --json`."""
    begun = facts.begun
    return {
        **run_json(facts.run, facts.held),
        "labfile": begun.labfile if begun else None,
        "host": begun.host if begun else None,
        "pid": begun.pid if begun else None,
        "steps": [_part_json(part) for part in facts.parts],
        "outputs": dict(facts.outputs),
        "record": None if facts.record is None else dict(facts.record),
    }


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "step": part.address,
        "result": part.result,
        "action": part.action or None,
        "cause": part.cause or None,
        "started": part.started,
        "finished": part.finished,
        "error": part.error or None,
    }


_HEAD = (Column(), Column())
_PARTS = (Column(sign=True), Column(gives=True), Column(), Column(right=True), Column(gives=True))


def run_text(facts: RunFacts, *, colour: bool, width: int | None) -> str:
    """What `lab show run N` prints for people."""
    run, outcome = facts.run, outcome_of(facts.run, facts.held)
    about = paint(outcome, OUTCOME_STYLES.get(outcome, "bold"), colour)
    lines = [f"{paint(f'run {run.run}', 'bold', colour)}  `{run.command}`  {about}", ""]
    lines.append(table(_HEAD, list(_head(facts)), colour=colour, indent="  "))
    if facts.parts:
        rows = [_row(part) for part in facts.parts]
        lines += ["", paint("Steps", "bold", colour)]
        lines.append(table(_PARTS, rows, colour=colour, width=width, indent="  "))
    if facts.outputs:
        outputs = [[Cell(k, "dim"), Cell(brief(v))] for k, v in facts.outputs.items()]
        lines += ["", paint("Outputs", "bold", colour)]
        lines.append(table(_HEAD, outputs, colour=colour, indent="  "))
    return "\n".join(lines)


def _head(facts: RunFacts) -> Iterator[list[Cell]]:
    run, begun = facts.run, facts.begun
    yield [Cell("started", "dim"), Cell(moment(run.started))]
    if run.finished is not None:
        yield [Cell("took", "dim"), Cell(duration(max(0.0, run.finished - run.started)))]
    elif outcome_of(run, facts.held) == "running":
        yield [Cell("so far", "dim"), Cell(duration(max(0.0, time.time() - run.started)))]
    if begun is not None:
        yield [Cell("labfile", "dim"), Cell(begun.labfile)]
        yield [Cell("on", "dim"), Cell(f"{begun.host}, process {begun.pid}")]
    if facts.record is not None:
        yield from _record(facts.record)
    if run.counts:
        yield [Cell("came to", "dim"), Cell(counts_text(run.counts))]


def _record(record: Mapping[str, Any]) -> Iterator[list[Cell]]:
    """Commit, machine and variables, where they are what lab writes there."""
    git, machine, given = (record.get(name) for name in ("git", "machine", "vars"))
    if isinstance(git, Mapping):
        changes = " and changes" if git.get("dirty") else ""
        yield [Cell("commit", "dim"), Cell(f"{str(git.get('commit'))[:12]}{changes}")]
    if isinstance(machine, Mapping):
        memory = machine.get("memory")
        shown = size(memory) if isinstance(memory, int) else "?"
        what = f"{machine.get('cpus')} cores, {shown}, {machine.get('system')}"
        yield [Cell("machine", "dim"), Cell(what)]
    if isinstance(given, Mapping) and given:
        shown = ", ".join(f"{name}={brief(value)}" for name, value in given.items())
        yield [Cell("vars", "dim"), Cell(shown)]


def _row(part: Part) -> list[Cell]:
    sign, style = SIGNS[part.result]
    took = ""
    if part.started is not None and part.finished is not None:
        took = duration(max(0.0, part.finished - part.started))
    said = part.error.splitlines()[0] if part.error else part.cause
    return [
        Cell(sign, style),
        Cell(part.address, "bold"),
        Cell(part.action or part.result, "dim"),
        Cell(took, "dim"),
        Cell(said, "red" if part.error else ""),
    ]
