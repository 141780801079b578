"""What `lab show` tells of steps and runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from past import Past

from lab.cli.curves import read_curve
from lab.edge.files import Files
from lab.edge.lock import Lock
from lab.model.values import Artifact

STEPS = """  train: {kind: command, command: [x]}
  never: {kind: command, command: [x]}
  m: {kind: command, matrix: {k: [1, 2]}, command: [x]}
"""


@pytest.fixture
def full(past: Past) -> Past:
    """A training with everything that can be remembered of one."""
    past.labfile(STEPS)
    folder = past.directory("train")
    curve = [{"epoch": e, "loss": 1 / e, "acc": 1 - 1 / e} for e in range(1, 9)]
    (folder / "curve.jsonl").write_text(
        "".join(json.dumps(p) + "\n" for p in curve) + '{"epoch": 9'
    )
    outputs = {
        "score": 0.123456789,
        "metrics": {"loss": 0.125, "acc": 0.875},
        "model": made(past, "model", b"model"),
        "data": {"parts": [made(past, "one", b"1"), made(past, "two", b"2")]},
        "env": Artifact(str(folder), "lock:abc", 7),
    }
    identity = {"kind": "training", "target": "local", "inputs": {"train.py": "sha256:" + "a" * 64}}
    past.run()
    past.done(
        "train",
        outputs,
        identity,
        text="hello\n",
        attempts=2,
        kind="training",
        cause="input `train.py` changed",
        verb="update",
        needs=("data", "env"),
        protect=True,
    )
    past.done("m[k=1]")
    past.done("m[k=2]")
    past.end(updated=1, outputs={"score": 0.5})
    return past


def made(past: Past, name: str, data: bytes) -> Artifact:
    """An artifact as lab would record it."""
    path = past.directory("train") / name
    path.write_bytes(data)
    files = Files(str(past.root))
    found = files.artifact(str(path))
    files.close()
    assert found is not None
    return found


def line(text: str, start: str) -> str:
    """The words of the line that begins with *start*."""
    found = [" ".join(each.split()) for each in text.splitlines() if each.strip().startswith(start)]
    assert found, f"no line begins with {start!r} in\n{text}"
    return found[0]


# --- a step -----------------------------------------------------------------------------------


def test_all_that_is_remembered(full: Past) -> None:
    said = full("show", "train").out
    assert line(said, "train ") == "train training on local"
    assert line(said, "status").startswith("status ✓ done 59 minutes ago, in run 1 (2")
    assert line(said, "took") == "took 1.0s, 2 attempts"
    assert line(said, "cause") == "cause input `train.py` changed (update)"
    assert line(said, "needs") == "needs data, env"
    assert line(said, "protect").startswith("protect it is neither")
    assert line(said, "log") == "log .lab/work/t/logs/0001/train.log"
    assert line(said, "score") == "score 0.1235"
    assert line(said, "model").startswith("model 5 B sha256:")
    assert line(said, "model").split()[-2] == "there"
    assert line(said, "data.parts[1]").split()[-2] == "there"
    assert line(said, "env").split()[3:5] == ["lock:abc", "there"]
    assert line(said, "loss") == "loss 0.125 █▄▂▂▁▁▁▁ 0.125 to 1, 8 points"
    assert line(said, "train.py") == "train.py sha256:aaaaaaaaaaaa…"


def test_artifacts_that_are_not_as_they_were(full: Past) -> None:
    folder = full.directory("train")
    (folder / "model").write_bytes(b"other")
    (folder / "two").unlink()
    said = json.loads(full("show", "train", "--json").out)
    now = {each["name"]: each["now"] for each in said["artifacts"]}
    assert now == {
        "model": "changed",
        "data.parts[0]": "there",
        "data.parts[1]": "gone",
        "env": "there",
    }


def test_json_is_one_object(full: Past) -> None:
    said = json.loads(full("show", "train", "--json").out)
    assert said["status"] == "done" and said["action"] == "update" and said["protect"] is True
    assert said["done"]["attempts"] == 2 and said["done"]["seconds"] == 1.0
    assert said["outputs"]["score"] == 0.123456789
    assert said["outputs"]["data"]["parts"][0] == str(full.directory("train") / "one")
    assert said["metrics"] == {"loss": 0.125, "acc": 0.875}
    assert Path(said["curve"]).name == "curve.jsonl"
    assert said["inputs"] == {"train.py": "sha256:" + "a" * 64}
    assert said["error"] is None


def test_a_failure_is_told_with_what_was_before(full: Past) -> None:
    full.run()
    full.failed("train", error="exit 3", detail="The program says:\n  no")
    full.end("failed")
    said = full("show", "train").out
    assert "✗ failed" in line(said, "status") and "in run 2" in line(said, "status")
    assert line(said, "before").startswith("before done in run 1, 59 minutes ago, after 1.0s")
    assert line(said, "error") == "error exit 3"
    assert "  The program says:\n    no\n" in said
    assert "Outputs of run 1" in said
    assert json.loads(full("show", "train", "--json").out)["detail"] == "The program says:\n  no"


def test_a_failure_that_was_mended_is_not_told(full: Past) -> None:
    full.run()
    full.failed("train", error="exit 3", detail="The program says no")
    full.end("failed")
    full.run()
    full.done("train")
    full.end()
    assert "says no" not in full("show", "train").out
    assert json.loads(full("show", "train", "--json").out)["detail"] is None


def test_a_running_step(full: Past) -> None:
    full.flush()
    lock = Lock(full.lab, "lab apply")
    lock.acquire()
    full.now += 3600.0
    full.run()
    full.start("train")
    said = full("show", "train").out
    lock.release()
    assert "▶ running for" in line(said, "status") and "in run 2" in line(said, "status")


def test_a_log_that_was_deleted(full: Past) -> None:
    full.flush()
    (full.root / ".lab/work/t/logs/0001/train.log").unlink()
    assert line(full("show", "train").out, "log").endswith(
        "train.log (nothing was written, or it was deleted)"
    )


def test_only_history_is_left(full: Past) -> None:
    full.run()
    full.forgotten("train")
    full.end()
    said = full("show", "train").out
    assert "only its history is left" in line(said, "status")
    assert json.loads(full("show", "train", "--json").out)["status"] == "gone"


def test_one_step_must_be_meant(full: Past) -> None:
    ran = full("show", "m", expect=2)
    assert "`m` is 2 steps: m[k=1], m[k=2]" in ran.err and "lab show 'm[k=1]'" in ran.err
    assert "did you mean `train`" in full("show", "trian", expect=2).err
    assert "`never` never ran" in full("show", "never", expect=1).err
    assert "wants one step" in full("show", "a", "b", "c", expect=2).err


# --- a run ------------------------------------------------------------------------------------


def test_what_a_run_did(full: Past) -> None:
    full.run()
    full.done("a", cause="never ran")
    full.failed("b", error="exit 3\nmore")
    full.skipped("c", "because `b` failed", "b")
    full.start("d")
    full.forgotten("m[k=1]")
    full.end("failed", created=1, failed=1)
    said = full("show", "run", "2").out
    assert line(said, "run 2") == "run 2 `apply` failed"
    assert line(said, "on") == "on box, process 7"
    assert line(said, "came to") == "came to 1 created, 1 failed"
    assert line(said, "✓ a") == "✓ a create 1.0s never ran"
    assert line(said, "✗ b") == "✗ b create 1.0s exit 3"
    assert line(said, "· c") == "· c skipped because `b` failed"
    assert line(said, "■ d") == "■ d create never ran"
    assert line(said, "x m[k=1]") == "x m[k=1] forgotten"
    assert line(full("show", "run", "1").out, "score") == "score 0.5"


def test_a_run_as_json(full: Past) -> None:
    said = json.loads(full("show", "run", "01", "--json").out)
    assert (said["run"], said["outcome"], said["labfile"]) == (1, "done", "Labfile.yaml")
    assert said["steps"][0]["step"] == "train" and said["steps"][0]["result"] == "done"
    assert said["outputs"] == {"score": 0.5}


def test_there_is_no_such_run(full: Past) -> None:
    ran = full("show", "run", "7", expect=1)
    assert "there is no run 7" in ran.err and "The newest is run 1." in ran.err
    for word in ("x", "-1", "1.5", "٣"):
        assert "is not the number of a run" in full("show", "run", word, expect=2).err


def test_a_step_may_be_called_run(past: Past) -> None:
    past.labfile("  run: {kind: command, command: [x]}\n")
    past.run()
    past.done("run")
    past.end()
    assert line(past("show", "run").out, "run ") == "run command on local"


# --- curves -------------------------------------------------------------------------------------


def test_a_curve_is_read_past_whatever_is_no_point(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_bytes(
        b'{"epoch": 1, "step": 3, "loss": 2, "note": "x", "ok": true}\n'
        b'not json\n[1]\n\xff\n{"loss": NaN}\n'
        b'{"step": 4, "metrics": {"loss": 1.5}}\n{"loss": 1'
    )
    curve = read_curve(str(path))
    assert [str(value) for value in curve.pop("loss")] == ["2.0", "nan", "1.5"]
    assert curve == {}
    assert read_curve(str(tmp_path / "none")) == {}


def test_json_has_no_word_for_what_is_no_number(past: Past) -> None:
    past.labfile(STEPS)
    past.run()
    past.done("train", {"metrics": {"loss": float("nan"), "acc": 0.5}, "top": [float("inf")]})
    past.end()
    ran = past("show", "train", "--json")
    assert "NaN" not in ran.out and "Infinity" not in ran.out
    said = json.loads(ran.out)
    assert said["metrics"] == {"loss": None, "acc": 0.5} and said["outputs"] == {"top": [None]}
    assert line(past("show", "train").out, "loss") == "loss nan"
