"""Points in time as people read them: by the clock, and how long ago."""

from __future__ import annotations

import time

from lab.report.words import ago


def moment(seconds: float) -> str:
    """`2025-11-23 16:33:05`, in local time."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "?"  # a damaged state may hold any number


def since(seconds: float, now: float) -> str:
    """`3 minutes ago`; a moment that the clock has not reached yet is just now."""
    return ago(max(0.0, now - seconds))
