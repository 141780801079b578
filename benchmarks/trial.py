"""A small TensorFlow trial: one epoch of a two-layer network on made-up data; or all of them in one process."""

import argparse
import importlib
import itertools
import json
import sys
from pathlib import Path
from typing import Any

UNITS = (16, 32, 64, 128)
RATES = (0.0001, 0.001, 0.003, 0.01, 0.03)


def main() -> int:
    """Train, print the loss as a metric line, and add it to the ledger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--how", choices=("one", "loop", "threads"), default="one")
    given = parser.parse_args()
    if given.how == "one":
        trial(given.units, given.lr, given.ledger)
    elif given.how == "loop":
        for units, lr in itertools.product(UNITS, RATES):
            trial(units, lr, given.ledger)
    else:
        threads(given.ledger)
    return 0


def threads(ledger: Path) -> None:
    """The same trials as a study of Optuna's with two threads."""
    optuna: Any = importlib.import_module("optuna")
    space = {"units": list(UNITS), "lr": list(RATES)}
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(space, seed=1))

    def objective(asked: Any) -> float:
        units = asked.suggest_categorical("units", UNITS)
        return trial(units, asked.suggest_categorical("lr", RATES), ledger)

    study.optimize(objective, n_jobs=2, n_trials=len(UNITS) * len(RATES))


def trial(units: int, lr: float, ledger: Path) -> float:
    """One trial; gives its loss."""
    # By name, so that checking this file needs neither of them.
    numpy: Any = importlib.import_module("numpy")
    tf: Any = importlib.import_module("tensorflow")
    tf.keras.utils.set_random_seed(1)
    source = numpy.random.default_rng(1)
    features = source.random((1000, 64), dtype=numpy.float32)
    labels = source.integers(0, 10, 1000)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Input((64,)),
            tf.keras.layers.Dense(units, activation="relu"),
            tf.keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=tf.keras.optimizers.Adam(lr),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = model.fit(features, labels, epochs=1, batch_size=100, verbose=0)
    loss = float(history.history["loss"][-1])
    print(f"loss={loss!r}", flush=True)
    with ledger.open("a", encoding="utf-8") as file:
        file.write(json.dumps([units, lr, loss]) + "\n")
    return loss


if __name__ == "__main__":
    sys.exit(main())
