"""Trains a small network on MNIST's 28 x 28 digits; a killed training goes on at its last finished epoch."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import lab_keras  # lab puts it on the path
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.001)
    args = parser.parse_args()

    lab_keras.seed(1)
    with np.load(args.data) as data:
        x, y = data["x_train"] / 255, data["y_train"]
        x_test, y_test = data["x_test"] / 255, data["y_test"]

    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(args.units, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(args.lr),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        x,
        y,
        batch_size=128,
        validation_data=(x_test, y_test),
        initial_epoch=lab_keras.resume(model),
        epochs=args.epochs,
        callbacks=lab_keras.callbacks(),
        verbose=0,
    )
    model.save(args.out)


if __name__ == "__main__":
    main()
