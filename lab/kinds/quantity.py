"""Durations, sizes and cores as people write them: ``90s``, ``1h30m``, ``2Gi``, ``500m``."""

from __future__ import annotations

import math
import re

from lab.model.regex import regex

DURATION = r"(?=.)(\d+(\.\d+)?d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?"
SIZE = r"\d+(\.\d+)?([kKMGTPE]|[KMGTPE]i)?"
CORES = r"\d+(\.\d+)?m?"

_DURATION = regex(DURATION, re.ASCII)
_SIZE = regex(SIZE, re.ASCII)
_CORES = regex(CORES, re.ASCII)
_PIECE = regex(r"(\d+(?:\.\d+)?)(ms|[dhms])", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_POWERS = "KMGTPE"
_DIGITS = 18


def seconds(text: str) -> float | None:
    """Return the seconds that a text such as ``1h30m`` means; None if it means none."""
    if not _DURATION.fullmatch(text) or len(text) > 5 * _DIGITS:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PIECE.findall(text))


def octets(text: str) -> int | None:
    """Return the bytes that ``2Gi`` (2 * 1024**3) or ``1G`` (10**9) mean; None if it means none."""
    if not _SIZE.fullmatch(text) or len(text) > 2 * _DIGITS:
        return None
    number = text.rstrip("kKMGTPEi")
    unit = text[len(number) :].upper()
    if not unit:
        return round(float(number))
    base = 1024.0 if unit.endswith("I") else 1000.0
    return round(float(number) * math.pow(base, _POWERS.index(unit[0]) + 1))


def cores(text: str) -> float | None:
    """Return the cores that ``2``, ``0.5`` or ``500m`` (thousandths) mean, or None."""
    if not _CORES.fullmatch(text) or len(text) > _DIGITS:
        return None
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)
