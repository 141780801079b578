"""Decides what becomes of each flag of a script: a parameter, an artifact, an input, or nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import field
from typing import Any

from lab.cli.init_flags import Flag
from lab.cli.init_script import Script
from lab.cli.init_values import UNKNOWN
from lab.model.address import is_name
from lab.model.frozen import dataclass

FILL_IN = "FILL-IN"
"""What stands where only the author knows the value."""

_OUT = frozenset({
    "out", "output", "outputs", "outdir", "outfile", "outpath", "savefile", "savepath",
    "save", "savedir", "export", "dest", "destination", "result",
    "results", "artifact", "artifacts", "workdir", "logdir", "log", "logs", "tensorboard", "checkpoint",
    "checkpoints", "ckpt", "ckpts", "weights", "model", "snapshot", "snapshots", "report",
})  # fmt: skip
_STRONG = _OUT - {"model", "weights", "log", "logs", "checkpoint", "ckpt", "report"}
_LOGS = frozenset({"log", "logs", "logdir", "tensorboard"})
_CHECKPOINTS = frozenset({"checkpoint", "checkpoints", "ckpt", "ckpts", "snapshot", "snapshots"})
_IN = frozenset(
    {"resume", "load", "pretrained", "init", "restore", "from", "input", "data", "dataset"}
)
_NO_PATH = frozenset({
    "every", "interval", "freq", "frequency", "steps", "size", "dim", "channels", "level", "name",
    "type", "format", "mode", "activation", "units", "layers", "strategy", "backend", "prefix", "id",
})  # fmt: skip
_PLACES = frozenset({"dir", "path", "file", "folder", "root", "csv", "filename", "directory"})
_FILE = re.compile(
    r"\.(csv|tsv|jsonl?|ya?ml|txt|np[yz]|pkl|pickle|ptl?|pth|h5|hdf5|keras|joblib|onnx|parquet|feather"
    r"|zip|gz|tar|log|png|jpe?g|svg|pdf|safetensors|bin|model|ckpt|md|html|db|sqlite)\Z"
)
_TOLD = (
    "lr", "learning", "rate", "epochs", "epoch", "batch", "units", "hidden", "dropout", "seed",
    "optimizer", "momentum", "decay", "model", "layers", "depth", "width", "size", "alpha",
)  # fmt: skip
MOST_PARAMETERS = 16
_RESERVED = frozenset({"metrics"})


@dataclass(slots=True)
class Settled:
    """A script's flags, sorted. Mutable, for it is filled flag by flag.

    ``args`` are words as they go into the Labfile, ``before`` those that stand before a sub-command.
    ``left`` are flags that keep the script's defaults, ``missing`` those whose value only the author knows.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    positional: list[str] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    pointed: list[str] = field(default_factory=list)  # flags that name places in the step's folder
    inputs: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    branch: str = ""
    cwd: str = ""  # where the paths in the script's defaults lie, if that is not the lab's folder


def settle(folder: str, script: Script) -> Settled:
    """What becomes of each of *script*'s flags; *folder* is looked into for files that they name."""
    done = Settled(branch=_branch(script.flags.branches), cwd=_cwd(folder, script))
    for flag in script.flags.flags:
        if flag.branch in ("", done.branch):
            _settle_one(folder, script, flag, done)
    _shorten(done)
    for number in range(script.flags.words):
        done.positional.append(FILL_IN)
        done.missing.append(f"sys.argv[{number + 1}]")
    for path, surely in script.uses.saved.items():
        if surely:
            done.artifacts[_artifact_name(path, done.artifacts)] = _below(done.cwd, path)
    return done


def _shorten(done: Settled) -> None:
    """Leaves to the script what would be too much, or be misread."""
    for name, value in list(done.parameters.items()):
        # a list's words would go on with positional ones; with a sub-command all words are written out
        swallows = isinstance(value, list) and done.positional
        if swallows or (done.branch and isinstance(value, bool | list)):
            leave(done, name)
    while len(done.parameters) > MOST_PARAMETERS:
        leave(done, least_telling(done.parameters))


def leave(done: Settled, name: str) -> None:
    """Leaves a parameter to the script's own default."""
    del done.parameters[name]
    done.left.append(f"--{name}")


def least_telling(names: Iterable[str]) -> str:
    """The parameter that people would miss least; of equals, the last."""
    known = list(names)
    return max(known, key=lambda name: (_rank(name), known.index(name)))


def _rank(name: str) -> int:
    words = re.split(r"[_-]", name.lower())
    return min((_TOLD.index(word) for word in words if word in _TOLD), default=len(_TOLD))


def _settle_one(folder: str, script: Script, flag: Flag, done: Settled) -> None:
    if _is_output(script, flag):
        _point(folder, script, flag, done)
        return
    existing = _existing(os.path.join(folder, done.cwd), flag)
    if existing is not None and (_tokens(flag) & _IN or _is_place(script, flag, existing)):
        _give(flag, existing, done)
        done.inputs.append(_below(done.cwd, existing))
        return
    value = _parameter(script, flag)
    if value is not UNKNOWN:
        done.parameters[flag.word.removeprefix("--")] = value
        if done.branch and not flag.branch:
            done.before.append(flag.word)
    elif flag.required:
        guess = flag.choices[0] if flag.choices else FILL_IN
        _give(flag, str(guess), done)
        done.missing += [_called(flag)] if guess == FILL_IN else []
    elif flag.word:
        done.left.append(flag.word)


def _parameter(script: Script, flag: Flag) -> Any:
    """The value of the parameter that a flag becomes; UNKNOWN if it becomes none."""
    value = flag.default
    if not flag.word.startswith("--") or not is_name(flag.word[2:]) or flag.repeats:
        return UNKNOWN
    if flag.switch:
        return False if value in (False, None) else UNKNOWN
    if isinstance(value, list):
        plain = flag.several and value and all(isinstance(v, int | float | str) for v in value)
        return value if plain else UNKNOWN
    if flag.several or value is UNKNOWN or value is None or isinstance(value, bool):
        return UNKNOWN
    if isinstance(value, str) and (_is_place(script, flag, value) or "{{" in value or not value):
        return UNKNOWN
    return value


def _is_place(script: Script, flag: Flag, value: str) -> bool:
    """Whether a text names a file or folder, which is no parameter that anyone would sweep."""
    tokens = _tokens(flag)
    named = bool(tokens & _PLACES) or flag.type in ("path", "filetype")
    shown = bool(_FILE.search(value)) or value.startswith(("/", "./", "../", "~"))
    return named or shown or flag.dest in script.uses.read


def _is_output(script: Script, flag: Flag) -> bool:
    tokens = _tokens(flag)
    value = flag.default
    if flag.switch or flag.repeats or flag.choices or flag.type in ("int", "float", "bool"):
        return False
    if tokens & _NO_PATH or (value is not UNKNOWN and not isinstance(value, str | None)):
        return False
    if flag.dest in script.uses.written and (flag.dest not in script.uses.read or tokens & _OUT):
        return bool(value) or bool(tokens & _STRONG) or flag.required
    if flag.dest in script.uses.read or tokens & _IN:
        return False
    if isinstance(value, str) and value and tokens & _OUT:
        return bool(_FILE.search(value)) or bool(tokens & (_STRONG | _PLACES)) or "/" in value
    placed = bool(tokens & _OUT) and bool(tokens & _PLACES)
    return placed if value is UNKNOWN else flag.required and (placed or bool(tokens & _STRONG))


def _point(folder: str, script: Script, flag: Flag, done: Settled) -> None:
    """Points an output into the step's own folder, and declares it where it surely is made."""
    default = flag.default if isinstance(flag.default, str) else ""
    tokens, base = _tokens(flag), default.rstrip("/").rpartition("/")[2]
    is_file = bool(_FILE.search(base)) or (
        flag.dest in script.uses.files and not _is_folder(tokens)
    )
    stem = base if base not in ("", ".", "..") else _word(tokens) or "output"
    if is_file:
        inside = (
            f"/checkpoint/{stem}" if tokens & _CHECKPOINTS and "model" not in stem else f"/{stem}"
        )
    elif tokens & _CHECKPOINTS:
        inside = "/checkpoint"  # the folder that lab keeps when a training is killed
    else:
        inside = f"/{stem}" if script.uses.makes_folders else ""
    path = "{{ step.dir }}" + inside
    _give(flag, path, done)
    done.pointed.append(_called(flag))
    surely = flag.dest in script.uses.written or inside == ""
    if surely and not (tokens & _LOGS or (tokens & _CHECKPOINTS and not is_file)):
        taken = path in done.artifacts.values()
        name = _artifact_name(base or stem, done.artifacts)
        done.artifacts.update({} if taken else {name: path})


def _give(flag: Flag, value: str, done: Settled) -> None:
    if flag.word and done.branch and not flag.branch:
        done.before += [flag.word, value]
    elif flag.word:
        done.args += [flag.word, value]
    else:
        done.positional.append(value)


def _cwd(folder: str, script: Script) -> str:
    """The script's own folder, if files that its defaults name lie there and none lies in the lab's."""
    beside = script.path.rpartition("/")[0]
    if not beside or script.module:
        return ""
    flags = script.flags.flags
    here = any(_existing(folder, flag) for flag in flags)
    return "" if here or not any(_existing(f"{folder}/{beside}", f) for f in flags) else beside


def _below(cwd: str, path: str) -> str:
    return f"{cwd}/{path}" if cwd else path


def _existing(folder: str, flag: Flag) -> str | None:
    """The file or folder that a flag's default names, if it is there."""
    value = flag.default
    if flag.switch or flag.repeats or flag.choices or not isinstance(value, str):
        return None
    path = value.removeprefix("./").rstrip("/")
    outside = path in ("", ".", "..") or path.startswith(("/", "../", "~"))
    return path if not outside and os.path.exists(os.path.join(folder, path)) else None


def _tokens(flag: Flag) -> set[str]:
    return set(re.split(r"[_\W]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", flag.dest).lower()))


def _is_folder(tokens: set[str]) -> bool:
    return bool(
        tokens & {"dir", "folder", "root", "outdir", "logdir", "savedir", "workdir", "directory"}
    )


def _word(tokens: Iterable[str]) -> str:
    """What is left of a flag's name when the words for places are taken away: `model` of `model_dir`."""
    words = sorted(
        t for t in tokens if t not in _PLACES and t not in _STRONG - {"results", "report"}
    )
    return "_".join(words)


def _artifact_name(path: str, taken: Iterable[str]) -> str:
    stem = path.rstrip("/").rpartition("/")[2]
    stem = stem.partition(".")[0] or "output"
    name = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_")
    name = name if is_name(name) and name not in _RESERVED else f"output_{name}".rstrip("_")
    while name in set(taken):
        name += "_2"
    return name


def _branch(branches: tuple[str, ...]) -> str:
    train = [branch for branch in branches if "train" in branch or branch == "fit"]
    return (train or list(branches) or [""])[0]


def _called(flag: Flag) -> str:
    return flag.word or flag.dest.upper()
