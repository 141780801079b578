"""Times commands by the wall clock, takes turns between contenders, and keeps what went wrong."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# These change how fast an interpreter starts or what a tool says, and no user of the tool has them.
DROPPED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "PYTHONSTARTUP")
KIB_OF_MAXRSS = 1 / 1024 if sys.platform == "darwin" else 1.0
LIMIT = 600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall seconds, and the resident memory of the largest process that was waited for."""

    seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of one contender."""

    label: str
    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> float:
        """The median of the wall times."""
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def peak_mib(self) -> float:
        """The most memory that any run took."""
        return max(sample.peak_mib for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Missing:
    """A contender that is not on this machine."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A contender that is there and failed."""

    label: str
    reason: str


Result = Series | Missing | Broken


class CommandFailed(Exception):
    """A measured command ended badly, so its time means nothing."""


class TooLong(CommandFailed):
    """It was ended at its limit: all that is known of its time is that it is more than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A contender in a race: `go` prepares outside of the clock and returns one sample."""

    label: str
    go: Callable[[], Sample]
    rounds: int


def reasons(*results: Result) -> str:
    """What broke or is missing among the results, by name."""
    return "; ".join(
        f"{result.label}: {result.reason}" for result in results if not isinstance(result, Series)
    )


def environment(cache: Path) -> dict[str, str]:
    """The environment of every measured command: the caller's, less what would favour one side."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED and not name.startswith(("LAB_", "MAKEFLAGS", "MAKELEVEL"))
    }
    if not Path(kept.get("TF_CLI_CONFIG_FILE", "/")).exists():
        del kept["TF_CLI_CONFIG_FILE"]
    quiet = {"NO_COLOR": "1", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return kept | quiet | {"XDG_CACHE_HOME": str(cache)}


def cache_of(folder: Path) -> Path:
    """Where the caches of a command in `folder` go: beside it, for a fresh start drops them."""
    return folder.with_name(folder.name + ".cache")


def timed(argv: Sequence[str], folder: Path, limit: float = LIMIT, exits: int = 0) -> Sample:
    """Run `argv` in `folder`; anything but exit code `exits` in time is CommandFailed."""
    log = folder.with_name(folder.name + ".log")
    late = threading.Event()
    with log.open("wb") as sink:
        begun = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=environment(cache_of(folder)),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch = threading.Timer(limit, _end, (process.pid, late))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
    watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if late.is_set():
        raise TooLong(f"`{brief(argv)}` was ended after {limit:.0f} s")
    if process.returncode != exits:
        raise CommandFailed(f"`{brief(argv)}` exited {process.returncode}: {last_words(log)}")
    return Sample(seconds, usage.ru_maxrss * KIB_OF_MAXRSS / 1024)


def _end(group: int, late: threading.Event) -> None:
    late.set()
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def brief(argv: Sequence[str]) -> str:
    """The command as a person would name it: no folders, and not all of a long line."""
    words = [Path(argv[0]).name, *argv[1:]]
    return " ".join(words)[:80]


def last_words(log: Path, most: int = 300) -> str:
    """The end of what a command said, on one line."""
    text = log.read_bytes()[-4 * most :].decode(errors="replace")
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())[-most:]


def empty(folder: Path) -> Path:
    """`folder`, made anew, with the caches of the one before gone."""
    for old in (folder, cache_of(folder)):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def forget(folder: Path) -> None:
    """Drop the tool's state and caches, so that it starts anew on the same files."""
    for old in (folder / ".lab", cache_of(folder)):
        shutil.rmtree(old, ignore_errors=True)


def race(title: str, lanes: Sequence[Lane]) -> Mapping[str, Result]:
    """Let the lanes take turns, round by round, so that a slow minute of the machine hits all."""
    taken: dict[str, list[Sample]] = {lane.label: [] for lane in lanes}
    broken: dict[str, Broken] = {}
    for turn in range(max((lane.rounds for lane in lanes), default=0)):
        for lane in lanes:
            if turn >= lane.rounds or lane.label in broken:
                continue
            try:
                sample = lane.go()
            except (CommandFailed, OSError) as fault:
                broken[lane.label] = Broken(lane.label, str(fault))
                say(f"{title}: {lane.label}: FAILED: {fault}")
                continue
            taken[lane.label].append(sample)
            say(f"{title}: {lane.label}: {sample.seconds:.3f} s, {sample.peak_mib:.0f} MiB")
    return {
        lane.label: broken.get(lane.label) or Series(lane.label, tuple(taken[lane.label]))
        for lane in lanes
    }


def say(text: str) -> None:
    """Tell whoever waits what was just measured; the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)
