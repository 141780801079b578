"""Writes a sweep's page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lab.cli.recorded import NotYetError
from lab.model.diagnostic import Diagnostic, printable
from lab.report.sweep_page import sweep_page
from lab.report.words import size


def write_page(lab: str, found: Mapping[str, Any], path: str) -> None:
    """Writes what `lab show SWEEP --json` says as a page to *path*; the file is seen old or new.

    Raises:
        LabError: plotly is not installed, or *path* cannot be written.
    """
    try:
        text = sweep_page(lab, found).encode("utf-8", "replace")
    except ImportError:
        raise NotYetError(
            Diagnostic(
                summary="the page's pictures are drawn by plotly, which is not installed",
                help="install `lab-runner[sweep]`; `--json` and `--csv` need nothing",
            )
        ) from None
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        summary = f"{printable(path)} cannot be written: {error.strerror or error}"
        raise NotYetError(Diagnostic(summary=summary)) from None
    print(f"{printable(path)} ({size(len(text))})")
