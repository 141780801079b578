"""Trains one network on the digits, with the learning rate, depth and optimizer that a sweep chooses."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "ftrl": keras.optimizers.Ftrl,
}


def network(layers: int, optimizer: str, lr: float) -> keras.Model:
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(layers - 1)]
    model = keras.Sequential(
        [keras.Input((64,)), *hidden, keras.layers.Dense(10, activation="softmax")]
    )
    model.compile(
        optimizer=OPTIMIZERS[optimizer](lr),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def report(epoch: int, logs: dict) -> None:
    """A line of `name=value` words, as Katib's StdOut collector reads them too."""
    words = " ".join(f"{name}={value:.5f}" for name, value in logs.items())
    print(f"epoch={epoch + 1} {words}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("train.npz"))
    parser.add_argument("--out", type=Path, default=Path("model.keras"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--num-layers", type=int, default=3)
    parser.add_argument("--optimizer", choices=sorted(OPTIMIZERS), default="adam")
    args = parser.parse_args()

    keras.utils.set_random_seed(int(os.environ.get("LAB_SEED", "1")))
    with np.load(args.data) as data:
        x, y = data["x"], data["y"]
    held = len(x) // 5  # to compare the trials by; the test digits stay unseen
    model = network(args.num_layers, args.optimizer, args.lr)
    model.fit(
        x[held:],
        y[held:],
        batch_size=32,
        epochs=args.epochs,
        validation_data=(x[:held], y[:held]),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
        verbose=0,
    )
    model.save(args.out)


if __name__ == "__main__":
    main()
