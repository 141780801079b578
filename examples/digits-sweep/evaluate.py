"""Measures a trained network on digits it has never seen."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", type=Path, default=Path("model.keras"))
parser.add_argument("--data", type=Path, default=Path("test.npz"))
args = parser.parse_args()

with np.load(args.data) as data:
    x, y = data["x"], data["y"]
answers = keras.models.load_model(args.model).predict(x, verbose=0).argmax(axis=1)
accuracy = float((answers == y).mean())
print(f"{int((answers != y).sum())} of {len(y)} wrong, accuracy={accuracy:.4f}")

if output := os.environ.get("LAB_OUTPUT"):  # what other steps and `lab output` can read
    with open(output, "a") as file:
        file.write(f"accuracy={accuracy:.4f}\n")
