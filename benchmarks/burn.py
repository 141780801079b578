"""A training run that only burns time: a fixed amount of arithmetic, told epoch by epoch."""

import math
import sys
import time


def epoch(steps: int) -> float:
    """Some floating point work that no interpreter leaves out."""
    total = 0.0
    for step in range(1, steps + 1):
        total += math.sqrt(step) / step
    return total


def main() -> int:
    """burn.py EPOCHS STEPS: print metric lines as a training does; the last is the time taken."""
    epochs, steps = int(sys.argv[1]), int(sys.argv[2])
    begun = time.perf_counter()
    for number in range(epochs):
        total = epoch(steps)
        print(f"epoch={number}\nloss={1 / (number + total):.6f}", flush=True)
    print(f"seconds={time.perf_counter() - begun:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
