"""Measures lab against its peers side by side, and judges the figures by the budgets."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import races
from hashing import hashing
from machine import described
from makespan import makespan
from measure import Missing, say
from peers import install
from rows import Row
from scale import scale
from setting import Setting
from startup import startup
from sweep import sweep
from table import as_json, markdown
from tools import LAB, PEERS, ROOT, catalogue, interpreter
from training import training

Group = Callable[[Setting], list[Row]]
GROUPS: Mapping[str, Group] = {
    "startup": startup,
    "plan": races.plan,
    "apply": races.apply,
    "again": races.again,
    "linearity": races.linearity,
    "scale": scale,
    "makespan": makespan,
    "memory": races.memory,
    "hashing": hashing,
    "training": training,
    "sweep": sweep,
}


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="one round, the slowest left out")
    add("--slow", action="store_true", help="also measure training, which takes minutes")
    add("--n", type=int, default=1000, help="steps of the DAG (1000)")
    add("--rounds", type=int, help="turns of each contender (3; with --quick 1)")
    add("--jobs", "-j", type=int, default=os.cpu_count() or 1, help="commands at a time")
    add("--only", action="append", choices=list(GROUPS), help="this group; may be given again")
    add("--peers", action="store_true", help="leave lab out, measure its peers")
    add("--no-install", action="store_true", help="do not install peers that are not there")
    add("--tensorflow", type=Path, metavar="PYTHON", help="an interpreter with TensorFlow")
    add("--lab", type=Path, default=LAB, help="the tool to judge")
    add("--work", type=Path, help="folder to work in; kept (a new one in the checkout, removed)")
    add("--out", type=Path, action="append", default=[], help="also write FILE.md or FILE.json")
    given = parser.parse_args(argv)
    if min(given.n, 1 if given.rounds is None else given.rounds, given.jobs) < 1:
        parser.error("--n, --rounds and --jobs must be at least 1")
    wrong = [str(path) for path in given.out if path.suffix not in (".md", ".json")]
    if wrong:
        parser.error(f"--out {wrong[0]}: the name must end in .md or .json")
    return given


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what was asked, print the table; 1 if a budget is missed."""
    given = arguments(argv)
    if not PEERS.exists() and not given.no_install:
        fault = install()
        if fault:
            say(f"the peers could not be installed, and are skipped: {fault}")
    # A folder in the checkout, since /tmp may be memory, where a durable write costs nothing.
    work = given.work or Path(tempfile.mkdtemp(prefix=".bench-", dir=ROOT))
    work.mkdir(parents=True, exist_ok=True)
    (work / ".gitignore").write_text("*\n", encoding="utf-8")
    try:
        return measure(given, work.resolve())
    finally:
        if given.work is None:
            shutil.rmtree(work, ignore_errors=True)


def measure(given: argparse.Namespace, work: Path) -> int:
    """Run the groups one after the other."""
    tools = dict(catalogue(given.jobs, given.lab))
    if given.peers:
        tools["lab"] = Missing("lab", "left out by --peers")
    setting = Setting(
        tools=tools,
        python=interpreter(given.lab),
        work=work,
        size=given.n,
        rounds=given.rounds or (1 if given.quick else 3),
        jobs=given.jobs,
        quick=given.quick,
        slow=given.slow,
        tensorflow=given.tensorflow,
    )
    head = dict(described(setting))
    begun = time.monotonic()
    rows = [row for name in given.only or GROUPS for row in GROUPS[name](setting)]
    head["took"] = f"{time.monotonic() - begun:.0f} s"
    text = markdown(head, rows)
    print(text)
    for path in given.out:
        said = text if path.suffix == ".md" else as_json(head, rows)
        path.write_text(said, encoding="utf-8")
    return 1 if any(row.word == "FAIL" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
