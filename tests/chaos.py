"""Kills `lab apply` at random moments, and checks after each kill what lab promises.

``python -m tests.chaos --kills 1000 --seed 7`` makes random labs, edits and kills them; a seed draws the
same labs, edits, moments and ways again, and ``--life 12`` only the twelfth lab of them. ``--scenario
chaos`` kills one fixed lab that has a training with epochs, ``--scenario digits`` the real digits lab.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.chaos_fixed import CHAOS, DIGITS, chaos
from tests.chaos_life import KILLS, Count, lives, one_life


def table(seen: Count, seconds: float) -> str:
    """The summary: what was done, and below the line what must be nothing."""
    ways = ", ".join(f"{count} {way}" for way, count in sorted(seen.ways.items()))
    rows = [
        ("kills", f"{seen.kills}  ({ways})"),
        ("recoveries", str(seen.recoveries)),
        ("runs that nobody killed", str(seen.undisturbed)),
        ("edits between runs", str(seen.edits)),
        ("other commands killed", f"{seen.others}  (destroy, state mv)"),
        ("steps begun", str(seen.begun)),
        ("ends reported", str(seen.ended)),
        ("unreported ends repeated", f"{seen.unreported}  (allowed)"),
        ("seconds", f"{seconds:.0f}"),
        ("", ""),
        ("reported steps repeated", str(len(seen.repeated))),
        ("overlaps", str(len(seen.overlaps))),
        ("losses", str(len(seen.losses))),
        ("manual repairs", str(len(seen.repairs))),
        ("processes left", str(len(seen.left))),
    ]
    return "\n".join(f"  {name:<26}{value}".rstrip() for name, value in rows)


def randomly(kills: int, seed: int, life: int | None) -> int:
    started, shown = time.monotonic(), 0.0

    def tell(seen: Count) -> None:
        nonlocal shown
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(
                f"{shown - started:5.0f} s  {seen.kills} kills, {len(seen.faults)} faults",
                flush=True,
            )

    if life is None:
        seen, again = lives(kills, seed, tell=tell)
    else:
        one = one_life(seed, life)
        seen, again = one.live(KILLS), "\n".join(one.story)
    print(f"seed {seed}\n{table(seen, time.monotonic() - started)}")
    for fault in seen.faults:
        print(f"FAULT: {fault}")
    if seen.faults:
        print(again)
    return 1 if seen.faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--life", type=int, help="only this lab of the seed's")
    parser.add_argument("--scenario", choices=["random", "chaos", "digits"], default="random")
    args = parser.parse_args()
    if args.scenario == "random":
        return randomly(args.kills, args.seed, args.life)
    started = time.monotonic()
    tally = chaos(
        {"chaos": CHAOS, "digits": DIGITS}[args.scenario], args.kills, args.seed, say=True
    )
    print(f"seed {args.seed}, {time.monotonic() - started:.0f} s: {tally}")
    for fault in tally.faults:
        print(f"FAULT: {fault}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
