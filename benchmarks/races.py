"""The races over one DAG: plan, apply, apply again, and how planning grows with the DAG."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from measure import (
    CommandFailed,
    Lane,
    Missing,
    Result,
    Sample,
    Series,
    empty,
    race,
    reasons,
    say,
    timed,
)
from rows import Row, absent, compare, judged, raw, seconds
from setting import Setting, fresh, lab_json, lab_of, run_race
from tools import WIDE, Tool

SMALL, LARGE = 1_000, 10_000
# "Linear" allows for this much: caches that no longer fit, a sort here and there.
MOST_EXPONENT = 1.1


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that our median may be of a peer's; without a limit, for comparison only."""

    limit: float | None
    remark: str
    ours: str = "lab"


def plan(setting: Setting) -> list[Row]:
    """A plan of literal steps with nothing in state and nothing in a cache."""
    found = run_race(setting, "plan", ("lab", "terraform"), "plan")
    what = f"plan of {setting.size:,} literal steps, empty state"
    rows = compared(setting, "plan", what, found, {"terraform": Budget(0.35, "terraform_data")})
    return rows + checked(setting, "plan", "the plan creates every step", "create")


APPLY: Mapping[str, Budget] = MappingProxyType(
    {
        "ninja-touch": Budget(2.0, "`touch` of a file on both sides", "lab-touch"),
        "ninja-wide": Budget(2.0, f"the same with -j {WIDE} on both sides", "lab-wide"),
        "ninja": Budget(None, "`true` on both sides, after which ninja knows nothing as done"),
        "terraform-exec": Budget(0.1, "local-exec `true`"),
        "snakemake": Budget(0.1, "`true`, and an empty file for each rule"),
        "terraform": Budget(None, "terraform_data alone, no command run; one run only"),
        "make": Budget(None, "`touch` of a file on both sides", "lab-touch"),
        "doit-jobs": Budget(None, "`true`"),
    }
)
LEFT_OUT_BY_QUICK = ("terraform", "snakemake")
AGAIN: Mapping[str, Budget] = MappingProxyType(
    {
        "terraform-exec": Budget(0.1, ""),
        "doit": Budget(2.0, "doit knows its tasks by name alone (run_once)"),
        "ninja-touch": Budget(None, ""),
        "make": Budget(None, ""),
    }
)


def apply(setting: Setting) -> list[Row]:
    """An apply of trivial commands from nothing, with durable state where the tool has one."""
    out = LEFT_OUT_BY_QUICK if setting.quick else ()
    budgets = {name: budget for name, budget in APPLY.items() if name not in out}
    names = ("lab", "lab-touch", "lab-wide", *budgets)
    found = run_race(setting, "apply", names, "apply", once=("terraform",))
    what = f"apply of {setting.size:,} trivial commands, -j {setting.jobs}"
    rows = compared(setting, "apply", what, found, budgets)
    rows += [
        absent("apply", f"{what}, vs {name}", "left out by --quick", "skipped") for name in out
    ]
    return rows + checked(setting, "apply", "a plan after the apply keeps every step", "keep")


def again(setting: Setting) -> list[Row]:
    """An apply of what is applied: nothing to do."""
    found = run_race(setting, "again", ("lab", *AGAIN), "apply again")
    what = f"apply again, {setting.size:,} steps, nothing to do"
    rows = compared(setting, "again", what, found, AGAIN)
    return rows + checked(setting, "again", "a plan after it keeps every step", "keep")


def compared(
    setting: Setting,
    group: str,
    what: str,
    found: Mapping[str, Result],
    budgets: Mapping[str, Budget],
) -> list[Row]:
    """A row for each peer; a budget counts at its own size alone, for not all peers are linear."""
    rows = []
    for name, budget in budgets.items():
        counts = setting.size == SMALL
        limit = budget.limit if counts else None
        unjudged = "" if counts or budget.limit is None else f"the budget speaks of {SMALL:,} steps"
        remark = "; ".join(filter(None, (unjudged, budget.remark)))
        ours = found[budget.ours]
        rows.append(compare(group, f"{what}, vs {name}", ours, found[name], limit, remark))
    return rows


def checked(setting: Setting, group: str, what: str, action: str) -> list[Row]:
    """A time means nothing if the work was not done: a plan must hold `action` for every step."""
    tool = lab_of(setting)
    if isinstance(tool, Missing):
        return []
    folder = setting.folder("lab", setting.size)
    try:
        summary = lab_json(tool, ("plan",), folder).get("summary")
    except CommandFailed as fault:
        return [absent(group, what, str(fault), "FAIL")]
    count = summary.get(action) if isinstance(summary, dict) else None
    if count == setting.size:
        return []
    reason = f"expected {action} for all {setting.size} steps, the plan's summary says {summary}"
    return [absent(group, what, reason, "FAIL")]


def linearity(setting: Setting) -> list[Row]:
    """The exponent of planning's growth, with the time to start up taken off at both ends."""
    what = f"exponent of lab plan, {SMALL:,} to {LARGE:,} steps"
    tool = lab_of(setting)
    if isinstance(tool, Missing):
        return [absent("linearity", what, tool.reason)]

    bare = empty(setting.folder("startup", 0))

    def planned(size: int) -> Sample:
        return timed(tool.plan, fresh(tool, size, setting.folder("lab-grow", size)))

    def started() -> Sample:
        return timed((tool.plan[0], "version"), bare)

    rounds = setting.rounds
    lanes = [
        Lane(label=f"{SMALL:,}", go=lambda: planned(SMALL), rounds=rounds),
        Lane(label=f"{LARGE:,}", go=lambda: planned(LARGE), rounds=rounds),
        Lane(label="version", go=started, rounds=rounds),
    ]
    small, large, start = race("linearity", lanes).values()
    match small, large, start:
        case Series(), Series(), Series():
            return [exponent(what, small, large, start)]
        case _:
            return [absent("linearity", what, reasons(small, large, start), "FAIL")]


def exponent(
    what: str,
    small: Series,
    large: Series,
    start: Series,
    sizes: tuple[int, int] = (SMALL, LARGE),
) -> Row:
    """The growth between two sizes on a logarithmic scale."""
    span = math.log(sizes[1] / sizes[0])
    whole = math.log(large.seconds / small.seconds) / span
    # Start-up is the same at both ends and would make a curve look flatter than it is.
    least = 1e-3
    above = [max(series.seconds - start.seconds, least) for series in (small, large)]
    net = math.log(above[1] / above[0]) / span
    return Row(
        "linearity",
        what,
        judged(net, MOST_EXPONENT),
        f"{seconds(small)}; {seconds(large)}",
        "",
        net,
        MOST_EXPONENT,
        f"start-up ({start.seconds:.3f} s) taken off; with it {whole:.2f}",
        raw(small, large, start),
    )


def memory(setting: Setting) -> list[Row]:
    """The largest process of each verb; one run each, for memory hardly varies."""
    tool = lab_of(setting)
    what = f"peak memory, {LARGE:,} steps"
    if isinstance(tool, Missing):
        return [absent("memory", what, tool.reason)]
    try:
        return measured_memory(setting, tool, what)
    except CommandFailed as fault:
        return [absent("memory", what, str(fault), "FAIL")]


def measured_memory(setting: Setting, tool: Tool, what: str) -> list[Row]:
    """Plan, apply and apply again over one folder."""
    folder = fresh(tool, LARGE, setting.folder("lab-large", LARGE))
    verbs = {"plan": tool.plan, "apply": tool.apply, "apply again": tool.apply}
    rows = []
    for verb, argv in verbs.items():
        if setting.quick and verb != "plan":
            rows.append(absent("memory", f"{what}, {verb}", "left out by --quick"))
            continue
        sample = timed(argv, folder)
        say(f"memory: {verb}: {sample.seconds:.3f} s, {sample.peak_mib:.0f} MiB")
        taken = f"{sample.peak_mib:.0f} MiB, {sample.seconds:.1f} s"
        word = judged(sample.peak_mib, 250.0)
        rows.append(
            Row(
                "memory", f"{what}, {verb}", word, taken, "", sample.peak_mib, 250.0, "MiB; one run"
            )
        )
    return rows
