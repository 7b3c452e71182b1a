# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of `logreg_c.sklearn.LogisticRegressionCV` with scikit-learn's.

``python -m benchmarks.cross_validation`` fits 10 Cs on 5 folds of each problem with both, by turns;
an argument such as ``float32`` selects the problems with it in their names. The ratio is shown as
median and quartiles; above 1, this package is faster. The last column is the largest difference of
any two scores, which are mean losses.
"""

import statistics
import sys
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegressionCV as Theirs
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from benchmarks import THREADS
from benchmarks.estimator import seconds, wide
from benchmarks.softmax import digits
from benchmarks.timing import ratio
from logreg_c.sklearn import LogisticRegressionCV as Ours

REPEATS = 3
SHUFFLED = StratifiedKFold(5, shuffle=True, random_state=0)


def breast_cancer() -> tuple[np.ndarray, np.ndarray]:
    """Return it with standardized features."""
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


PROBLEMS: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
    "569 x 30, breast cancer": breast_cancer,
    "1,797 x 64, digits in 10 classes": digits,
    "100,000 x 100 float64": partial(wide, 100, 100_000, "float64"),
    "1,000,000 x 28 float64": partial(wide, 28, 1_000_000, "float64"),
    "1,000,000 x 28 float64, shuffled": partial(wide, 28, 1_000_000, "float64"),
    "1,000,000 x 28 float32": partial(wide, 28, 1_000_000, "float32"),
}


def main() -> None:
    """Print a row for each problem."""
    warnings.simplefilter("ignore")
    print("| problem | ours | scikit-learn | scikit-learn / ours | scores differ by |")
    print("|---|---|---|---|---|", flush=True)
    for name, make in PROBLEMS.items():
        if not any(argument in name for argument in sys.argv[1:] or [""]):
            continue
        X, y = make()
        settings = {"scoring": "neg_log_loss", "l1_ratios": (0,), "use_legacy_attributes": False}
        settings["cv"] = SHUFFLED if "shuffled" in name else 5
        ours, theirs = Ours(**settings, n_threads=THREADS), Theirs(**settings)
        own, other = [], []
        for _ in range(REPEATS):
            own.append(seconds(partial(ours.fit, X, y)))
            other.append(seconds(partial(theirs.fit, X, y)))
        low, median, high = ratio(other, own)
        difference = abs(ours.scores_ - theirs.scores_).max()
        print(
            f"| {name} | {statistics.median(own):.3f} s | {statistics.median(other):.2f} s | "
            f"{median:.1f} [{low:.1f} {high:.1f}] | {difference:.0e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
