# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of texts in 20 classes with scikit-learn's lbfgs and liblinear.

``python -m benchmarks.text_classes lbfgs 20000 20000 3`` fits 20,000 texts of about 100 of 20,000
words, at C = 1, three times by turns with scikit-learn's default: the estimators to the end of
each, and `fit` until the objective is as low as where scikit-learn ends. With ``liblinear`` in
place of ``lbfgs`` its models are one class against the rest, without an intercept, which it would
penalize, and its time is compared with that of `fit` for all classes at once, and with that of
`fit_many` for the same models, both at tol 1e-4. Ratios are medians and quartiles; above 1, this
package is faster. "Higher" is how much higher the peer's objective is, relative to ours; of several
models, their sum.
"""

import statistics
import sys
import warnings
from functools import partial

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

import logreg_c
from benchmarks import THREADS
from benchmarks.estimator import seconds
from benchmarks.softmax import objective, reach
from benchmarks.text import data
from benchmarks.timing import ratio
from logreg_c.sklearn import LogisticRegression as Ours

CLASSES = 20
TOL = 1e-4


def texts(n_x: int, m: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return X (m, n_x) of `benchmarks.text`, and classes that a fifth of the words tell."""
    X, _ = data(n_x, m)
    rng = np.random.default_rng(1)
    w = rng.standard_normal((n_x, CLASSES)) * (rng.random((n_x, CLASSES)) < 0.2)
    Z = X @ w
    return X, np.argmax(3.0 * Z / Z.std() + rng.gumbel(size=Z.shape), axis=1)


def show(name: str, own: list[float], other: list[float], higher: float) -> None:
    """Print a row."""
    low, median, high = ratio(other, own)
    print(
        f"| {name} | {statistics.median(own):.2f} s | {statistics.median(other):.2f} s | "
        f"{median:.1f} [{low:.1f} {high:.1f}] | {higher:.0e} |",
        flush=True,
    )


def against_lbfgs(X: sp.csr_matrix, y: np.ndarray, runs: int) -> None:
    """Compare with one softmax."""
    ours, theirs = Ours(n_threads=THREADS), LogisticRegression()
    own, other, equal = [], [], []
    for _ in range(runs):
        own.append(seconds(partial(ours.fit, X, y)))
        other.append(seconds(partial(theirs.fit, X, y)))
        J = objective(theirs, X, y)
        equal.append(seconds(partial(reach, X, y, J)))
    show("lbfgs, to the end of each", own, other, J / objective(ours, X, y) - 1.0)
    show("lbfgs, until the same objective", equal, other, 0.0)


def against_liblinear(X: sp.csr_matrix, y: np.ndarray, runs: int) -> None:
    """Compare with one model for each class."""
    Y, own, other, of_each = y == np.arange(CLASSES)[:, np.newaxis], [], [], []
    goal = {"l2": 1.0 / y.size, "intercept": False, "tol": TOL, "n_threads": THREADS}
    theirs = OneVsRestClassifier(LogisticRegression(solver="liblinear", fit_intercept=False))
    found = []
    for _ in range(runs):
        own.append(seconds(partial(logreg_c.fit, X.T, y, **goal)))
        other.append(seconds(partial(theirs.fit, X, y)))
        of_each.append(seconds(lambda: found.append(logreg_c.fit_many(X.T, Y, **goal))))
    J = [
        logreg_c.cost_and_gradient(X.T, Y_k, model.coef_[0], 0.0, l2=goal["l2"])[0]
        for Y_k, model in zip(Y, theirs.estimators_, strict=True)
    ]
    show("liblinear, all classes at once", own, other, float("nan"))
    show("liblinear, the same models", of_each, other, sum(J) / found[-1].cost.sum() - 1.0)


def main(peer: str, n_x: int, m: int, runs: int) -> None:
    """Print the rows of one peer."""
    warnings.simplefilter("ignore")
    X, y = texts(n_x, m)
    print(f"{n_x} x {m}, {X.nnz} stored\n\n| | ours | peer | peer / ours | higher |")
    print("|---|---|---|---|---|", flush=True)
    {"lbfgs": against_lbfgs, "liblinear": against_liblinear}[peer](X, y, runs)


if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[2:]]
    main(*(sys.argv[1:2] or ["lbfgs"]), *(sizes + [20_000, 20_000, 3][len(sizes) :]))
