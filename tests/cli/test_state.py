"""What `lab state` does to what is remembered; none of it has a Labfile."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest
from past import Past

from lab.edge.journal import Journal
from lab.edge.liveness import process_identity
from lab.edge.lock import Lock
from lab.model.layout import state_path
from lab.model.values import Artifact


@pytest.fixture
def full(past: Past) -> Past:
    """A lab of three steps, one of them a matrix of two, and no Labfile at all."""
    past.run()
    past.done("a", {"model": Artifact(f"{past.root}/m", "sha256:1", 3)})
    past.done("m[k=1]")
    past.done("m[k=2]", needs=("a",))
    past.failed("b", error="exit 3")
    past.end("failed", created=3, failed=1)
    return past


def addresses(past: Past) -> list[str]:
    return [row["step"] for row in json.loads(past("state", "list", "--json").out)]


# --- looking ----------------------------------------------------------------------------------


def test_list(full: Past) -> None:
    said = full("state", "list").out.splitlines()
    assert said[0] == "t: 4 steps"
    assert "failed" in said[-1] and said[-1].split()[1] == "b"
    rows = {row["step"]: row for row in json.loads(full("state", "list", "--json").out)}
    assert rows["a"]["status"] == "done" and rows["a"]["lab"] == "t"
    assert rows["b"]["status"] == "failed" and rows["b"]["done_in_run"] is None


def test_it_is_found_from_below_and_with_c(full: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    below = full.root / "x" / "y"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert "t: 4 steps" in full("state", "list").out
    monkeypatch.chdir("/")
    assert "t: 4 steps" in full("state", "list", "-C", str(below)).out


def test_without_a_state(past: Past) -> None:
    for verb in (
        ["list"],
        ["show", "a"],
        ["pull"],
        ["check"],
        ["rm", "a"],
        ["mv", "a", "b"],
        ["unlock"],
    ):
        ran = past("state", *verb, expect=4)
        assert "there is no state in" in ran.err
    assert not (past.root / ".lab").exists()


def test_show_is_the_record(full: Past) -> None:
    said = json.loads(full("state", "show", "a").out)
    assert said["done"]["outputs"] == {"model": {"$artifact": [{"$root": "m"}, "sha256:1", 3]}}
    assert "did you mean `m[k=1]`" in full("state", "show", "m[k=3]", expect=4).err


def test_pull_is_everything_but_the_key(full: Past) -> None:
    ran = full("state", "pull")
    said = json.loads(ran.out)
    assert [record["address"] for record in said["records"]] == ["a", "m[k=1]", "m[k=2]", "b"]
    assert (said["format"], said["name"], said["run"]) == (1, "t", 1)
    assert said["runs"][0]["counts"] == {"created": 3, "failed": 1}
    assert full.lab.load().key not in ran.out


def test_several_labs(full: Past) -> None:
    prod = Past(full.root, full.capsys, overlay="prod")
    prod.run()
    prod.done("p")
    prod.close()
    full.file.open("other", create=True)
    assert {row["lab"] for row in json.loads(full("state", "list", "--json").out)} == {
        "t",
        "t@prod",
    }
    assert "other: 0 steps" in full("state", "list").out
    assert "t@prod: 1 step\n" in full("state", "list", "--name", "t", "-e", "prod").out
    assert json.loads(full("state", "pull", "-e", "prod").out)["records"][0]["address"] == "p"
    assert json.loads(full("state", "pull", "--name", "t").out)["overlay"] == ""
    ran = full("state", "pull", expect=4)
    assert "several labs" in ran.err and "`other`, `t`" in ran.err
    assert "`nope`" in full("state", "pull", "--name", "nope", expect=4).err


# --- changing ---------------------------------------------------------------------------------


def test_rm_forgets_and_tells_the_runs(full: Past) -> None:
    full("state", "rm", "b", "--yes")
    assert addresses(full) == ["a", "m[k=1]", "m[k=2]"]
    assert json.loads(full("runs", "--json").out)[-1]["command"] == "state rm b"
    full("state", "rm", "m", "--yes")
    assert addresses(full) == ["a"]


def test_rm_forgets_all_or_nothing(full: Past) -> None:
    ran = full("state", "rm", "a", "nope", "--yes", expect=4)
    assert "nothing is remembered of `nope`" in ran.err
    assert len(addresses(full)) == 4


@pytest.mark.parametrize(("answer", "left"), [("yes\n", 3), ("no\n", 4), ("", 4)])
def test_rm_asks(full: Past, monkeypatch: pytest.MonkeyPatch, answer: str, left: int) -> None:
    monkeypatch.setattr("lab.cli.state_change.interactive", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: answer.strip())
    full("state", "rm", "a", expect=None)
    assert len(addresses(full)) == left


def test_rm_without_anyone_to_ask(full: Past) -> None:
    assert "add `--yes`" in full("state", "rm", "a", expect=2).err
    assert len(addresses(full)) == 4


def test_mv_keeps_what_is_remembered(full: Past) -> None:
    before = json.loads(full("state", "show", "a").out)
    full("state", "mv", "a", "z")
    assert json.loads(full("state", "show", "z").out) == {**before, "address": "z"}
    assert "a" not in addresses(full)


def test_mv_of_a_matrix_moves_its_instances(full: Past) -> None:
    full("state", "mv", "m", "n")
    assert sorted(addresses(full)) == ["a", "b", "n[k=1]", "n[k=2]"]


def test_mv_of_one_instance(full: Past) -> None:
    full("state", "mv", "m[k=1]", "m[k=9]")
    full("state", "mv", "m[k=2]", "alone")
    assert sorted(addresses(full)) == ["a", "alone", "b", "m[k=9]"]


def test_what_needed_it_needs_it_under_its_new_name(full: Past) -> None:
    full.run()
    full.done("top", needs=("m[k=1]", "m[k=2]", "b"))
    full.done("m[k=3]", needs=("m[k=1]", "m[k=2]"))
    full.end(created=2)
    full("state", "mv", "a", "z")
    full("state", "mv", "m", "n")
    needs = {
        step: json.loads(full("state", "show", step).out)["needs"]
        for step in ("n[k=2]", "top", "n[k=3]")
    }
    assert needs == {
        "n[k=2]": ["z"],
        "top": ["n[k=1]", "n[k=2]", "b"],
        "n[k=3]": ["n[k=1]", "n[k=2]"],
    }
    assert "whole" in full("state", "check").out


def test_mv_never_reaches_another_overlay(full: Past) -> None:
    for new in ("t@prod:a", "prod:a", "@prod"):
        assert "cannot be the name" in full("state", "mv", "a", new, expect=2).err
    assert "no state of" in full("state", "mv", "a", "z", "-e", "prod", expect=4).err


def test_mv_overwrites_nothing(full: Past) -> None:
    ran = full("state", "mv", "a", "b", expect=4)
    assert "`b` is remembered already" in ran.err
    assert sorted(addresses(full)) == ["a", "b", "m[k=1]", "m[k=2]"]


@pytest.mark.parametrize(
    "new", ["9x", "", "a b", "x[", "x]", "x[]", "x/", "../x", "x\n", "x[\x1b]"]
)
def test_mv_takes_no_name_that_no_step_could_have(full: Past, new: str) -> None:
    assert "cannot be the name" in full("state", "mv", "a", new, expect=2).err


def test_nothing_changes_while_another_command_has_the_lock(full: Past) -> None:
    full.flush()
    lock = Lock(full.lab, "lab apply")
    lock.acquire()
    for words in (["rm", "a", "--yes"], ["mv", "a", "z"], ["compact"]):
        ran = full("state", *words, "--lock-timeout", "0", expect=4)
        assert "is locked" in ran.err and "`lab apply`" in ran.err
    lock.release()
    assert len(addresses(full)) == 4


def test_compact_drops_history_and_nothing_else(full: Past) -> None:
    for _ in range(3):
        full.run()
        full.done("a")
        full.end()
    before = json.loads(full("state", "pull").out)
    assert "Dropped" in full("state", "compact", "--keep", "1").out
    after = json.loads(full("state", "pull").out)
    assert len(after.pop("events")) < len(before.pop("events"))
    assert after == before
    assert "whole" in full("state", "check").out


# --- when something is wrong -------------------------------------------------------------------


def test_unlock_of_a_free_lock(full: Past) -> None:
    assert "Nobody holds the lock of t" in full("state", "unlock").out


def test_unlock_refuses_a_living_holder_and_force_breaks_its_lock(full: Past) -> None:
    full.flush()
    other = Journal(state_path(str(full.root)), str(full.root))
    lab = other.open("t")
    lock = Lock(lab, "lab apply")
    lock.acquire()
    ran = full("state", "unlock", expect=4)
    assert "`lab apply`" in ran.out and "it is running" in ran.out
    ran = full("state", "unlock", "--force")
    assert "Released" in ran.out
    assert "Nobody holds" in full("state", "unlock").out
    lock.release()
    other.close()


def test_unlock_of_the_dead(full: Past) -> None:
    full.flush()
    full.close()
    with sqlite3.connect(state_path(str(full.root))) as db:
        identity = {**process_identity(os.getpid()), "pid": 4194303}
        holder = {"host": "here", "identity": identity, "command": "lab apply", "flocked": True}
        db.execute("UPDATE labs SET holder = ?", (json.dumps(holder),))
    db.close()
    ran = full("state", "unlock")
    assert "does not run any more" in ran.out and "Released." in ran.out


def test_a_damaged_record_is_found_shown_and_dropped(full: Past) -> None:
    full.flush()
    full.close()
    with sqlite3.connect(state_path(str(full.root))) as db:
        db.execute("UPDATE records SET json = '{}' WHERE address = 'a'")
    db.close()
    assert "the record of a cannot be read" in full("state", "check", expect=4).out
    rows = {r["step"]: r["status"] for r in json.loads(full("state", "list", "--json").out)}
    assert rows["a"] == "damaged" and rows["b"] == "failed"
    assert "damaged" in full("state", "list").out
    assert "is damaged" in full("state", "show", "a", expect=4).err
    full("state", "rm", "a", "--yes")
    assert "t: whole" in full("state", "check").out


def test_a_damaged_file_is_told_by_every_verb(full: Past) -> None:
    full.damage()
    for verb in (
        ["list"],
        ["show", "a"],
        ["pull"],
        ["check"],
        ["rm", "a"],
        ["mv", "a", "z"],
        ["unlock"],
    ):
        assert "is damaged" in full("state", *verb, expect=4).err


def test_wrong_verbs(past: Past) -> None:
    assert "did you mean `list`" in past("state", "lst", expect=2).err
    assert "lab state COMMAND" in past("state", expect=2).err
    assert "compact" in past("state", "--help").out
