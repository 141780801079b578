"""What a training step costs over the bare command that it runs."""

import json
import shutil
from collections.abc import Sequence
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
    timed,
)
from rows import Row, absent, compare
from setting import Setting, lab_json, lab_of
from tools import Tool

EPOCHS = 65
LEAST = 60.0
PAIRS = 5  # what the budget asks for; `--rounds` may ask for more
TRIAL_STEPS = 2_000_000


def training(setting: Setting) -> list[Row]:
    """A minute of work, bare and as a step, taking turns."""
    what = f"one training step of {LEAST:.0f} s or more, vs the bare command"
    if not setting.slow:
        return [absent("training", what, "takes minutes; ask for it with --slow")]
    folder = empty(setting.folder("training", EPOCHS))
    shutil.copy(Path(__file__).with_name("burn.py"), folder / "burn.py")
    try:
        steps = steps_of_a_second(setting.python, folder)
    except CommandFailed as fault:
        return [absent("training", what, str(fault))]
    argv = (str(setting.python), "burn.py", str(EPOCHS), str(steps))
    (folder / "Labfile.yaml").write_text(labfile(argv), encoding="utf-8")
    tool = lab_of(setting)
    pairs = max(PAIRS, setting.rounds)
    found: dict[str, Result] = {}
    lanes = [Lane(label="bare", go=lambda: timed(argv, folder), rounds=pairs)]
    if isinstance(tool, Missing):
        found["lab"] = tool
    else:
        lanes.append(Lane(label="lab", go=lambda: step(tool, folder), rounds=pairs))
    found |= race("training", lanes)
    return [compare("training", what, found["lab"], long_enough(found["bare"]), 1.02)]


def steps_of_a_second(python: Path, folder: Path) -> int:
    """How much work makes an epoch of about a second on this machine."""
    argv = (str(python), "burn.py", "1", str(TRIAL_STEPS))
    return round(TRIAL_STEPS / min(timed(argv, folder).seconds for _ in range(3)))


def labfile(argv: Sequence[str]) -> str:
    """The bare command as a training step that reads its metrics."""
    command = json.dumps(list(argv))
    return (
        "labfile: 1\nname: burn\nsteps:\n"
        f"  train: {{kind: training, command: {command}, metrics: {{from: stdout}}}}\n"
        'outputs: {seconds: "{{ steps.train.outputs.metrics.seconds }}"}\n'
    )


def step(tool: Tool, folder: Path) -> Sample:
    """The step with nothing in state; the metric it ends with shows that it ran to its end."""
    forget(folder)
    sample = timed(tool.apply, folder)
    inside = lab_json(tool, ("output",), folder).get("seconds")
    if not isinstance(inside, float) or not 0 < inside < sample.seconds:
        raise CommandFailed(f"the step took {sample.seconds:.1f} s; its metric says {inside}")
    return sample


def long_enough(bare: Result) -> Result:
    """The budget speaks of runs of a minute: a shorter one would blame start-up for too much."""
    if isinstance(bare, Series) and bare.seconds < LEAST:
        return Broken(bare.label, f"took {bare.seconds:.1f} s, less than {LEAST:.0f} s")
    return bare
