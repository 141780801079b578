"""How lab and its peers grow tenfold: their times at both sizes in one run, ratios, and exponents."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from history import history
from measure import (
    Broken,
    CommandFailed,
    Lane,
    Missing,
    Result,
    Sample,
    Series,
    TooLong,
    empty,
    race,
    reasons,
    say,
    timed,
)
from races import LARGE, SMALL, exponent
from rows import Row, absent, compare, judged, raw, seconds
from setting import Setting, fresh
from tools import Tool

LIMIT = 60.0  # seconds for one command of a peer: terraform grows with the square of the steps
LOOKS = ("plan", "apply", "status", "explain", "drift")  # over what was made: `apply` does nothing
STEP = "s1"  # which every such lab has


@dataclass(frozen=True, slots=True)
class TooSlow:
    """A peer that did not end within the limit, so that its time is more than `limit`."""

    label: str
    limit: float


@dataclass(frozen=True, slots=True)
class Rival:
    """A peer with the command that does what a verb of ours does, and the most that we may take of its time."""

    name: str
    limit: float | None
    command: Callable[[Tool], tuple[str, ...]]


PLANS = (
    Rival("terraform-exec", 0.35, lambda tool: tool.plan),
    Rival("snakemake", None, lambda tool: (*tool.apply, "--dry-run")),
    Rival("ninja-touch", None, lambda tool: (*tool.apply, "-n")),
)
APPLIES = (
    Rival("terraform-exec", 0.1, lambda tool: tool.apply),
    Rival("snakemake", 0.1, lambda tool: tool.apply),
    Rival("ninja-touch", None, lambda tool: tool.apply),
)
AGAIN = tuple(
    replace(rival, limit=None) if rival.name == "snakemake" else rival for rival in APPLIES
)
RACES: Mapping[str, tuple[Rival, ...]] = MappingProxyType(
    {"plan": PLANS, "apply": APPLIES, "apply again": AGAIN}
)
Times = Mapping[tuple[str, str, int], Result | TooSlow]  # by verb, contender and size


def scale(setting: Setting) -> list[Row]:
    """Races at both sizes, the exponents of all verbs, and a history of a thousand runs."""
    tool = setting.tools["lab-touch"]
    if isinstance(tool, Missing) or setting.quick:
        reason = tool.reason if isinstance(tool, Missing) else "left out by --quick"
        return [absent("scale", "growth from 1,000 to 10,000 steps", reason)]
    sizes = (setting.size, 10 * setting.size)
    times: dict[tuple[str, str, int], Result | TooSlow] = {}
    for size in sizes:
        times.update(_ours(setting, tool, size))
        times.update(_theirs(setting, size))
    bare = empty(setting.folder("startup", 0))
    start = race("scale", [_lane("start-up", (tool.plan[0], "version"), bare, setting.rounds)])
    rows = [_against(times, verb, size, rival) for size in sizes
            for verb, rivals in RACES.items() for rival in rivals]  # fmt: skip
    rows += [_growth(times, verb, sizes, start["start-up"]) for verb in (*RACES, *LOOKS[2:])]
    rows += [_of_peer(times, verb, sizes, rival) for verb in RACES for rival in RACES[verb]]
    return rows + history(setting, _folder(setting, tool, sizes[0]))


def _folder(setting: Setting, tool: Tool, size: int) -> Path:
    return setting.folder(f"{tool.label}-scale", size)


def _lane(label: str, argv: tuple[str, ...], folder: Path, rounds: int) -> Lane:
    return Lane(label=label, go=partial(timed, argv, folder), rounds=rounds)


def _ours(setting: Setting, tool: Tool, size: int) -> Times:
    """Each verb of lab at one size; what is over in seconds takes turns, applying happens once."""
    folder = _folder(setting, tool, size)

    def planned() -> Sample:
        return timed(tool.plan, fresh(tool, size, folder))

    before = race(f"{size:,}", [Lane(label="plan", go=planned, rounds=setting.rounds)])
    made = race(f"{size:,}", [_lane("apply", tool.apply, folder, 1)])
    looks = [
        _lane(verb, (tool.plan[0], verb, *([STEP] if verb == "explain" else [])), folder, rounds)
        for verb, rounds in ((verb, setting.rounds) for verb in LOOKS[1:])
    ]
    after = dict(race(f"{size:,}, made", looks))
    after["apply again"] = after.pop("apply")
    found = {**after, **before, **made}
    return {(verb, "lab", size): _named(result) for verb, result in found.items()}


def _named(result: Result) -> Result:
    return replace(result, label="lab") if isinstance(result, Series) else result


def _theirs(setting: Setting, size: int) -> Times:
    """Each peer's plan, apply and second apply at one size, once each and no longer than the limit."""
    found: dict[tuple[str, str, int], Result | TooSlow] = {}
    for name in dict.fromkeys(rival.name for rivals in RACES.values() for rival in rivals):
        tool = setting.tools[name]
        folder = setting.folder(f"{name}-scale", size)
        fault: Result | TooSlow | None = tool if isinstance(tool, Missing) else None
        for verb, rivals in RACES.items():
            rival = next(each for each in rivals if each.name == name)
            if fault is None and isinstance(tool, Tool):
                found[verb, name, size] = one = _once(tool, rival, verb, size, folder)
                # What was not made cannot be looked at again, and takes as long at the least.
                fault = one if verb == "apply" and not isinstance(one, Series) else None
            elif fault is not None:
                found[verb, name, size] = (
                    Missing(name, "it was not applied") if isinstance(fault, TooSlow) else fault
                )
    return found


def _once(tool: Tool, rival: Rival, verb: str, size: int, folder: Path) -> Result | TooSlow:
    title = f"{size:,}: {rival.name} {verb}"
    try:
        if verb == "plan":
            fresh(tool, size, folder)
        sample = timed(rival.command(tool), folder, LIMIT)
    except TooLong:
        say(f"{title}: more than {LIMIT:.0f} s")
        return TooSlow(rival.name, LIMIT)
    except (CommandFailed, OSError) as fault:
        say(f"{title}: FAILED: {fault}")
        return Broken(rival.name, str(fault))
    say(f"{title}: {sample.seconds:.3f} s")
    return Series(rival.name, (sample,))


def _against(times: Times, verb: str, size: int, rival: Rival) -> Row:
    """Our time over a peer's; over its limit where it took longer, which the ratio is below then."""
    what = f"{verb}, {size:,} steps, vs {rival.name}"
    ours, theirs = times[verb, "lab", size], times[verb, rival.name, size]
    most = rival.limit if size in (SMALL, LARGE) else None  # the budgets speak of these sizes
    assert not isinstance(ours, TooSlow)
    if not isinstance(theirs, TooSlow):
        return compare("scale", what, ours, theirs, most, "one turn of the peer")
    if not isinstance(ours, Series):
        return absent("scale", what, reasons(ours), "FAIL")
    ratio = ours.seconds / theirs.limit
    within = most is not None and ratio <= most
    return Row(
        "scale",
        what,
        "pass" if within else "info",
        seconds(ours),
        f"{theirs.label} > {theirs.limit:.0f} s",
        ratio,
        most,
        "the peer was ended at that time: the true figure is less",
        raw(ours),
    )


def _growth(times: Times, verb: str, sizes: tuple[int, int], start: Result) -> Row:
    what = f"exponent of lab {verb}, {sizes[0]:,} to {sizes[1]:,} steps"
    few, many = (times[verb, "lab", size] for size in sizes)
    match few, many, start:
        case Series(), Series(), Series():
            return exponent(what, few, many, start, sizes)
        case _:
            bad = [each for each in (few, many, start) if isinstance(each, Broken | Missing)]
            return absent("scale", what, reasons(*bad), "FAIL")


def _of_peer(times: Times, verb: str, sizes: tuple[int, int], rival: Rival) -> Row:
    """A peer's exponent, start-up and all; the least that it can be where the larger took too long."""
    what = f"exponent of {rival.name} {verb}, {sizes[0]:,} to {sizes[1]:,} steps"
    few, many = (times[verb, rival.name, size] for size in sizes)
    match few, many:
        case Series(), Series():
            return _peer_row(what, few, many.seconds, seconds(many), "")
        case Series(), TooSlow(limit=limit):
            return _peer_row(what, few, limit, f"> {limit:.0f} s", "the least that it can be")
        case _:
            return absent("scale", what, "it did not end in time at both sizes, or is not here")


def _peer_row(what: str, few: Series, many: float, shown: str, remark: str) -> Row:
    value = math.log10(many / few.seconds)
    remark = "; ".join(filter(None, ("start-up not taken off", remark)))
    return Row(
        "scale", what, judged(value, None), "", f"{seconds(few)}; {shown}", value, None, remark
    )
