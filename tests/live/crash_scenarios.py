"""What lab is crashed in: a lab, what was done before, the command, and what must come of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from lab.crashpoint import Point
from tests.project import Project, Ran

CRASHING = Path(__file__).with_name("crashing.py")

# Each step notes in the ledger that it began; `retried` fails the first time.
WORK = """
    labfile: 1
    name: crash
    steps:
      one:
        kind: command
        command: 'echo one >> "$LEDGER"; echo 1 > "$LAB_STEP_DIR/out"; echo value=1 >> "$LAB_OUTPUT"'
        artifacts: {out: "{{ step.dir }}/out"}
        destroy: 'echo undone >> "$LEDGER.undone"'
      train:
        kind: training
        command: [sh, -c, 'echo train >> "$LEDGER"; echo loss=0.5; echo m > "$LAB_STEP_DIR/model"; cat "$1"', sh,
                  "{{ steps.one.outputs.out }}"]
        metrics: {from: stdout}
        artifacts: {model: "{{ step.dir }}/model"}
      retried:
        kind: command
        command: 'echo retried >> "$LEDGER"; cd "$LAB_STEP_DIR"; test -e tried || { touch tried; exit 3; }; echo "$V"'
        env: {V: "{{ steps.train.outputs.metrics.loss }}"}
        retries: {attempts: 2, backoff: 10ms}
    outputs: {value: "{{ steps.one.outputs.value }}"}
"""
DATA = """
    labfile: 1
    name: crash
    steps:
      data: {kind: dataset, url: "URL/data.tar.gz", sha256: SHA, unpack: true, path: data}
      plain: {kind: dataset, url: "URL/plain.txt", path: plain.txt}
      use: {kind: command, command: 'echo use >> "$LEDGER"; cat data/inside.txt plain.txt', needs: [data, plain]}
"""
ENVIRONMENT = """
    labfile: 1
    name: crash
    steps:
      env: {kind: environment, requirements: requirements.txt}
      use: {kind: command, environment: env, command: [python, -c, "open('ledger', 'a').write('use\\\\n')"]}
"""
FEWER = """
    labfile: 1
    name: crash
    steps:
      other: {kind: command, command: 'echo other >> "$LEDGER"'}
"""


class Crashable(Project):
    """A project whose lab can be crashed, with a ledger of what its steps did."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.ledger = place / "ledger"
        super().__init__(place / "lab", {"LEDGER": str(self.ledger)})

    def crash(self, at: str, *words: str) -> Ran:
        """Runs lab until it passes a point for the n-th time (`point:n`); it is gone then."""
        env = {**self.env, "LAB_CRASH_AT": at}
        return self._run([sys.executable, str(CRASHING), *words], env)

    def points(self, *words: str) -> list[Point]:
        """Runs lab to its end; gives the points that it passed."""
        log = self.place / "points"
        ran = self._run(
            [sys.executable, str(CRASHING), *words], {**self.env, "LAB_CRASH_LOG": str(log)}
        )
        assert ran.code == 0, ran
        return cast("list[Point]", log.read_text().split())

    def copy(self, place: Path) -> Crashable:
        shutil.copytree(self.place, place, symlinks=True)
        return Crashable(place)

    def began(self) -> Counter[str]:
        """How often each step has begun, ever."""
        return Counter(self.ledger.read_text().split() if self.ledger.exists() else [])

    def remembered(self) -> set[str]:
        return {each["step"] for each in self.lab("state", "list", "--json").json}

    def _run(self, argv: list[str], env: dict[str, str]) -> Ran:
        done = subprocess.run(
            argv, cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Scenario:
    """*before* has been done when *command* is crashed; *again* is what a person does next, and no repair."""

    name: str
    labfile: str
    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    edited: str = ""  # the Labfile from the crashed command on
    again: tuple[str, ...] = ()  # empty: the command itself
    codes: tuple[int, ...] = (0,)  # with which that may end
    prepare: Callable[[Crashable], None] = lambda project: None
    expect: Callable[[Crashable], None] = lambda project: None


APPLY = ("apply", "--json", "-j", "1")


def nothing_is_left_to_do(project: Crashable) -> None:
    project.lab("plan", "--check")


def forgotten(project: Crashable) -> None:
    assert set(project.plan()) == {"other"}
    nothing_is_left_to_do(project)


def undone(project: Crashable) -> None:
    assert project.remembered() == set()
    assert Path(f"{project.ledger}.undone").exists()
    left = {path.name for path in (project.folder / ".lab/work/crash/steps").rglob("*")}
    assert not left & {"out", "model"}


def moved(project: Crashable) -> None:
    assert project.remembered() == {"uno", "train", "retried"}


def removed(project: Crashable) -> None:
    assert project.remembered() == {"train", "retried"}


def litter(project: Crashable) -> None:
    """Folders of steps that nothing is remembered of."""
    for name in ("gone", "older"):
        folder = project.folder / ".lab/work/crash/steps" / name / "deep"
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")


def swept(project: Crashable) -> None:
    steps = project.folder / ".lab/work/crash/steps"
    assert not (steps / "gone").exists()
    assert not (steps / "older").exists()
    nothing_is_left_to_do(project)


def held_by_the_dead(project: Crashable) -> None:
    """The lock's row names a process that is gone."""
    assert project.crash("lock.claimed:1", *APPLY).code == -9


def history(project: Crashable) -> None:
    """Runs that compacting can shorten."""
    for _ in range(4):
        project.lab("apply", "--replace", "one", "--replace", "retried", "--yes", "-q")


def without_packages(project: Crashable) -> None:
    project.write("requirements.txt", "# nothing\n")


def served(folder: Path) -> None:
    """What the datasets are, in a folder that a web server shows."""
    folder.mkdir()
    (folder / "inside.txt").write_text("inside\n" * 1000)
    with tarfile.open(folder / "data.tar.gz", "w:gz") as made:
        made.add(folder / "inside.txt", "inside.txt")
    (folder / "plain.txt").write_text("plain\n")


def scenarios(url: str, sha256: str) -> list[Scenario]:
    """All of them; *url* shows what `served` made, whose archive has the hash *sha256*."""
    data = DATA.replace("URL", url).replace("SHA", sha256)
    one = nothing_is_left_to_do
    return [
        Scenario("apply", WORK, APPLY, expect=one),
        Scenario("forget", WORK, APPLY, before=(APPLY,), edited=FEWER, expect=forgotten),
        Scenario("destroy", WORK, ("destroy", "--yes"), before=(APPLY,), expect=undone),
        Scenario("dataset", data, APPLY, expect=one),
        Scenario("environment", ENVIRONMENT, APPLY, prepare=without_packages, expect=one),
        Scenario(
            "mv", WORK, ("state", "mv", "one", "uno"), before=(APPLY,), codes=(0, 4), expect=moved
        ),
        Scenario(
            "rm",
            WORK,
            ("state", "rm", "one", "--yes"),
            before=(APPLY,),
            codes=(0, 4),
            expect=removed,
        ),
        Scenario(
            "compact",
            WORK,
            ("state", "compact", "--keep", "1"),
            before=(APPLY,),
            prepare=history,
            expect=one,
        ),
        Scenario("gc", WORK, ("gc", "--yes"), before=(APPLY,), prepare=litter, expect=swept),
        Scenario(
            "unlock", WORK, ("state", "unlock"), prepare=held_by_the_dead, again=APPLY, expect=one
        ),
    ]
