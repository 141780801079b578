"""Prints what is wrong, with the lines of source that it is about."""

from __future__ import annotations

import os
import sys
from functools import lru_cache

from lab.cli.terminal import colourful
from lab.edge.contents import contents
from lab.model.diagnostic import Diagnostic, LabError, Severity, render

MOST = 32 * 1024 * 1024  # bytes


def complain(error: LabError) -> None:
    """Prints an error's diagnostics, and their number if there are several."""
    show(error.diagnostics)
    if len(error.diagnostics) > 1:
        print(f"{len(error.diagnostics)} errors", file=sys.stderr)


def show(diagnostics: tuple[Diagnostic, ...], *, errors_only: bool = False) -> None:
    """Prints diagnostics on standard error, each with its source."""
    colour = colourful(sys.stderr)
    for each in diagnostics:
        if errors_only and each.severity is not Severity.ERROR:
            continue
        print(_hidden(render(each, source_text, color=colour)), file=sys.stderr)
        print(file=sys.stderr)


def _hidden(text: str) -> str:
    """*text* without secrets. If this process has read any, the module that reads them is loaded."""
    secrets = sys.modules.get("lab.edge.secrets")
    return text if secrets is None else str(secrets.hidden(text))


@lru_cache(maxsize=32)
def source_text(name: str) -> str | None:
    """The text of a source as its span names it; None if it cannot be read any more."""
    path = os.path.expanduser(name)
    if not os.path.isfile(path):  # a pipe was read to its end before
        return None
    try:
        return contents(path, MOST).decode("utf-8-sig", "replace")
    except OSError:
        return None
