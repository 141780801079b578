"""A diagnostic as JSON: what `lab validate --json` prints for editors and CI."""

from __future__ import annotations

from typing import Any

from lab.model.diagnostic import Diagnostic


def diagnostic_json(d: Diagnostic) -> dict[str, Any]:
    """One object; lines and columns count from 1, the end is exclusive, and all are null without a place."""
    span = d.span
    return {
        "file": span.source if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "severity": d.severity.value,
        "summary": d.summary,
        "detail": d.detail,
        "help": d.help,
    }
