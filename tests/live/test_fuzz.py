"""Promise 9: any bytes given as a Labfile, overlay, variables, plan or state end in a result or a clear error.

LAB_FUZZ=N tries N inputs of each sort instead of a few, LAB_FUZZ_SEED begins elsewhere. What fails is
kept in the test's folder, named in the message.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mutations import mutated, mutated_json

from lab.cli.main import main

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
COUNT = int(os.environ.get("LAB_FUZZ", "120"))
SEED = int(os.environ.get("LAB_FUZZ_SEED", "1"))
PATIENCE = 20  # seconds that one command may take
CODES = {0, 1, 2, 3, 4, 5}

HARMLESS = b"""labfile: 1
name: fuzz
vars: {n: 3, names: [x, y]}
steps:
  a: {kind: command, command: "true", tags: [t]}
  b: {kind: command, command: "true", needs: a, env: {N: "{{ vars.n }}"}}
  m: {kind: command, command: "true", matrix: {name: "{{ vars.names }}"}, needs: b}
outputs: {n: "{{ vars.n }}"}
"""


class Hang(BaseException):
    """A command took longer than PATIENCE; no `except Exception` may take it for something else."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("LAB_VAR_")]:
        monkeypatch.delenv(name)

    def too_long(number: int, frame: object) -> None:
        faulthandler.dump_traceback()
        raise Hang

    before = signal.signal(signal.SIGALRM, too_long)
    yield tmp_path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _lab(*words: str) -> tuple[int, str]:
    """Runs one command in this process; its exit code, and all that it printed."""
    said = io.StringIO()
    signal.alarm(PATIENCE)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main(words)
    except SystemExit as ended:  # argparse: a word that begins with `-` is no value
        code = int(ended.code or 0)
    finally:
        signal.alarm(0)
    return code, said.getvalue()


def _fuzz(folder: Path, try_one: Callable[[random.Random], list[str]]) -> None:
    """Tries COUNT inputs, each from a seed of its own, so that one can be tried again alone."""
    for number in range(COUNT):
        rng = random.Random(f"{SEED}-{number}")
        words = try_one(rng)
        code, said = _lab(*words)
        crash = next((path.read_text() for path in folder.glob("lab-crash-*")), "")
        assert code in CODES, (
            f"{folder}, LAB_FUZZ_SEED={SEED}, input {number}: {words}\n{said}{crash}"
        )
        assert "Traceback" not in said
        assert code == 0 or said.strip(), f"{folder}, input {number}: {words} failed without a word"


def _labfiles() -> list[bytes]:
    found = [*ROOT.glob("examples/*/Labfile.yaml"), *ROOT.glob("tests/broken/*/Labfile.yaml")]
    return [HARMLESS, *(path.read_bytes() for path in sorted(found) if path.stat().st_size < 65536)]


READING = (
    ["validate"], ["validate", "--json"], ["plan"], ["plan", "--json"], ["graph"], ["explain", "train"],
    ["status"], ["doctor"], ["graph", "--format", "mermaid"],
)  # fmt: skip


def test_labfiles(folder: Path) -> None:
    texts = _labfiles()

    def one(rng: random.Random) -> list[str]:
        good = rng.random() < 0.6  # what is nearly right gets further
        text = mutated(rng.choice(texts[:3] if good else texts), rng, most=1 if good else 4)
        (folder / "Labfile.yaml").write_bytes(text)
        return [*rng.choice(READING)]

    _fuzz(folder, one)


def test_overlays_and_variables(folder: Path) -> None:
    (folder / "Labfile.yaml").write_bytes(HARMLESS)

    def one(rng: random.Random) -> list[str]:
        if rng.random() < 0.5:
            over = rng.choice([HARMLESS, b"vars: {n: 5}\nsteps: {a: null, b: {tags: [x]}}\n"])
            (folder / "Labfile.prod.yaml").write_bytes(mutated(over, rng))
            return ["plan", "-e", "prod"]
        (folder / "vars.yaml").write_bytes(mutated(b"n: 7\nnames: [p, q]\n", rng))
        word = mutated(b"n=[1, 2]", rng).decode("utf-8", "surrogateescape")
        return ["plan", *rng.choice((["--var-file", "vars.yaml"], ["--var", word]))]

    _fuzz(folder, one)


def test_saved_plans(folder: Path) -> None:
    (folder / "Labfile.yaml").write_bytes(HARMLESS)
    assert _lab("plan", "--out", "plan.json")[0] == 0
    whole = (folder / "plan.json").read_bytes()

    def one(rng: random.Random) -> list[str]:
        shutil.rmtree(folder / ".lab", ignore_errors=True)
        (folder / "plan.json").write_bytes(mutated_json(whole, rng))
        return ["apply", "plan.json", "--lock-timeout", "0", *rng.choice(([], ["--json"]))]

    _fuzz(folder, one)


def test_states(folder: Path) -> None:
    (folder / "Labfile.yaml").write_bytes(HARMLESS)
    assert _lab("apply")[0] == 0
    state = folder / ".lab" / "state.db"
    whole = state.read_bytes()
    verbs = (
        ["plan"], ["status"], ["runs"], ["show", "a"], ["explain", "b"], ["state", "list"], ["state", "pull"],
        ["state", "check"], ["logs", "a"], ["output"], ["destroy", "--yes"], ["doctor"], ["gc", "--dry-run"],
    )  # fmt: skip

    def one(rng: random.Random) -> list[str]:
        for path in (folder / ".lab").glob("state.db*"):
            path.unlink()
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 5, 50))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        damaged = bytes(data[: rng.choice((len(data), len(data), rng.randrange(len(data))))])
        state.write_bytes(damaged)
        return [*rng.choice(verbs)]

    _fuzz(folder, one)
