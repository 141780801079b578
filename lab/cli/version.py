"""`lab version`."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence

from lab import __version__


def main(words: Sequence[str]) -> int:
    """Prints the version, with `--json` also Python's and the system's."""
    parser = argparse.ArgumentParser(prog="lab version", description="Print the version.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(words)
    if args.json:
        about = {
            "version": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
        }
        print(json.dumps(about))
    else:
        print(f"lab {__version__}")
    return 0
