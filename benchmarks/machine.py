"""Says what was measured on, for a figure without its machine means little."""

import os
import platform
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

from measure import Missing
from setting import Setting
from tools import ROOT

# More than this share of the cores taken by others makes every figure doubtful.
BUSY = 0.5


def described(setting: Setting) -> Mapping[str, str]:
    """The head of the table: machine, interpreter, tools."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0]
    doubt = " (others were at work: figures are doubtful)" if load > BUSY * cores else ""
    tools = {
        name: tool.reason if isinstance(tool, Missing) else tool.version
        for name, tool in setting.tools.items()
    }
    return {
        "date": time.strftime("%Y-%m-%d"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "cores": str(cores),
        "memory": f"{memory_gib():.0f} GiB",
        "load at the start": f"{load:.2f}{doubt}",
        "fsync of 4 KiB": f"{1000 * fsync_seconds(setting.work):.2f} ms",
        "python": f"{platform.python_version()}, for the baseline {shown(setting.python)}",
        "tools": ", ".join(f"{name} {version}" for name, version in tools.items()),
        "asked": f"{setting.size:,} steps, {setting.rounds} rounds, -j {setting.jobs}"
        + (", quick" if setting.quick else "")
        + (", slow" if setting.slow else ""),
    }


def shown(path: Path) -> str:
    """A path of the checkout as it is called there, wherever that lies."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def processor() -> str:
    """The processor's name where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")


def memory_gib() -> float:
    """The memory of the machine."""
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) / 2**30


def fsync_seconds(folder: Path) -> float:
    """What one durable write costs here: it bounds every tool that keeps a durable state."""
    path = folder / "fsync"
    taken = []
    with path.open("wb", buffering=0) as sink:
        for _ in range(20):
            sink.write(bytes(4096))
            begun = time.perf_counter()
            os.fsync(sink.fileno())
            taken.append(time.perf_counter() - begun)
    path.unlink()
    return statistics.median(taken)
