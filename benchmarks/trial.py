"""A small TensorFlow trial: one epoch of a two-layer network on made-up data."""

import argparse
import importlib
import sys
from typing import Any


def main() -> int:
    """Train, and print the loss as a metric line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, required=True)
    parser.add_argument("--lr", type=float, required=True)
    given = parser.parse_args()
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
            tf.keras.layers.Dense(given.units, activation="relu"),
            tf.keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=tf.keras.optimizers.Adam(given.lr),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = model.fit(features, labels, epochs=1, batch_size=100, verbose=0)
    print(f"loss={history.history['loss'][-1]:.6f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
