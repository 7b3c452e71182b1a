# SPDX-License-Identifier: BSD-3-Clause
"""alpha="auto": a bound on the curvature of J, and a descent that never rises."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bits, bounded, make_data, run_python

import logreg_c
from logreg_c import _input
from logreg_c._objective import Objective
from logreg_c._solvers.curvature import _largest_eigenvalue, curvature_bound
from logreg_c.callbacks import Checkpoint

SEEDS = st.integers(0, 2**32 - 1)


def bound_of(X, weight=None, *, standardize=False, fixed_b=False):
    examples = _input.examples(X, None)
    objective = Objective(examples, None, weight, 1)
    return curvature_bound(objective, standardize=standardize, fixed_b=fixed_b)


def rises(costs):
    return np.diff(costs).max(initial=-np.inf)


@given(
    seed=SEEDS,
    n_x=st.integers(1, 20),
    m=st.integers(2, 200),
    spread=st.floats(0, 4),
    flags=st.tuples(*[st.booleans()] * 3),
)
@bounded
def test_the_bound_is_one_and_the_cost_falls_at_every_iteration(seed, n_x, m, spread, flags):
    standardize, fixed_b, weighted = flags
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_x, m)) * 10 ** rng.uniform(-spread, spread, (n_x, 1))
    X += X.std(axis=1, keepdims=True) * rng.integers(-3, 4, (n_x, 1))
    weight = rng.integers(1, 6, m) * 1.0 if weighted else None
    bound = bound_of(X, weight, standardize=standardize, fixed_b=fixed_b)
    s = np.ones(m) if weight is None else weight
    F = X
    if standardize:
        mean = np.average(X, axis=1, weights=s)[:, None]
        sd = np.sqrt(np.average((X - mean) ** 2, axis=1, weights=s))[:, None]
        F = (X if fixed_b else X - mean) / sd
    F = F if fixed_b else np.vstack([F, np.ones(m)])
    H = (F * s) @ F.T / s.sum() / 4
    largest, trace = np.linalg.eigvalsh(H)[-1], np.trace(H)
    assert largest * (1 - 1e-9) <= bound <= trace * (1 + 1e-5)

    if not fixed_b:
        w = rng.standard_normal(n_x) / np.abs(X).max(axis=1)
        start = {"w": w, "l2": 0.1, "sample_weight": weight, "standardize": standardize}
        result = logreg_c.train(X, rng.random(m), "auto", 30, **start)
        assert result.alpha == 1 / (0.1 + bound)
        assert rises(result.costs) <= 1e-15 * result.costs[0]


@given(seed=SEEDS, size=st.integers(1, 12))
@bounded
def test_the_largest_eigenvalue_of_a_tridiagonal_matrix(seed, size):
    rng = np.random.default_rng(seed)
    diagonal, beside = rng.uniform(0, 1, size), rng.uniform(0, 1, size - 1)
    matrix = np.diag(diagonal) + np.diag(beside, -1)
    expected = np.linalg.eigvalsh(matrix)[-1]
    found = _largest_eigenvalue(diagonal.tolist(), beside.tolist())
    assert expected * (1 - 1e-14) <= found <= expected * (1 + 2e-6)


def test_the_bound_is_sharp_where_it_is_cheap_to_be():
    X, _ = make_data(9, 300)
    F = X / X.std(axis=1, keepdims=True)
    bound = bound_of(X, standardize=True, fixed_b=True)
    assert bound <= 1.11 * np.linalg.eigvalsh(F @ F.T / 300 / 4)[-1]


@pytest.mark.parametrize("size", [1e-140, 1e-7, 1e7, 1e140])
def test_the_bound_scales_with_the_size_of_the_features(size):
    X, _ = make_data(9, 300)
    bound = bound_of(X, fixed_b=True)
    assert bound_of(X * size, fixed_b=True) == pytest.approx(size**2 * bound, rel=1e-5)


def test_any_step_is_fine_where_the_cost_is_constant():
    for standardize in False, True:
        assert bound_of(np.zeros((2, 9)), standardize=standardize, fixed_b=True) == 1.0


def test_it_handles_correlated_features():
    rng = np.random.default_rng(0)
    f = rng.standard_normal(500)
    X = f + 0.3 * rng.standard_normal((60, 500))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = logreg_c.train(X, f > 0, "auto", 1000, standardize=True)
    assert rises(result.costs) <= 0
    assert 0.06 < result.alpha < 0.08  # the curvature of 60 nearly equal features is 60 / 4


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i1", "?"])
@pytest.mark.parametrize("standardize", [False, True])
def test_every_type_and_layout_gets_the_same_step(dtype, standardize):
    X, Y = make_data(5, 200)
    X = (3 * X).astype(dtype)
    expected = None
    for x in (X, np.asfortranarray(X), list(X), X.astype(np.float64)):
        result = logreg_c.train(x, Y, "auto", 3, standardize=standardize)
        expected = expected or result.alpha
        assert result.alpha == pytest.approx(expected, rel=1e-12)
        assert rises(result.costs) <= 0


def test_the_step_has_the_same_bits_for_any_number_of_threads():
    X, Y = make_data(30, 20_000)
    results = [logreg_c.train(X, Y, "auto", 3, n_threads=n) for n in (1, 2, 7)]
    assert len({bits(result) for result in results}) == 1
    assert len({result.alpha for result in results}) == 1


@pytest.mark.long
def test_the_step_has_the_same_bits_for_every_blas():
    """BLAS adds in an order that depends on the CPU."""
    code = """
import numpy as np
from oracle import make_data
import logreg_c
def wrong(*_):
    raise AssertionError
np.linalg.eigvalsh = np.linalg.norm = np.dot = np.matmul = wrong
print(logreg_c.train(*make_data(7, 300), "auto", 1, standardize=True).alpha.hex())
"""
    assert run_python(code) == "0x1.a74201db516d7p+1"


def test_a_resumed_training_is_the_same(tmp_path):
    X, Y = make_data(5, 200)

    def train(iters):
        checkpoint = Checkpoint(tmp_path / "run.npz")
        return logreg_c.train(X, Y, "auto", iters, standardize=True, callback=checkpoint)

    train(7)
    whole = logreg_c.train(X, Y, "auto", 20, standardize=True)
    assert bits(train(20)) == bits(whole)
    assert bits(logreg_c.train(X, Y, whole.alpha, 20, standardize=True)) == bits(whole)


@pytest.mark.parametrize("other", ["Auto", "", "0.5", "none"])
def test_other_text_is_not_an_alpha(other):
    wanted = rf"alpha is '{other}' of type str; expected a finite number > 0, or 'auto'"
    with pytest.raises(TypeError, match=wanted):
        logreg_c.train([[1.0, 2.0]], [0, 1], other, 3)


@pytest.mark.parametrize("l2", [0.0, 1e-300, 1e300, 1.7e308])
@pytest.mark.parametrize("size", [1e-140, 1.0, 1e150, 1e153])
def test_extreme_penalties_and_features_have_a_learning_rate(size, l2):
    X = np.array([[1.0, -2.0, 3.0, 0.5]]) * size
    result = logreg_c.train(X, [0, 1, 1, 0], "auto", 5, l2=l2)
    assert 0.0 < result.alpha < np.inf
    assert rises(result.costs) <= 1e-15


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e200, 1e308])
def test_features_whose_squares_leave_float64_are_named(size):
    X = np.array([[1.0, -1.0, 0.5]]) * size
    with pytest.raises(logreg_c.DivergenceError, match=r"alpha='auto' finds no step: .*rescale X"):
        logreg_c.train(X, [0, 1, 1], "auto", 5)
