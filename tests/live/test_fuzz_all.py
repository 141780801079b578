"""The fuzzer itself: a few inputs of every sort; `make fuzz N=100000` is the long run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

FUZZ = Path(__file__).parents[1] / "fuzz.py"


def _fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FUZZ), "--engine", "mutations", *words],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_a_few_inputs_of_every_sort_end_in_a_result_or_an_error() -> None:
    done = _fuzz("--inputs", "700", "--seed", "11")
    assert done.returncode == 0, done.stdout
    last = next(line for line in done.stdout.splitlines() if line.startswith("all "))
    inputs, crashes, over = last.split()[1:4]
    assert int(inputs) >= 650
    assert (crashes, over) == ("0", "0")


def test_an_input_can_be_tried_again_alone() -> None:
    first, again = (_fuzz("--only", "templates", "--seed", "7", "--number", "4611") for _ in "ab")
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout != ""


def test_what_is_no_answer_is_a_crash(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(
        f"import sys; sys.path[:0] = [{str(FUZZ.parent)!r}]\n"
        "import fuzz\n"
        "class Subject:\n"
        "    name = 'broken'\n"
        "    def take(self, data):\n"
        "        if data == b'x': raise KeyError(data)\n"
        "        if data == b'y': sum(range(90_000_000))\n"
        "fuzz.SLOW = 0.2\n"
        "watch = fuzz.Watch(Subject(), '0')\n"
        "for at, data in enumerate((b'a', b'x', b'y')): watch.take(data, str(at))\n"
        "assert (watch.inputs, watch.crashes, watch.over) == (3, 1, 1), vars(watch)\n"
        "assert 'KeyError' in watch.found and watch.at == '2', watch.found\n"
    )
    done = subprocess.run([sys.executable, str(probe)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
