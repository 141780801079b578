"""Trains a small Keras network on the digits; under lab a killed training goes on where it was."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

try:
    import lab_keras  # lab puts it on the path; without lab the training runs just the same
except ImportError:
    lab_keras = None


def network(units: int, lr: float) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(lr),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def shuffled(x, y, batch: int, seed: int, first_epoch: int) -> tf.data.Dataset:
    """Batches without end, whose order depends on seed and epoch alone, so that going on from
    epoch 7 sees what an unbroken training would have seen."""

    def one_epoch(epoch):
        rows = tf.random.experimental.stateless_shuffle(tf.range(len(x)), seed=[seed, epoch])
        return tf.data.Dataset.from_tensor_slices(rows).batch(batch)

    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    return epochs.flat_map(one_epoch).map(lambda rows: (tf.gather(x, rows), tf.gather(y, rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("train.npz"))
    parser.add_argument("--out", type=Path, default=Path("model.keras"))
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=0.001)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    keras.utils.set_random_seed(args.seed)
    with np.load(args.data) as data:
        x, y = data["x"], data["y"]
    held = len(x) // 10  # to watch the training by; the test digits stay unseen
    x, x_val, y, y_val = x[held:], x[:held], y[held:], y[:held]

    model = network(args.units, args.lr)
    first_epoch = lab_keras.resume(model) if lab_keras else 0
    model.fit(
        shuffled(x, y, args.batch, args.seed, first_epoch),
        shuffle=False,  # done already
        steps_per_epoch=-(-len(x) // args.batch),
        initial_epoch=first_epoch,
        epochs=args.epochs,
        validation_data=(x_val, y_val),
        callbacks=lab_keras.callbacks() if lab_keras else [],
        verbose=0 if lab_keras else 2,
    )
    model.save(args.out)


if __name__ == "__main__":
    main()
