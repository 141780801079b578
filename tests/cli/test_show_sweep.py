"""What `lab show` tells of sweeps, and how their trials fold into one line elsewhere."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from past import Past

from lab.edge.lock import Lock
from lab.model.layout import curve_path

STEPS = """  sweep:
    kind: sweep
    trial: {command: [x, "{{ parameters.lr }}", "{{ parameters.opt }}"]}
    objective: {metric: acc, type: maximize, goal: 0.9}
    trials: {max: 9}
    parameters:
      lr: {type: double, min: 0, max: 1}
      opt: {type: categorical, list: [a, b]}
"""
OBJECTIVE = {"metric": "acc", "type": "maximize", "goal": 0.9, "additional_metrics": ["loss"]}
EVIL = "</script><script>alert(1)</script>\x1b[31m"


def begun(lr: float, opt: str = "a") -> dict[str, Any]:
    return {"kind": "training", "parameters": {"lr": lr, "opt": opt}}


def curve(past: Past, number: int, values: list[float], *, live: bool = False) -> None:
    address = f"sweep[#{number}]"
    text = "".join(json.dumps({"epoch": i, "acc": v}) + "\n" for i, v in enumerate(values, 1))
    if live:
        (past.directory(address) / "curve.jsonl").write_text(text)
    else:
        past.write_log(curve_path(str(past.root), "t", "", past.number, address), text)


def trial(past: Past, number: int, acc: float, *, lr: float = 0.5, opt: str = "a") -> None:
    metrics = {"acc": acc, "loss": 1 - acc}
    past.done(f"sweep[#{number}]", {"metrics": metrics}, **begun(lr, opt))


def start(past: Past, most: int = 9) -> None:
    past.run()
    past.start("sweep", kind="sweep")
    past.remembered("sweep", {"study": "s", "max": most, "objective": OBJECTIVE})


@pytest.fixture
def broken_off(past: Past) -> Past:
    """A sweep that is under way, with a trial of every sort; trial 10 stands behind 9."""
    past.labfile(STEPS)
    start(past)
    trial(past, 1, 0.4)
    curve(past, 1, [0.2, 0.7, 0.4])
    trial(past, 2, 0.6, opt=EVIL)
    past.failed("sweep[#3]", error="exit 3\nmore", begun=begun(0.1))
    stopped = {"metrics": {"acc": 0.1}, "stopped_early": "worse than the median"}
    past.done("sweep[#4]", stopped, **begun(0.2))
    goal = {"metrics": {"acc": 0.2}, "stopped_early": "another trial reached the goal"}
    past.done("sweep[#5]", goal, **begun(0.2))
    past.done("sweep[#6]", {"metrics": {"loss": 1.0}}, **begun(0.2))
    trial(past, 10, 0.65)
    past.start("sweep[#9]", **begun(0.3))
    curve(past, 9, [0.99], live=True)
    return past


def test_every_trial_is_told_of_with_what_became_of_it(broken_off: Past) -> None:
    found = broken_off("show", "sweep", "--json").out
    sweep = json.loads(found)["sweep"]
    assert {each["trial"]: each["outcome"] for each in sweep["trials"]} == {
        1: "done",
        2: "done",
        3: "failed",
        4: "early stopped",
        5: "stopped at the goal",
        6: "failed",
        9: "interrupted",
        10: "done",
    }
    assert [each["trial"] for each in sweep["trials"]] == [1, 2, 3, 4, 5, 6, 9, 10]
    reasons = {each["trial"]: each["reason"] for each in sweep["trials"]}
    assert reasons[3] == "exit 3\nmore"
    assert "no finite `acc`" in reasons[6]
    assert sweep["counts"]["failed"] == 2
    # the best of a curve counts, not its end; a trial that has not ended is not the best
    assert (sweep["best_trial"], sweep["best_metric"]) == (1, 0.7)
    assert [each["best"] for each in sweep["trials"]].count(True) == 1
    assert sweep["trials"][6]["metrics"] == {"acc": 0.99}
    assert sweep["max"] == 9


def test_what_people_see(broken_off: Past) -> None:
    text = broken_off("show", "sweep").out
    assert "maximize acc, goal 0.9 not reached" in text
    assert "acc=0.7 in trial #1" in text
    assert "3 done, 1 early stopped, 1 stopped at the goal, 2 failed, 1 interrupted" in text
    rows = text.split("Trials\n")[1].splitlines()
    assert rows[1].split()[:5] == ["★", "1", "0.5", "a", "0.7"]
    assert "failed: exit 3" in rows[3] and "more" not in rows[3]
    assert "early stopped: worse than the median" in rows[4]
    assert "\x1b" not in text


def test_while_it_runs(broken_off: Past) -> None:
    broken_off.flush()
    lock = Lock(broken_off.lab)
    lock.acquire("apply")
    try:
        broken_off.start("sweep[#11]", **begun(0.3))
        broken_off.now += 7200
        broken_off.start("sweep[#11]", **begun(0.3))
        sweep = json.loads(broken_off("show", "sweep", "--json").out)["sweep"]
    finally:
        lock.release()
    assert sweep["trials"][-1]["outcome"] == "running"
    assert sweep["trials"][-1]["seconds"] is not None


def test_csv_has_every_digit_and_keeps_texts_whole(broken_off: Past) -> None:
    rows = list(csv.DictReader(io.StringIO(broken_off("show", "sweep", "--csv").out)))
    assert rows[1]["parameters.opt"] == EVIL
    assert rows[2] == {
        "trial": "3",
        "outcome": "failed",
        "best": "false",
        "parameters.lr": "0.1",
        "parameters.opt": "a",
        "metrics.acc": "",
        "metrics.loss": "",
        "steps": "0",
        "seconds": "1.0",
        "run": "1",
        "reason": "exit 3\nmore",
    }


def test_an_earlier_run_is_shown_as_it_was(past: Past) -> None:
    past.labfile(STEPS)
    start(past, 1)
    trial(past, 1, 0.4)
    curve(past, 1, [0.4])
    past.done("sweep", {"best_trial": 1}, kind="sweep", cause="it was new")
    past.end()
    past.run()
    past.forgotten("sweep[#1]")
    past.start("sweep", kind="sweep", cause="`parameters` changed")
    trial(past, 1, 0.8)
    curve(past, 1, [0.1, 0.8])
    past.end("failed")
    for run, value, steps in (("1", 0.4, 1), ("2", 0.8, 2)):
        sweep = json.loads(past("show", "sweep", "--run", run, "--json").out)["sweep"]
        (only,) = sweep["trials"]
        assert (only["metrics"]["acc"], only["steps"]) == (value, steps)
    text = past("show", "sweep", "--run", "1").out
    assert "done" in text and "it was new" in text and "changed" not in text
    assert "there is no run 7" in past("show", "sweep", "--run", "7", expect=2).err


def test_a_sweep_of_a_version_that_remembered_less(past: Past) -> None:
    """Before it is done nothing says what it was after; the trials are listed all the same."""
    past.labfile(STEPS)
    past.run()
    past.start("sweep", kind="sweep")
    past.remembered("sweep", {"study": "s"})
    trial(past, 1, 0.4)
    sweep = json.loads(past("show", "sweep", "--json").out)["sweep"]
    assert sweep["objective"] is None and sweep["best_trial"] is None
    assert "#" in past("show", "sweep").out
    past.done("sweep", kind="sweep", identity={"objective": OBJECTIVE, "trials": {"max": 1}})
    sweep = json.loads(past("show", "sweep", "--json").out)["sweep"]
    assert (sweep["best_trial"], sweep["max"]) == (1, 1)


@pytest.mark.parametrize("option", [["--csv"], ["--html", "x.html"], ["--run", "1"]])
def test_what_only_sweeps_have_is_refused_for_others(past: Past, option: list[str]) -> None:
    past.labfile("  a: {kind: command, command: [x]}\n")
    past.run()
    past.done("a")
    past.end()
    assert "is for sweeps" in past("show", "a", *option, expect=1).err
    assert not (past.root / "x.html").exists()
    assert past("show", "run", "1", *option, expect=2).code == 2


def test_a_page_is_written_whole_or_not_at_all(broken_off: Past) -> None:
    page = broken_off.root / "trials.html"
    broken_off("show", "sweep", "--html", str(page))
    text = page.read_text()
    assert "<script>alert" not in text and "\x1b" not in text
    said = broken_off("show", "sweep", "--html", str(page.parent / "no" / "x.html"), expect=1).err
    assert "cannot be written" in said
    assert [each.name for each in page.parent.glob("*.tmp")] == []


def test_trials_fold_into_their_sweep_unless_asked_for(broken_off: Past) -> None:
    broken_off.run()
    broken_off.done("other[#1]")  # its owner is not known: it must not vanish
    for words in (["status"], ["state", "list"]):
        text = broken_off(*words).out
        assert "8 trials, 1 failed, 1 interrupted" in text, text
        assert "sweep[#1]" not in text and "other[#1]" in text
        assert "sweep[#10]" in broken_off(*words, "--trials").out
        assert "sweep[#10]" in broken_off(*words, "--json").out


def test_two_trials_are_compared(broken_off: Past) -> None:
    found = json.loads(broken_off("compare", "sweep[#10]", "sweep[#1]", "--json").out)
    assert [(each["step"], each["metrics"]["acc"]) for each in found] == [
        ("sweep[#10]", 0.65),
        ("sweep[#1]", 0.4),
    ]
    assert found[1]["curves"] == {"acc": [0.2, 0.7, 0.4]}
    all_ = json.loads(broken_off("compare", "1", "--json").out)
    assert [each["step"] for each in all_][-2:] == ["sweep[#6]", "sweep[#10]"]
    assert "not the number of a run" in broken_off("compare", "sweep[#3]", expect=2).err
