"""Two shells: the second waits and says for whom, goes on by itself when the first is dead, and reads at any time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from postgres import Postgres
from proxy import Proxy

from tests.project import Project

pytestmark = pytest.mark.live

STEPS = """
    steps:
      quick: {kind: command, command: "true"}
      slow:
        kind: command
        needs: quick
        command: "echo one >> runs; touch up; while [ ! -e go ]; do sleep 0.1; done; echo two"
"""

TEAM = 'state: {backend: postgresql, dsn: "{{ secrets.dsn }}", lease: 5s}'


def labfile(project: Project, dsn: str = "", steps: str = STEPS, name: str = "two") -> None:
    shared = f"secrets: {{dsn: {{env: TEAM_DSN}}}}\n    {TEAM}" if dsn else ""
    project.labfile(f"\n    labfile: 1\n    name: {name}\n    {shared}{steps}")


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Project, Project]:
    """Where two people stand: in one folder, or in two checkouts that share a database."""
    if request.param == "sqlite":
        first = second = Project(tmp_path / "lab")
        labfile(first)
        return first, second
    server: Postgres = request.getfixturevalue("postgres")
    dsn = server.url(server.new_base("two"))
    first, second = (Project(tmp_path / name, {"TEAM_DSN": dsn}) for name in ("ada", "bob"))
    for project in (first, second):
        labfile(project, dsn)
    return first, second


@contextmanager
def running(project: Project, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`lab` in the background, its output in a file, gone with all its processes in the end."""
    process = project.popen(*words)
    try:
        yield process
    finally:
        (project.folder / "go").touch()
        for number in (signal.SIGCONT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        process.communicate()


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def line(process: subprocess.Popen[str], word: str) -> str:
    """The next line that has *word* in it."""
    assert process.stdout is not None
    for text in process.stdout:
        if word in text:
            return text
    raise AssertionError(f"it ended and never said {word!r}")


def up(project: Project) -> None:
    until((project.folder / "up").exists)


@pytest.mark.parametrize("whole", [False, True], ids=["alone", "with its group"])
def test_who_waits_goes_on_when_the_first_is_killed(
    places: tuple[Project, Project], whole: bool
) -> None:
    first, second = places
    with running(first, "apply") as one:
        up(first)
        with running(second, "apply") as two:
            waiting = line(two, "waiting for")
            assert re.search(r"`lab apply` by \S+ on \S+ \(process \d+\), since", waiting)
            assert f"(process {one.pid})" in waiting
            assert "it runs slow" in waiting
            (os.killpg if whole else os.kill)(one.pid, signal.SIGKILL)
            (second.folder / "go").touch()
            began = time.monotonic()
            assert "does not run any more" in line(two, "took over from")
            assert time.monotonic() - began < 4
            out, _ = two.communicate(timeout=60)
            assert two.returncode == 0, out
    assert second.plan()["slow"][0] == "keep"


def test_who_waits_waits_for_a_stopped_one(places: tuple[Project, Project]) -> None:
    first, second = places
    with running(first, "apply") as one:
        up(first)
        os.killpg(one.pid, signal.SIGSTOP)
        with running(second, "apply", "--lock-timeout", "1m") as two:
            line(two, "waiting for")
            time.sleep(7)  # longer than the lease
            assert two.poll() is None
            (first.folder / "go").touch()
            os.killpg(one.pid, signal.SIGCONT)
            assert one.wait(60) == 0
            (second.folder / "go").touch()
            out, _ = two.communicate(timeout=60)
            assert two.returncode == 0, out
            assert "took over" not in out
    assert (first.folder / "runs").read_text() == "one\n"


def test_not_waiting_says_who_has_it(places: tuple[Project, Project]) -> None:
    first, second = places
    with running(first, "apply"):
        up(first)
        ran = second.lab("apply", "--lock-timeout", "0", expect=4)
        assert "is locked" in ran.err and "`lab apply` by" in ran.err


def test_readers_never_wait(places: tuple[Project, Project]) -> None:
    first, second = places
    with running(first, "apply"):
        up(first)
        began = time.monotonic()
        assert second.plan()["quick"][0] in ("keep", "update")
        status = second.lab("status", "--json").json
        assert {s["step"]: s["status"] for s in status["steps"]}["slow"] == "running"
        assert status["lock"]["command"] == "lab apply"
        assert "running" in second.lab("runs").out
        assert time.monotonic() - began < 20
        with running(first, "logs", "-f", "slow") as following:
            time.sleep(1)
            assert following.poll() is None
            (first.folder / "go").touch()
            assert "two" in line(following, "two")


def test_overlays_neither_wait_nor_touch(places: tuple[Project, Project]) -> None:
    first, second = places
    for project in places:
        for overlay in ("dev", "prod"):
            project.write(f"Labfile.{overlay}.yaml", f"vars: {{stage: {overlay}}}\n")
    with running(first, "apply", "-e", "dev"):
        up(first)
        (second.folder / "go").touch()
        ran = second.lab("apply", "-e", "prod")
        assert "waiting" not in ran.err
        listed = second.lab("state", "list", "--json").json
        assert {row["lab"] for row in listed} == {"two@dev", "two@prod"}


def test_two_labfiles_of_one_name_are_refused(places: tuple[Project, Project]) -> None:
    first, second = places
    (first.folder / "go").touch()
    first.lab("apply")
    if first is second:
        first.write(
            "Other.yaml", "labfile: 1\nname: two\nsteps: {a: {kind: command, command: 'true'}}\n"
        )
        for verb in ("plan", "apply"):
            ran = first.lab(verb, "Other.yaml", expect=4)
            assert "are both named `two`" in ran.err
        return
    labfile(second, "x", steps='\n    steps: {a: {kind: command, command: "true"}}\n')
    for words in (["plan"], ["apply"], ["status"], ["state", "rm", "slow", "--yes"]):
        ran = second.lab(*words, expect=4)
        assert "not made by this Labfile" in ran.err
    assert first.plan()["slow"][0] == "keep"
    second.lab("state", "join")
    assert second.plan()["slow"][0] == "forget"


class TestTeam:
    @pytest.fixture
    def dsn(self, postgres: Postgres) -> str:
        return postgres.url(postgres.new_base("two"))

    def test_a_lab_moves_to_the_database_and_back(self, dsn: str, tmp_path: Path) -> None:
        project = Project(tmp_path / "lab", {"TEAM_DSN": dsn})
        (project.folder / "go").touch()
        labfile(project)
        project.lab("apply")
        local = project.lab("state", "pull").json
        labfile(project, dsn)
        planned = project.lab("plan")
        assert "`lab state push` moves it there" in planned.err
        project.lab("state", "push")
        assert project.plan()["slow"][0] == "keep"
        for key in ("records", "runs", "events"):
            assert len(project.lab("state", "pull").json[key]) == len(local[key])
        project.lab("apply", "--replace", "quick")
        project.lab("state", "pull", "--out", "team.json")
        assert (project.folder / "team.json").stat().st_mode & 0o077 == 0
        labfile(project)
        ran = project.lab("state", "push", "team.json", expect=4)
        assert "not overwritten" in ran.err and "--replace two" in ran.err
        assert project.lab("runs", "--json").json[-1]["run"] == 1
        assert "is saved in" in project.lab("state", "push", "team.json", "--replace", "two").out
        assert project.lab("runs", "--json").json[-1]["run"] == 2
        assert "all of it already" in project.lab("state", "push", "team.json").out
        saved = next((project.folder / ".lab").glob("replaced-two-*.json"))
        back = project.lab(
            "state", "push", saved.name, "-C", ".lab", "--replace", "two", expect=None
        )
        assert back.code != 70

    def test_an_older_state_does_not_replace_a_newer_one(self, dsn: str, tmp_path: Path) -> None:
        project = Project(tmp_path / "lab", {"TEAM_DSN": dsn})
        (project.folder / "go").touch()
        labfile(project, dsn)
        project.lab("apply")
        project.lab("state", "pull", "--out", "old.json")
        project.lab("apply", "--replace", "quick")
        ran = project.lab("state", "push", "old.json", expect=4)
        assert "has a newer state of two already" in ran.err
        for wrong in ("yes", "two@prod"):
            project.lab("state", "push", "old.json", "--replace", wrong, expect=4)

    def test_a_cut_connection_ends_the_steps_in_time_and_loses_nothing(
        self, postgres: Postgres, tmp_path: Path
    ) -> None:
        base, proxy = postgres.new_base("two"), Proxy(postgres.port)
        try:
            project = Project(tmp_path / "lab", {"TEAM_DSN": postgres.url(base, port=proxy.port)})
            labfile(
                project,
                "x",
                steps="""
    steps:
      long: {kind: command, command: "while :; do touch up; sleep 0.1; done"}
      short: {kind: command, command: "touch going; while [ ! -e cut ]; do sleep 0.05; done; echo made >> made"}
""",
            )
            with running(project, "apply", "-j", "2") as one:
                up(project)
                until((project.folder / "going").exists)
                proxy.cut()
                began = time.time()
                (project.folder / "cut").touch()
                out, _ = one.communicate(timeout=60)
                assert (project.folder / "up").stat().st_mtime - began < 5  # which is the lease
                assert time.time() - began < 15
                assert one.returncode == 4, out
                assert "the lease on the state is lost" in out
                assert "is kept in" in out
                assert "✓ short" not in out  # what is told is stored
            proxy.mend()
            again = project.lab("apply", "--only", "short", timeout=60)
            assert "took in what was made" in again.err and "`short`" in again.err
            assert (project.folder / "made").read_text() == "made\n"
            assert project.plan()["short"][0] == "keep"
        finally:
            proxy.close()

    def test_a_dsn_from_a_command_is_read_where_that_is_allowed(
        self, dsn: str, tmp_path: Path
    ) -> None:
        project = Project(tmp_path / "lab")
        project.write("dsn", dsn)
        project.write("tell", "#!/bin/sh\necho run >> told\ncat dsn\n")
        (project.folder / "tell").chmod(0o755)
        project.labfile(f"""
    labfile: 1
    name: two
    secrets: {{dsn: {{command: [./tell]}}}}
    {TEAM}
    steps: {{a: {{kind: command, command: "echo hi"}}}}
    outputs: {{b: 1}}
""")
        project.lab("apply")
        (project.folder / "told").unlink()
        looking = [
            *(["plan"], ["status"], ["runs"], ["show", "a"], ["logs", "a"], ["output"], ["drift"]),
            *(["explain", "a"], ["state", "list"], ["state", "check"], ["state", "pull"], ["gc"]),
        ]
        for words in looking:
            ran = project.lab(*words, expect=3)
            assert "`./tell`" in ran.err and "--allow-commands" in ran.err, words
        assert "--allow-commands" in project.lab("doctor", expect=1).out
        assert not (project.folder / "told").exists()
        for words in [*looking, ["doctor"]]:
            project.lab(*words, "--allow-commands")

    def test_the_password_is_nowhere(self, dsn: str, tmp_path: Path) -> None:
        project = Project(tmp_path / "lab", {"TEAM_DSN": dsn})
        (project.folder / "go").touch()
        labfile(project, dsn)
        shown = ""
        for words in (["plan", "--json"], ["apply", "--json"], ["status"], ["doctor"], ["runs"]):
            ran = project.lab(*words)
            shown += ran.out + ran.err
        wrong = Project(tmp_path / "lab", {"TEAM_DSN": dsn.replace("/two", "/nowhere")})
        ran = wrong.lab("plan", expect=4)
        shown += ran.out + ran.err
        secret = dsn.split(":")[2].split("@")[0]
        assert secret not in shown
        for path in project.folder.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path
