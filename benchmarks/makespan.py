"""How near the schedule of a random DAG of sleeps comes to the best that can be."""

import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measure import Lane, Missing, Result, Sample, Series, empty, race, timed
from rows import Row, absent, judged, raw, seconds
from setting import Setting
from tools import Tool

WORKERS = 8
SLEEPS = 64
LIMIT = 1.05


@dataclass(frozen=True, slots=True)
class Sleep:
    """A step that waits: its parents by number, and for how long."""

    parents: tuple[int, ...]
    length: float


@dataclass(frozen=True, slots=True)
class Shape:
    """A random DAG: `reach` is how far back parents lie, which makes it wide or deep."""

    name: str
    seed: int
    parents: int
    reach: int


SHAPES = (
    Shape("wide (bound by work)", seed=11, parents=1, reach=SLEEPS),
    Shape("deep (bound by its critical path)", seed=7, parents=2, reach=6),
)


def drawn(shape: Shape, goal: float) -> Sequence[Sleep]:
    """The sleeps of a shape, stretched so that the bound is `goal` seconds."""
    source = random.Random(shape.seed)
    sleeps = []
    for number in range(SLEEPS):
        near = range(max(0, number - shape.reach), number)
        count = min(len(near), source.randint(0, shape.parents))
        sleeps.append(Sleep(tuple(sorted(source.sample(near, count))), source.uniform(0.5, 2.0)))
    stretch = goal / bound(sleeps)
    return [Sleep(sleep.parents, round(sleep.length * stretch, 3)) for sleep in sleeps]


def tails(sleeps: Sequence[Sleep]) -> Sequence[float]:
    """For each sleep the longest path that begins with it."""
    longest = [sleep.length for sleep in sleeps]
    for number in reversed(range(len(sleeps))):
        for parent in sleeps[number].parents:
            longest[parent] = max(longest[parent], sleeps[parent].length + longest[number])
    return longest


def bound(sleeps: Sequence[Sleep]) -> float:
    """What no schedule can beat: the critical path, or the work shared by all workers."""
    return max(*tails(sleeps), sum(sleep.length for sleep in sleeps) / WORKERS)


def listed(sleeps: Sequence[Sleep]) -> float:
    """The makespan of longest-path-first with no overhead at all."""
    order = tails(sleeps)
    waits = [len(sleep.parents) for sleep in sleeps]
    ready = [(-order[number], number) for number, count in enumerate(waits) if not count]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < WORKERS:
            _, number = heapq.heappop(ready)
            heapq.heappush(running, (now + sleeps[number].length, number))
        now, done = heapq.heappop(running)
        for number in (n for n, sleep in enumerate(sleeps) if done in sleep.parents):
            waits[number] -= 1
            if not waits[number]:
                heapq.heappush(ready, (-order[number], number))
    return now


def labfile(sleeps: Sequence[Sleep]) -> Mapping[str, str]:
    """The DAG as a Labfile."""
    lines = ["labfile: 1", "name: sleeps", "steps:"]
    for number, sleep in enumerate(sleeps):
        needs = ", ".join(f"s{parent}" for parent in sleep.parents)
        lines.append(
            f"  s{number}: {{kind: command, needs: [{needs}], "
            f'command: ["sleep", "{sleep.length}"]}}'
        )
    return {"Labfile.yaml": "\n".join(lines) + "\n"}


def ninja(sleeps: Sequence[Sleep]) -> Mapping[str, str]:
    """The DAG as a build.ninja."""
    lines = ["rule wait", "  command = sleep $for"]
    for number, sleep in enumerate(sleeps):
        needs = " ".join(f"s{parent}" for parent in sleep.parents)
        lines.append(f"build s{number}: wait {needs}".rstrip() + f"\n  for = {sleep.length}")
    return {"build.ninja": "\n".join(lines) + "\n"}


def makespan(setting: Setting) -> list[Row]:
    """Each shape in turn: the tool as often as asked, ninja once for comparison.

    Judged is a run that knows from the one before how long each step takes: nobody can pack steps
    well whose lengths are not known, and a first run is shown beside it.
    """
    goal = 10.0 if setting.quick else 20.0
    return [row for shape in SHAPES for row in one_shape(setting, shape, goal)]


def one_shape(setting: Setting, shape: Shape, goal: float) -> list[Row]:
    """The wall time of a whole run over the bound of its DAG."""
    sleeps = drawn(shape, goal)
    best, ideal = bound(sleeps), listed(sleeps)
    what = f"makespan of {SLEEPS} sleeps, {shape.name}, -j {WORKERS}"
    remark = f"bound {best:.2f} s; longest path first with no overhead {ideal:.2f} s"
    folder = setting.folder("sleeps", shape.seed)
    lab, peer = setting.tools["lab"], setting.tools["ninja"]
    found: dict[str, Result] = {t.label: t for t in (lab, peer) if isinstance(t, Missing)}
    lanes = []
    if isinstance(lab, Missing):
        found["first"] = lab
    else:
        lanes.append(lane(lab, folder, labfile(sleeps), 1, "first"))
        lanes.append(Lane(label="lab", go=partial(once_more, lab, folder), rounds=setting.rounds))
    if setting.quick:
        found["ninja"] = Missing("ninja", "left out by --quick")
    elif not isinstance(peer, Missing):
        own = setting.folder("sleeps-ninja", shape.seed)
        lanes.append(lane(peer, own, ninja(sleeps), 1))
    found |= race(f"makespan, {shape.name}", lanes)
    return [
        against(what, found["lab"], best, LIMIT, remark),
        against(f"{what}: the first run", found["first"], best, None, "lengths not known yet"),
        against(f"{what}: ninja", found["ninja"], best, None, "one run, for comparison"),
    ]


def once_more(lab: Tool, folder: Path) -> Sample:
    """All steps run again, with what is known of them."""
    return timed((*with_jobs(lab.apply), "--replace", "s*"), folder)


def lane(tool: Tool, folder: Path, files: Mapping[str, str], rounds: int, label: str = "") -> Lane:
    """A turn of one tool with nothing in state."""
    argv = with_jobs(tool.apply)

    def go() -> Sample:
        empty(folder)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return timed(argv, folder)

    return Lane(label=label or tool.label, go=go, rounds=rounds)


def with_jobs(argv: Sequence[str]) -> Sequence[str]:
    """The command with as many jobs as the sleeps want: they need no core."""
    place = argv.index("-j") + 1
    return (*argv[:place], str(WORKERS), *argv[place + 1 :])


def against(what: str, result: Result, best: float, limit: float | None, remark: str) -> Row:
    """A makespan over the bound."""
    if isinstance(result, Missing):
        return absent("makespan", what, f"{result.label}: {result.reason}", "skipped")
    if not isinstance(result, Series):
        return absent("makespan", what, result.reason, "FAIL" if limit else "not measured")
    ratio = result.seconds / best
    if ratio < 1:
        reason = f"{seconds(result)} is less than the bound of {best:.2f} s: not all sleeps ran"
        return absent("makespan", what, reason, "FAIL")
    theirs = f"bound {best:.2f} s"
    word = judged(ratio, limit)
    return Row("makespan", what, word, seconds(result), theirs, ratio, limit, remark, raw(result))
