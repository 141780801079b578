"""The life of one random lab: applied, edited and killed again and again, and compared with its model each time."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.edge.journal import Journal
from lab.model.layout import state_path
from lab.model.state import Record
from lab.model.values import Artifact
from tests.chaos_fixed import LAB, PATIENCE, children, cmdline, kill_quietly, processes_with
from tests.chaos_model import Model, lines, random_model

HERE = Path(__file__).resolve().parent
WAYS = ("lab", "group", "lab+warden", "tree")
LIMIT = 60.0  # seconds after which a run that nobody kills hangs


@dataclass
class Count:
    """What was seen in one life, or in many. All but the first row must stay zero."""

    kills: int = 0
    recoveries: int = 0
    undisturbed: int = 0  # runs that ended before they were to be killed
    edits: int = 0
    others: int = 0  # kills of `lab destroy` and `lab state mv`
    begun: int = 0  # steps, by what they witnessed themselves
    ended: int = 0  # steps whose end was reported
    unreported: int = 0  # ends that were not reported before a kill, and came again: allowed
    ways: Counter[str] = field(default_factory=Counter)
    repeated: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.repeated, *self.overlaps, *self.losses, *self.repairs, *self.left]

    def add(self, other: Count) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Moment:
    """When to kill: so many seconds after lab was started (*starting*), or after its run began."""

    starting: bool
    after: float

    def __str__(self) -> str:
        return f"{self.after:.3f} s after {'the start' if self.starting else 'its run began'}"


class Life:
    """One lab. Everything that is drawn comes from *rng*, so that a seed draws the same life again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.model: Model = random_model(rng)
        self.count = Count()
        self.folder = Path(tempfile.mkdtemp(prefix="lab-chaos-"))
        self.root, self.ledger = self.folder / "lab", self.folder / "ledger"
        for folder in (self.root, self.ledger):
            folder.mkdir()
        shutil.copy(HERE / "chaos_lab" / "step.py", self.root)
        self.reported: dict[str, str] = {}  # address → identity, of what was told to be done
        self.read = 0  # bytes of the ledger that were looked at
        self.done: dict[str, str] = {}  # address → value of an end that nobody reported
        self.orphaned = False
        self.story: list[str] = []

    # --- going on ------------------------------------------------------------------------------

    def live(self, kills: int) -> Count:
        """Is killed so often, then mended and finished. Stops at the first fault."""
        self._write()
        while self.count.kills < kills and not self.count.faults:
            killed = self._apply(self._moment(), self.rng.choice(WAYS))
            self.count.recoveries += killed
            self.count.undisturbed += not killed
            if not self.count.faults and self.rng.random() < (0.5 if killed else 1.0):
                self._edit()
            if not self.count.faults and self.rng.random() < 0.1:
                self._destroy()
        if not self.count.faults:
            self._finish()
        if not self.count.faults:
            shutil.rmtree(self.folder, ignore_errors=True)
        return self.count

    def _moment(self) -> Moment:
        """When to kill: while lab starts, at its first steps, or somewhere later."""
        starting = self.rng.random() < 0.2
        longest = self.rng.choice((0.1, 0.3, 0.6, 1.0))
        return Moment(starting, self.rng.uniform(0.0, 0.5 if starting else longest))

    def _finish(self) -> None:
        self.model.mend()
        self._write()
        self._apply(None, "")
        self._nobody("at the end")
        said = self._lab("plan", "--check")
        if said.returncode != 0:
            self.count.repairs.append(f"plan after the end: {said.stdout}{said.stderr}")

    # --- editing -------------------------------------------------------------------------------

    def _edit(self) -> None:
        for _ in range(self.rng.choice((1, 1, 2))):
            what = self.rng.choice(
                ("change", "change", "grow", "drop", "rename", "move", "rewrite", "artifact")
            )
            if what in ("rewrite",) and not self.model.inputs:
                what = "change"
            if not self.model.plots:
                what = "grow"
            getattr(self, f"_{what}")()
            self.count.edits += 1
        self._write()

    def _change(self) -> None:
        self.story.append(f"change {self.model.change(self.rng)}")

    def _grow(self) -> None:
        self.story.append(f"add {self.model.grow(self.rng)}")

    def _drop(self) -> None:
        name = self.model.drop(self.rng)
        self._forget(name)
        self.story.append(f"drop {name}")

    def _rename(self, *, moved: bool = False) -> None:
        old, new = self.model.rename(self.rng)
        below = {other for other, plot in self.model.plots.items() if new in plot.uses}
        identity = self.reported.get(old)
        self._forget(old, *below)
        self.story.append(f"{'move' if moved else 'rename'} {old} to {new}")
        if moved and identity is not None:
            if self.rng.random() < 0.5:
                self._cut("state", "mv", old, new)
            said = self._lab("state", "mv", old, new)
            if said.returncode and not self._is_moved(old, new):
                self.count.repairs.append(f"state mv {old} {new}: {said.stderr}")
            self.reported[new] = identity

    def _move(self) -> None:
        self._rename(moved=True)

    def _rewrite(self) -> None:
        self.story.append(f"rewrite {self.model.rewrite(self.rng)}")

    def _artifact(self) -> None:
        """Deletes what a step has made."""
        made = [path for path in self._artifacts().values() if os.path.exists(path)]
        if made:
            path = self.rng.choice(sorted(made))
            os.unlink(path)
            for address, other in self._artifacts().items():
                if other == path:
                    self.reported.pop(address, None)
            self.story.append(f"delete {os.path.relpath(path, self.root)}")

    def _forget(self, *names: str) -> None:
        for address in list(self.reported):
            if address.partition("[")[0] in names:
                del self.reported[address]

    def _write(self) -> None:
        (self.root / "Labfile.yaml").write_text(self.model.labfile())
        for name, text in self.model.inputs.items():
            (self.root / name).write_text(text)

    # --- running and killing -------------------------------------------------------------------

    def _apply(self, moment: Moment | None, way: str) -> bool:
        """Runs `lab apply`, and kills it at a moment if it still runs then; True if it did."""
        jobs = str(self.rng.choice((1, 2, 2, 3)))
        out = self.folder / "said"
        with out.open("w") as said:
            process = subprocess.Popen(
                [str(LAB), "apply", "--json", "--yes", "-j", jobs],
                cwd=self.root, env=self._env(), stdout=said, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        killed = False
        try:
            if moment is not None and not moment.starting:
                _wait_for("run.started", out, process)
            code = process.wait(LIMIT if moment is None else moment.after)
        except subprocess.TimeoutExpired:
            if moment is None:
                self.count.repairs.append(f"apply hung: {out.read_text()[-500:]}")
            self._kill(process.pid, way)
            code = process.wait()
            killed = code == -signal.SIGKILL
        if killed:
            self.count.kills += 1
            self.count.ways[way] += 1
        self.story.append(f"apply -j {jobs}, {way} killed {moment}" if killed else "apply")
        self._compare(out.read_text(), killed=killed, way=way, code=code)
        return killed

    def _kill(self, pid: int, way: str) -> None:
        below = children(pid)
        wardens = [p.pid for p in below if "warden" in " ".join(cmdline(p))]
        if way == "group":
            os.killpg(pid, signal.SIGKILL)
        else:
            kill_quietly(pid)
        victims = {"lab+warden": wardens, "tree": [p.pid for p in below]}.get(way, [])
        for victim in victims:
            kill_quietly(victim)

    def _lab(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(LAB), *words], cwd=self.root, env=self._env(), capture_output=True, text=True,
            timeout=LIMIT, check=False,
        )  # fmt: skip

    def _env(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LAB_")}
        return {**clean, "CHAOS_LEDGER": str(self.ledger), "LAB_CACHE": str(self.folder / "cache")}

    def _cut(self, *words: str) -> str:
        """Runs another command and kills it at a moment; gives what it said."""
        moment, way = self.rng.uniform(0.0, 0.6), self.rng.choice(WAYS)
        out = self.folder / "said"
        with out.open("w") as said:
            process = subprocess.Popen(
                [str(LAB), *words], cwd=self.root, env=self._env(), stdout=said,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            self._kill(process.pid, way)
            self.count.others += process.wait() == -signal.SIGKILL
        self.story.append(f"{' '.join(words)}, {way} killed after {moment:.3f} s")
        return out.read_text()

    def _destroy(self) -> None:
        """`lab destroy` is killed, then goes on to its end: nothing is left, and nothing destroyed twice."""
        # Files of steps that were dropped, or were being made anew, are nobody's to delete.
        made = [path for each, path in self._artifacts().items() if each in self.reported]
        gone = _destroyed(self._cut("destroy", "--yes", "--json"))
        back = gone & set(self._records())
        self.count.repairs += [f"{each} was destroyed, and is known" for each in sorted(back)]
        said = self._lab("destroy", "--yes", "--json")
        if said.returncode or self._records():
            self.count.repairs.append(f"destroy: {said.stdout}{said.stderr}")
        twice = gone & _destroyed(said.stdout)
        self.count.repeated += [f"{each} was destroyed twice" for each in sorted(twice)]
        self.count.left += [f"{path} after destroy" for path in made if os.path.exists(path)]
        self.reported.clear()
        self.done.clear()

    def _is_moved(self, old: str, new: str) -> bool:
        records = self._records()
        return new in records and old not in records

    # --- comparing with the model --------------------------------------------------------------

    def _compare(self, said: str, *, killed: bool, way: str, code: int) -> None:
        events = list(lines(said))
        if any(each["event"] == "run.started" for each in events):
            self.orphaned = False  # survivors are ended before a run begins
        if killed and way in ("lab+warden", "tree"):
            self.orphaned = True
        elif killed:
            self._nobody(f"after {way}")
        self._witnessed(events)
        if not killed:
            expected = (0,) if self.model.is_settled() else (0, 1)
            if code not in expected:
                self.count.repairs.append(f"apply exited {code}: {said[-1500:]}")
        self._journal()
        if killed and not self.count.faults:
            self._planned()

    def _witnessed(self, events: list[dict[str, Any]]) -> None:
        """What steps wrote of themselves, and what lab said of them, against what was reported before."""
        with open(self.ledger / "ledger", "ab+") as file:
            file.seek(self.read)
            new = file.read()
            self.read += len(new)
        notes = [line.split(" ", 3) for line in new.decode().splitlines()]
        addresses = self.model.addresses()
        started = [name for what, _, name, _ in notes if what == "start"]
        told = [each["step"] for each in events if each["event"] == "step.started"]
        self.count.begun += len(started)
        self.count.overlaps += [" ".join(note) for note in notes if note[0] == "overlap"]
        for name in {*started, *told}:
            before = self.reported.pop(name, None)
            if before is not None and name in addresses and before == self.model.identity(name):
                self.count.repeated.append(f"{name}, reported as {before}")
        ended = Counter((run, name) for what, run, name, _ in notes if what == "done")
        self.count.repeated += [f"{note} ended twice" for note, n in ended.items() if n > 1]
        for what, _, name, value in notes:
            if what == "start" and self.done.pop(name, "") == value:
                self.count.unreported += 1
            if what == "done":
                self.done[name] = value
        for event in events:
            if event["event"] == "step.finished" and event["step"] in addresses:
                self.reported[event["step"]] = self.model.identity(event["step"])
                self.done.pop(event["step"], None)
                self.count.ended += 1

    def _journal(self) -> None:
        """The journal folds to what the world shows: each reported step is there, with what it made."""
        if not os.path.exists(state_path(str(self.root))):
            if self.reported:
                self.count.losses.append("there is no state")
            return
        with Journal(state_path(str(self.root)), str(self.root)) as journal:
            state = journal.open("chaos")
            self.count.repairs += state.check()
            records = dict(state.load().records)
        for address, identity in self.reported.items():
            fault = _unlike(records.get(address), identity.partition(" ")[0])
            if fault:
                self.count.losses.append(f"{address}: {fault}")

    def _records(self) -> dict[str, Record]:
        if not os.path.exists(state_path(str(self.root))):
            return {}
        with Journal(state_path(str(self.root)), str(self.root)) as journal:
            return dict(journal.open("chaos").load().records)

    def _artifacts(self) -> dict[str, str]:
        return {
            address: artifact.path
            for address, record in self._records().items()
            for artifact in (record.done.artifacts if record.done else [])
        }

    def _planned(self) -> None:
        """The next plan needs no repair, and keeps what was reported."""
        said = self._lab("plan", "--json")
        if said.returncode:
            self.count.repairs.append(f"plan exited {said.returncode}: {said.stdout}{said.stderr}")
            return
        [plan] = lines(said.stdout)
        actions = {each["step"]: each for each in plan["actions"]}
        sound = {
            name
            for address, name in self.model.addresses().items()
            if self.reported.get(address) == self.model.identity(address)
        }
        for address, name in self.model.addresses().items():
            if self.reported.get(address) != self.model.identity(address):
                continue
            settled = self.model.above(name) <= sound
            usual = ("keep",) if settled else ("keep", "unknown", "skip")
            if actions[address]["action"] not in usual:
                self.count.repairs.append(f"planned again: {actions[address]}")

    def _nobody(self, when: str) -> None:
        """No process of this lab is left, grandchildren included."""
        if self.orphaned:
            return
        deadline = time.monotonic() + PATIENCE
        while left := processes_with("CHAOS_LEDGER", str(self.ledger)):
            if time.monotonic() > deadline:
                self.count.left.append(f"{when}: {[' '.join(cmdline(p)) for p in left]}")
                return
            time.sleep(0.03)


def _destroyed(said: str) -> set[str]:
    return {each["step"] for each in lines(said) if each["event"] == "step.destroyed"}


def _wait_for(word: str, out: Path, process: subprocess.Popen[bytes]) -> None:
    """Until lab has said *word*, or has ended."""
    deadline = time.monotonic() + LIMIT
    while process.poll() is None and word not in out.read_text():
        if time.monotonic() > deadline:
            return  # whoever waits for the process sees that it hangs
        time.sleep(0.004)


def _unlike(record: Record | None, value: str) -> str:
    """What is not as it was reported; nothing if all is."""
    if record is None or record.done is None:
        return "its record is gone"
    if record.done.outputs.get("value") != f"v{value}":
        return f"recorded {record.done.outputs}, made v{value}"
    for output in record.done.outputs.values():
        if isinstance(output, Artifact) and Path(output.path).read_text() != value:
            return f"{output.path} is not what was recorded"
    return ""


def lives(kills: int, seed: int, *, at_once: int = 2, tell: Any = None) -> tuple[Count, str]:
    """Lives until there were *kills*; gives what was seen, and how a failed life is seen again."""
    total, turn = Count(), threading.Lock()
    plans = [(i, min(KILLS, kills - i * KILLS)) for i in range(-(-kills // KILLS))]
    failed: list[str] = []

    def work() -> None:
        while True:
            with turn:
                if not plans or failed:
                    return
                number, most = plans.pop(0)
            life = one_life(seed, number)
            try:
                seen = life.live(most)
            except Exception as error:  # noqa: BLE001 - a fault of the test is told with its seed too
                seen = life.count
                seen.repairs.append(f"{type(error).__name__}: {error}")
            with turn:
                total.add(seen)
                if seen.faults:
                    failed.append(_again(seed, number, life))
                if tell is not None:
                    tell(total)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total, "\n".join(failed)


KILLS = 8  # in one life


def one_life(seed: int, number: int) -> Life:
    """The same life each time, but for what chance does to processes."""
    return Life(random.Random(f"{seed}:{number}"))


def _again(seed: int, number: int, life: Life) -> str:
    story = "\n  ".join(life.story)
    return f"again: make chaos SEED={seed} LIFE={number}\nkept: {life.folder}\n  {story}"
