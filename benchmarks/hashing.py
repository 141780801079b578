"""How fast contents are hashed, and whether an unchanged file is left alone."""

import json
import os
import subprocess
import time
from pathlib import Path

from measure import (
    CommandFailed,
    Lane,
    Missing,
    Result,
    Sample,
    Series,
    cache_of,
    empty,
    environment,
    race,
    reasons,
    timed,
)
from rows import Row, absent, judged, raw, seconds
from setting import Setting, lab_of
from tools import Tool

MIB = 1 << 20
LABFILE = """labfile: 1
name: blobs
steps:
  look: {kind: command, command: ["true"], inputs: [blob.bin]}
"""
# A stat cache may trust a file only when its mtime is safely past.
SETTLED = 3.0
# Less than this is noise: no share of it would say anything.
LEAST_HASHED = 0.03


def blob(path: Path, size: int) -> Path:
    """A file of random bytes: no disk or hash can take a short cut through it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as sink:
        for _ in range(size // MIB):
            sink.write(os.urandom(MIB))
    return path


def hashing(setting: Setting) -> list[Row]:
    """The function by itself, then the whole tool on a file it has seen."""
    size = (128 if setting.quick else 512) * MIB
    tool = lab_of(setting)
    folder = empty(setting.folder("blob", size // MIB))
    path = blob(folder / "blob.bin", size)
    try:
        return [by_function(setting, path), unchanged(setting, tool, path)]
    finally:
        path.unlink()


def by_function(setting: Setting, path: Path) -> Row:
    """lab's rate over that of hashlib, in one process, taking turns."""
    what = f"hashing {path.stat().st_size // MIB} MiB, rate over hashlib's SHA-256"
    probe = Path(__file__).with_name("hash_probe.py")
    done = subprocess.run(
        [setting.python, probe, path, str(max(setting.rounds, 3))],
        cwd=path.parent,
        env=environment(cache_of(path.parent)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return absent("hashing", what, done.stderr.strip()[-200:])
    said = json.loads(done.stdout)
    if "missing" in said:
        return absent("hashing", what, said["missing"])
    rate = said["theirs"] / said["ours"]
    return Row(
        "hashing",
        what,
        judged(rate, 0.9, at_least=True),
        f"{said['function']} {said['ours']:.3f} s",
        f"hashlib {said['theirs']:.3f} s",
        rate,
        0.9,
        "at least",
    )


def unchanged(setting: Setting, tool: Tool | Missing, path: Path) -> Row:
    """A second apply beside a large input, against one beside a small input."""
    what = f"an unchanged {path.stat().st_size // MIB} MiB input is not hashed again"
    if isinstance(tool, Missing):
        return absent("hashing", what, f"{tool.label}: {tool.reason}")
    small = blob(empty(setting.folder("blob", 1)) / "blob.bin", MIB)
    folders = {"large": path.parent, "small": small.parent}
    time.sleep(SETTLED)
    try:
        first = {name: first_apply(tool, folder) for name, folder in folders.items()}
    except CommandFailed as fault:
        return absent("hashing", what, str(fault), "FAIL")
    found = race("hashing, unchanged", [again(setting, tool, *item) for item in folders.items()])
    return verdict(what, found["large"], found["small"], first)


def first_apply(tool: Tool, folder: Path) -> Sample:
    """The apply that has to hash."""
    (folder / "Labfile.yaml").write_text(LABFILE, encoding="utf-8")
    return timed(tool.apply, folder)


def again(setting: Setting, tool: Tool, name: str, folder: Path) -> Lane:
    """The applies after it."""
    return Lane(label=name, go=lambda: timed(tool.apply, folder), rounds=setting.rounds)


def verdict(what: str, large: Result, small: Result, first: dict[str, Sample]) -> Row:
    """The large input may cost a tenth of what hashing it cost, which is less than noise."""
    if not (isinstance(large, Series) and isinstance(small, Series)):
        return absent("hashing", what, reasons(large, small), "FAIL")
    hashed = first["large"].seconds - first["small"].seconds
    if hashed < LEAST_HASHED:
        reason = f"the first applies differ by {hashed:.3f} s only: no hashing to be seen"
        return absent("hashing", what, reason)
    share = (large.seconds - small.seconds) / hashed
    return Row(
        "hashing",
        what,
        judged(share, 0.1),
        seconds(large),
        seconds(small),
        share,
        0.1,
        f"second applies; the large one's extra time over that of its first apply ({hashed:.2f} s)",
        raw(large, small),
    )
