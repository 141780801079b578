"""Writes scikit-learn's 1,797 handwritten digits as train.npz and test.npz."""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--out", type=Path, default=Path("."))
parser.add_argument("--test", type=float, default=0.25, help="the part kept for the examination")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

digits = load_digits()
images = (digits.data / 16).astype("float32")  # 8 × 8 pixels of 0 to 16
labels = digits.target.astype("int32")
x_train, x_test, y_train, y_test = train_test_split(
    images, labels, test_size=args.test, stratify=labels, random_state=args.seed
)

args.out.mkdir(parents=True, exist_ok=True)
np.savez(args.out / "train.npz", x=x_train, y=y_train)
np.savez(args.out / "test.npz", x=x_test, y=y_test)
print(f"{len(y_train)} digits to learn from, {len(y_test)} kept apart")
