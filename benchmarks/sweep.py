"""A local sweep of small TensorFlow trials against one fresh process a trial, one process for all, and threads."""

import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from measure import (
    Broken,
    CommandFailed,
    Lane,
    Missing,
    Result,
    Sample,
    Series,
    empty,
    forget,
    race,
    reasons,
    timed,
)
from rows import Row, absent, compare, judged, raw, seconds
from setting import Setting, lab_json, lab_of
from tools import Tool
from trial import RATES, UNITS

TRIALS = len(UNITS) * len(RATES)
WHAT = f"a sweep of {TRIALS} small TensorFlow trials"
SPEED = f"{WHAT}, speed over fresh processes"


def labfile(python: Path, parallel: int) -> str:
    """The trials as a sweep over the same values."""
    return f"""labfile: 1
name: trials
steps:
  sweep:
    kind: sweep
    trial:
      command: ["{python}", trial.py, --units, "{{{{ parameters.units }}}}",
                --lr, "{{{{ parameters.lr }}}}", --ledger, lab.ledger]
      parameters: {{units: 16, lr: 0.01}}
      warm: [tensorflow]
      metrics: {{from: stdout}}
    parameters:
      units: {{type: categorical, list: {list(UNITS)}}}
      lr: {{type: discrete, list: {list(RATES)}}}
    objective: {{metric: loss, type: minimize}}
    algorithm: {{name: grid}}
    trials: {{max: {TRIALS}, parallel: {parallel}}}
outputs:
  trials: "{{{{ steps.sweep.outputs.trials }}}}"
"""


def sweep(setting: Setting) -> list[Row]:
    """The whole sweep, and the same with the one-off import of TensorFlow taken off."""
    python = setting.tensorflow
    tool = lab_of(setting)
    if python is None:
        why = "name an interpreter that has TensorFlow: --tensorflow PYTHON"
        return [absent("sweep", SPEED, why)]
    folder = empty(setting.folder("sweep", TRIALS))
    shutil.copy(Path(__file__).with_name("trial.py"), folder / "trial.py")
    (folder / "Labfile.yaml").write_text(labfile(python, setting.jobs), encoding="utf-8")
    imports = (str(python), "-c", "import tensorflow")
    rounds = setting.rounds
    load = Lane(label="import", go=lambda: timed(imports, folder), rounds=rounds)
    # TensorFlow from a cold disk takes several times as long, and the import is taken off our time.
    race("sweep, not counted", [replace(load, rounds=1)])
    lanes = [load]
    if not isinstance(tool, Missing):
        lanes.append(Lane(label="lab", go=lambda: swept(tool, folder), rounds=rounds))
    lanes += [
        Lane(label="fresh", go=lambda: all_fresh(setting, python, folder), rounds=rounds),
        Lane(label="loop", go=lambda: in_one(python, "loop", folder), rounds=rounds),
        Lane(label="optuna", go=lambda: in_one(python, "threads", folder), rounds=rounds),
    ]
    found: dict[str, Result] = {"lab": tool} if isinstance(tool, Missing) else {}
    found |= race("sweep", lanes)
    return [
        *verdicts(found["lab"], found["fresh"], found["import"]),
        compare("sweep", f"{WHAT}, vs a loop in one process", found["lab"], found["loop"], 1.0),
        compare("sweep", f"{WHAT}, vs Optuna n_jobs=2", found["lab"], found["optuna"], None),
    ]


def all_fresh(setting: Setting, python: Path, folder: Path) -> Sample:
    """Every trial in a process of its own, as many at a time as the sweep has; equal losses or no time."""

    def one(number: int, units: int, lr: float) -> Sample:
        place = folder / f"trial-{number}"
        place.mkdir(exist_ok=True)
        words = ("--units", str(units), "--lr", str(lr), "--ledger", "../fresh.ledger")
        return timed((str(python), "../trial.py", *words), place)

    points = list(itertools.product(UNITS, RATES))
    (folder / "fresh.ledger").unlink(missing_ok=True)
    with ThreadPoolExecutor(setting.jobs) as pool:
        begun = perf_counter()
        samples = list(pool.map(lambda p: one(p[0], *p[1]), enumerate(points)))
        sample = Sample(perf_counter() - begun, max(sample.peak_mib for sample in samples))
    ours, fresh = (losses(folder / f"{name}.ledger") for name in ("lab", "fresh"))
    if ours and ours != fresh:
        raise CommandFailed(f"the losses differ from those of lab's trials: {ours} {fresh}")
    return sample


def in_one(python: Path, how: str, folder: Path) -> Sample:
    """All trials in one process, one after the other or in threads."""
    ledger = folder / f"{how}.ledger"
    ledger.unlink(missing_ok=True)
    sample = timed((str(python), "trial.py", "--how", how, "--ledger", str(ledger)), folder)
    if len(losses(ledger)) != TRIALS:
        raise CommandFailed(f"{len(losses(ledger))} of {TRIALS} trials are in the ledger")
    return sample


def losses(ledger: Path) -> dict[tuple[int, float], float]:
    """Each trial's loss, by its parameters."""
    if not ledger.exists():
        return {}
    rows = map(json.loads, ledger.read_text(encoding="utf-8").splitlines())
    return {(units, lr): loss for units, lr, loss in rows}


def swept(tool: Tool, folder: Path) -> Sample:
    """The sweep with nothing in state; one that left out trials, or did not run warm, has no time."""
    forget(folder)
    (folder / "lab.ledger").unlink(missing_ok=True)
    sample = timed(tool.apply, folder)
    counts = lab_json(tool, ("output",), folder).get("trials")
    if not isinstance(counts, dict) or TRIALS not in counts.values():
        raise CommandFailed(f"not all of {TRIALS} trials ended in the same way: {counts}")
    if len(losses(folder / "lab.ledger")) != TRIALS:
        raise CommandFailed("not every trial is in the ledger")
    return sample


def verdicts(ours: Result, fresh: Result, imports: Result) -> list[Row]:
    """How many times as fast, with the warm start and apart from it."""
    match ours, fresh, imports:
        case Series(), Series(), Series():
            apart = max(ours.seconds - imports.seconds, 1e-3)
            note = f"one import of TensorFlow ({imports.seconds:.2f} s) taken off; equal losses"
            return [
                speed(f"{SPEED}, warm start apart", ours, fresh, fresh.seconds / apart, 4.0, note),
                speed(f"{SPEED}, with it", ours, fresh, fresh.seconds / ours.seconds, 3.5),
            ]
        case Missing(label, reason), _, _:
            return [absent("sweep", SPEED, f"{label}: {reason}")]
        case _:
            reason = reasons(ours, fresh, imports)
            return [
                absent("sweep", SPEED, reason, "FAIL" if isinstance(ours, Broken) else "skipped")
            ]


def speed(
    what: str, ours: Series, fresh: Series, times: float, least: float, note: str = ""
) -> Row:
    """A speed-up, of which there must be at least so much."""
    word = judged(times, least, at_least=True)
    remark = "; ".join(filter(None, ("at least", note)))
    samples = raw(ours, fresh)
    return Row("sweep", what, word, seconds(ours), seconds(fresh), times, least, remark, samples)
