"""Trains one network on several workers that hold the same weights: a loop of one's own under Keras 3."""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import lab_keras  # lab puts it on the path
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

BATCH = 64  # digits a step, of all workers together


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    config = json.loads(os.environ["TF_CONFIG"])  # lab made it: who is there, and who this is
    me, workers = config["task"]["index"], len(config["cluster"]["worker"])
    seed = lab_keras.seed(1)  # Python, NumPy and TensorFlow: all workers draw the same weights
    strategy = tf.distribute.MultiWorkerMirroredStrategy()

    with strategy.scope():
        model = keras.Sequential(
            [
                keras.Input((64,)),
                keras.layers.Dense(64, activation="relu"),
                keras.layers.Dense(10),
            ]
        )
        model.compile(optimizer=keras.optimizers.SGD(args.lr))
        first_epoch = lab_keras.resume(model)
    errors = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")

    @tf.function
    def step(x, y):
        def of_this_worker(x, y):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(errors(y, model(x, training=True))) / BATCH
            gradients = tape.gradient(loss, model.trainable_variables)
            model.optimizer.apply(gradients, model.trainable_variables)  # sums over the workers
            return loss

        return strategy.reduce("sum", strategy.run(of_this_worker, args=(x, y)), axis=None)

    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target.astype("int64")
    callbacks = keras.callbacks.CallbackList(
        lab_keras.callbacks(), model=model, epochs=args.epochs
    )  # worker 0 saves and reports each epoch, the others have none
    for epoch in range(first_epoch, args.epochs):
        callbacks.on_epoch_begin(epoch)
        order = np.random.default_rng([seed, epoch]).permutation(len(x))
        losses = []
        for at in range(0, len(x) - BATCH + 1, BATCH):
            mine = order[at : at + BATCH][me::workers]
            losses.append(float(step(tf.constant(x[mine]), tf.constant(y[mine]))))
        print(f"worker {me} epoch {epoch + 1} loss={np.mean(losses):.9f}", flush=True)
        callbacks.on_epoch_end(epoch, {"loss": float(np.mean(losses))})
    if me == 0:
        np.savez(args.out, *[np.asarray(variable) for variable in model.trainable_variables])


if __name__ == "__main__":
    main()
