"""Two labs that are there, killed at random moments, in three ways: tests/chaos.py says how to run them."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
LAB = Path(sys.executable).parent / "lab"
WAYS = ("lab", "group", "lab+warden")
PATIENCE = 20.0  # seconds in which descendants must be gone


@dataclass
class Scenario:
    """A lab to kill: its folder, how long a whole run lasts at most, and the output that it must end with."""

    name: str
    folder: Path
    horizon: float
    limit: float


CHAOS = Scenario("chaos", ROOT / "tests" / "chaos_lab", horizon=2.6, limit=60)
DIGITS = Scenario("digits", ROOT / "examples" / "digits", horizon=45, limit=600)


@dataclass
class Tally:
    """What was seen. Everything but kills, recoveries and lives must stay zero."""

    kills: int = 0
    recoveries: int = 0
    lives: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    reported_repeated: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    epochs_lost_or_repeated: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [
            *self.reported_repeated, *self.overlaps, *self.repairs, *self.left_over,
            *self.epochs_lost_or_repeated,
        ]  # fmt: skip

    def __str__(self) -> str:
        ways = ", ".join(f"{count} {way}" for way, count in sorted(self.ways.items()))
        return (
            f"kills {self.kills} ({ways}), recoveries {self.recoveries}, labs finished {self.lives},"
            f" reported steps repeated {len(self.reported_repeated)}, overlaps {len(self.overlaps)},"
            f" manual repairs {len(self.repairs)}, processes left {len(self.left_over)},"
            f" epochs lost or repeated {len(self.epochs_lost_or_repeated)}"
        )


class Life:
    """One lab from nothing to its end, killed on the way."""

    def __init__(self, scenario: Scenario, tally: Tally) -> None:
        self.scenario, self.tally = scenario, tally
        self.folder = Path(tempfile.mkdtemp(prefix=f"lab-chaos-{scenario.name}-"))
        self.lab = self.folder / "lab"
        shutil.copytree(scenario.folder, self.lab, ignore=shutil.ignore_patterns(".lab"))
        self.ledger = self.folder / "ledger"
        self.ledger.mkdir()
        self.reported: set[str] = set()
        self.kills = 0
        self.orphaned = False  # lab and warden were killed, and no apply has begun a run since

    def run(self, kill_after: float | None, way: str) -> int | None:
        """Runs `lab apply`; kills it after a while if it has not ended. Gives the exit code, None if killed."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("LAB_")}
        env |= {"CHAOS_LEDGER": str(self.ledger), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [str(LAB), "apply", "--json", "-j", "2"],
            cwd=self.lab,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout or []), daemon=True)
        reader.start()
        killed = False
        try:
            code: int | None = process.wait(
                kill_after if kill_after is not None else self.scenario.limit
            )
        except subprocess.TimeoutExpired:
            if kill_after is None:
                self.tally.repairs.append(f"apply hung: {said[-5:]}")
            self._kill(process, way)
            killed, code = True, None
        process.wait()
        reader.join(5)
        self._check_said(said, code, killed)
        if killed and way == "lab+warden":
            self.orphaned = True  # the next apply ends the survivors, before its run begins
        elif killed:
            self._expect_nobody(f"after {way}")
        return code

    def _kill(self, process: subprocess.Popen[str], way: str) -> None:
        self.kills += 1
        self.tally.kills += 1
        self.tally.ways[way] += 1
        wardens = [p for p in children(process.pid) if "warden" in " ".join(cmdline(p))]
        if way == "group":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid, signal.SIGKILL)
        if way == "lab+warden":
            for warden in wardens:
                kill_quietly(warden.pid)

    def _expect_nobody(self, when: str) -> None:
        """No process of this lab may be left, grandchildren included."""
        if self.orphaned:
            return
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            left = self._left()
            if not left:
                return
            time.sleep(0.05)
        self.tally.left_over.append(f"{when}: {[' '.join(cmdline(p)) for p in self._left()]}")

    def _left(self) -> list[psutil.Process]:
        return processes_with("CHAOS_LEDGER", str(self.ledger))

    def _check_said(self, said: list[str], code: int | None, killed: bool) -> None:
        started = set()
        for line in said:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "run.started":
                self.orphaned = False
            if event.get("event") == "step.started":
                started.add(event["step"])
                if event["step"] in self.reported:
                    self.tally.reported_repeated.append(f"{event['step']}: {event['cause']}")
            if event.get("event") == "step.finished":
                self.reported.add(event["step"])
        if not killed and code != 0:
            self.tally.repairs.append(f"apply exited {code}: {''.join(said[-15:])}")

    def live(self, rng: random.Random, most_kills: int) -> None:
        """Kills until *most_kills* are used up or the lab is finished, then lets it finish."""
        code = None
        while code is None and self.kills < most_kills:
            code = self.run(rng.uniform(0.02, self.scenario.horizon), rng.choice(WAYS))
            if code is None:
                self.tally.recoveries += 1
        if code is None:
            self.run(None, "")
        self._expect_nobody("after the end")
        self._check_plan()
        self._check_ledger()
        self.tally.lives += 1
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check_plan(self) -> None:
        """When all is done, a plan must find nothing to do, and that without any repair."""
        done = subprocess.run(
            [str(LAB), "plan", "--check"], cwd=self.lab, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            self.tally.repairs.append(f"plan after the end: {done.stdout}{done.stderr}")

    def _check_ledger(self) -> None:
        overlaps = self.ledger / "overlaps"
        if overlaps.exists():
            self.tally.overlaps.append(overlaps.read_text())
        for path in self.lab.glob(".lab/work/*/steps/train/metrics.jsonl"):
            epochs = [json.loads(line)["epoch"] for line in path.read_text().splitlines()]
            repeated = len(epochs) - len(set(epochs))
            if sorted(set(epochs)) != list(range(min(epochs), max(epochs) + 1)) or min(epochs) > 1:
                self.tally.epochs_lost_or_repeated.append(f"lost some: {epochs}")
            if repeated > self.kills:
                self.tally.epochs_lost_or_repeated.append(f"{self.kills} kills: {epochs}")


def processes_with(variable: str, value: str) -> list[psutil.Process]:
    """The living processes in whose environment *variable* has *value*."""

    def matches(process: psutil.Process) -> bool:
        try:
            return (
                process.environ().get(variable) == value
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if matches(process)]


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def kill_quietly(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def chaos(scenario: Scenario, rounds: int, seed: int, *, say: bool = False) -> Tally:
    """Kills *rounds* times; gives what was seen."""
    rng = random.Random(seed)
    tally = Tally()
    while tally.kills < rounds and not tally.faults:
        Life(scenario, tally).live(rng, min(rounds - tally.kills, 6))
        if say:
            print(tally, flush=True)
    return tally
