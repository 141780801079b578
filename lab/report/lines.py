"""One line for what happened to a step: what both the plain and the live console print."""

from __future__ import annotations

from collections.abc import Mapping

from lab.model.diagnostic import printable
from lab.model.event import (
    Event,
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepKept,
    StepRetried,
    StepSkipped,
)
from lab.model.values import Artifact
from lab.report.words import duration, number, paint, shortened, size


def happened(event: Event, wide: int, *, colour: bool, room: int | None = None) -> str | None:
    """The line for an event that ends something, or None if it is not one; a name has *room* columns."""
    address = getattr(event, "address", "")
    name = f"{printable(address if room is None else shortened(address, room)):<{wide}}"
    match event:
        case StepFinished(done=done):
            return _line("✓", "green", name, duration(done.seconds), _came(done.outputs), colour)
        case StepFailed(interrupted=True, seconds=seconds):
            return _line("■", "yellow", name, duration(seconds), "stopped", colour)
        case StepFailed(error=error, seconds=seconds):
            first = (error.splitlines() or [""])[0]
            return _line("✗", "red", name, duration(seconds), first, colour)
        case StepRetried(attempt=attempt, error=error, delay=delay):
            about = f"attempt {attempt} failed ({error}); again in {duration(delay)}"
            return _line("↻", "yellow", name, "", about, colour)
        case StepKept(cause=cause):
            return _line("=", "dim", name, "", f"kept: {cause}", colour)
        case StepSkipped(cause=cause):
            return _line("·", "dim", name, "", f"skipped: {cause}", colour)
        case StepDestroyed(left=left):
            stays = f"; {', '.join(left)} stays: it is not as the step made it" if left else ""
            return _line("-", "red", name, "", f"destroyed{stays}", colour)
        case StepForgotten():
            return _line("x", "red", name, "", "forgotten; its files stay", colour)
        case _:
            return None


def _line(sign: str, style: str, name: str, took: str, about: str, colour: bool) -> str:
    """A sign, a name, a duration and a few words; what did not run is faint as a whole."""
    faint = style == "dim"
    head = f"{paint(sign, style, colour)} {paint(name, 'dim' if faint else 'bold', colour)}"
    text = paint(printable(about), "dim", colour) if faint else printable(about)
    return f"{head} {paint(f'{took:>7}', 'dim', colour)}  {text}".rstrip()


def _came(outputs: Mapping[str, object]) -> str:
    """The metrics and the small values among a step's outputs, a few of them, and its artifacts."""
    shown = []
    metrics = outputs.get("metrics")
    values = {**(metrics if isinstance(metrics, Mapping) else {}), **outputs}
    for name, value in values.items():
        if isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 24):
            shown.append(f"{name}={number(value)}")
    files = {
        n: v
        for n, v in outputs.items()
        if isinstance(v, Artifact) and v.digest.startswith("sha256:")
    }
    made = [f"{name} ({size(value.size)})" for name, value in files.items()]
    return " ".join(shown[:4] + made[:3])


def progress_text(text: str, fraction: float | None, metrics: Mapping[str, float]) -> str:
    """`epoch 7/15 val_accuracy=0.943`, with a percentage where a fraction is known and not said yet."""
    parts = [printable(text)] if text else []
    if fraction is not None and "%" not in text and "/" not in text:
        parts.append(f"{fraction:.0%}")
    parts += [f"{name}={number(value)}" for name, value in _telling(metrics).items()]
    return " ".join(parts)


def _telling(metrics: Mapping[str, float]) -> dict[str, float]:
    """The two metrics that tell most: those of validation first."""
    ordered = sorted(
        metrics, key=lambda name: (not name.startswith("val_"), list(metrics).index(name))
    )
    return {name: metrics[name] for name in ordered[:2]}
