"""What `lab explain` prints for people."""

from __future__ import annotations

import json
import re
import textwrap
import time
from collections.abc import Iterator, Sequence
from typing import Any

from lab.cli.explain_facts import Explained, unknown_text
from lab.cli.explain_times import Time
from lab.cli.show_step import short
from lab.cli.standing import standing
from lab.model.diagnostic import printable
from lab.model.plan import Change, Verb
from lab.model.values import Absent, Unknown
from lab.report.moments import moment, since
from lab.report.tables import Cell, Column, table
from lab.report.words import VERB_COLOURS, duration, paint

NEVER = (
    "needs, when, retries, timeout, protect, tags, mutex, resources, on_failure, cache, description;"
    " the step's name, the order of keys, times, where the checkout lies, and the surrounding"
    " environment"
)
_HEAD = (Column(), Column())
_COUNTED = (Column(sign=True), Column(), Column())
_INPUTS = (Column(sign=True), Column(), Column(), Column())
_TIMES = (
    Column(title="run", right=True),
    Column(title="started"),
    Column(title="waited", right=True),
    Column(title="queued", right=True),
    Column(title="took", right=True),
    Column(title="ended"),
    Column(gives=True),
)
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
LONGEST = 60  # characters of one side of a change


def explain_text(told: Explained, *, colour: bool, width: int | None) -> str:
    """All of it, section by section; sections that would be empty are left out."""
    kind = f"{told.action.kind} on {told.action.target}"
    lines = [f"{paint(printable(told.address), 'bold', colour)}  {kind}", ""]
    lines.append(table(_HEAD, list(_head(told)), colour=colour, indent="  "))
    for title, columns, rows in _sections(told):
        if rows:
            lines += ["", paint(title, "bold", colour)]
            lines.append(table(columns, rows, colour=colour, width=width, indent="  "))
    if told.step is not None:
        lines += ["", paint("What does not count", "bold", colour), *_wrapped(NEVER)]
        if told.ignored:
            said = ", ".join(f"{key}: {_value(value)}" for key, value in told.ignored.items())
            lines += _wrapped(f"Of these, this step sets {said}.")
    return "\n".join(lines)


def _head(told: Explained) -> Iterator[list[Cell]]:
    action, record = told.action, told.record
    verb, now = action.verb, time.time()
    plan = f"{verb.sign} {verb.word}: {action.cause}"
    yield [Cell("plan", "dim"), Cell(plan, VERB_COLOURS[verb.word])]
    for change in action.changes:
        yield [Cell(""), Cell(_change(change))]
    about = standing(record, told.held)
    said = about.word
    if record is not None and record.done is not None and record.tried is None:
        done = record.done
        said += f" {since(done.finished, now)}, in run {done.run}, after {duration(done.seconds)}"
    elif record is not None and record.tried is not None:
        said += f", in run {record.tried.run}"
    yield [Cell("state", "dim"), Cell(f"{about.sign} {said}", about.style)]
    if told.step is not None:
        yield [Cell("cache", "dim"), Cell(_cache(told))]
    if told.starts:
        yield [Cell("starts", "dim"), Cell(told.starts)]
    for warning in told.warnings:
        yield [Cell("note", "yellow"), Cell(warning)]


def _cache(told: Explained) -> str:
    """Whether what is recorded can stand for another run, and why."""
    assert told.step is not None, "only steps of the Labfile have a cache"
    done = told.record.done if told.record else None
    if not told.step.options.cache:
        return "off (`cache: false`): it runs every time"
    if done is None:
        return "nothing is recorded that could be kept"
    if not told.digest:
        return "known once what it depends on has run" if told.counted else "not looked up: skipped"
    if told.digest == done.digest:
        return f"what counts is as it was in run {done.run} ({short(told.digest)})"
    return f"what counts is not as it was in run {done.run}"


def _sections(told: Explained) -> Iterator[tuple[str, Sequence[Column], list[list[Cell]]]]:
    counted = [
        [_sign(c.changed), Cell(c.path, "dim"), _cell(c.value, _value)] for c in told.counted
    ]
    yield "What counts: it runs again when any of this changes", _COUNTED, counted
    inputs = [
        [_sign(i.changed), Cell(i.path), _cell(i.digest, short), Cell(i.found, "dim")]
        for i in told.inputs
    ]
    yield "Input files: their content counts", _INPUTS, inputs
    yield "Waits for", _HEAD, [[Cell(a), Cell(how, "dim")] for a, how in told.needs.items()]
    yield "Waited for by", _HEAD, [[Cell(a), Cell("")] for a in told.needed_by]
    yield "Past runs", _TIMES, [_time(each) for each in told.times]


def _sign(changed: bool) -> Cell:
    return Cell("~", "yellow") if changed else Cell(" ")


def _cell(value: Any, shown: Any) -> Cell:
    unknown = unknown_text(value)
    return Cell(unknown, "cyan") if unknown is not None else Cell(shown(value))


def _value(value: Any) -> str:
    """A value on one line, hashes in it shortened; texts bare where nothing is hidden by that."""
    bare = isinstance(value, str) and value and value.isprintable() and value == value.strip()
    said = str(value) if bare else json.dumps(value, ensure_ascii=False, default=str)
    return _HASH.sub(lambda match: short(match[0]), said)


def _change(change: Change) -> str:
    return f"{change.path}: {_side(change.before)} → {_side(change.after)}"


def _side(side: object) -> str:
    match side:
        case Absent():
            return "(absent)"
        case Unknown():
            return str(side)
        case str() if side.startswith("sha256:"):
            return short(side)
        case _:
            said = json.dumps(side, ensure_ascii=False, default=str)
            return said if len(said) <= LONGEST else said[:LONGEST] + "…"


def _time(told: Time) -> list[Cell]:
    note = f"for {told.waited_for}" if told.waited_for else ""
    if told.attempts > 1:
        note += f"{', ' if note else ''}{told.attempts} attempts"
    result = told.result or ("destroyed" if told.verb == Verb.DESTROY.word else "no end recorded")
    return [
        Cell(str(told.run)),
        Cell(moment(told.started)),
        Cell(_seconds(told.waited)),
        Cell(_seconds(told.queued)),
        Cell(_seconds(told.seconds)),
        Cell(result, "" if told.result == "done" else "red"),
        Cell(f"waited {note}" if told.waited_for else note, "dim"),
    ]


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="  ")
