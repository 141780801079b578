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
from lab.report.words import duration, number, paint


def happened(event: Event, wide: int, *, colour: bool) -> str | None:
    """The line for an event that ends something, or None if it is not one."""
    match event:
        case StepFinished(address=address, done=done):
            return _line(
                "✓", "green", address, wide, duration(done.seconds), _came(done.outputs), colour
            )
        case StepFailed(address=address) if event.interrupted:
            return _line("■", "yellow", address, wide, duration(event.seconds), "stopped", colour)
        case StepFailed(address=address):
            first = (event.error.splitlines() or [""])[0]
            return _line("✗", "red", address, wide, duration(event.seconds), first, colour)
        case StepRetried(address=address):
            about = (
                f"attempt {event.attempt} failed ({event.error}); again in {duration(event.delay)}"
            )
            return _line("↻", "yellow", address, wide, "", about, colour)
        case StepKept(address=address, cause=cause):
            return _line("=", "dim", address, wide, "", f"kept: {cause}", colour, faint=True)
        case StepSkipped(address=address, cause=cause):
            return _line("·", "dim", address, wide, "", f"skipped: {cause}", colour, faint=True)
        case StepDestroyed(address=address):
            return _line("-", "red", address, wide, "", "destroyed", colour)
        case StepForgotten(address=address):
            return _line("x", "red", address, wide, "", "forgotten; its files stay", colour)
        case _:
            return None


def _line(
    sign: str,
    style: str,
    address: str,
    wide: int,
    took: str,
    about: str,
    colour: bool,
    *,
    faint: bool = False,
) -> str:
    name = paint(f"{address:<{wide}}", "dim" if faint else "bold", colour)
    text = paint(printable(about), "dim", colour) if faint else printable(about)
    return (
        f"{paint(sign, style, colour)} {name} {paint(f'{took:>7}', 'dim', colour)}  {text}".rstrip()
    )


def _came(outputs: Mapping[str, object]) -> str:
    """The metrics and the small values among a step's outputs, a few of them."""
    shown = []
    metrics = outputs.get("metrics")
    values = {**(metrics if isinstance(metrics, Mapping) else {}), **outputs}
    for name, value in values.items():
        if isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 24):
            shown.append(f"{name}={number(value)}")
    return " ".join(shown[:4])


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
