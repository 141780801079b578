"""The ``environment`` kind on this machine: a virtual environment that uv makes from a lock."""

from __future__ import annotations

import glob
import hashlib
import os
import posixpath
import sys
from collections.abc import Iterator, Mapping

from lab.crashpoint import passing
from lab.durable import sync_file, sync_tree
from lab.kinds.environment import Environment as Spec
from lab.model.layout import FOLDER
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
from ._uv import explain, readable, uv
from ._venv import MARK, config_of, hash_of, mark_of, remove, write_lines

__all__ = ["Spec", "adopt", "apply", "destroy", "observe"]

_OURS = ("venv", "venv.new", "requirements.in", "constraints.in", "index.in", "pins.txt")


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Resolves where the lock does not answer yet, and makes the environment what the lock says."""
    spec, here = task.spec, task.directory
    found, gpu = _for_this_machine(load(spec.requirements, task.root), spec.accelerator, io)
    path = lock_path(spec.lock, task.address, task.root, gpu=gpu and spec.accelerator == "auto")
    memory: Json = {"directory": here, "files": [[p, hash_of(p)] for p in found.files]}
    if task.memory != memory:
        io.remember(memory)
    new = f"{here}/venv.new"
    remove(new)
    _call(["venv", "--relocatable", "--python", _python(task), new], io, task.root)
    passing("venv.made")
    config = config_of(new)
    text, reused = _lock(found, config["version_info"], path, task, io)
    passing("venv.locked")
    identity = _identity(text, config)
    if mark_of(f"{here}/venv") != identity:
        _take_over(here, config)
        passing("venv.taken")
        io.progress(f"installing {text.count('==')} packages")
        _install(found, path, f"{here}/venv", io, task.root, cached=reused)
        sync_tree(f"{here}/venv")
        passing("venv.installed")
        with open(f"{here}/venv/{MARK}", "w", encoding="utf-8") as file:
            file.write(identity)
        sync_file(f"{here}/venv/{MARK}")
        passing("venv.marked")
    remove(new)
    return _outputs(f"{here}/venv", identity, path, text)


def _outputs(venv: str, identity: str, lock: str, text: str) -> dict[str, Value]:
    python = f"{venv}/bin/python"
    return {
        "python": Artifact(python, identity),
        "bin": posixpath.dirname(python),
        "lock": Artifact(lock, lock_digest(text), len(text.encode())),
        "packages": len(glob.glob(f"{glob.escape(venv)}/lib/*/site-packages/*.dist-info")),
    }


def adopt(task: Task[Spec], id: str, io: Io) -> Mapping[str, Value]:
    """Takes the virtual environment in the folder *id*, if it is what the lock says.

    It gets the mark of an environment that is whole: the one thing that importing changes.
    """
    spec, here = task.spec, task.directory
    venv = posixpath.normpath(posixpath.join(task.root, id))
    found, gpu = _for_this_machine(load(spec.requirements, task.root), spec.accelerator, io)
    path = lock_path(spec.lock, task.address, task.root, gpu=gpu and spec.accelerator == "auto")
    config = config_of(venv)
    if not config:
        raise Refused(f"{venv} is no virtual environment", "It holds no `pyvenv.cfg`.")
    version = config.get("version_info") or config.get("version", "")
    _require_python(task, version)
    text = _whole_lock(found, version, path)
    _require_synced(found, path, venv, io, task.root)
    identity = _identity(text, {**config, "version_info": version})
    io.remember(
        {"directory": here, "files": [[p, hash_of(p)] for p in found.files], "adopted": venv}
    )
    with open(f"{venv}/{MARK}", "w", encoding="utf-8") as file:
        file.write(identity)
    sync_file(f"{venv}/{MARK}")
    return _outputs(venv, identity, path, text)


def _require_python(task: Task[Spec], version: str) -> None:
    wanted = task.spec.python
    if wanted is None or "/" in wanted or f"{version}.".startswith(f"{wanted}."):
        return
    raise Refused(f"it is made with Python {version}", f"The step wants `python: {wanted}`.")


def _whole_lock(found: Requirements, version: str, path: str) -> str:
    text = read_lock(path)
    if text is not None and made_from(text, fingerprint(found, ".".join(version.split(".")[:2]))):
        return text
    state = "there is no lock" if text is None else "the lock is not of these requirements"
    raise Refused(
        f"{state}, so nothing says what the environment should hold",
        f"The lock would be {path}. `lab apply` makes it, together with an environment.",
    )


def _require_synced(found: Requirements, lock: str, venv: str, io: Io, root: str) -> None:
    """Asks uv what it would change; what is there needs no network."""
    words = [
        "pip",
        "sync",
        "--dry-run",
        "--offline",
        "--require-hashes",
        "--allow-empty-requirements",
    ]
    words += ["--python", f"{venv}/bin/python", lock]
    completed = uv(words, io, cwd=root, quiet=True)
    if completed.code == 0 and "Would make no changes" in completed.output:
        return
    said = readable(completed.output)
    raise Refused("the environment does not hold what the lock says", said)


def observe(record: Record, io: Io) -> Observation | None:
    """Whether environment and interpreter are there, and the lock is what they were made from."""
    match record.done.outputs if record.done else {}:
        case {"python": Artifact() as python, "lock": Artifact() as lock}:
            venv = posixpath.dirname(posixpath.dirname(python.path))
            if mark_of(venv) != python.digest or not os.path.exists(python.path):
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
            case [str(path), str(before)] if (now := hash_of(path)) != before:
                yield Change("requirements", before, now)
            case _:
                continue


def destroy(record: Record, io: Io) -> None:
    """Removes the environment. The lock stays: it is the user's, and says what to make again."""
    match record.memory:
        case {"adopted": str(venv)} if os.path.isfile(f"{venv}/pyvenv.cfg"):
            remove(venv)
        case {"directory": str(directory)} if _is_labs(directory):
            for name in _OURS:
                remove(f"{directory}/{name}")
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
    write_lines(f"{here}/requirements.in", (*found.options, *found.wanted))
    write_lines(f"{here}/constraints.in", found.constraints)
    write_lines(f"{here}/pins.txt", () if text is None else text.splitlines())
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
        remove(f"{here}/{name}")
    io.note(f"resolved into {path}")
    return text, False


def _take_over(here: str, config: Mapping[str, str]) -> None:
    """Leaves at ``venv`` what can be synchronized: the old one if it is whole, else a new one."""
    venv = f"{here}/venv"
    same = config_of(venv) == config and mark_of(venv) is not None
    if same:
        os.unlink(f"{venv}/{MARK}")
    else:
        remove(venv)
        os.rename(f"{venv}.new", venv)


def _install(found: Requirements, lock: str, venv: str, io: Io, root: str, *, cached: bool) -> None:
    """Synchronizes; what was installed from this lock before needs no network."""
    index = f"{posixpath.dirname(venv)}/index.in"
    words = ["pip", "sync", "--python", f"{venv}/bin/python", "--require-hashes"]
    words += ["--compile-bytecode", lock]
    if found.options:
        write_lines(index, found.options)
        words.append(index)
    if cached and uv([*words, "--offline"], io, cwd=root, quiet=True).code == 0:
        io.note("installed from uv's cache")
    else:
        _call(words, io, root)
    remove(index)


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


def _is_labs(directory: str) -> bool:
    """Whether it is a step's folder: a state may come from somebody else, and name any other."""
    return f"/{FOLDER}/work/" in os.path.realpath(directory)
