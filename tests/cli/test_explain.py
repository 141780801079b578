"""What `lab explain` tells: what would happen and why, what counts and what does not."""

from __future__ import annotations

import json

import pytest
from past import Past

from lab.cli.explain_times import times_of

STEPS = """  data: {kind: command, command: [cp, source.txt, "{{ step.dir }}/d"], artifacts: {file: "{{ step.dir }}/d"}}
  train:
    kind: command
    command: [echo, "{{ steps.data.outputs.file }}", pkg/train.py, "{{ vars.lr }}"]
    env: {MODE: fast}
    inputs: ["*.cfg"]
    timeout: 5m
    retries: 2
    tags: [slow]
  after: {kind: command, command: ["true"], needs: train, cache: false}
  late: {kind: command, command: [echo, "{{ steps.never.outputs.x }}"]}
  never: {kind: command, command: ["true"]}
  off: {kind: command, command: ["true"], when: "{{ vars.lr > 5 }}"}
  m: {kind: command, matrix: {k: [1, 2]}, command: ["true"]}
vars: {lr: 1}
"""


@pytest.fixture
def applied(past: Past) -> Past:
    """A lab whose steps `data`, `train` and `after` were really made."""
    past.labfile(STEPS)
    (past.root / "source.txt").write_text("data\n")
    (past.root / "a.cfg").write_text("a\n")
    (past.root / "pkg").mkdir()
    (past.root / "pkg" / "train.py").write_text("import layers\n")
    (past.root / "pkg" / "layers.py").write_text("x = 1\n")
    past("apply", "--only", "+after")
    return past


def about(past: Past, word: str, *more: str) -> dict:
    return json.loads(past("explain", word, "--json", *more).out)


def rows(text: str, title: str) -> list[str]:
    """The rows of a section, words one blank apart."""
    after = text.split(f"\n{title}", 1)[1].split("\n\n")[0]
    return [" ".join(line.split()) for line in after.splitlines()[1:]]


def test_what_counts(applied: Past) -> None:
    said = about(applied, "train")
    assert (said["action"], said["cause"]) == ("keep", "nothing changed")
    assert said["digest"] == said["recorded_digest"]
    assert set(said["counts"]) == {"kind", "target", "command", "env.MODE"}
    assert said["counts"]["command"][1].startswith("<artifact sha256:")
    found = {each["path"]: each["found"] for each in said["inputs"]}
    assert found == {
        "a.cfg": "named in `inputs`",
        "pkg/train.py": "named in `command`",
        "pkg/layers.py": "imported by pkg/train.py",
    }
    assert said["needs"] == {"data": "its outputs are used"}
    assert said["needed_by"] == ["after"]
    assert said["does_not_count"] == {"timeout": 300.0, "tags": ["slow"], "retries": 2}


def test_what_changed_is_marked(applied: Past) -> None:
    (applied.root / "pkg" / "layers.py").write_text("x = 2\n")
    said = applied("explain", "train", "--var", "lr=2").out
    assert "plan   ~ update: `command`, input `pkg/layers.py` changed" in said
    assert 'command[3]: "1" → "2"' in said
    counted = rows(said, "What counts")
    assert [row for row in counted if row.startswith("~ command")]
    assert "kind command" in counted
    inputs = rows(said, "Input files")
    assert [row.split()[0:2] for row in inputs] == [
        ["a.cfg", inputs[0].split()[1]],
        ["pkg/train.py", inputs[1].split()[1]],
        ["~", "pkg/layers.py"],
    ]
    assert "what counts is not as it was in run 1" in said


def test_what_is_kept_is_said_to_be(applied: Past) -> None:
    said = applied("explain", "train").out
    assert "plan   = keep: nothing changed" in said
    assert "✓ done" in said and "in run 1, after" in said
    assert "what counts is as it was in run 1 (sha256:" in said
    assert 'Of these, this step sets timeout: 300.0, tags: ["slow"], retries: 2.' in said


def test_where_the_time_went(applied: Past) -> None:
    (time,) = about(applied, "train")["runs"]
    assert (time["run"], time["result"], time["attempts"]) == (1, "done", 1)
    assert time["waited_for"] == "data"
    assert time["waited"] > 0 and time["queued"] >= 0 and time["seconds"] > 0


def test_cache_that_is_off(applied: Past) -> None:
    said = applied("explain", "after").out
    assert "off (`cache: false`)" in said
    assert "train  order alone" in said


def test_what_is_not_known_yet(applied: Past) -> None:
    said = applied("explain", "late").out
    assert "(known after never)" in said
    assert about(applied, "late")["counts"]["command"] == ["echo", {"unknown": ["never"]}]
    assert about(applied, "late")["digest"] is None


def test_a_step_that_is_skipped(applied: Past) -> None:
    said = applied("explain", "off").out
    assert "· skip: `when` is false" in said
    assert about(applied, "off")["counts"] == {}


def test_a_step_that_left_the_labfile(applied: Past) -> None:
    applied.labfile('  other: {kind: command, command: ["true"]}\n')
    said = about(applied, "train")
    assert (said["action"], said["cause"]) == ("forget", "no longer in the Labfile")
    assert "x forget" in applied("explain", "train").out


def test_a_step_that_was_renamed(applied: Past) -> None:
    text = (applied.root / "Labfile.yaml").read_text()
    (applied.root / "Labfile.yaml").write_text(
        text.replace("data:", "data2:").replace(".data.", ".data2.")
    )
    assert "lab state mv" in applied("explain", "data2").out


def test_which_step_is_meant(applied: Past) -> None:
    assert "did you mean `train`" in applied("explain", "trian", expect=2).err
    assert "lab explain 'm[k=1]'" in applied("explain", "m", expect=2).err
    assert about(applied, "m[k=2]")["step"] == "m[k=2]"
    assert "wants one step" in applied("explain", "a", "b", expect=2).err


def test_before_the_first_apply_nothing_is_written(past: Past) -> None:
    past.labfile(STEPS)
    said = past("explain", "data").out
    assert "+ create: never ran" in said and "nothing is recorded that could be kept" in said
    assert not (past.root / ".lab").exists()


def test_waiting_is_split_into_others_and_a_free_place(past: Past) -> None:
    past.run()  # at second 1
    past.done("up")  # 2 to 3
    past.now += 10.0
    past.failed("s", error="exit 1")  # 14 to 15
    past.end("failed")
    past.run()
    past.start("s")
    past.flush()
    first, second = times_of(past.lab, "s", ["up"])
    assert (first.waited, first.waited_for, first.queued) == (2.0, "up", 11.0)
    assert (first.seconds, first.result) == (1.0, "failed")
    assert (second.waited, second.waited_for, second.queued) == (0.0, "", 1.0)
    assert (second.seconds, second.result) == (None, "")


def test_what_ended_after_the_step_began_was_not_waited_for(past: Past) -> None:
    past.run()
    past.done("s")
    past.done("up")  # the Labfile did not say then that `s` needs it
    past.end()
    past.flush()
    (time,) = times_of(past.lab, "s", ["up"])
    assert (time.waited, time.waited_for, time.queued) == (0.0, "", 1.0)
