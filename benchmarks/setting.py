"""What one run of the benchmarks was asked to do, and where the contenders' folders lie."""

import json
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import dag
from measure import (
    CommandFailed,
    Lane,
    Missing,
    Result,
    Sample,
    brief,
    cache_of,
    empty,
    environment,
    race,
    timed,
)
from tools import Catalogue, Tool

Verb = Literal["plan", "apply", "apply again"]
APPLIED = ".applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The run: `size` steps, `rounds` turns each, `jobs` at a time, all under `work`."""

    tools: Catalogue
    python: Path
    work: Path
    size: int
    rounds: int
    jobs: int
    quick: bool
    slow: bool
    tensorflow: Path | None

    def folder(self, name: str, size: int) -> Path:
        """Where a contender has its DAG of `size` steps."""
        return self.work / f"{name}-{size}"


def lab_of(setting: Setting) -> Tool | Missing:
    """The tool that is judged."""
    return setting.tools["lab"]


def fresh(tool: Tool, size: int, folder: Path) -> Path:
    """The DAG with nothing in state and nothing in a cache."""
    dag.write(tool.engine, size, empty(folder))
    if tool.init:
        timed(tool.init, folder)
    return folder


def run_race(
    setting: Setting,
    title: str,
    names: Sequence[str],
    verb: Verb,
    once: Collection[str] = (),
) -> Mapping[str, Result]:
    """Race the named at `verb`: plan and apply from nothing, again on what apply left."""
    results: dict[str, Result] = {}
    lanes: list[Lane] = []
    for name in names:
        tool = setting.tools[name]
        if isinstance(tool, Missing):
            results[name] = tool
        else:
            rounds = 1 if name in once else setting.rounds
            lanes.append(Lane(label=name, go=partial(turn, setting, tool, verb), rounds=rounds))
    return results | dict(race(title, lanes))


def turn(setting: Setting, tool: Tool, verb: Verb) -> Sample:
    """One contender's turn at `verb`."""
    folder = setting.folder(tool.label, setting.size)
    match verb:
        case "plan":
            return timed(tool.plan, fresh(tool, setting.size, folder))
        case "apply":
            return apply(tool, fresh(tool, setting.size, folder))
        case "apply again":
            if not (folder / APPLIED).exists():
                apply(tool, fresh(tool, setting.size, folder))
            return timed(tool.apply, folder)


def apply(tool: Tool, folder: Path) -> Sample:
    """Apply, and leave a mark so that a later race need not do it once more."""
    sample = timed(tool.apply, folder)
    (folder / APPLIED).touch()
    return sample


def lab_json(tool: Tool, words: Sequence[str], folder: Path) -> Mapping[str, object]:
    """The object that `lab WORDS --json` prints, for checks outside of the clock."""
    argv = (tool.plan[0], *words, "--json")
    done = subprocess.run(
        argv,
        cwd=folder,
        env=environment(cache_of(folder)),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        value = json.loads(done.stdout)
    except json.JSONDecodeError as fault:
        said = (done.stdout + done.stderr)[-300:]
        raise CommandFailed(f"`{brief(argv)}` printed no JSON ({fault}): {said}") from fault
    if not isinstance(value, dict):
        raise CommandFailed(f"`{brief(argv)}` printed no object")
    return value
