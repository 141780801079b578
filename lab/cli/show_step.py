"""What `lab show STEP` prints for people."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence

from lab.cli.show_facts import Facts, Made
from lab.cli.standing import Standing
from lab.model.diagnostic import printable
from lab.model.state import Record
from lab.report.moments import moment, since
from lab.report.sparkline import sparkline
from lab.report.tables import Cell, Column, cells, table
from lab.report.value_text import brief
from lab.report.words import duration, number, paint, size

HASH_SHOWN = len("sha256:") + 12
_PLAIN = (Column(), Column())
_MADE = (Column(), Column(right=True), Column(), Column(), Column())
_CURVES = (Column(gives=True), Column(right=True), Column(), Column(gives=True))
_NOW_STYLES = {"there": "green", "changed": "yellow", "gone": "red"}


def step_text(facts: Facts, *, colour: bool, width: int | None) -> str:
    """All of it, section by section; sections that would be empty are left out."""
    record, begun = facts.record, facts.begun
    kind = record.kind if record else begun.kind if begun else ""
    target = record.target if record else begun.target if begun else ""
    lines = [f"{paint(printable(facts.address), 'bold', colour)}  {kind} on {target}", ""]
    about = list(head(facts))
    lines.append(table((Column(), Column()), about, colour=colour, indent="  "))
    lines += _detail(facts)
    for title, columns, rows in _sections(facts):
        if rows:
            lines += ["", paint(title, "bold", colour)]
            lines.append(table(columns, rows, colour=colour, width=width, indent="  "))
    return "\n".join(lines)


def near(path: str) -> str:
    """A path as it is reached from here, where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return path
    return relative if cells(relative) < cells(path) else path


def short(digest: str) -> str:
    """The beginning of a hash, enough to tell it from others."""
    return digest if len(digest) <= HASH_SHOWN else digest[:HASH_SHOWN] + "…"


def head(facts: Facts) -> Iterator[list[Cell]]:
    """How the step stands and why it ran."""
    record, now = facts.record, time.time()
    yield fact("status", f"{facts.standing.sign} {_status(facts, now)}", facts.standing.style)
    if record is None:
        return
    done, tried = record.done, record.tried
    if done is not None:
        again = f", {done.attempts} attempts" if done.attempts > 1 else ""
        label = "took" if tried is None else "before"
        what = f"done in run {done.run}, {since(done.finished, now)}, after " if tried else ""
        yield fact(label, f"{what}{duration(done.seconds)}{again}")
    if facts.begun is not None:
        yield fact("cause", f"{facts.begun.cause} ({facts.begun.verb})")
    if record.needs:
        yield fact("needs", ", ".join(record.needs))
    if record.protect:
        yield fact("protect", "it is neither destroyed nor replaced")
    newest = tried or done
    if newest is not None and newest.log:
        gone = "" if os.path.exists(newest.log) else " (nothing was written, or it was deleted)"
        yield fact("log", near(newest.log) + gone)
    if tried is not None and tried.error:
        yield fact("error", tried.error, "red")


def fact(name: str, said: str, style: str = "") -> list[Cell]:
    """A row of a name and what is said of it."""
    return [Cell(name, "dim"), Cell(said, style)]


def _status(facts: Facts, now: float) -> str:
    """`done 3 minutes ago, in run 4 (2025-11-23 16:33:05)`."""
    record = facts.record
    if record is None:
        swept = facts.begun is not None and facts.begun.kind == "sweep"
        again = "; `--run N` shows it as it was when run N ended" if swept else ""
        return f"forgotten or destroyed; only its history is left{again}"
    newest = record.tried or record.done
    if newest is None:
        return facts.standing.word
    if facts.standing is Standing.RUNNING:
        return f"running for {duration(max(0.0, now - newest.started))}, in run {newest.run}"
    ended = record.done.finished if record.done and not record.tried else newest.started
    if facts.failed is not None:
        ended = facts.failed.time
    return f"{facts.standing.word} {since(ended, now)}, in run {newest.run} ({moment(ended)})"


def _detail(facts: Facts) -> list[str]:
    detail = facts.failed.detail if facts.failed else ""
    return ["", *(f"  {printable(line)}" for line in detail.splitlines())] if detail else []


def _sections(facts: Facts) -> Iterator[tuple[str, Sequence[Column], list[list[Cell]]]]:
    old = _old(facts.record)
    yield f"Outputs{old}", _PLAIN, [fact(k, brief(v)) for k, v in facts.values.items()]
    yield f"Artifacts{old}", _MADE, [artifact_cells(made) for made in facts.made]
    yield "Metrics", _CURVES, [_metric(facts, name) for name in facts.metrics]
    yield f"Inputs{old}", _PLAIN, [fact(p, short(d)) for p, d in facts.inputs.items()]


def _old(record: Record | None) -> str:
    """Whose outputs are known, where they are not of the newest attempt."""
    if record is None or record.done is None or record.tried is None:
        return ""
    return f" of run {record.done.run}"


def artifact_cells(made: Made) -> list[Cell]:
    """A row: name, size, content, whether it is there, and where."""
    return [
        Cell(made.name, "dim"),
        Cell(size(made.artifact.size)),
        Cell(short(made.artifact.digest), "dim"),
        Cell(made.now, _NOW_STYLES[made.now]),
        Cell(near(made.artifact.path)),
    ]


def _metric(facts: Facts, name: str) -> list[Cell]:
    curve = facts.curves.get(name, [])
    finite = [value for value in curve if math.isfinite(value)]
    about = f"{len(curve)} points" if len(curve) > 1 else ""
    if about and finite:
        about = f"{number(min(finite))} to {number(max(finite))}, {about}"
    return [
        Cell(name, "dim"),
        Cell(number(facts.metrics[name])),
        Cell(sparkline(curve) if len(curve) > 1 else "", "cyan"),
        Cell(about, "dim"),
    ]
