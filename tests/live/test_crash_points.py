"""Crashed at each point that lab passes, a lab converges with no repair and repeats nothing that was told."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from live.crash_scenarios import APPLY, WORK, Crashable, Scenario, scenarios, served

from lab.crashpoint import POINTS, Point, passing
from lab.edge.journal import Journal
from lab.model.layout import state_path
from tests.project import Ran

pytestmark = pytest.mark.live

NAMES = [each.name for each in scenarios("", "")]
EVERY_TIME = os.environ.get("LAB_TEST_CRASHES") == "all"  # minutes instead of one
reached: dict[str, set[Point]] = {}  # by scenarios that this process has run


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def all_scenarios(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scenario]]:
    folder = tmp_path_factory.mktemp("web") / "shown"
    served(folder)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sha256 = hashlib.sha256((folder / "data.tar.gz").read_bytes()).hexdigest()
        url = f"http://127.0.0.1:{server.server_port}"
        yield {each.name: each for each in scenarios(url, sha256)}
        server.shutdown()


@pytest.mark.parametrize("name", NAMES)
def test_a_crash_at_each_point_needs_no_repair(
    name: str, all_scenarios: dict[str, Scenario], tmp_path: Path
) -> None:
    scenario = all_scenarios[name]
    ready = prepared(scenario, tmp_path / "ready")
    passed = passings(scenario, ready, tmp_path)
    where = [f"{point}:{n}" for point, count in passed.items() for n in times(point, count)]
    reached[name] = set(passed)
    with ThreadPoolExecutor(2) as pool:
        crashes = [pool.submit(crashed, scenario, ready, tmp_path, at) for at in where]
    failed = {at: crash.exception() for at, crash in zip(where, crashes, strict=True)}
    assert not any(failed.values()), {at: error for at, error in failed.items() if error}


def prepared(scenario: Scenario, folder: Path) -> Crashable:
    """A lab right before the command that is crashed."""
    ready = Crashable(folder)
    ready.labfile(scenario.labfile)
    for words in scenario.before:
        ready.lab(*words)
    scenario.prepare(ready)
    if scenario.edited:
        ready.labfile(scenario.edited)
    return ready


def passings(scenario: Scenario, ready: Crashable, folder: Path) -> Counter[Point]:
    """How often each point is passed where nothing crashes."""
    return Counter(ready.copy(folder / "whole").points(*scenario.command))


def times(point: str, count: int) -> Iterable[int]:
    """Which passings are crashed at: all, or the first, and of points that are passed often the last.

    Points that a scenario before has reached are left out, unless all are asked for.
    """
    if EVERY_TIME:
        return range(1, count + 1)
    return () if point in set().union(*reached.values()) else (1, count) if count > 4 else (1,)


def crashed(scenario: Scenario, ready: Crashable, folder: Path, at: str) -> None:
    """Crashes at one point, goes on as a person would, and looks whether all is as it must be."""
    project = ready.copy(folder / at.replace(":", "-"))
    before = project.began()
    crash = project.crash(at, *scenario.command)
    assert crash.code == -9, crash
    is_whole(project)
    again = project.lab(*scenario.again or scenario.command, expect=None)
    assert again.code in scenario.codes, again
    is_whole(project)
    scenario.expect(project)
    reported = finished(crash)
    repeated = [step for step in finished(again) if step in reported]
    assert not repeated, f"reported, and done again: {repeated}"
    for step, times in (project.began() - before).items():
        most = (1 if step in reported else 2) + (step == "retried")
        assert times <= most, f"{step} began {times} times, reported: {sorted(reported)}"


def is_whole(project: Crashable) -> None:
    """The journal can be read, and its records are what its events make."""
    path = state_path(str(project.folder))
    if not Path(path).exists():
        return
    with Journal(path, str(project.folder)) as journal:
        assert journal.open("crash").check() == []


def finished(ran: Ran) -> list[str]:
    events = [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    return [each["step"] for each in events if each["event"] == "step.finished"]


def test_every_point_is_reached_by_a_scenario(
    all_scenarios: dict[str, Scenario], tmp_path: Path
) -> None:
    """A point that nothing crashes at shows nothing.

    Scenarios that were not crashed in this process (another one does it) are run here to their ends.
    """
    for name, scenario in all_scenarios.items():
        if name not in reached:
            ready = prepared(scenario, tmp_path / name)
            reached[name] = set(passings(scenario, ready, tmp_path / f"{name}-passed"))
    assert set(POINTS) - set().union(*reached.values()) == set()


def test_the_program_itself_takes_no_notice_of_the_variable(tmp_path: Path) -> None:
    project = Crashable(tmp_path / "ready")
    project.labfile(WORK)
    project.env["LAB_CRASH_AT"] = "commit.before:1"
    assert project.lab(*APPLY).steps("finished") == ["one", "train", "retried"]


def test_a_point_that_nobody_listens_to_does_nothing() -> None:
    for point in POINTS:
        passing(point)
