# SPDX-License-Identifier: BSD-3-Clause
"""Finite data never give NaN or infinity silently."""

import copy
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bounded

import logreg_c
from logreg_c._solvers import divergence
from logreg_c._solvers.divergence import why_no_descent
from logreg_c.callbacks import Checkpoint

EXAMPLE = Path(__file__).parent.parent / "examples" / "breast_cancer.csv"


@pytest.fixture(scope="module")
def cancer():
    """Read X (30, 569), unscaled, and Y."""
    lines = EXAMPLE.read_text().splitlines()
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    target = rows[0].index("diagnosis")
    Y = np.array([row[target] == "malignant" for row in rows[1:]], dtype=float)
    features = [[v for i, v in enumerate(row) if i != target] for row in rows[1:]]
    return np.array(features, dtype=float).T, Y


def assert_finite(w, b, costs):
    assert np.isfinite(w).all()
    assert np.isfinite(b)
    assert np.isfinite(costs).all()


@pytest.mark.parametrize("standardize", [False, True])
def test_a_penalty_too_strong_for_alpha_is_named(cancer, standardize):
    with pytest.raises(
        logreg_c.DivergenceError, match=r"alpha \* l2 = 10 is above 2.*2 / l2 = 2"
    ) as c:
        logreg_c.train(*cancer, 10.0, 10_000, l2=1.0, standardize=standardize)
    error = c.value
    assert isinstance(error, ArithmeticError)
    assert f"iteration {error.iteration} left" in str(error)
    assert error.iteration in {error.costs.size, error.costs.size - 1}
    assert error.w.shape == (30, 1)
    assert_finite(error.w, error.b, error.costs)
    # w and b are those before the failed iteration
    with pytest.warns(logreg_c.DivergenceWarning):
        w, b, costs = logreg_c.train(
            *cancer, 10.0, error.iteration, l2=1.0, standardize=standardize
        )
    assert w.tobytes() == error.w.tobytes()
    assert b == error.b
    assert costs.tobytes() == error.costs[: error.iteration].tobytes()


def test_a_penalty_that_keeps_the_size_of_w_is_not_blamed():
    X = np.array([[1e308, -1e308]])
    with pytest.raises(logreg_c.DivergenceError) as error:
        logreg_c.train(X, [0.0, 1.0], 2.0, 100, l2=1.0)
    assert "is above 2" not in str(error.value)


def test_a_large_alpha_oscillates_with_one_warning(cancer):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = logreg_c.train(*cancer, 10.0, 100)
    assert_finite(*result)
    (warning,) = caught
    assert warning.category is logreg_c.DivergenceWarning
    assert "choose alpha below 10, such as 'auto', or pass standardize=True" in str(warning.message)
    assert warning.filename == __file__  # points to the caller's line


def test_standardized_it_converges_without_a_warning(cancer):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        costs = logreg_c.train(*cancer, 0.5, 2000, standardize=True).costs
    assert costs[-1] < 0.1 < costs[0]
    assert (np.diff(costs) < 0).all()


# ---- A descent that does not descend -------------------------------------------------------------


def warned_of(*args, **settings):
    """Return the result, and the single warning or None."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = logreg_c.train(*args, **settings)
    assert {warning.category for warning in caught} <= {logreg_c.DivergenceWarning}
    assert len(caught) <= 1
    return result, str(caught[0].message) if caught else None


@pytest.mark.thread_unsafe(reason="catches the warnings of the process")
def test_a_cost_that_keeps_rising_causes_a_warning_even_if_it_ends_lower():
    rng = np.random.default_rng(0)
    f = rng.standard_normal(500)
    X = f + 0.3 * rng.standard_normal((60, 500))
    Y = rng.random(500) < 1 / (1 + np.exp(-f))
    result, message = warned_of(X, Y, 1.0, 1000, standardize=True)
    rose = np.diff(result.costs) > 0
    first = int(np.argmax(rose))
    assert result.costs[-1] < result.costs[0]
    assert f"the cost rose in {rose.sum()} of 1000 iterations" in message
    assert f"{result.costs[first]:.6g} at iteration {first} to " in message
    assert f"{result.costs[first + 1]:.6g} at iteration {first + 1}" in message
    assert "choose alpha below 1, such as 'auto'" in message
    assert warned_of(X, Y, "auto", 1000, standardize=True)[1] is None


def correlated(rng, n_x, m, *, separable):
    """Return features that share a factor, labels, and the curvature of J."""
    X = rng.uniform(0.1, 1) * rng.standard_normal((n_x, m)) + rng.standard_normal(m)
    Y = X[0] > 0 if separable else rng.random(m) < 1 / (1 + np.exp(-0.5 * X[0]))
    ones = np.vstack([X, np.ones(m)])
    return X, Y, np.linalg.eigvalsh(ones @ ones.T / m / 4)[-1]


FAMILY = {
    "seed": st.integers(0, 2**32 - 1),
    "n_x": st.integers(1, 40),
    "dtype": st.sampled_from(["f8", "f4"]),
    "iters": st.sampled_from([1, 2, 30, 1000]),
}


@pytest.mark.thread_unsafe(reason="catches the warnings of the process")
@given(
    share=st.floats(0.01, 0.99), separable=st.booleans(), l2=st.sampled_from([0, 0.01]), **FAMILY
)
@bounded
def test_below_2_by_the_curvature_there_is_no_warning(
    share, separable, l2, seed, n_x, dtype, iters
):
    X, Y, L = correlated(np.random.default_rng(seed), n_x, 150, separable=separable)
    result, message = warned_of(X.astype(dtype), Y, share * 2 / (L + l2), iters, l2=l2)
    assert message is None
    # nor when it continues at the minimum, where rounding makes the cost rise
    assert (
        warned_of(X.astype(dtype), Y, 1 / (L + l2), 300, w=result.w, b=result.b, l2=l2)[1] is None
    )


@pytest.mark.thread_unsafe(reason="catches the warnings of the process")
@given(times=st.floats(3, 1000), **FAMILY | {"iters": st.sampled_from([30, 1000])})
@bounded
@pytest.mark.long
def test_far_above_2_by_the_curvature_there_is_always_one(times, seed, n_x, dtype, iters):
    X, Y, L = correlated(np.random.default_rng(seed), n_x, 40 * n_x + 100, separable=False)
    result, message = warned_of(X.astype(dtype), Y, times * 2 / L, iters)
    assert "the cost rose in" in message or f"ended at {result.costs[-1]:.6g}, above" in message


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
def test_what_is_a_rise(arithmetic):
    noise = {"float64": 1e-12, "float32": 1e-6}[arithmetic]
    falling = np.linspace(0.7, 0.5, 1001)

    def why(costs, b=0.0):
        return why_no_descent(np.array(costs), b, arithmetic)

    assert why([]) is why([0.7]) is why(falling) is why([0.0, 0.0]) is None
    shaken = 0.5 + 0.5 * noise * np.random.default_rng(0).random(1000)
    assert why(shaken) is None
    assert why([0.5, 0.5 * (1 + 1000 * noise)])
    once = falling.copy()
    once[10] = 0.9  # one step of a thousand was too long
    assert why(once) is None
    often = falling.copy()
    often[10:120:2] = 0.9
    assert why(often) == (
        "the cost rose in 55 of 1001 iterations, "
        "first from 0.6982 at iteration 9 to 0.9 at iteration 10"
    )
    assert why([*falling, 0.6]) == "the cost ended at 0.6, above the 0.5 of iteration 1000"
    assert why([0.7, 0.5, 0.51], b=1e20) is None  # Z is only rounding error then


def test_a_message_shows_the_digits_that_differ():
    said = why_no_descent(np.array([0.657368, 0.6573680001]), 0.0, "float64")
    assert "from 0.657368 at iteration 0 to 0.6573680001 at iteration 1" in said


def test_rises_are_counted_across_the_pieces_that_are_looked_at(monkeypatch):
    costs = np.random.default_rng(0).random(1000)
    whole = why_no_descent(costs, 0.0, "float64")
    for size in 1, 2, 7, 999, 1000:
        monkeypatch.setattr(divergence, "COSTS_AT_ONCE", size)
        assert why_no_descent(costs, 0.0, "float64") == whole


@pytest.mark.thread_unsafe(reason="catches the warnings of the process")
@pytest.mark.parametrize("settings", [{"tol": 1e-12}, {"callback": lambda *_: False}])
def test_the_warning_comes_whatever_ends_the_training(cancer, settings):
    assert "the cost rose in" in warned_of(*cancer, 1e-3, 100, **settings)[1]


@pytest.mark.thread_unsafe(reason="catches the warnings of the process")
def test_a_resumed_training_warns_of_all_its_costs(cancer, tmp_path):
    def run(iters):
        return warned_of(*cancer, 1e-3, iters, callback=Checkpoint(tmp_path / "run.npz"))

    run(50)
    assert run(100)[1] == warned_of(*cancer, 1e-3, 100)[1]


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_overflow_is_an_exception_with_a_remedy(order):
    X, Y = np.full((2, 3000), 1e308, order=order), np.ones(3000)
    with pytest.raises(logreg_c.DivergenceError, match="rescale X") as caught:
        logreg_c.train(X, Y, 0.1, 5, w=[-0.25, 0])
    assert caught.value.iteration == 0
    assert caught.value.costs.size == 0
    assert caught.value.w.tolist() == [[-0.25], [0.0]]
    w = [[2.0], [2.0]]
    with pytest.raises(OverflowError, match="overflows float64: rescale X"):
        logreg_c.cost_and_gradient(X, Y, w, 0.0)
    with pytest.raises(OverflowError, match="overflows float64: rescale X"):
        logreg_c.predict_proba(X, w, 0.0)
    with pytest.raises(OverflowError, match="overflows float64: rescale X"):
        logreg_c.predict(X, w, 0.0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("size", [1e308, 1e160, 1e-170, 5e-324])
@pytest.mark.parametrize("standardize", [False, True])
def test_extreme_data_give_finite_results_or_an_exception(order, size, standardize):
    X = np.full((3, 3000), size, order=order)
    X[0, ::2] *= -1
    X[1, 7] = 0
    Y = np.arange(3000) % 3 == 0
    result = message = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logreg_c.DivergenceWarning)
        try:
            result = logreg_c.train(X, Y, 0.1, 5, standardize=standardize)
        except logreg_c.DivergenceError as error:
            result, message = (error.w, error.b, error.costs), str(error)
    assert_finite(*result)
    assert message is None or "rescale X" in message


def test_an_update_that_overflows_is_undone():
    X = np.array([[1e200, -1e200]])
    with pytest.raises(logreg_c.DivergenceError, match="iteration 0 left") as caught:
        logreg_c.train(X, [1, 0], 1e200, 5)
    error = caught.value
    assert (error.iteration, error.w.item(), error.b, error.costs.size) == (0, 0.0, 0.0, 1)


def test_a_later_overflow_of_standardized_features_asks_for_a_smaller_alpha():
    """The first step nearly overflows b, because the mean is 2^51 times the standard deviation."""
    X = 1e165 * (1 + np.array([[0] * 5 + [1] * 5]) * 2.0**-50)
    Y = [1, 1, 0, 0, 0, 1, 1, 1, 0, 0]
    wanted = (
        r"iteration 1 left the range of float64.*: choose alpha below 5e\+293(, such as 'auto')?$"
    )
    with pytest.raises(logreg_c.DivergenceError, match=wanted):
        logreg_c.train(X, Y, 5e293, 9, standardize=True)


def test_a_z_beyond_float32_is_an_error_that_suggests_float64():
    X = np.array([[3e38, -3e38]], dtype=np.float32)
    with pytest.raises(OverflowError, match=r"overflows float32: pass dtype=np\.float64"):
        logreg_c.cost_and_gradient(X, [1, 0], [1e10], 0.0)
    J, dw, db = logreg_c.cost_and_gradient(X, [1, 0], [1e10], 0.0, dtype=np.float64)
    assert (J, dw.item(), db) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("alpha", [1e307, 1e308])
def test_a_huge_alpha_is_blamed_not_x(cancer, dtype, standardize, alpha):
    X, Y = cancer
    wanted = rf"choose alpha below {alpha:g}".replace("+", r"\+")
    with pytest.raises(logreg_c.DivergenceError, match=wanted):
        logreg_c.train(X.astype(dtype), Y, alpha, 50, standardize=standardize)


def test_the_callback_sees_the_iterations_before():
    seen = []
    with pytest.raises(logreg_c.DivergenceError) as caught:
        logreg_c.train(
            [[1.0, -1.0]], [1, 0], 10.0, 10_000, l2=1.0, callback=lambda *a: seen.append(a)
        )
    assert [k for k, *_ in seen] == list(range(caught.value.iteration))
    assert seen[-1][2].tobytes() == caught.value.w.tobytes()


@pytest.mark.parametrize("through", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_exceptions_can_be_pickled(through):
    w, costs = np.ones((2, 1)), np.arange(3.0)
    diverged = through(logreg_c.DivergenceError("far", 3, w, 0.5, costs))
    interrupted = through(logreg_c.TrainingInterrupted("stop", w, 0.5, costs))
    assert (str(diverged), diverged.iteration, str(interrupted)) == ("far", 3, "stop")
    for error in diverged, interrupted:
        np.testing.assert_array_equal(error.w, w)
        np.testing.assert_array_equal(error.costs, costs)
        assert error.b == 0.5
