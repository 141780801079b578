"""Trains one network through parameter servers: a coordinator hands steps to whichever worker is free."""

import argparse
import json
import os
import random
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

BATCH = 64


def serve(resolver: tf.distribute.cluster_resolver.TFConfigClusterResolver) -> None:
    """What workers and parameter servers do, until lab ends them."""
    server = tf.distribute.Server(
        resolver.cluster_spec(),
        job_name=resolver.task_type,
        task_index=resolver.task_id,
        protocol="grpc",
    )
    server.join()


def train(resolver, epochs: int, lr: float, out: Path) -> None:
    seed = int(os.environ.get("LAB_SEED", "1"))
    random.seed(seed)
    np.random.seed(seed)
    tf.random.set_seed(seed)
    strategy = tf.distribute.ParameterServerStrategy(resolver)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    with strategy.scope():
        shapes = [(64, 64), (64,), (64, 10), (10,)]
        weights = [
            tf.Variable(tf.random.stateless_normal(shape, [seed, i]) * 0.1)
            for i, shape in enumerate(shapes)
        ]
        finished = tf.Variable(0, dtype=tf.int64)
    saved = tf.train.Checkpoint(weights=weights, finished=finished)
    manager = tf.train.CheckpointManager(saved, os.environ["LAB_CHECKPOINT_DIR"], max_to_keep=2)
    manager.restore_or_initialize()

    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target.astype("int64")

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(x @ weights[0] + weights[1])
            errors = tf.nn.sparse_softmax_cross_entropy_with_logits(
                y, hidden @ weights[2] + weights[3]
            )
            loss = tf.reduce_mean(errors)
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(lr * gradient)
        return loss

    for epoch in range(int(finished.numpy()), epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))
        batches = [order[at : at + BATCH] for at in range(0, len(x) - BATCH + 1, BATCH)]
        losses = [coordinator.schedule(step, args=(x[rows], y[rows])) for rows in batches]
        coordinator.join()
        loss = float(np.mean([each.fetch() for each in losses]))
        finished.assign(epoch + 1)
        manager.save()  # first it is kept, then it is told
        with open(os.environ["LAB_METRICS_FILE"], "a") as file:
            file.write(json.dumps({"epoch": epoch + 1, "loss": loss}) + "\n")
        print(f"epoch {epoch + 1}/{epochs} loss={loss:.6f}", flush=True)
    np.savez(out, *[weight.numpy() for weight in weights])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if resolver.task_type == "chief":
        train(resolver, args.epochs, args.lr, args.out)
    else:
        serve(resolver)


if __name__ == "__main__":
    main()
