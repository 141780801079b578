"""Reading is not what a person waits for: measured beside what everyone uses."""

import time
from collections.abc import Callable

import pytest
import yaml

from lab.reading.parse import from_json, parse, to_json

TEXT = "labfile: 1\nname: bench\nsteps:\n" + "".join(
    f"  s{n:04d}:\n    kind: command\n    command: [sh, -c, 'echo {n}']\n    needs: [s{n - 1:04d}]\n"
    for n in range(1, 1001)
)


def best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
def test_strict_reading_costs_no_more_than_yaml_load() -> None:
    ours = best(lambda: parse("L", TEXT.encode()))
    theirs = best(lambda: yaml.load(TEXT, Loader=yaml.CSafeLoader))
    assert ours < theirs


def test_a_cached_layer_is_many_times_faster() -> None:
    cached = to_json(parse("L", TEXT.encode()))
    assert best(lambda: from_json("L", TEXT, cached)) < best(lambda: parse("L", TEXT.encode())) / 5
