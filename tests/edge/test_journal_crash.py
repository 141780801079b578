"""Whatever kills a writer, and wherever its log is cut: what was stored is there, and makes sense."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from journal_bench import REPOSITORY, journal, opened, random_event

from lab.model.layout import state_path

ROUNDS = int(os.environ.get("LAB_TEST_KILLS", "12"))


def test_a_log_that_is_cut_anywhere_opens_as_it_was_before(tmp_path: Path) -> None:
    """A power cut leaves a beginning of what was written since the last sync."""
    whole = tmp_path / "whole"
    state = opened(whole)
    rng = random.Random(2)
    for run in range(30):
        state.append(random_event(rng, run), random_event(rng, run))
    events = state.events()
    log = Path(state_path(str(whole)) + "-wal")
    size = log.stat().st_size
    for cut in sorted(rng.sample(range(size), 25)):
        part = tmp_path / f"cut{cut}"
        shutil.copytree(whole, part, ignore=shutil.ignore_patterns("*-shm"))
        os.truncate(Path(state_path(str(part)) + "-wal"), cut)
        with journal(part) as there:
            left = there.open("mnist")
            found = left.events()
            assert found == events[: len(found)]
            assert len(found) % 2 == 0
            assert left.check() == []
        shutil.rmtree(part)


@pytest.mark.live
def test_events_outlive_a_killed_writer(tmp_path: Path) -> None:
    rng = random.Random()
    writer = str(Path(__file__).with_name("journal_bench.py"))
    stored = 0
    for seed in range(ROUNDS):
        child = subprocess.Popen(
            [sys.executable, writer, str(tmp_path), str(seed)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": REPOSITORY},
        )
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(rng.random() * 0.15)
        child.send_signal(signal.SIGKILL)
        told = [first, *child.stdout.read().splitlines(keepends=True)]
        child.stdout.close()
        child.wait()
        promised = max((int(line) for line in told if line.endswith(b"\n")), default=stored)
        with journal(tmp_path) as there:
            state = there.open("mnist")
            stored = len(state.events())
            assert stored >= promised, f"seed {seed}"
            assert state.check() == []
    assert stored > ROUNDS


@pytest.mark.live
def test_a_state_is_made_once_however_many_make_it(tmp_path: Path) -> None:
    program = (
        "import sys, journal_bench as b\n"
        "state = b.opened(sys.argv[1]); state.append(b.started(sys.argv[2]))\n"
        "print(state.load().key)"
    )
    paths = os.pathsep.join([REPOSITORY, str(Path(__file__).parent)])
    for _ in range(4):
        root = tmp_path / str(_)
        root.mkdir()
        children = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(root), f"s{n}"],
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": paths},
            )
            for n in range(4)
        ]
        keys = {child.communicate()[0] for child in children}
        assert [child.returncode for child in children] == [0] * 4
        assert len(keys) == 1
        state = opened(root)
        assert sorted(state.load().records) == ["s0", "s1", "s2", "s3"]
        assert state.check() == []
        assert sorted(os.listdir(root / ".lab"))[:2] == [".gitignore", "state.db"]
