"""Sweeps with real processes: what runs once, what goes on, what is counted, what is said."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from tests.project import Project

pytestmark = pytest.mark.live

LABFILE = """
    labfile: 1
    name: swept
    vars: {max: 6, parallel: 2}
    steps:
      train:
        kind: training
        parameters: {x: 1, y: 2}
        command: [python3, train.py, "{{ parameters.x }}", "{{ parameters.y }}"]
        metrics: {from: stdout}
        artifacts: {model: "{{ step.dir }}/model"}
      sweep:
        kind: sweep
        trial: {like: train}
        parameters:
          x: {type: double, min: -5, max: 10}
          y: {type: int, min: 0, max: 15}
        objective: {metric: loss, type: minimize}
        algorithm: {name: random, seed: 1}
        trials: {max: "{{ vars.max }}", parallel: "{{ vars.parallel }}", max_failed: 1}
    outputs:
      best: "{{ steps.sweep.outputs.best_parameters }}"
      trials: "{{ steps.sweep.outputs.trials }}"
      model: "{{ steps.sweep.outputs.model }}"
"""
TRAIN = """
    import os, sys, time
    x, y = float(sys.argv[1]), float(sys.argv[2])
    with open("ledger", "a") as ledger:
        ledger.write(f"{os.environ['LAB_STEP']} {x} {y}\\n")
    if os.path.exists("broken"):
        sys.exit(f"cannot go on at {x}")
    for epoch in range(1, 4):
        loss = (x - 1) ** 2 + (y - 2) ** 2 + 1 / epoch
        if not os.path.exists("mute"):
            print(f"epoch={epoch} loss={loss}", flush=True)
        time.sleep(0.05 if not os.path.exists("slow") else 5)
    with open(os.path.join(os.environ["LAB_STEP_DIR"], "model"), "w") as model:
        model.write(sys.argv[1])
"""
ALONE = """
    import fcntl
    with open("alone", "a") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.3)
"""
SWEEP = ("--only", "sweep")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.labfile(LABFILE)
    made.write("train.py", TRAIN)
    return made


def ledger(project: Project) -> list[tuple[str, str]]:
    lines = (project.folder / "ledger").read_text().splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_trials_are_steps_and_the_best_one_s_artifacts_are_the_sweep_s(project: Project) -> None:
    project.apply(*SWEEP)
    assert sorted(step for step, _ in ledger(project)) == [f"sweep[#{n}]" for n in range(1, 7)]
    out = project.lab("output", "--json").json
    assert out["trials"]["succeeded"] == 6
    assert Path(out["model"]).read_text() == str(out["best"]["x"])
    assert "loss=" in project.lab("logs", "sweep[#3]").out
    project.lab("artifacts", "get", "1", "sweep[#3].model", "third")
    assert (project.folder / "third").read_text() in dict(ledger(project))["sweep[#3]"]
    assert "6 trials" in project.lab("status").out
    assert project.lab("gc", "--json").json["entries"] == []
    again = project.apply(*SWEEP)
    assert again.steps("started") == []
    assert len(ledger(project)) == 6


def test_more_trials_go_on_and_another_space_is_a_new_study(project: Project) -> None:
    project.apply(*SWEEP, "--var", "max=3", "--var", "parallel=1")
    first = ledger(project)
    verb, cause = project.plan(*SWEEP, "--var", "max=5")["sweep"]
    assert (verb, cause) == ("update", "`trials` changed")
    project.apply(*SWEEP, "--var", "max=5", "--var", "parallel=1")
    grown = ledger(project)
    assert grown[:3] == first
    assert [step for step, _ in grown[3:]] == ["sweep[#4]", "sweep[#5]"]
    assert len({point for _, point in grown}) == 5
    assert project.plan(*SWEEP, "--var", "max=5")["sweep"][0] == "keep", "parallel does not count"
    project.labfile(LABFILE.replace("max: 10", "max: 9"))
    assert "a new study" in project.plan(*SWEEP, "--var", "max=5")["sweep"][1]
    project.apply(*SWEEP, "--var", "max=2")
    begun = {step for step, _ in ledger(project)[5:]}  # two at a time, in whichever order
    assert begun == {"sweep[#1]", "sweep[#2]"}
    names = {each["step"] for each in project.lab("status", "--json").json["steps"]}
    assert names >= {"sweep[#1]", "sweep[#2]"}
    assert "sweep[#3]" not in names


def test_one_after_the_other_a_broken_off_study_proposes_what_a_whole_one_does(
    project: Project, tmp_path: Path
) -> None:
    project.apply(*SWEEP, "--var", "parallel=1")
    whole = ledger(project)
    project.lab("destroy", *SWEEP, "--yes")
    (project.folder / "ledger").unlink()
    for most in (1, 2, 4, 6):
        project.apply(*SWEEP, "--var", "parallel=1", "--var", f"max={most}")
    assert ledger(project) == whole


def test_killed_at_any_moment_reported_trials_ran_once_and_no_point_is_proposed_twice(
    project: Project,
) -> None:
    """LAB_TEST_KILLS says how often; the ledger is the trials' own, lab never reads it."""
    chance, kills = random.Random(7), int(os.environ.get("LAB_TEST_KILLS", "6"))
    most, hit = 3 * kills, 0
    reported: dict[str, int] = {}
    for _ in range(kills):
        running = project.popen("apply", *SWEEP, "--var", f"max={most}")
        time.sleep(chance.uniform(0.3, 1.6))
        running.send_signal(signal.SIGKILL)
        out, _ = running.communicate(timeout=30)
        hit += running.returncode == -signal.SIGKILL
        done = {line.split()[1] for line in out.splitlines() if line.startswith("✓ sweep[")}
        assert not done & reported.keys(), "what was reported as done ran again"
        reported |= {step: count for step, count in runs(project).items() if step in done}
        stays(project, reported)
    assert hit == kills, "each met a sweep at work"
    project.apply(*SWEEP, "--var", f"max={most}")
    stays(project, reported)
    whole(project, most)
    before = runs(project)
    begun = project.apply(*SWEEP, "--var", f"max={most + 3}").steps("started")
    assert sorted(begun) == sorted(["sweep", *(f"sweep[#{most + n}]" for n in (1, 2, 3))])
    assert {step: n for step, n in runs(project).items() if step in before} == before
    whole(project, most + 3)


def runs(project: Project) -> Counter[str]:
    """How often each trial began, as they say themselves."""
    there = (project.folder / "ledger").exists()
    return Counter(step for step, _ in ledger(project)) if there else Counter()


def stays(project: Project, reported: Mapping[str, int]) -> None:
    """What was reported as done has not begun again since."""
    now = runs(project)
    assert {step: now[step] for step in reported} == reported


def whole(project: Project, count: int) -> None:
    """Exactly *count* trials, in the ledger and in lab's own count; none shares its point with another."""
    ran = set(ledger(project))
    assert {step for step, _ in ran} == {f"sweep[#{n}]" for n in range(1, count + 1)}
    assert len(ran) == count, "a trial has the same parameters whenever it runs"
    assert len({point for _, point in ran}) == count
    counted = project.lab("output", "--json").json["trials"]
    assert counted["total"] == counted["succeeded"] == count


def test_failures_are_counted_explained_and_tried_again_by_the_next_apply(project: Project) -> None:
    project.write("broken", "")
    ran = project.apply(*SWEEP, "--var", "parallel=1", expect=1)
    assert "2 trials failed, and 1 may" in ran.out + ran.err
    assert "cannot go on at" in ran.out + ran.err
    failed = ledger(project)
    (project.folder / "broken").unlink()
    project.apply(*SWEEP, "--var", "parallel=1")
    assert ledger(project)[2:4] == failed, "the same points again"
    assert project.lab("output", "--json").json["trials"]["failed"] == 0


def test_a_trial_that_never_reports_its_metric_fails(project: Project) -> None:
    project.write("mute", "")
    ran = project.apply(*SWEEP, expect=1)
    assert "reported no metrics" in ran.out + ran.err


def test_at_the_goal_running_trials_are_stopped_and_a_timeout_loses_nothing(
    project: Project,
) -> None:
    project.labfile(LABFILE.replace("type: minimize", "type: minimize, goal: 500"))
    ran = project.apply(*SWEEP)
    counts = project.lab("output", "--json").json["trials"]
    assert counts["total"] == counts["succeeded"] + counts["killed"] < 6, ran.out
    project.labfile(LABFILE.replace("trial:", "timeout: 1s\n        trial:", 1))
    project.write("slow", "")
    assert "not done within 1 s" in project.apply(*SWEEP, expect=1).out
    (project.folder / "slow").unlink()
    project.labfile(LABFILE)
    project.apply(*SWEEP)
    counts = project.lab("output", "--json").json["trials"]
    assert counts["total"] == counts["succeeded"] + counts["killed"] == 6


def test_destroy_takes_the_trials_along(project: Project) -> None:
    project.apply(*SWEEP, "--var", "max=2")
    assert ": 1 destroyed, with 2 trials." in project.lab("destroy", *SWEEP, "--yes").out
    assert "`--run N` shows it" in project.lab("show", "sweep").out
    assert "2 of 2: 2 done" in project.lab("show", "sweep", "--run", "1").out
    assert "sweep" not in project.lab("state", "list", "--json").out
    assert not list((project.folder / ".lab/work/swept/steps").glob("sweep*"))


def test_one_worker_runs_the_sweep_and_its_trials(project: Project) -> None:
    project.apply(*SWEEP, "-j", "1", "--var", "max=3")
    assert len(ledger(project)) == 3


def test_a_run_that_went_on_is_made_again_whole(project: Project) -> None:
    project.apply(*SWEEP, "--var", "max=2")
    project.apply(*SWEEP, "--var", "max=4")
    said = project.lab("reproduce", "2", "--json").json
    assert said["same"] is True
    steps = list(dict.fromkeys(check["step"] for check in said["checks"]))
    assert steps == ["sweep[#3]", "sweep[#4]", "sweep"]
    assert project.lab("reproduce", "1", "--json").json["same"] is True


def test_trials_that_do_not_fit_into_memory_together_wait_for_each_other(project: Project) -> None:
    half = psutil.virtual_memory().total * 6 // 10
    needs = f"{{trial: {{like: train, resources: {{memory: {half}}}}}"
    project.labfile(LABFILE.replace("trial: {like: train}", needs[1:]))
    project.write("train.py", TRAIN + ALONE)
    project.apply(*SWEEP, "--var", "max=4")
    assert project.lab("output", "--json").json["trials"]["succeeded"] == 4
