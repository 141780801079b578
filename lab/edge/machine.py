"""What this computer has: cores, memory, GPUs, programs, and the environment that children get."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from functools import cached_property

from lab.edge.private import make_private

_BARE = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LAB_CACHE", "CUDA_VISIBLE_DEVICES"),
    "LD_LIBRARY_PATH",
)


class Machine:
    """Implements ports.Machine for the computer that lab runs on.

    Args:
        environ: lab's own environment.
        hidden: variables that children must not get: the sources of secrets.
    """

    def __init__(self, environ: Mapping[str, str], hidden: Iterable[str] = ()) -> None:
        away = set(hidden)
        self._environ = environ
        self.ambient: Mapping[str, str] = {
            name: value
            for name, value in environ.items()
            if name not in away and not name.startswith("LAB_VAR_")
        }

    @cached_property
    def cpus(self) -> int:
        """Cores that this process may use; a container's affinity counts."""
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    @cached_property
    def cores(self) -> tuple[int, ...]:
        """Their numbers, none where programs cannot be kept to some; labs that run side by side begin with others."""
        if not hasattr(os, "sched_setaffinity"):
            return ()
        found = sorted(os.sched_getaffinity(0))
        first = os.getpid() % len(found)
        return (*found[first:], *found[:first])

    @cached_property
    def memory(self) -> int:
        """Physical memory in bytes."""
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

    @property
    def gpus(self) -> int:
        """How many GPUs there are."""
        return len(self.devices)

    @cached_property
    def devices(self) -> tuple[str, ...]:
        """NVIDIA devices that CUDA_VISIBLE_DEVICES leaves visible, as that variable names them."""
        visible = self._environ.get("CUDA_VISIBLE_DEVICES")
        if visible is not None:
            words = (word.strip() for word in visible.split(","))
            return tuple(word for word in words if word not in ("", "-1"))
        try:
            names = os.listdir("/dev")
        except OSError:
            return ()
        found = [n[6:] for n in names if n.startswith("nvidia") and n[6:].isdigit()]
        return tuple(sorted(found, key=int))

    def shared(self, name: str) -> str:
        """A folder of this user's cache for all labs; LAB_CACHE moves it."""
        path = os.path.join(cache_root(self._environ), name)
        make_private(path)
        return path

    def tool(self, name: str) -> str | None:
        """A program beside lab's own interpreter (that is where its dependencies' programs are), else on PATH."""
        beside = os.path.join(os.path.dirname(sys.executable), name)
        if os.access(beside, os.X_OK) and not os.path.isdir(beside):
            return beside
        import shutil  # it imports every way to compress

        return shutil.which(name, path=self.ambient.get("PATH"))


def bare(environ: Mapping[str, str]) -> dict[str, str]:
    """What of *environ* a program needs to start and to find its files, and what no secret is kept in."""
    return {name: environ[name] for name in _BARE if name in environ}


def cache_root(environ: Mapping[str, str]) -> str:
    """Where caches shared by all labs of this user lie: LAB_CACHE, else the system's cache folder."""
    if environ.get("LAB_CACHE"):
        return os.path.abspath(environ["LAB_CACHE"])
    base = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.abspath(os.path.join(base, "lab"))
