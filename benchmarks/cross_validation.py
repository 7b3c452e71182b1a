# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of `logreg_c.sklearn.LogisticRegressionCV` with scikit-learn's.

``python -m benchmarks.cross_validation`` fits 10 Cs on 5 folds of 28 x 1,000,000 with both, by
turns; an argument is another number of examples. The ratio is shown as median and quartiles; above
1, this package is faster. The last column is the largest difference of any two scores, which are
mean losses.
"""

import statistics
import sys
import warnings
from functools import partial

from sklearn.linear_model import LogisticRegressionCV as Theirs

from benchmarks import THREADS
from benchmarks.estimator import seconds, wide
from benchmarks.timing import ratio
from logreg_c.sklearn import LogisticRegressionCV as Ours

REPEATS = 3


def main() -> None:
    """Print a row for X in each type."""
    warnings.simplefilter("ignore")
    m = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    settings = {"scoring": "neg_log_loss", "l1_ratios": (0,), "use_legacy_attributes": False}
    print("| X | ours | scikit-learn | scikit-learn / ours | passes | scores differ by |")
    print("|---|---|---|---|---|---|", flush=True)
    for dtype in "float64", "float32":
        X, y = wide(28, m, dtype)
        ours, theirs = Ours(**settings, n_threads=THREADS), Theirs(**settings)
        own, other = [], []
        for _ in range(REPEATS):
            own.append(seconds(partial(ours.fit, X, y)))
            other.append(seconds(partial(theirs.fit, X, y)))
        low, median, high = ratio(other, own)
        difference = abs(ours.scores_ - theirs.scores_).max()
        print(
            f"| 28 x {m} {dtype} | {statistics.median(own):.2f} s | "
            f"{statistics.median(other):.2f} s | {median:.1f} [{low:.1f} {high:.1f}] | "
            f"{ours.n_iter_.sum()} | {difference:.1e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
