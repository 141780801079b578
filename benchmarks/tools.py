"""The contenders: which programs there are, how each plans and applies, and why one is missing."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from measure import Missing

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-bench" / "bin"
LAB = ROOT / ".venv" / "bin" / "lab"
WIDE = 8
"""Jobs at a time in the contest of many: more than there are cores, so that writes overlap with work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program with the DAG it reads and its commands; empty means that it has no such thing."""

    label: str
    engine: str
    version: str
    init: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    apply: tuple[str, ...] = ()


Catalogue = Mapping[str, Tool | Missing]


def catalogue(jobs: int, lab: Path = LAB) -> Catalogue:
    """Every contender by name, found on this machine or missing with the reason."""
    count, many = str(jobs), str(WIDE)
    return {
        "lab": lab_tool(lab, jobs),
        "lab-touch": lab_tool(lab, jobs, "lab-touch"),
        "lab-wide": lab_tool(lab, WIDE, "lab-wide", engine="lab-touch"),
        "ninja": peer("ninja", "ninja", ("-j", count, "--quiet")),
        "ninja-touch": peer("ninja-touch", "ninja", ("-j", count, "--quiet")),
        "ninja-wide": peer("ninja-wide", "ninja", ("-j", many, "--quiet"), engine="ninja-touch"),
        "make": system("make", "make", ("-j", count, "--silent")),
        "doit": peer("doit", "doit", ("--verbosity", "0")),
        "doit-jobs": peer("doit-jobs", "doit", ("--verbosity", "0", "-n", count), engine="doit"),
        "snakemake": peer("snakemake", "snakemake", ("--cores", count, "--quiet", "all")),
        "terraform": terraform("terraform", count),
        "terraform-exec": terraform("terraform-exec", count),
    }


def interpreter(program: Path) -> Path:
    """The Python that runs `program`, as its first line names it.

    Not a guess: another Python, or the same one outside of its virtual environment, starts several
    times slower or faster, and every ratio to it would be wrong.
    """
    try:
        first = program.read_bytes().partition(b"\n")[0].decode(errors="replace")
    except OSError:
        return program.with_name("python")
    named = Path(first.removeprefix("#!").strip())
    is_python = first.startswith("#!") and named.name.startswith("python") and named.exists()
    return named if is_python else program.with_name("python")


def lab_tool(program: Path, jobs: int, label: str = "lab", engine: str = "") -> Tool | Missing:
    """The tool that the budgets are about."""
    if not program.exists():
        return Missing(label, f"{program} is not there; run `make demo` first")
    return Tool(
        label=label,
        engine=engine or label,
        version=version_of(program, "version"),
        plan=(str(program), "plan", "--no-color"),
        apply=(str(program), "apply", "--no-color", "-j", str(jobs)),
    )


def peer(label: str, name: str, words: tuple[str, ...], engine: str = "") -> Tool | Missing:
    """A peer out of the benchmarks' own virtual environment."""
    program = PEERS / name
    if not program.exists():
        reason = f"no {name} in {PEERS.parent.name}; run benchmarks/peers.py"
        return Missing(label, reason)
    return Tool(
        label=label,
        engine=engine or label,
        version=version_of(program, "--version"),
        apply=(str(program), *words),
    )


def system(label: str, name: str, words: tuple[str, ...]) -> Tool | Missing:
    """A peer that the machine brings."""
    program = shutil.which(name)
    if program is None:
        return Missing(label, f"no {name} on PATH")
    version = version_of(Path(program), "--version")
    return Tool(label=label, engine=label, version=version, apply=(program, *words))


def terraform(engine: str, count: str) -> Tool | Missing:
    """Terraform, with or without a command run for each resource."""
    program = shutil.which("terraform")
    if program is None:
        return Missing(engine, "no terraform on PATH")
    common = ("-input=false", "-no-color", f"-parallelism={count}")
    return Tool(
        label=engine,
        engine=engine,
        version=version_of(Path(program), "version"),
        init=(program, "init", "-input=false", "-no-color"),
        plan=(program, "plan", *common),
        apply=(program, "apply", "-auto-approve", *common),
    )


def version_of(program: Path, word: str) -> str:
    """The number a program gives for its version, or what it said instead."""
    try:
        done = subprocess.run(
            [program, word], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return f"unknown ({fault})"
    found = re.search(r"\d+(\.\w+)+", done.stdout)
    return found.group() if found else "unknown"
