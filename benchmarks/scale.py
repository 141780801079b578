"""How looking at a lab that was made grows with its steps: status, explain, drift, and an apply with nothing to do."""

from collections.abc import Callable
from pathlib import Path

from measure import CommandFailed, Lane, Missing, Sample, Series, empty, race, reasons, timed
from races import LARGE, SMALL, exponent
from rows import Row, absent
from setting import Setting, fresh, lab_of
from tools import Tool

VERBS = ("status", "explain", "drift", "apply")
STEP = "s1"  # which every such lab has


def scale(setting: Setting) -> list[Row]:
    """The exponent of each verb between two sizes of lab, both made before."""
    tool = lab_of(setting)
    what = f"status, explain, drift and apply again, {SMALL:,} to {LARGE:,} steps"
    if isinstance(tool, Missing) or setting.quick:
        reason = tool.reason if isinstance(tool, Missing) else "left out by --quick"
        return [absent("scale", what, reason)]
    try:
        small, large = (_made(setting, tool, size) for size in (SMALL, LARGE))
    except CommandFailed as fault:
        return [absent("scale", what, str(fault), "FAIL")]
    bare = empty(setting.folder("startup", 0))
    return [_grown(setting, tool, verb, (small, large, bare)) for verb in VERBS]


def _made(setting: Setting, tool: Tool, size: int) -> Path:
    folder = fresh(tool, size, setting.folder("lab-scale", size))
    timed(tool.apply, folder)
    return folder


def _grown(setting: Setting, tool: Tool, verb: str, folders: tuple[Path, Path, Path]) -> Row:
    small, large, bare = folders
    argv = (tool.plan[0], verb, *([STEP] if verb == "explain" else []))

    def lane(label: str, command: tuple[str, ...], folder: Path) -> Lane:
        go: Callable[[], Sample] = lambda: timed(command, folder)  # noqa: E731
        return Lane(label=label, go=go, rounds=setting.rounds)

    lanes = [
        lane(f"{SMALL:,}", argv, small),
        lane(f"{LARGE:,}", argv, large),
        lane("version", (tool.plan[0], "version"), bare),
    ]
    what = f"exponent of lab {verb}, {SMALL:,} to {LARGE:,} steps that were made"
    found = tuple(race(f"scale {verb}", lanes).values())
    match found:
        case (Series() as few, Series() as many, Series() as start):
            return exponent(what, few, many, start)
        case _:
            return absent("scale", what, reasons(*found), "FAIL")
