"""Checkpoints and metrics for Keras that survive `kill -9`, in one file that needs nothing of lab.

model.fit(..., initial_epoch=lab_keras.resume(model), callbacks=lab_keras.callbacks())
"""

# After each epoch the checkpoint becomes durable first and only then is the epoch reported, so a
# killed training loses no more than the epoch it was in. (Keras's BackupAndRestore writes weights
# and epoch number as two files: a kill in between leaves a pair that does not match.)
#
# Checkpoints go to $LAB_CHECKPOINT_DIR or the checkpoint_dir given; with neither nothing is saved.
# Metrics go to $LAB_METRICS_FILE, else $LAB_STEP_DIR/metrics.jsonl, else to stdout alone. A
# checkpoint belongs to one fit of one command line: with other arguments, or a model of other
# shapes, training starts afresh. Of distributed processes (TF_CONFIG) only the first one writes.

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

__all__ = ["callbacks", "resume", "seed"]

Metrics = Literal["jsonl", "stdout", "off"]
KEPT = 2  # should the newest be damaged, the one before it is there
CHECKPOINT = re.compile(r"epoch-(\d+)\.npz")


class _Saved(NamedTuple):
    about: dict[str, Any]
    arrays: dict[str, Any]


def seed(default: int | None = None) -> int | None:
    """Seed Python, NumPy and Keras with `$LAB_SEED`, else with `default`; what it was comes back.

    Call it before the model is made: initial weights and dropout are drawn from it.
    """
    given = os.environ.get("LAB_SEED")
    value = int(given) if given else default
    if value is not None:
        _keras().utils.set_random_seed(value)
    return value


def callbacks(
    checkpoint_dir: str | os.PathLike[str] | None = None, metrics: Metrics = "jsonl"
) -> list[Any]:
    """What `fit` needs to save and report each epoch; other callbacks may follow it in the list.

    `metrics`: `jsonl` prints the epoch and appends it to the metrics file, `stdout` only prints,
    `off` does neither. The file holds `{"epoch", "step", NAME: number, …}` a line, epochs counted
    from 1, each epoch once; a loss that diverged is the word NaN or Infinity, as Python reads it.
    """
    if metrics not in ("jsonl", "stdout", "off"):
        raise ValueError(f"metrics is {metrics!r}: say 'jsonl', 'stdout' or 'off'")
    return [_Recorder(_folder(checkpoint_dir), metrics).callback] if _writes() else []


def resume(
    model: Any,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    metrics: Metrics = "jsonl",
) -> int:
    """Put the newest whole checkpoint into the compiled model: the number of finished epochs, or 0.

    Weights, optimizer, dropout's generators and the states of `random` and `numpy.random` come
    back; other callbacks (EarlyStopping's patience) and TensorFlow's global generator do not. The
    last epoch is reported again, since the kill may have come before its report.
    """
    folder = _folder(checkpoint_dir)
    if folder is None:
        return 0
    variables = _variables(model)
    for path in _checkpoints(folder):
        saved = _read(path)
        if saved is None:
            _say(f"{path.name} is damaged, the one before it is tried")
            continue
        if saved.about["of_run"] != _run_identity(variables):
            _say(f"{path.name} is of another command line or model, training starts afresh")
            return 0
        _restore(variables, saved)
        _report_again(saved.about, metrics)
        return int(saved.about["epoch"])
    return 0


class _Recorder:
    """Saves, then reports, at the end of every epoch of one `fit`."""

    def __init__(self, folder: Path | None, metrics: Metrics) -> None:
        self.folder = folder
        self.metrics = metrics
        self.began = False
        self.callback = _keras().callbacks.LambdaCallback(
            on_epoch_begin=self.epoch_begins, on_epoch_end=self.epoch_ended
        )

    def epoch_begins(self, epoch: int, _logs: object = None) -> None:
        """Forget, once, what an earlier training left that is past this one's start."""
        if self.began:
            return
        self.began = True
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            _forget_after(self.folder, epoch)
        if self.metrics == "jsonl":
            _keep_lines(_metrics_file(), epoch)

    def epoch_ended(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Make the epoch durable, then tell of it."""
        model = self.callback.model
        about = {
            "epoch": epoch + 1,
            "of": self.callback.params.get("epochs"),
            "step": int(importlib.import_module("numpy").asarray(model.optimizer.iterations)),
            "metrics": dict(_scalars(logs or {})),
        }
        if self.folder is not None:
            _save(self.folder, _variables(model), about)
        _report(about, self.metrics)


def _save(folder: Path, variables: list[Any], about: dict[str, Any]) -> None:
    np = importlib.import_module("numpy")
    kind, words, *rest = np.random.get_state()
    about = {
        **about,
        "of_run": _run_identity(variables),
        "python_random": random.getstate(),
        "numpy_random": [kind, *rest],
    }
    arrays = {f"v{i}": np.asarray(v) for i, v in enumerate(variables)}
    arrays["numpy_random"] = words
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    with _replacing(folder / f"epoch-{about['epoch']:08d}.npz") as file:
        np.savez(file, **arrays)
    for old in _checkpoints(folder)[KEPT:]:
        old.unlink(missing_ok=True)


def _read(path: Path) -> _Saved | None:
    """The checkpoint, or None where it is damaged: the zip format's checksums tell."""
    np = importlib.import_module("numpy")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _Saved(json.loads(arrays.pop("about").tobytes()), arrays)
    except Exception:  # noqa: BLE001 - damage shows as zipfile's, struct's, numpy's or json's errors
        return None


def _restore(variables: list[Any], saved: _Saved) -> None:
    np = importlib.import_module("numpy")
    for i, variable in enumerate(variables):
        array = saved.arrays[f"v{i}"]
        if array.dtype.kind == "V":  # numpy's format has no name for bfloat16: bytes come back
            array = array.view(np.asarray(variable).dtype)
        variable.assign(array)
    version, words, gauss = saved.about["python_random"]
    random.setstate((version, tuple(words), gauss))
    kind, *rest = saved.about["numpy_random"]
    np.random.set_state((kind, saved.arrays["numpy_random"], *rest))


def _variables(model: Any) -> list[Any]:
    """All that training changes, in an order that the same program gives again."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise ValueError("lab_keras: compile the model first, with model.compile(...)")
    if not model.built:
        raise ValueError("lab_keras: build the model first: a keras.Input, or model.build(...)")
    if not getattr(optimizer, "built", False):
        optimizer.build(model.trainable_variables)
    return [*model.variables, *optimizer.variables]


def _run_identity(variables: list[Any]) -> str:
    shapes = [[*map(int, v.shape), str(v.dtype)] for v in variables]
    return hashlib.sha256(json.dumps([sys.argv[1:], shapes]).encode()).hexdigest()


def _checkpoints(folder: Path) -> list[Path]:
    """The newest first."""
    found = [p for p in folder.glob("epoch-*.npz") if CHECKPOINT.fullmatch(p.name)]
    return sorted(found, key=_epoch_of, reverse=True)


def _epoch_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.removeprefix("epoch-"))


def _forget_after(folder: Path, epoch: int) -> None:
    later = [p for p in _checkpoints(folder) if _epoch_of(p) > epoch]
    for path in [*later, *folder.glob(".epoch-*.tmp")]:
        path.unlink(missing_ok=True)


def _report(about: Mapping[str, Any], metrics: Metrics) -> None:
    if metrics == "off":
        return
    path = _metrics_file()
    if metrics == "jsonl" and path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        line = {"epoch": about["epoch"], "step": about["step"], **about["metrics"]}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    of = f"/{about['of']}" if about["of"] else ""
    shown = " ".join(f"{name}={value:.6g}" for name, value in about["metrics"].items())
    print(f"epoch {about['epoch']}{of} {shown}", flush=True)


def _report_again(about: Mapping[str, Any], metrics: Metrics) -> None:
    if not _writes():
        return
    if metrics == "jsonl":
        _keep_lines(_metrics_file(), about["epoch"] - 1)
    _report(about, metrics)


def _keep_lines(path: Path | None, epoch: int) -> None:
    """Drop what was reported after `epoch`, and a line that a power loss tore."""
    if path is None or not path.exists():
        return
    before = path.read_bytes()
    after = b"".join(x for x in before.splitlines(keepends=True) if 0 < _epoch_in(x) <= epoch)
    if after != before:
        with _replacing(path) as file:
            file.write(after)


def _epoch_in(line: bytes) -> int:
    with suppress(ValueError, TypeError, KeyError):
        return int(json.loads(line)["epoch"]) if line.endswith(b"\n") else 0
    return 0


def _scalars(logs: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in logs.items():
        with suppress(TypeError, ValueError):  # a metric with a value per class is no curve
            yield name, float(value)


def _keras() -> Any:
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")
    return importlib.import_module("tf_keras" if legacy else "keras")


def _folder(given: str | os.PathLike[str] | None) -> Path | None:
    name = given or os.environ.get("LAB_CHECKPOINT_DIR")
    return Path(name) if name else None


def _metrics_file() -> Path | None:
    if name := os.environ.get("LAB_METRICS_FILE"):
        return Path(name)
    step = os.environ.get("LAB_STEP_DIR")
    return Path(step, "metrics.jsonl") if step else None


def _writes() -> bool:
    """Replicas hold the same state: the chief writes it, or worker 0 where there is no chief."""
    config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    task = config.get("task", {})
    kind, index = task.get("type", "chief"), int(task.get("index", 0))
    led = bool({"chief", "master"} & set(config.get("cluster", {})))
    return kind in ("chief", "master") or (kind == "worker" and index == 0 and not led)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that is seen whole or not at all, and is on the disk at the end."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        entry = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)


def _say(text: str) -> None:
    print(f"lab_keras: {text}", file=sys.stderr, flush=True)
