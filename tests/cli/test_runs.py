"""What `lab runs` tells."""

from __future__ import annotations

import json
import time

from past import Past

from lab.edge.lock import Lock

STEP = "  a: {kind: command, command: [x]}\n"


def test_runs_stand_in_a_table_the_newest_last(past: Past) -> None:
    past.labfile(STEP)
    past.run()
    past.end(created=2, kept=0)
    past.run("destroy")
    past.end("failed", failed=1)
    first, second = past("runs").out.splitlines()[1:]
    assert first.split()[0] == "1" and first.endswith("apply    done     1.0s  2 created")
    assert second.split()[0] == "2" and second.endswith("destroy  failed   1.0s  1 failed")


def test_a_run_without_an_end_was_killed_unless_it_runs(past: Past) -> None:
    past.labfile(STEP)
    past.run()
    assert json.loads(past("runs", "--json").out)[0]["outcome"] == "killed"
    lock = Lock(past.lab, "lab apply")
    lock.acquire()
    past.now = time.time()
    past.run()
    said = json.loads(past("runs", "--json").out)
    lock.release()
    assert [run["outcome"] for run in said] == ["killed", "running"]
    assert said[1]["finished"] is None and said[1]["seconds"] is None


def test_the_newest_are_shown_and_the_rest_is_counted(past: Past) -> None:
    past.labfile(STEP)
    for _ in range(23):
        past.run()
        past.end()
    ran = past("runs")
    assert ran.out.splitlines()[1].split()[0] == "4"
    assert "3 older runs" in ran.out
    assert len(past("runs", "-n", "2").out.splitlines()) == 4
    assert len(past("runs", "-n", "0").out.splitlines()) == 24
    assert len(json.loads(past("runs", "--json").out)) == 23
    assert [run["run"] for run in json.loads(past("runs", "--json", "-n", "1").out)] == [23]


def test_no_runs_yet(past: Past) -> None:
    past.labfile(STEP)
    assert "No runs of t yet" in past("runs").out
    assert json.loads(past("runs", "--json").out) == []


def test_a_wrong_labfile_does_not_hide_the_runs(past: Past) -> None:
    past.run()
    past.end()
    (past.root / "Labfile.yaml").write_text("a: b: c")
    assert len(past("runs").out.splitlines()) == 2
