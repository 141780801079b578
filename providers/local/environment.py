"""The ``environment`` kind on this machine: a virtual environment that uv makes from a lock."""

from __future__ import annotations

import glob
import hashlib
import os
import posixpath
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from lab.crashpoint import passing
from lab.kinds.environment import Environment as Spec
from lab.model.values import ABSENT
from lab.provider import (
    Artifact,
    Change,
    Io,
    Json,
    Observation,
    Record,
    Refused,
    Task,
    Value,
)

from ._lock import (
    fingerprint,
    headed,
    lock_digest,
    lock_path,
    made_from,
    read_lock,
    write_lock,
)
from ._program import require_success
from ._requirements import Requirements, load, without_gpu
from ._uv import explain, uv

__all__ = ["Spec", "apply", "destroy", "observe"]

_MARK = ".lab-environment"  # written last: an environment without it was interrupted
_OURS = ("venv", "venv.new", "requirements.in", "constraints.in", "index.in", "pins.txt")


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Resolves where the lock does not answer yet, and makes the environment what the lock says."""
    spec, here = task.spec, task.directory
    found, gpu = _for_this_machine(load(spec.requirements, task.root), spec.accelerator, io)
    path = lock_path(spec.lock, task.address, task.root, gpu=gpu and spec.accelerator == "auto")
    memory: Json = {"directory": here, "files": [[p, _hash(p)] for p in found.files]}
    if task.memory != memory:
        io.remember(memory)
    new = f"{here}/venv.new"
    _remove(new)
    _call(["venv", "--relocatable", "--python", _python(task), new], io, task.root)
    passing("venv.made")
    config = _config(new)
    text, reused = _lock(found, config["version_info"], path, task, io)
    passing("venv.locked")
    identity = _identity(text, config)
    if _mark(f"{here}/venv") != identity:
        _take_over(here, config)
        passing("venv.taken")
        io.progress(f"installing {text.count('==')} packages")
        _install(found, path, f"{here}/venv", io, task.root, cached=reused)
        passing("venv.installed")
        with open(f"{here}/venv/{_MARK}", "w", encoding="utf-8") as file:
            file.write(identity)
        passing("venv.marked")
    _remove(new)
    python = f"{here}/venv/bin/python"
    return {
        "python": Artifact(python, identity),
        "bin": posixpath.dirname(python),
        "lock": Artifact(path, lock_digest(text), len(text.encode())),
        "packages": len(glob.glob(f"{glob.escape(here)}/venv/lib/*/site-packages/*.dist-info")),
    }


def observe(record: Record, io: Io) -> Observation | None:
    """Whether environment and interpreter are there, and the lock is what they were made from."""
    match record.done.outputs if record.done else {}:
        case {"python": Artifact() as python, "lock": Artifact() as lock}:
            venv = posixpath.dirname(posixpath.dirname(python.path))
            if _mark(venv) != python.digest or not os.path.exists(python.path):
                return None
            text = read_lock(lock.path)
            now = ABSENT if text is None else lock_digest(text)
            drift = [] if now == lock.digest else [Change("lock", lock.digest, now)]
            return Observation(drift=(*drift, *_changed_files(record.memory)))
        case _:
            return None


def _changed_files(memory: Json) -> Iterator[Change]:
    """Files that a requirements file includes: lab itself watches the first one only."""
    files = memory.get("files") if isinstance(memory, Mapping) else None
    for each in files if isinstance(files, list) else ():
        match each:
            case [str(path), str(before)] if (now := _hash(path)) != before:
                yield Change("requirements", before, now)
            case _:
                continue


def destroy(record: Record, io: Io) -> None:
    """Removes the environment. The lock stays: it is the user's, and says what to make again."""
    match record.memory:
        case {"directory": str(directory)}:
            for name in _OURS:
                _remove(f"{directory}/{name}")
        case _:
            pass


def _for_this_machine(found: Requirements, accelerator: str, io: Io) -> tuple[Requirements, bool]:
    """The requirements with the builds that this machine wants, and whether those are for a GPU."""
    small = without_gpu(found)
    if accelerator == "cpu" and "torch" in found.names:
        io.note(
            "PyTorch is taken as the index has it, with CUDA on Linux. Its builds for the CPU lie"
            " on an index of their own: name that with --extra-index-url in a requirements file."
        )
    if small == found:
        return found, False
    gpu = accelerator == "gpu" or (accelerator == "auto" and _has_gpu(io))
    return (found, True) if gpu else (small, False)


def _has_gpu(io: Io) -> bool:
    if os.path.exists("/dev/nvidia0"):
        return True
    try:
        listed = io.run([io.tool("nvidia-smi"), "-L"], capture=True, quiet=True)
    except Refused:  # there is no such program
        return False
    return listed.code == 0 and "GPU" in listed.output


def _python(task: Task[Spec]) -> str:
    wanted = task.spec.python
    if wanted is None:
        return sys.executable
    return posixpath.join(task.root, wanted) if "/" in wanted else wanted


def _lock(
    found: Requirements, version: str, path: str, task: Task[Spec], io: Io
) -> tuple[str, bool]:
    """The lock's text, and whether it was there already."""
    python = ".".join(version.split(".")[:2])
    mark = fingerprint(found, python)
    text = read_lock(path)
    if text is not None and made_from(text, mark):
        return text, True
    here = task.directory
    io.progress("resolving")
    _write(f"{here}/requirements.in", (*found.options, *found.wanted))
    _write(f"{here}/constraints.in", found.constraints)
    _write(f"{here}/pins.txt", () if text is None else text.splitlines())
    words = ["pip", "compile", f"{here}/requirements.in", "--constraint", f"{here}/constraints.in"]
    words += ["--output-file", f"{here}/pins.txt", "--universal", "--generate-hashes"]
    words += ["--no-header", "--no-annotate", "--python", f"{here}/venv.new/bin/python"]
    words += ["--python-version", python]
    completed = uv(words, io, cwd=task.root, quiet=True)
    if completed.code:
        raise explain(completed.output, "resolving the requirements")
    with open(f"{here}/pins.txt", encoding="utf-8") as file:
        text = headed(file.read(), mark)
    write_lock(path, text)
    for name in _OURS[2:]:
        _remove(f"{here}/{name}")
    io.note(f"resolved into {path}")
    return text, False


def _take_over(here: str, config: Mapping[str, str]) -> None:
    """Leaves at ``venv`` what can be synchronized: the old one if it is whole, else a new one."""
    venv = f"{here}/venv"
    same = _config(venv) == config and _mark(venv) is not None
    if same:
        os.unlink(f"{venv}/{_MARK}")
    else:
        _remove(venv)
        os.rename(f"{venv}.new", venv)


def _install(found: Requirements, lock: str, venv: str, io: Io, root: str, *, cached: bool) -> None:
    """Synchronizes; what was installed from this lock before needs no network."""
    index = f"{posixpath.dirname(venv)}/index.in"
    words = ["pip", "sync", "--python", f"{venv}/bin/python", "--require-hashes"]
    words += ["--compile-bytecode", lock]
    if found.options:
        _write(index, found.options)
        words.append(index)
    if cached and uv([*words, "--offline"], io, cwd=root, quiet=True).code == 0:
        io.note("installed from uv's cache")
    else:
        _call(words, io, root)
    _remove(index)


def _call(words: list[str], io: Io, root: str) -> None:
    completed = uv(words, io, cwd=root, quiet=words[0] == "venv")
    if completed.code < 0:
        require_success(completed, "uv")
    if completed.code:
        raise explain(completed.output, "making the environment")


def _identity(lock: str, config: Mapping[str, str]) -> str:
    """What others see of an environment: its lock and its interpreter's version, not its place."""
    parts = (lock_digest(lock), config["version_info"], config.get("implementation", ""))
    return "lock:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _config(venv: str) -> dict[str, str]:
    try:
        with open(f"{venv}/pyvenv.cfg", encoding="utf-8") as file:
            pairs = (line.partition("=") for line in file)
            return {key.strip(): value.strip() for key, _, value in pairs}
    except FileNotFoundError:
        return {}


def _hash(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _mark(venv: str) -> str | None:
    try:
        with open(f"{venv}/{_MARK}", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(path: str, lines: Iterable[str]) -> None:
    # An index's address may hold a password: nobody else may read it.
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(number, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)
