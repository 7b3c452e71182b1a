# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of a path of l1 penalties with other libraries.

``python -m benchmarks.lasso`` fits 100 strengths, from the one at which all weights are 0 to a
hundredth of it, on 500 correlated features of 20,000 examples, 50 of which matter. Two arguments
are other numbers of features and examples, and others after them select libraries. All get the same
strengths, and the data in the layout that they prefer. They take turns, three times. A row shows
the median time and, as median and quartiles, how often that of `fit_path` at tol 1e-6 fits into it,
and the largest relative gap of a strength to the least cost that any of them found. ``tight`` is
`fit_path` at tol 1e-9. celer has no intercept: where it is selected, no library gets one.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

import logreg_c
from benchmarks import THREADS
from benchmarks.timing import ratio

Path = tuple[np.ndarray, np.ndarray]  # w (k, n_x) and b (k,)
RUNS = 3
WITHOUT_INTERCEPT = {"celer"}


def data(n_x: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return X (n_x, m), whose neighbouring features correlate, and Y."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_x, m))
    for j in range(1, n_x):
        X[j] = 0.5 * X[j - 1] + np.sqrt(0.75) * X[j]
    w = rng.standard_normal(n_x) * (rng.permutation(n_x) < 50)
    z = w @ X
    return X, rng.random(m) < 1 / (1 + np.exp(0.5 - 2 * z / z.std()))


def ours(
    X: np.ndarray, Y: np.ndarray, l1: np.ndarray, *, intercept: bool, tol: float = 1e-6
) -> Path:
    """Return the path to a gap of `tol`."""
    settings = {"intercept": intercept, "tol": tol, "n_threads": THREADS}
    path = logreg_c.fit_path(X, Y, l1=l1, **settings)
    return path.w, path.b


def adelie(X: np.ndarray, Y: np.ndarray, l1: np.ndarray, *, intercept: bool) -> Path:
    """Return the path with the tolerances that adelie has by default."""
    import adelie as ad  # noqa: PLC0415

    found = ad.grpnet(
        X.T,
        ad.glm.binomial(Y.astype(np.float64)),
        lmda_path=l1,
        intercept=intercept,
        early_exit=False,
        n_threads=THREADS,
        progress_bar=False,
    )
    return found.betas.toarray(), found.intercepts


def celer(X: np.ndarray, Y: np.ndarray, l1: np.ndarray, **_: bool) -> Path:
    """Return the path by proximal Newton steps on few features, without an intercept."""
    from celer import celer_path  # noqa: PLC0415

    w = celer_path(X.T, 2.0 * Y - 1.0, "logreg", alphas=l1 * Y.size, tol=1e-4, use_PN=True)[1].T
    return w, np.zeros(len(w))


def skglm(X: np.ndarray, Y: np.ndarray, l1: np.ndarray, *, intercept: bool) -> Path:
    """Return the path by proximal Newton steps, each strength starting at the one before."""
    from skglm.datafits import Logistic  # noqa: PLC0415
    from skglm.penalties import L1  # noqa: PLC0415
    from skglm.solvers import ProxNewton  # noqa: PLC0415

    n_x, found = len(X), []
    solver, w = ProxNewton(tol=1e-4, fit_intercept=intercept), np.zeros(n_x + intercept)
    for strength in l1:
        z = X.T @ w[:n_x] + w[n_x:].sum()
        w = solver.solve(X.T, 2.0 * Y - 1.0, Logistic(), L1(strength), w.copy(), z)[0]
        found.append(w)
    return np.array(found)[:, :n_x], np.array(found)[:, n_x:].sum(axis=1)


def glum(X: np.ndarray, Y: np.ndarray, l1: np.ndarray, *, intercept: bool) -> Path:
    """Return the path of its own search over strengths, which are the same."""
    from glum import GeneralizedLinearRegressor  # noqa: PLC0415

    model = GeneralizedLinearRegressor(
        family="binomial",
        l1_ratio=1,
        fit_intercept=intercept,
        alpha_search=True,
        n_alphas=l1.size,
        min_alpha_ratio=l1[-1] / l1[0],
        gradient_tol=1e-4,
    ).fit(X.T, Y.astype(np.float64))
    return model.coef_path_, model.intercept_path_


def sklearn(X: np.ndarray, Y: np.ndarray, l1: np.ndarray, *, intercept: bool) -> Path:
    """Return the path by saga, each strength starting at the one before."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    model = LogisticRegression(solver="saga", l1_ratio=1, warm_start=True, tol=1e-4, max_iter=1000)
    model.set_params(fit_intercept=intercept)
    A, found = np.ascontiguousarray(X.T), []
    for strength in l1:
        model.set_params(C=1.0 / (strength * len(A))).fit(A, Y)
        found.append((model.coef_[0].copy(), float(model.intercept_[0])))
    return np.array([w for w, _ in found]), np.array([b for _, b in found])


PEERS: dict[str, Callable[..., Path]] = {
    "ours": ours,
    "tight": partial(ours, tol=1e-9),
    "adelie": adelie,
    "celer": celer,
    "skglm": skglm,
    "glum": glum,
    "sklearn": sklearn,
}


def main(n_x: int, m: int, names: list[str]) -> None:
    """Run all, by turns."""
    warnings.simplefilter("ignore")
    X, Y = data(n_x, m)
    intercept = WITHOUT_INTERCEPT.isdisjoint(names)
    l1 = logreg_c.l1_max(X, Y, intercept=intercept) * np.geomspace(1.0, 0.01, 100)
    times: dict[str, list[float]] = {name: [] for name in names}
    costs, found = {}, {}
    for _ in range(RUNS):
        for name in names:
            start = time.perf_counter()
            found[name] = PEERS[name](X, Y, l1, intercept=intercept)
            times[name].append(time.perf_counter() - start)
    for name, (w, b) in found.items():
        J = [logreg_c.cost_and_gradient(X, Y, *at)[0] for at in zip(w, b, strict=True)]
        costs[name] = J + l1 * np.abs(w).sum(axis=1)
    best = np.min(list(costs.values()), axis=0)
    print(f"{n_x} x {m}\n| | seconds | of ours | largest gap |\n|---|---|---|---|")
    for name in names:
        seconds, gap = statistics.median(times[name]), (costs[name] / best - 1.0).max()
        low, median, high = ratio(times[name], times[names[0]])
        print(f"| {name} | {seconds:.2f} | {median:.1f} [{low:.1f} {high:.1f}] | {gap:.0e} |")


if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[1:3]] or [500, 20_000]
    others = sys.argv[3:] or [name for name in PEERS if name not in {"ours", *WITHOUT_INTERCEPT}]
    main(*sizes, ["ours", *others])
