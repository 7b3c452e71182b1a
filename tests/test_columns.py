# SPDX-License-Identifier: BSD-3-Clause
"""`fit` with an l1 penalty of sparse X with many features, whose Hessian is not formed."""

import warnings

import numpy as np
import pytest
from oracle import printed_on_every_isa

import logreg_c
from logreg_c._solvers import proximal
from logreg_c.callbacks import Checkpoint

sp = pytest.importorskip("scipy.sparse")


@pytest.fixture
def by_columns(monkeypatch):
    """Let any number of features be too many for a Hessian."""
    monkeypatch.setattr(proximal, "FEWEST_COLUMNS", 1)


def make(n_x, m, seed=0, *, scale=False):
    """Return counts of words as sparse X (n_x, m), of widely different scales if asked, and labels.

    One feature has no value stored, and one the same for every example.
    """
    rng = np.random.default_rng([seed, n_x, m])
    counts = rng.poisson(np.outer(1.5 / np.arange(1, n_x + 1) ** 0.7, np.ones(m))).astype(float)
    counts[n_x // 2], counts[n_x // 3] = 0.0, 2.0
    z = (rng.standard_normal(n_x) * (rng.random(n_x) < 0.3)) @ counts
    Y = (z - np.median(z) + rng.logistic(size=m) > 0).astype(float)
    if scale:
        counts *= np.geomspace(1e-3, 1e3, n_x)[rng.permutation(n_x), np.newaxis]
    return sp.csc_array(counts), Y


def violation(X, Y, result, l1, **settings):
    """Return how far the slopes are from those of a minimum, relative to l1."""
    w = result.w[:, 0]
    _, dw, db = logreg_c.cost_and_gradient(X, Y, w, result.b, **settings)
    held = w == 0.0
    of_w = np.where(held, np.maximum(np.abs(dw[:, 0]) - l1, 0.0), dw[:, 0] + l1 * np.sign(w))
    return max(np.abs(of_w).max(), abs(db)) / l1


SETTINGS = {
    "lasso": {"l1": 0.01},
    "many weights": {"l1": 1e-5},
    "elastic net": {"l1": 1e-3, "l2": 1e-3, "sample_weight": np.arange(300) % 3},
    "no intercept": {"l1": 1e-3, "intercept": False},
    "not negative": {"l1": 0.01, "l2": 1e-4, "lower": 0.0, "penalty_factors": np.arange(250) % 3},
    "bounds": {"l2": 1e-3, "lower": -0.1, "upper": 0.3},
    "above 0": {"l1": 0.01, "lower": 0.1, "upper": 0.5},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.sampled(2)
def test_the_minimum_is_that_of_a_hessian(name, scale, monkeypatch):
    X, Y = make(250, 300, scale=scale)
    settings = {"tol": 1e-12, **SETTINGS[name]}
    with_hessian = logreg_c.fit(X.toarray(), Y, **settings)
    monkeypatch.setattr(proximal, "FEWEST_COLUMNS", 1)
    found = logreg_c.fit(X, Y, **settings)
    assert found.converged
    assert found.costs[-1] <= with_hessian.costs[-1] * (1.0 + 1e-12)
    if not scale:
        np.testing.assert_allclose(found.w, with_hessian.w, atol=1e-4)
        assert ((found.w == 0.0) == (with_hessian.w == 0.0)).mean() > 0.98


@pytest.mark.parametrize("fewest", [1, 1000])
def test_a_start_far_on_the_wrong_side(fewest, monkeypatch):
    X, Y = make(60, 300, scale=True)
    monkeypatch.setattr(proximal, "FEWEST_COLUMNS", fewest)
    result = logreg_c.fit(X, Y, l1=0.01, lower=0.5)
    assert result.converged
    np.testing.assert_allclose(result.costs[-1], 97.8258975364, rtol=2e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.usefixtures("by_columns")
def test_slopes_at_the_minimum(dtype):
    X, Y = make(63, 1000)
    X = X.astype(dtype)
    result = logreg_c.fit(X, Y, l1=0.003, tol=1e-14, dtype=np.float64)
    assert violation(X, Y, result, 0.003, dtype=np.float64) < 1e-6
    assert 0 < np.count_nonzero(result.w) < 63
    assert result.w[31] == 0.0


def test_thousands_of_weights_that_are_not_0():
    rng = np.random.default_rng(0)
    m, n_x, stored = 3000, 6000, 60
    X = sp.csr_array(
        (rng.random(m * stored) + 0.1, rng.integers(0, n_x, m * stored), np.arange(m + 1) * stored),
        shape=(m, n_x),
    )
    X.sum_duplicates()
    z = X @ rng.standard_normal(n_x)
    Y = rng.random(m) < 1.0 / (1.0 + np.exp(-z))
    result = logreg_c.fit(X.T, Y, l1=2e-5)
    assert result.converged
    assert np.count_nonzero(result.w) > 1500
    assert violation(X.T, Y, result, 2e-5) < 0.02


@pytest.mark.usefixtures("by_columns")
@pytest.mark.parametrize("size", [0.0, 0.1])
def test_a_start_needs_no_hessian_either(size, monkeypatch):
    X, Y = make(250, 300)
    wanted = logreg_c.fit(X, Y, l1=0.01)
    monkeypatch.delattr(proximal.ProximalNewton, "_built")
    found = logreg_c.fit(X, Y, l1=0.01, w=wanted.w + size, b=wanted.b)
    assert found.converged
    np.testing.assert_allclose(found.costs[-1], wanted.costs[-1], rtol=2e-9)
    assert found.passes <= (3 if size == 0.0 else 20)


@pytest.mark.usefixtures("by_columns")
def test_a_path_finds_what_single_fits_find():
    X, Y = make(200, 150)
    l1 = logreg_c.l1_max(X, Y) * np.geomspace(1.0, 1e-3, 8)
    path = logreg_c.fit_path(X, Y, l1=l1, l2=0.1 * l1)
    assert path.converged.all()
    assert np.count_nonzero(path.w[0]) == 0
    for at, cost in zip(l1, path.cost, strict=True):
        own = logreg_c.fit(X.toarray(), Y, l1=at, l2=0.1 * at)
        np.testing.assert_allclose(cost, own.costs[-1], rtol=3e-9)


@pytest.mark.usefixtures("by_columns")
def test_rounding_and_separated_classes():
    X, Y = make(40, 300)
    exact = logreg_c.fit(X, Y, l1=1e-3, tol=0.0)
    assert exact.stopped == "rounding"
    Y = (X.toarray()[0] > 1.0).astype(float)
    assert logreg_c.fit(X, Y, l1=1e-6).converged
    with pytest.warns(logreg_c.ConvergenceWarning):
        assert logreg_c.fit(X, Y, l1=0.1, penalty_factors=np.zeros(40)).stopped == "separated"


@pytest.mark.long
@pytest.mark.usefixtures("by_columns")
def test_a_checkpoint_resumes_bit_for_bit(tmp_path):
    X, Y = make(300, 200)
    wanted = logreg_c.fit(X, Y, l1=1e-4)
    assert len(wanted.costs) > 4
    for stop in range(1, len(wanted.costs) - 1):
        path = tmp_path / f"{stop}.npz"
        halt = [lambda k, *_, stop=stop: k == stop, Checkpoint(path, seconds=0)]
        assert logreg_c.fit(X, Y, l1=1e-4, callback=halt).stopped == "callback"
        found = logreg_c.fit(X, Y, l1=1e-4, callback=Checkpoint(path))
        assert found.w.tobytes() == wanted.w.tobytes()
        assert found.costs.tobytes() == wanted.costs.tobytes()


BITS = """
import hashlib
import numpy as np, scipy.sparse as sp, logreg_c
from logreg_c._solvers import proximal
proximal.FEWEST_COLUMNS = 1
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for n_x, m in (3000, 700), (50, 20_000):
    X = sp.random_array((n_x, m), density=0.02, format="csc", rng=rng)
    Y = rng.random(m) < 1 / (1 + np.exp(-3 * (X.T @ rng.normal(size=n_x))))
    for intercept in True, False:
        for n_threads in THREADS:
            result = logreg_c.fit(X, Y, l1=1e-4, intercept=intercept, n_threads=n_threads)
            digest.update(result.w.tobytes() + result.costs.tobytes())
            digest.update(np.array(result.b).tobytes())
            if n_threads == 1:
                kept = result
            assert result.w.tobytes() == kept.w.tobytes(), (n_x, m, n_threads)
print(digest.hexdigest())
"""


@pytest.mark.long
def test_the_bits_do_not_depend_on_threads_or_instruction_set():
    assert len(printed_on_every_isa(BITS)) == 1


@pytest.mark.usefixtures("by_columns")
def test_threads_change_no_bit():
    X, Y = make(100, 5000)
    one, more = (logreg_c.fit(X, Y, l1=1e-3, n_threads=n) for n in (1, 8))
    assert one.w.tobytes() == more.w.tobytes()
    assert one.costs.tobytes() == more.costs.tobytes()


@pytest.mark.usefixtures("by_columns")
def test_too_few_passes_are_told():
    X, Y = make(100, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)
        assert logreg_c.fit(X, Y, l1=1e-4, max_passes=2).stopped == "passes"
