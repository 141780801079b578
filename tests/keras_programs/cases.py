"""Small trainings with real Keras, in one process for its slow start; prints what each came to."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import keras  # type: ignore[import-not-found]
import lab_keras  # type: ignore[import-not-found]
import numpy as np

x = np.random.default_rng(0).random((64, 8), dtype=np.float32)
y = (x.sum(axis=1) > 4).astype("int32")
output = sys.stdout


def model(units: int = 8, lr: float = 0.01, seed: int = 1) -> Any:
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    made = keras.Sequential([keras.Input((8,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(optimizer=keras.optimizers.Adam(lr), loss=loss, metrics=["accuracy"])
    return made


def fit(trained: Any, folder: Path | None, epochs: int, first: int = 0, **options: Any) -> str:
    """Train in order, so that only what the checkpoint holds decides; what was printed."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        calls = lab_keras.callbacks(folder, **options)
        how = {"shuffle": False, "verbose": 0, "callbacks": calls, "batch_size": 16}
        trained.fit(x, y, initial_epoch=first, epochs=epochs, **how)
    return said.getvalue()


def distance(one: Any, other: Any) -> float:
    pairs = zip(one.variables, other.variables, strict=True)
    return max(float(np.abs(np.asarray(a, "f8") - np.asarray(b, "f8")).max()) for a, b in pairs)


def goes_on_exactly(folder: Path) -> Any:
    unbroken, before, after = model(), model(), model(seed=2)
    fit(unbroken, folder / "unbroken", 4)
    fit(before, folder / "broken", 2)
    first = lab_keras.resume(after, folder / "broken")
    fit(after, folder / "broken", 4, first)
    kept = sorted(p.name for p in (folder / "broken").iterdir())
    return {"first": first, "distance": distance(unbroken, after), "kept": kept}


def keeps_narrow_numbers(folder: Path) -> Any:
    keras.config.set_dtype_policy("bfloat16")
    before, after = model(), model(seed=2)
    keras.config.set_dtype_policy("float32")
    fit(before, folder, 1)
    return {"first": lab_keras.resume(after, folder), "distance": distance(before, after)}


def damaged(folder: Path) -> Any:
    fit(model(), folder, 3)
    older, newest = sorted(folder.iterdir())
    whole = newest.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    found = {}
    damages = {"empty": b"", "half": whole[:middle], "short": whole[:-1], "flipped": flipped}
    for name, content in {**damages, "text": b"not a checkpoint"}.items():
        newest.write_bytes(content)
        found[name] = lab_keras.resume(model(), folder)
    older.write_bytes(b"")
    return {**found, "both": lab_keras.resume(model(), folder)}


def belongs_to_its_run(folder: Path) -> Any:
    fit(model(), folder, 2)
    found = {"same": lab_keras.resume(model(), folder)}
    found["other shapes"] = lab_keras.resume(model(units=9), folder)
    sys.argv.append("--lr=0.1")
    found["other arguments"] = lab_keras.resume(model(), folder)
    fit(model(), folder, 1)
    sys.argv.pop()
    return {**found, "left": sorted(p.name for p in folder.iterdir())}


def needs_no_lab(folder: Path) -> Any:
    os.chdir(folder)
    first = lab_keras.resume(model())
    said = fit(model(), None, 2)
    return {"first": first, "said": said.splitlines(), "left": os.listdir(folder)}


def reports(folder: Path) -> Any:
    os.environ["LAB_METRICS_FILE"] = str(folder / "deep" / "m.jsonl")
    said = {how: bool(fit(model(), None, 1, metrics=how)) for how in ("jsonl", "stdout", "off")}
    diverged = model(lr=float("nan"))
    fit(diverged, None, 2)
    del os.environ["LAB_METRICS_FILE"]
    lines = (folder / "deep" / "m.jsonl").read_text().splitlines()
    return {"said": said, "lines": [json.loads(line) for line in lines]}


def one_replica_writes(folder: Path) -> Any:
    cluster: dict[str, list[str]] = {"worker": ["a:1", "b:1"]}
    led = {**cluster, "chief": ["c:1"]}
    tasks = {"worker 0": (cluster, 0), "worker 1": (cluster, 1), "led worker 0": (led, 0)}
    found = {}
    for name, (members, index) in tasks.items():
        task = {"type": "worker", "index": index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": members, "task": task})
        found[name] = len(lab_keras.callbacks(folder))
    del os.environ["TF_CONFIG"]
    return found


def refuses(folder: Path) -> Any:
    found = {}
    for name, bad in {
        "not compiled": keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)]),
        "not built": keras.Sequential([keras.layers.Dense(1)]),
    }.items():
        if name == "not built":
            bad.compile(optimizer="adam", loss="mse")
        try:
            lab_keras.resume(bad, folder)
        except ValueError as error:
            found[name] = str(error)
    return found


def seeds(_folder: Path) -> Any:
    os.environ["LAB_SEED"] = "7"
    given = lab_keras.seed(1), float(np.random.rand())
    del os.environ["LAB_SEED"]
    return {"given": given, "default": (lab_keras.seed(7), float(np.random.rand()))}


CASES = [
    goes_on_exactly,
    keeps_narrow_numbers,
    damaged,
    belongs_to_its_run,
    needs_no_lab,
    reports,
    one_replica_writes,
    refuses,
    seeds,
]
results = {}
for case in CASES:
    place = Path(sys.argv[1], case.__name__)
    place.mkdir()
    with contextlib.redirect_stdout(io.StringIO()):
        results[case.__name__] = case(place)
print(json.dumps(results), file=output)
