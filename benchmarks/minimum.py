# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time in which `fit` and other libraries reach the minimum of the same objective.

``python -m benchmarks.minimum`` solves the problems of `benchmarks.battery`. An argument selects
the problems with it in their names, and ``--peers`` the libraries. The gap is (J - min J) / min J,
with J computed in float64 for everyone, and min J by Newton's method. For each gap and library, the
loosest tolerance that reaches the gap is found first; then all take turns. A cell shows the other's
time divided by ours, as median and quartiles: above 1, `fit` is faster. A dash means that no
tolerance reached the gap, or that it took longer than the limit.

Each library gets X in the type and order that it prefers, and the conversion is not timed.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

import logreg_c
from benchmarks import THREADS
from benchmarks.battery import GAPS, PROBLEMS, UNSEEN, Problem, newton
from benchmarks.timing import PAUSE_SECONDS, ratio

MOST_ITERATIONS = 2000
LIMIT_SECONDS = 20.0  # of one fit
LEAST_SECONDS = 0.005  # fits that are shorter are repeated until they take as long
REPEATS = 7
TOLERANCES = tuple(10.0**-k for k in range(1, 13))

Solution = tuple[np.ndarray, float]
Solver = Callable[[float], Solution]  # takes a tolerance


def ours(p: Problem) -> Solver:
    """Run `logreg_c.fit` on X as it is."""

    def solve(tol: float) -> Solution:
        found = logreg_c.fit(
            p.A.T, p.y, l2=p.l2, sample_weight=p.sample_weight, tol=tol, n_threads=THREADS
        )
        return found.w, found.b

    return solve


def floats(p: Problem) -> np.ndarray:
    """Return X in C order as float32, if that is its type, or float64."""
    return np.ascontiguousarray(p.A, np.float32 if p.A.dtype == np.float32 else np.float64)


def strength(p: Problem) -> float:
    """Return scikit-learn's C; infinity is no penalty."""
    total = len(p.y) if p.sample_weight is None else float(p.sample_weight.sum())
    return 1 / (p.l2 * total) if p.l2 else np.inf


def sklearn(p: Problem, solver: str) -> Solver:
    """Run one of scikit-learn's solvers."""
    from sklearn.linear_model import LogisticRegression

    A = floats(p)

    def solve(tol: float) -> Solution:
        model = LogisticRegression(C=strength(p), solver=solver, tol=tol, max_iter=MOST_ITERATIONS)
        model.fit(A, p.y, sample_weight=p.sample_weight)
        return model.coef_[0], float(model.intercept_[0])

    return solve


def sklearnex(p: Problem) -> Solver:
    """Run scikit-learn-intelex, which knows no weights."""
    if p.sample_weight is not None:
        msg = "sample weights"
        raise NotImplementedError(msg)
    from sklearnex.linear_model import LogisticRegression

    A = floats(p)

    def solve(tol: float) -> Solution:
        model = LogisticRegression(C=strength(p), tol=tol, max_iter=MOST_ITERATIONS).fit(A, p.y)
        return model.coef_[0], float(model.intercept_[0])

    return solve


def glum(p: Problem) -> Solver:
    """Run glum's iteratively reweighted least squares."""
    from glum import GeneralizedLinearRegressor

    A = np.asfortranarray(floats(p))

    def solve(tol: float) -> Solution:
        model = GeneralizedLinearRegressor(
            family="binomial", alpha=p.l2, l1_ratio=0, gradient_tol=tol, max_iter=MOST_ITERATIONS
        )
        model.fit(A, p.y.astype(A.dtype), sample_weight=p.sample_weight)
        return model.coef_, float(model.intercept_)

    return solve


def snapml(p: Problem) -> Solver:
    """Run Snap ML, which penalizes the bias too, so only a small penalty has the same minimum."""
    if p.l2 == 0 or p.sample_weight is not None:
        msg = "no penalty, and sample weights"
        raise NotImplementedError(msg)
    from snapml import LogisticRegression

    A = floats(p).astype(np.float32, copy=False)

    def solve(tol: float) -> Solution:
        model = LogisticRegression(
            regularizer=p.l2 * len(p.y),
            tol=tol,
            max_iter=MOST_ITERATIONS,
            n_jobs=THREADS,
            fit_intercept=True,
        )
        model.fit(A, p.y.astype(np.float32))
        return model.coef_.ravel(), float(np.ravel(model.intercept_)[0])

    return solve


PEERS: dict[str, Callable[[Problem], Solver]] = {
    "lbfgs": partial(sklearn, solver="lbfgs"),
    "newton-cholesky": partial(sklearn, solver="newton-cholesky"),
    "sklearnex": sklearnex,
    "glum": glum,
    "snapml": snapml,
}


def seconds(solve: Solver, tol: float, times: int) -> float:
    """Time one fit, as a mean over several."""
    time.sleep(PAUSE_SECONDS)
    start = time.perf_counter()
    for _ in range(times):
        solve(tol)
    return (time.perf_counter() - start) / times


def loosest(solve: Solver, p: Problem, J_min: float) -> dict[float, tuple[float, float]]:
    """Return the loosest tolerance that reaches each gap, and the seconds it took."""
    found: dict[float, tuple[float, float]] = {}
    for tol in TOLERANCES:
        start = time.perf_counter()
        w, b = solve(tol)
        took = time.perf_counter() - start
        J, _, _ = logreg_c.cost_and_gradient(
            p.A.T,
            p.y,
            np.asarray(w, np.float64),
            b,
            l2=p.l2,
            sample_weight=p.sample_weight,
            dtype=np.float64,
        )
        for gap in GAPS:
            if (J - J_min) / J_min <= gap:
                found.setdefault(gap, (tol, took))
        if took > LIMIT_SECONDS or len(found) == len(GAPS):
            break
    return found


def compare(p: Problem, J_min: float, peers: list[str]) -> dict[float, dict[str, list[float]]]:
    """Time everyone on one problem: for each gap and name, the seconds of each repeat."""
    solvers = {"ours": ours(p)}
    for name in peers:
        try:
            solvers[name] = PEERS[name](p)
        except (ImportError, NotImplementedError):
            continue
    reached = {}
    for name, solve in solvers.items():
        try:
            solve(TOLERANCES[0])  # load the library, start its threads
            reached[name] = loosest(solve, p, J_min)
        except (ValueError, TypeError, np.linalg.LinAlgError):
            continue
    times: dict[float, dict[str, list[float]]] = {}
    for gap in GAPS:
        able = {name: reached[name][gap] for name in reached if gap in reached[name]}
        times[gap] = {name: [] for name in able}
        repeats = REPEATS if max(took for _, took in able.values()) < 1 else 3
        for _ in range(repeats):
            for name, (tol, took) in able.items():
                often = max(1, int(LEAST_SECONDS / took))
                times[gap][name].append(seconds(solvers[name], tol, often))
    return times


def main() -> None:
    """Print a row for each problem and gap."""
    parser = argparse.ArgumentParser()
    parser.add_argument("problem", nargs="?", default="", help="part of a name; default all")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"| problem | gap | ours | {' | '.join(given.peers)} |")
    print("|---|---|---|" + "---|" * len(given.peers))
    for name, make in (PROBLEMS | UNSEEN).items():
        if given.problem not in name:
            continue
        p = make()
        for gap, times in compare(p, newton(p), given.peers).items():
            cells = ["-"] * len(given.peers)
            for k, peer in enumerate(given.peers):
                if peer in times and "ours" in times:
                    low, median, high = ratio(times[peer], times["ours"])
                    cells[k] = f"{median:.1f} [{low:.1f} {high:.1f}]"
            own = f"{np.median(times['ours']) * 1e3:.2f} ms" if "ours" in times else "-"
            print(f"| {name} | {gap:.0e} | {own} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
