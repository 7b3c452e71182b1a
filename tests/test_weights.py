# SPDX-License-Identifier: BSD-3-Clause
"""Every mean is a weighted mean, and a weight of k equals repeating the example k times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import LAYOUTS, bits, bounded, descend, make_data, relative

import logreg_c
from logreg_c import _input


def assert_close(ours, theirs, tolerance=1e-12):
    for value, other in zip(ours, theirs, strict=True):
        scale = max(np.abs(other).max(initial=0), 1e-3)  # sums may cancel to almost nothing
        assert np.abs(np.subtract(value, other)).max(initial=0) <= tolerance * scale


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize(("n_x", "m"), [(1, 2), (3, 17), (8, 512), (5, 3000)])
def test_an_integer_weight_equals_the_example_that_often(n_x, m, standardize, layout):
    X, Y = make_data(n_x, m)
    times = np.random.default_rng(m).integers(0, 4, m)
    times[:2] = 1, 2
    repeated = np.repeat(np.arange(m), times)
    options = {"l2": 0.1, "standardize": standardize}
    weighted = logreg_c.train(
        LAYOUTS[layout](X), Y, 0.1, 20, sample_weight=times.astype(float), **options
    )
    plain = logreg_c.train(LAYOUTS[layout](X[:, repeated]), Y[:, repeated], 0.1, 20, **options)
    assert_close((weighted.w, weighted.costs), (plain.w, plain.costs))
    assert abs(weighted.b - plain.b) <= 1e-12 * max(abs(plain.b), np.abs(plain.w).max())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("standardize", [False, True])
def test_a_weight_of_0_leaves_the_example_out(standardize, layout):
    X, Y = make_data(4, 1500)
    out = np.random.default_rng(0).random(1500) < 0.3
    X[:, out] *= 1e6  # large enough to be noticed
    weighted = logreg_c.train(
        LAYOUTS[layout](X),
        Y,
        0.1,
        10,
        sample_weight=np.where(out, 0.0, 1.0),
        standardize=standardize,
    )
    plain = logreg_c.train(
        LAYOUTS[layout](X[:, ~out]), Y[:, ~out], 0.1, 10, standardize=standardize
    )
    assert_close(weighted, plain)


@pytest.mark.parametrize("place", [0, 7, 8, 99])
def test_only_one_example_has_weight(place):
    X, Y = make_data(3, 100)
    weight = np.zeros(100)
    weight[place] = 0.7
    one = slice(place, place + 1)
    ours = logreg_c.cost_and_gradient(X, Y, np.ones(3), 0.1, sample_weight=weight)
    alone = logreg_c.cost_and_gradient(X[:, one], Y[:, one], np.ones(3), 0.1)
    assert_close(ours, alone, 1e-14)


@bounded
@given(
    n_x=st.integers(1, 20),
    m=st.integers(1, 700),
    exponent=st.integers(-900, 900),
    seed=st.integers(0, 2**32),
)
def test_weights_times_a_power_of_two_give_the_same_bits(n_x, m, exponent, seed):
    X, Y = make_data(n_x, m, seed)
    weight = np.random.default_rng(seed).uniform(0.5, 2, m)
    scaled = np.ldexp(weight, exponent)
    w = np.ones(n_x)
    assert bits(logreg_c.cost_and_gradient(X, Y, w, 0.1, sample_weight=scaled)) == bits(
        logreg_c.cost_and_gradient(X, Y, w, 0.1, sample_weight=weight)
    )


@bounded
@given(n_x=st.integers(0, 20), m=st.integers(1, 700), seed=st.integers(0, 2**32))
def test_equal_weights_have_no_effect(n_x, m, seed):
    X, Y = make_data(n_x, m, seed)
    for weight in (1.0, 0.3):
        ours = logreg_c.train(X, Y, 0.1, 5, sample_weight=np.full(m, weight))
        plain = logreg_c.train(X, Y, 0.1, 5)
        assert_close((ours.w, ours.costs), (plain.w, plain.costs))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.sampled(1)
def test_weighted_descent_is_exact_weighted_descent(layout):
    X, Y = make_data(3, 70)
    rng = np.random.default_rng(0)
    weight = rng.lognormal(0, 2, 70)
    start = {"w": rng.standard_normal(3), "b": -0.4, "l2": 0.2}
    ours = logreg_c.train(LAYOUTS[layout](X), Y, 0.4, 20, sample_weight=weight, **start)
    w, b, costs = descend(X, Y, 0.4, 20, sample_weight=weight, **start)
    assert relative(ours.w, w) < 1e-13
    assert relative(ours.b, [b]) < 1e-12
    assert relative(ours.costs, costs) < 1e-13


# ---- Weights of any size -------------------------------------------------------------------------

SIZES = [2.0**-1070, 1e-300, 1e-270, 1e-100, 1e-12, 1.0, 1e12, 1e100, 1e200, 2.0**1020]


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_the_size_of_the_weights_changes_no_bit(size, standardize, dtype):
    X, Y = make_data(4, 300)
    weight = np.random.default_rng(0).integers(0, 9, 300) / 4.0
    power = 2.0 ** np.round(np.log2(size))
    given = {"alpha": 0.3, "iters": 20, "standardize": standardize, "l2": 0.01}
    expected = logreg_c.train(X.astype(dtype), Y, sample_weight=weight, **given)
    found = logreg_c.train(X.astype(dtype), Y, sample_weight=weight * power, **given)
    assert bits(found) == bits(expected)


@pytest.mark.parametrize("size", [1e-200, 1e-60, 1.0, 1e60, 1e150])
@pytest.mark.parametrize("weight", [5e-324, 1e-270, 1e-100, 1.0, 1e100, 1e300, 1.7e308])
def test_the_gradient_is_right_for_every_size_of_weights_and_features(size, weight):
    X = np.array([[1.0, 1.0, -2.0]]) * size
    J, dw, db = logreg_c.cost_and_gradient(X, [1, 1, 0], [0.0], 0.0, sample_weight=[weight] * 3)
    assert J == pytest.approx(np.log(2), rel=1e-15)
    np.testing.assert_allclose(dw, -2 / 3 * size, rtol=1e-14)
    assert db == pytest.approx(-1 / 6, rel=1e-14)


def test_it_handles_products_that_underflow():
    X, weight = [[1e-60, 1e-60]], [1e-270] * 2
    _, dw, _ = logreg_c.cost_and_gradient(X, [1, 1], [0.0], 0.0, sample_weight=weight)
    assert dw.item() == pytest.approx(-0.5e-60, rel=1e-15)


def test_weights_of_very_different_sizes():
    for weight in [1e300, 1e-300, 1.0], [1.0, 1e-300, 1e-100], [1e308, 1e308, 5e-324]:
        J, dw, db = logreg_c.cost_and_gradient(
            [[1.0, 2.0, 4.0]], [1, 0, 1], [0.5], 0.1, sample_weight=weight
        )
        w = np.array(weight) / max(weight)
        z = 0.5 * np.array([1.0, 2.0, 4.0]) + 0.1
        dz = 1 / (1 + np.exp(-z)) - [1, 0, 1]
        assert J == pytest.approx(np.average(np.logaddexp(0, [-z[0], z[1], -z[2]]), weights=w))
        np.testing.assert_allclose(dw.item(), np.average(dz * [1, 2, 4], weights=w), rtol=1e-12)
        assert db == pytest.approx(np.average(dz, weights=w), rel=1e-12)


def test_ordinary_weights_are_read_in_place():
    X = _input.examples(np.ones((1, 3)), None)
    for weight in ([2.0**-32, 0, 0], [1e100, 1e-300, 0], [1.0, 2.0, 3.0], [0.0, 1e-9, 0]):
        array = np.array(weight)
        assert np.shares_memory(_input.weights(array, X), array) == (max(weight) > 2.0**-32)


@pytest.mark.parametrize("order", ["C", "F"])
def test_bools_that_are_all_true_in_a_segment(order):
    rng = np.random.default_rng(3)
    X = np.asarray(rng.standard_normal((28, 30_000)), order=order)
    Y, w = rng.random(30_000) < 0.4, rng.standard_normal(28)

    def evaluated(weight):
        J, dw, db = logreg_c.cost_and_gradient(X, Y, w, 0.5, sample_weight=weight)
        return np.array([J, db, *np.ravel(dw)])

    np.testing.assert_array_equal(evaluated(np.ones(30_000, bool)), evaluated(None))
    fold = (np.arange(30_000) < 9_000) | (rng.random(30_000) < 0.5)
    np.testing.assert_allclose(
        evaluated(fold), evaluated(fold.astype(float)), rtol=1e-12, atol=1e-15
    )
