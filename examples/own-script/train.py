import argparse
import pickle

import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def parse_args():
    parser = argparse.ArgumentParser(description="Tell three wines apart by their chemistry")
    parser.add_argument("--epochs", type=int, default=40, help="passes over the data")
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--hidden", type=int, default=16, help="neurons in the hidden layer")
    parser.add_argument("--activation", choices=["relu", "tanh", "logistic"], default="relu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="model.pkl", help="where to write the model")
    parser.add_argument("--verbose", action="store_true", help="say something every epoch")
    return parser.parse_args()


def main():
    args = parse_args()
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.3, stratify=y, random_state=args.seed
    )
    scaler = StandardScaler().fit(x_train)
    x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)

    model = MLPClassifier(
        hidden_layer_sizes=(args.hidden,),
        activation=args.activation,
        learning_rate_init=args.lr,
        batch_size=16,
        random_state=args.seed,
    )
    for epoch in range(1, args.epochs + 1):
        model.partial_fit(x_train, y_train, classes=np.unique(y))
        if args.verbose:
            loss = log_loss(y_test, model.predict_proba(x_test))
            print(f"epoch {epoch}: test loss {loss:.4f}")

    print(f"accuracy={model.score(x_test, y_test):.4f}")
    with open(args.out, "wb") as file:
        pickle.dump((scaler, model), file)


if __name__ == "__main__":
    main()
