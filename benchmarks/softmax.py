# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of the estimators with several classes.

``python -m benchmarks.softmax`` fits `logreg_c.sklearn.LogisticRegression` and scikit-learn's, by
turns, with their defaults on the same X. An argument such as ``images`` selects the rows with it in
their names. Ratios are shown as median and quartiles; above 1, this package is faster. "J - J" is
how much higher the objective is where scikit-learn ends, which it does after 100 iterations at the
latest. The last column compares its time with that in which `logreg_c.fit` gets as low.
"""

import statistics
import sys
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.metrics import log_loss

import logreg_c
from benchmarks import THREADS
from benchmarks.estimator import seconds
from benchmarks.timing import ratio
from logreg_c.sklearn import LogisticRegression as Ours

REPEATS = 3
Data = tuple[np.ndarray, np.ndarray]


def digits() -> Data:
    """Return the digits that scikit-learn ships, 8 x 8 pixels each."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def images(m: int, dtype: str) -> Data:
    """Return m of them enlarged to 28 x 28 pixels, shifted and with noise."""
    rng = np.random.default_rng(0)
    small, y = load_digits(return_X_y=True)
    large = np.zeros((len(y), 28, 28))
    large[:, 2:26, 2:26] = np.kron(small.reshape(-1, 8, 8), np.ones((3, 3)))
    chosen, shift = rng.integers(0, len(y), m), rng.integers(-2, 3, (m, 2))
    X = np.empty((m, 784), np.uint8)
    for k, (of, by) in enumerate(zip(chosen, shift, strict=True)):
        image = 15 * np.roll(large[of], by, (0, 1)) * rng.random((28, 28))
        X[k] = image.ravel()
    return (X if dtype == "uint8" else (X / 255).astype(dtype)), y[chosen]


def classes(k: int, n_x: int, m: int) -> Data:
    """Return normal features, and noisy classes that depend on them."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((m, n_x))
    return X, np.argmax(X @ rng.standard_normal((n_x, k)) + 3 * rng.gumbel(size=(m, k)), axis=1)


PROBLEMS: dict[str, Callable[[], Data]] = {
    "digits, 10 classes of 1,797 x 64": digits,
    "images, 10 classes of 20,000 x 784 uint8": partial(images, 20_000, "uint8"),
    "images, 10 classes of 20,000 x 784 float64": partial(images, 20_000, "float64"),
    "3 classes of 1,000,000 x 28": partial(classes, 3, 28, 1_000_000),
    "30 classes of 100,000 x 50": partial(classes, 30, 50, 100_000),
}


def objective(model: Ours | Theirs, X: np.ndarray, y: np.ndarray) -> float:
    """Compute J at the coefficients of a model, with C = 1."""
    A = model.predict_proba(X)
    return log_loss(y, A, labels=model.classes_) + (model.coef_**2).sum() / (2 * len(y))


def reach(X: np.ndarray, y: np.ndarray, J: float) -> None:
    """Fit until the objective is J or less."""
    settings = {"l2": 1 / len(y), "tol": 1e-15, "n_threads": THREADS}
    logreg_c.fit(X.T, y, **settings, callback=lambda _, cost, *__: cost <= J)


def main() -> None:
    """Print a row for each problem."""
    warnings.simplefilter("ignore")
    print("| problem | ours | scikit-learn | scikit-learn / ours | J - J | until the same J |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, make in PROBLEMS.items():
        if not any(argument in name for argument in sys.argv[1:] or [""]):
            continue
        X, y = make()
        ours, theirs = Ours(n_threads=THREADS), Theirs()
        own, other, equal = [], [], []
        for _ in range(REPEATS):
            own.append(seconds(partial(ours.fit, X, y)))
            other.append(seconds(partial(theirs.fit, X, y)))
            J = objective(theirs, X, y)
            equal.append(seconds(partial(reach, X, y, J)))
        low, median, high = ratio(other, own)
        lower, middle, upper = ratio(other, equal)
        higher = J - objective(ours, X, y)
        print(
            f"| {name} | {statistics.median(own):.3f} s | {statistics.median(other):.2f} s | "
            f"{median:.1f} [{low:.1f} {high:.1f}] | {higher:.0e} | "
            f"{middle:.1f} [{lower:.1f} {upper:.1f}] |",
            flush=True,
        )


if __name__ == "__main__":
    main()
