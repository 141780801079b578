"""A state that cannot be read is reported by every verb, overwritten by none, and salvaged where it can be."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from past import Past

from lab.cli.main import VERBS
from lab.cli.state import VERBS as STATE_VERBS
from lab.model.layout import state_path

CONTENTS = {
    "zero": b"",
    "zeros": b"\0" * 8192,
    "wrong file": b"%PDF-1.7 not a state",
    "torn header": b"SQLite format 3\0" + b"\xff" * 9000,
}
WORDS = {
    "apply": ["--yes"],
    "destroy": ["--yes"],
    "gc": ["--yes"],
    "logs": ["a"],
    "compare": ["1"],
    "reproduce": ["1"],
    "artifacts": ["list"],
    "show": ["a"],
    "explain": ["a"],
    "output": [],
    "plan": ["--out", "saved"],
    "state show": ["a"],
    "state rm": ["a", "--yes"],
    "state mv": ["a", "b"],
    "state import": ["b", "x"],
    "state push": ["pulled.json"],
}
STATELESS = {
    "init",
    "validate",
    "schema",
    "completion",
    "version",
    "graph",
    "doctor",
    "import",
    "export",
}
COMMANDS = sorted({*VERBS} - STATELESS - {"state"}) + [f"state {verb}" for verb in STATE_VERBS]


@pytest.fixture
def lab(past: Past) -> Past:
    past.labfile("  a: {kind: command, command: [true]}\n  b: {kind: command, command: [true]}\n")
    past.run()
    past.done("a")
    past.end(created=1)
    past.close()
    return past


def state(lab: Past) -> Path:
    return Path(state_path(str(lab.root)))


@pytest.mark.parametrize("sort", CONTENTS)
def test_every_verb_reports_it_and_leaves_it(lab: Past, sort: str) -> None:
    content = CONTENTS[sort]
    state(lab).write_bytes(content)
    for command in COMMANDS if sort == "torn header" else ("apply", "status", "state list"):
        ran = lab(*command.split(), *WORDS.get(command, []), expect=4)
        assert "damaged" in ran.err and "state.db" in ran.err
        assert state(lab).read_bytes() == content
    assert not (lab.root / "saved").exists()


def test_a_newer_state_is_left_to_the_version_that_reads_it(lab: Past) -> None:
    with contextlib.closing(sqlite3.connect(state(lab))) as db, db:
        db.execute("UPDATE meta SET value = '7.3.1' WHERE name = 'needs'")
        db.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
    before = state(lab).read_bytes()
    for command in COMMANDS:
        said = lab(*command.split(), *WORDS.get(command, []), expect=4).err
        assert "Its format is 99" in said and "Install lab 7.3.1 or later." in said
        assert state(lab).read_bytes() == before


def test_check_says_what_is_left_and_salvages_it(lab: Past) -> None:
    whole = bytearray(state(lab).read_bytes())
    whole[100:600] = b"\xff" * 500
    state(lab).write_bytes(whole)
    ran = lab("state", "check", expect=4)
    assert "damaged" in ran.err
    assert "t: 1 step (1 done) can be read, from 4 events of 1 run" in ran.out
    said = lab("state", "check", "--salvage", "new.db").out
    assert "Written to new.db" in said and "mv new.db .lab/state.db" in said
    assert state(lab).read_bytes() == whole
    (lab.root / "new.db").replace(state(lab))
    assert "t: whole, with 1 step" in lab("state", "check").out
    assert [row["step"] for row in json.loads(lab("state", "list", "--json").out)] == ["a"]


def test_where_nothing_is_left(lab: Past) -> None:
    state(lab).write_bytes(b"%PDF")
    assert "Nothing can be read of it." in lab("state", "check", expect=4).out
    said = lab("state", "check", "--salvage", "new.db", expect=4)
    assert "nothing could be read of" in said.err
    assert not (lab.root / "new.db").exists()


def test_salvage_overwrites_nothing(lab: Past) -> None:
    (lab.root / "mine").write_text("mine")
    said = lab("state", "check", "--salvage", "mine", expect=4).err
    assert "is there already" in said
    assert (lab.root / "mine").read_text() == "mine"
