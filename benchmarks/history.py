"""What a history of a thousand runs costs the commands that look at a lab."""

import shutil
from functools import partial
from pathlib import Path

from measure import CommandFailed, Lane, Missing, Series, cache_of, race, reasons, say, timed
from rows import Row, absent, judged, raw, seconds
from setting import Setting, lab_of

RUNS, REMADE = 1_000, 20  # runs, and the steps that each of them made again
MOST = 1.2  # of the time without a history; what varies from one turn to the next is in it
VERBS = (("plan",), ("apply",), ("status",), ("explain", "s1"), ("logs", "s1"), ("runs", "-n", "5"))

# Run by lab's own interpreter: a thousand applies would take an hour and write the same events.
_PAST = """
import os, sys, time
from lab.edge.journal import Journal
from lab.model.event import RunFinished, RunStarted, StepFinished, StepStarted
from lab.model.layout import state_path

root, runs, remade = os.getcwd(), int(sys.argv[1]), int(sys.argv[2])
with Journal(state_path(root), root) as journal:
    lab = journal.open("bench", "", "Labfile.yaml")
    state, now = lab.load(), time.time() - 86400.0
    again = [r for r in state.records.values() if r.done][:remade]
    for run in range(state.run + 1, state.run + 1 + runs):
        events = [RunStarted(run=run, time=now, command="apply", labfile=root + "/Labfile.yaml")]
        for r in again:
            events.append(StepStarted(run=run, time=now, address=r.address, kind=r.kind,
                                      target=r.target, verb="replace", cause="asked for",
                                      digest=r.done.digest, version=r.version, place=r.place,
                                      needs=r.needs, fields=r.fields))
            events.append(StepFinished(run=run, time=now, address=r.address, done=r.done))
        events.append(RunFinished(run=run, time=now, outcome="done", counts={"replaced": remade}))
        lab.append(*events)
"""


def history(setting: Setting, made: Path) -> list[Row]:
    """Each verb over the lab in *made*, beside the same lab with a history."""
    tool = lab_of(setting)
    what = f"a history of {RUNS:,} runs"
    if isinstance(tool, Missing):
        return [absent("scale", what, tool.reason)]
    old = made.with_name(f"{made.name}-old")
    for there, here in ((made, old), (cache_of(made), cache_of(old))):
        shutil.rmtree(here, ignore_errors=True)
        if there.exists():
            shutil.copytree(there, here)
    try:
        timed((str(setting.python), "-c", _PAST, str(RUNS), str(REMADE)), old)
    except CommandFailed as fault:
        return [absent("scale", what, str(fault), "FAIL")]
    size = (old / ".lab" / "state.db").stat().st_size
    say(f"history: {RUNS:,} runs, {size >> 20} MiB")
    return [_slowed(setting, (tool.plan[0], *words), made, old) for words in VERBS]


def _slowed(setting: Setting, argv: tuple[str, ...], made: Path, old: Path) -> Row:
    what = f"lab {argv[1]}, {setting.size:,} steps, after {RUNS:,} runs over after one"
    lanes = [
        Lane(label=label, go=partial(timed, argv, folder), rounds=setting.rounds)
        for label, folder in ((f"{RUNS:,} runs", old), ("1 run", made))
    ]
    long, short = race(f"history {argv[1]}", lanes).values()
    match long, short:
        case Series(), Series():
            figure = long.seconds / short.seconds
            word = judged(figure, MOST)
            times = raw(long, short)
            return Row("scale", what, word, seconds(long), seconds(short), figure, MOST, "", times)
        case _:
            return absent("scale", what, reasons(long, short), "FAIL")
