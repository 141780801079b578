"""Fuzzes whatever lab reads from others: ``make fuzz N=100000 SEED=7``.

Every input ends in a result or in an error that lab means; anything else is a crash, and is kept. Two
engines: seeded mutations of good inputs, of which each can be tried again alone, and atheris (the extra
``fuzz``), which looks for inputs that reach new code. Each subject runs in a process of its own, so
that its memory can be told.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

SLOW = 2.0  # seconds of this process's time that one input may take
PATIENCE = 20  # seconds by the wall
MEMORY = 4 << 30  # bytes of address space; an input that wants more is a crash
INSTRUMENTED = ("lab.reading", "lab.kinds", "lab.model", "lab.planning", "providers.local")
ATHERIS_SHARE = 0.25  # of the inputs, where atheris is there


class Hang(BaseException):
    """An input took longer than PATIENCE; no `except Exception` may take it for something else."""


def main() -> int:
    """Fuzzes all subjects and prints a table; exit 1 if anything crashed or was slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--only", default="", help="one subject's name")
    parser.add_argument("--number", type=int, help="tries one input alone")
    parser.add_argument("--engine", choices=("both", "mutations", "atheris"), default="both")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return _child(args)
    if args.number is not None:
        return _alone(args)
    return _all(args)


# --- the parent -------------------------------------------------------------------------------


def _all(args: argparse.Namespace) -> int:
    from fuzz_subjects import SUBJECTS

    atheris = args.engine != "mutations" and find_spec("atheris") is not None
    if args.engine != "mutations" and not atheris:
        print("atheris is not installed (`pip install 'lab-runner[fuzz]'`): mutations only\n")
    began = time.monotonic()
    rows = []
    for subject in SUBJECTS:
        if args.only not in ("", subject.name):
            continue
        inputs = args.inputs if args.only else max(1, args.inputs * subject.share // 100)
        guided = int(inputs * ATHERIS_SHARE) if atheris else 0
        if args.engine == "atheris":
            guided = inputs
        for engine, count in (("mutations", inputs - guided), ("atheris", guided)):
            if count:
                rows.append(_spawn(args, subject.name, engine, count))
                print(_line(rows[-1]), flush=True)
    return _sum_up(rows, time.monotonic() - began, args)


def _spawn(args: argparse.Namespace, name: str, engine: str, count: int) -> dict[str, Any]:
    words = [sys.executable, __file__, "--child", "--only", name, "--engine", engine]
    words += ["--inputs", str(count), "--seed", args.seed]
    with tempfile.TemporaryFile("w+") as told:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=told, text=True, check=False)
        told.seek(0)
        said = told.read()
    try:
        row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        row = {"subject": name, "engine": engine, "inputs": 0, "crashes": 1, "over": 0,
               "slowest": 0.0, "at": "", "peak": 0, "found": said[-3000:]}  # fmt: skip
    return row


HEAD = (
    f"{'subject':<17} {'engine':<10} {'inputs':>8} {'crashes':>8} {'over 2 s':>9} {'slowest':>9}"
    f"  {'input':<10} {'peak':>8}"
)


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['subject']:<17} {row['engine']:<10} {row['inputs']:>8} {row['crashes']:>8}"
        f" {row['over']:>9} {row['slowest'] * 1000:>6.0f} ms  {row['at']!s:<10} {row['peak']:>4} MiB"
    )


def _sum_up(rows: list[dict[str, Any]], seconds: float, args: argparse.Namespace) -> int:
    crashes, over = sum(r["crashes"] for r in rows), sum(r["over"] for r in rows)
    print(f"\n{HEAD}")
    for row in rows:
        print(_line(row))
    worst = max(rows, key=lambda row: row["slowest"])
    total = {"subject": "all", "engine": "", "inputs": sum(r["inputs"] for r in rows)}
    total |= {"crashes": crashes, "over": over, "slowest": worst["slowest"], "at": worst["at"]}
    total |= {"peak": max(r["peak"] for r in rows)}
    print(f"{_line(total)}\n\nseed {args.seed}, {seconds:.0f} s")
    for row in rows:
        if row["found"]:
            print(f"\n{row['subject']}, {row['engine']}:\n{row['found']}")
    return 1 if crashes or over else 0


# --- one subject ------------------------------------------------------------------------------


class Watch:
    """Gives inputs to a subject, and keeps what went wrong and what was slowest."""

    def __init__(self, subject: Any, seed: str) -> None:
        self.subject, self.seed = subject, seed
        self.inputs = self.crashes = self.over = 0
        self.slowest, self.at, self.found = 0.0, "", ""
        signal.signal(signal.SIGALRM, _too_long)

    def take(self, data: bytes, at: str) -> None:
        """Tries one input."""
        self.inputs += 1
        signal.alarm(PATIENCE)
        began = time.thread_time()
        try:
            self.subject.take(data)
        except (Exception, Hang):  # noqa: BLE001 - whatever it is, it is a bug
            self.crashes += 1
            self._keep(data, at, traceback.format_exc(limit=-8))
        finally:
            signal.alarm(0)
        took = time.thread_time() - began
        if took > self.slowest:
            self.slowest, self.at = took, at
        if took > SLOW:
            self.over += 1
            self._keep(data, at, f"it took {took:.1f} s\n")

    def _keep(self, data: bytes, at: str, why: str) -> None:
        if len(self.found) > 12_000:
            return
        kept = Path(tempfile.gettempdir()) / f"lab-fuzz-{self.subject.name.split()[0]}-{at}"
        kept.write_bytes(data)
        self.found += f"input {at}, kept as {kept}"
        if at.isdecimal():
            again = f"--only '{self.subject.name}' --seed {self.seed} --number {at}"
            self.found += f"; again: python tests/fuzz.py {again}"
        self.found += f"\n{why}\n"

    def told(self, engine: str) -> str:
        """What the parent is told."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        return json.dumps(
            {"subject": self.subject.name, "engine": engine, "inputs": self.inputs,
             "crashes": self.crashes, "over": self.over, "slowest": self.slowest, "at": self.at,
             "peak": peak, "found": self.found}
        )  # fmt: skip


def _too_long(number: int, frame: object) -> None:
    faulthandler.dump_traceback()
    raise Hang


def made(subject: Any, seed: str, number: int) -> bytes:
    """The input *number*; the same for the same seed."""
    rng = random.Random(f"{seed}-{subject.name}-{number}")
    good = _good(subject)
    nearly = rng.random() < 0.6  # what is nearly right gets further
    base = rng.choice(good[:3] if nearly else good)
    data: bytes = subject.mutate(base, rng) if not nearly else _once(subject, base, rng)
    return data


def _once(subject: Any, base: bytes, rng: random.Random) -> bytes:
    if subject.mutate.__name__ != "mutated":
        return bytes(subject.mutate(base, rng))
    return bytes(subject.mutate(base, rng, most=1))


_GOOD: dict[str, list[bytes]] = {}


def _good(subject: Any) -> list[bytes]:
    if subject.name not in _GOOD:
        _GOOD[subject.name] = list(subject.good())
    return _GOOD[subject.name]


def _subject(name: str) -> Any:
    from fuzz_subjects import SUBJECTS

    found = [each for each in SUBJECTS if each.name == name]
    if not found:
        raise SystemExit(f"there is no subject {name!r}: {', '.join(s.name for s in SUBJECTS)}")
    return found[0]


def _child(args: argparse.Namespace) -> int:
    if args.engine == "atheris":
        return _guided(args)
    subject = _subject(args.only)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    watch = Watch(subject, args.seed)
    with contextlib.suppress(KeyboardInterrupt):
        for number in range(args.inputs):
            watch.take(made(subject, args.seed, number), str(number))
    _end(watch, "mutations")
    return 0


def _guided(args: argparse.Namespace) -> int:
    """Lets atheris choose the inputs; it writes to both streams, so that what it says goes elsewhere."""
    import atheris

    out = os.dup(1)
    os.dup2(2, 1)
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        subject = _subject(args.only)
    watch = Watch(subject, args.seed)
    corpus = tempfile.mkdtemp(prefix="lab-fuzz-corpus-")
    for index, data in enumerate(_good(subject)):
        (Path(corpus) / f"{index:03}").write_bytes(data)

    def take(data: bytes) -> None:
        watch.take(data, f"g{watch.inputs}")
        if watch.inputs >= args.inputs:  # it never returns, and ends without Python's own ending
            os.dup2(out, 1)
            _end(watch, "atheris")
            shutil.rmtree(corpus)
            os._exit(0)

    words = [sys.argv[0], f"-seed={1 + hash_of(args.seed)}", "-rss_limit_mb=4096"]
    words += ["-max_len=16384", "-verbosity=0", corpus]
    atheris.Setup(words, take)
    atheris.Fuzz()
    return 0


def hash_of(seed: str) -> int:
    """A small number for any seed."""
    return random.Random(seed).randrange(1 << 30)


def _end(watch: Watch, engine: str) -> None:
    from fuzz_subjects import clear

    clear()
    print(watch.told(engine), flush=True)


def _alone(args: argparse.Namespace) -> int:
    subject = _subject(args.only)
    data = made(subject, args.seed, args.number)
    sys.stdout.flush()
    sys.stdout.buffer.write(data + b"\n")
    subject.take(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
