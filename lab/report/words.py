"""Durations, sizes and counts as people read them, and colours for terminals that have them."""

from __future__ import annotations

from collections.abc import Mapping

COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}

VERB_COLOURS = {
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "keep": "dim",
    "destroy": "red",
    "forget": "red",
    "unknown": "cyan",
    "skip": "dim",
}


def paint(text: str, style: str, on: bool) -> str:
    """*text* in a colour, or `bold`, or `dim`; unchanged where colours are off."""
    if not on or not text:
        return text
    code = {"bold": 1, "dim": 2}.get(style) or COLOURS[style]
    return f"\x1b[{code}m{text}\x1b[0m"


def duration(seconds: float) -> str:
    """0.3s, 12.3s, 1:05, 2:03:04."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def size(count: float) -> str:
    """512 B, 1.2 MB, in powers of 1,000 as disks and networks are sold."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.5 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("the last unit has no limit")


def number(value: object) -> str:
    """A metric or another value, short: floats with four significant digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def counted(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    """`2 to create, 1 to destroy`, for the words that have a phrase and a count."""
    return ", ".join(
        f"{counts[word]} {phrase}" for word, phrase in words.items() if counts.get(word)
    )


def ago(seconds: float) -> str:
    """`3 minutes ago`; the unit is the largest that fits."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now" if seconds < 10 else f"{int(seconds)} seconds ago"


def shortened(address: str, room: int) -> str:
    """*address* in at most *room* characters: its middle gives way, a matrix key last of all."""
    if len(address) <= room:
        return address
    left = max(0, room - 1)
    key = len(address) - address.find("[") if address.endswith("]") else 0
    end = max(left * 3 // 5, min(key, left - 3))
    return f"{address[: left - end]}…{address[len(address) - end :]}"
