"""Installs the peers from PyPI into a virtual environment of their own, `.venv-bench`."""

import subprocess
import sys
import venv

from measure import say
from tools import PEERS

# Pinned, so that two runs of the benchmarks compare with the same programs.
PINS = ("ninja==1.13.2", "doit==0.37.0", "snakemake==9.27.1")


def install() -> str:
    """Make the environment and fill it; returns what went wrong, or nothing."""
    home = PEERS.parent
    say(f"installing {', '.join(PINS)} into {home}")
    if not (PEERS / "python").exists():
        venv.create(home, with_pip=True)
    (home / ".gitignore").write_text("*\n", encoding="utf-8")
    argv = [str(PEERS / "python"), "-m", "pip", "install", "--quiet", "--compile", *PINS]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return "pip took more than 600 s"
    return done.stderr.strip()[-300:] if done.returncode else ""


def main() -> int:
    """Install from the command line."""
    fault = install()
    if fault:
        say(f"the peers could not be installed: {fault}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
