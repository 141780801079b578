"""A local sweep of small TensorFlow trials against one fresh process a trial."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

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
from rows import Row, absent, judged, raw, seconds
from setting import Setting, lab_json, lab_of
from tools import Tool

TRIALS = 20
UNITS = (16, 32, 64, 128)
WHAT = f"a sweep of {TRIALS} small TensorFlow trials, speed over fresh processes"


def labfile(python: Path, parallel: int) -> str:
    """The trials as a sweep over the same values."""
    return f"""labfile: 1
name: trials
steps:
  sweep:
    kind: sweep
    trial:
      command: ["{python}", trial.py, --units, "{{{{ parameters.units }}}}",
                --lr, "{{{{ parameters.lr }}}}"]
      parameters: {{units: 16, lr: 0.01}}
      metrics: {{from: stdout}}
    parameters:
      units: {{type: categorical, list: {list(UNITS)}}}
      lr: {{type: double, min: 0.0001, max: 0.1, distribution: logUniform}}
    objective: {{metric: loss, type: minimize}}
    algorithm: {{name: random, seed: 1}}
    trials: {{max: {TRIALS}, parallel: {parallel}}}
outputs:
  trials: "{{{{ steps.sweep.outputs.trials }}}}"
"""


def sweep(setting: Setting) -> list[Row]:
    """The whole sweep, and the same with the one-off import of TensorFlow taken off."""
    python = setting.tensorflow
    tool = lab_of(setting)
    if python is None:
        return [
            absent("sweep", WHAT, "name an interpreter that has TensorFlow: --tensorflow PYTHON")
        ]
    folder = empty(setting.folder("sweep", TRIALS))
    shutil.copy(Path(__file__).with_name("trial.py"), folder / "trial.py")
    (folder / "Labfile.yaml").write_text(labfile(python, setting.jobs), encoding="utf-8")
    imports = (str(python), "-c", "import tensorflow")
    load = Lane(label="import", go=lambda: timed(imports, folder), rounds=setting.rounds)
    # TensorFlow from a cold disk takes several times as long, and the import is taken off our time.
    race("sweep, not counted", [replace(load, rounds=1)])
    lanes = [
        load,
        Lane(label="fresh", go=lambda: all_fresh(setting, python, folder), rounds=setting.rounds),
    ]
    if not isinstance(tool, Missing):
        lanes.append(Lane(label="lab", go=lambda: swept(tool, folder), rounds=setting.rounds))
    found: dict[str, Result] = {"lab": tool} if isinstance(tool, Missing) else {}
    found |= race("sweep", lanes)
    return verdicts(found["lab"], found["fresh"], found["import"])


def all_fresh(setting: Setting, python: Path, folder: Path) -> Sample:
    """Every trial in a process of its own, as many at a time as the sweep has."""

    def one(number: int) -> Sample:
        units = UNITS[number % len(UNITS)]
        place = folder / f"trial-{number}"
        place.mkdir(exist_ok=True)
        argv = (str(python), "../trial.py", "--units", str(units), "--lr", "0.01")
        return timed(argv, place)

    with ThreadPoolExecutor(setting.jobs) as pool:
        begun = time.perf_counter()
        samples = list(pool.map(one, range(TRIALS)))
        return Sample(time.perf_counter() - begun, max(sample.peak_mib for sample in samples))


def swept(tool: Tool, folder: Path) -> Sample:
    """The sweep with nothing in state; one that left out trials has no time."""
    forget(folder)
    sample = timed(tool.apply, folder)
    counts = lab_json(tool, ("output",), folder).get("trials")
    if not isinstance(counts, dict) or TRIALS not in counts.values():
        raise CommandFailed(f"not all of {TRIALS} trials ended in the same way: {counts}")
    return sample


def verdicts(ours: Result, fresh: Result, imports: Result) -> list[Row]:
    """How many times as fast, with the warm start and apart from it."""
    match ours, fresh, imports:
        case Series(), Series(), Series():
            apart = max(ours.seconds - imports.seconds, 1e-3)
            note = f"one import of TensorFlow ({imports.seconds:.2f} s) taken off"
            return [
                speed(f"{WHAT}, warm start apart", ours, fresh, fresh.seconds / apart, 4.0, note),
                speed(f"{WHAT}, with it", ours, fresh, fresh.seconds / ours.seconds, 3.5),
            ]
        case Missing(label, reason), _, _:
            return [absent("sweep", WHAT, f"{label}: {reason}")]
        case _:
            reason = reasons(ours, fresh, imports)
            return [
                absent("sweep", WHAT, reason, "FAIL" if isinstance(ours, Broken) else "skipped")
            ]


def speed(
    what: str, ours: Series, fresh: Series, times: float, least: float, note: str = ""
) -> Row:
    """A speed-up, of which there must be at least so much."""
    word = judged(times, least, at_least=True)
    remark = "; ".join(filter(None, ("at least", note)))
    samples = raw(ours, fresh)
    return Row("sweep", what, word, seconds(ours), seconds(fresh), times, least, remark, samples)
