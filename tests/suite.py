"""Runs the whole suite: linters, types, the pure part, then the live part; ends with what was skipped and why."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FOLDERS = ["lab", "providers", "tests", "benchmarks", "examples", "docs", "setup.py"]

PYTEST = [sys.executable, "-m", "pytest", "-q"]
STAGES: list[tuple[str, list[str]]] = [
    ("ruff check", [str(BIN / "ruff"), "check", "--quiet", *FOLDERS]),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", *FOLDERS]),
    ("mypy --strict", [str(BIN / "mypy"), "--no-error-summary"]),
    ("pure tests", [*PYTEST, "-n", "2", "--dist", "worksteal", "-m", "not live"]),
    ("live tests", [*PYTEST, "-m", "live", "--durations=10"]),
]


def main() -> int:
    """Runs every stage, also after a failure, and says how each went."""
    wanted = set(sys.argv[1:])
    failed = []
    for name, command in STAGES:
        if wanted and name not in wanted:
            continue
        started = time.monotonic()
        print(f"--- {name}", flush=True)
        code = subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode
        took = time.monotonic() - started
        print(
            f"--- {name}: {'ok' if code == 0 else f'FAILED ({code})'} in {took:.1f} s", flush=True
        )
        if code:
            failed.append(name)
    print(f"suite: {'failed: ' + ', '.join(failed) if failed else 'all stages ok'}")
    return 1 if failed else 0


def _environment() -> dict[str, str]:
    """Tests must not depend on variables of the person who runs them."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LAB_", "PYTEST_"))}
    return {**kept, "PYTHONHASHSEED": "0", "NO_COLOR": "1"}


if __name__ == "__main__":
    sys.exit(main())
