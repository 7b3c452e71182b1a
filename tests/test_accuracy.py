# SPDX-License-Identifier: BSD-3-Clause
"""A cost you can trust: bounds on the error of sigmoid, J, the gradient and A."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import LAYOUTS, MP, Problem, bounded, descend, make_data, mpf, relative, sigmoid, ulps

import logreg_c

TINY = 5e-324  # the smallest double
EDGES = [0.0, TINY, 1e-300, 1e-16, 1e-8, 1.0, 15.0, 36.0, 36.7, 36.8, 37.0, 40.0, 690.0, 708.0]
EDGES += [708.4, 709.0, 709.7, 709.8, 710.0, 744.0, 745.0, 745.2, 746.0, 1e3, 1e10, 1e300, 1e308]
# Where exp(-z) is slightly above a power of 2, its error and that of 1 + exp(-z) matter most.
EDGES += [4.845832248613454, 4.844508882057349, 4.157170934255807, 1.9469038687216715]
EDGES = np.array([s * z for z in EDGES for s in (1, -1)])
HUGE = 1e100  # beyond this, the sum of losses that J averages may overflow


def spread(n, seed=0):
    """Return Z over the whole range: every magnitude, and densely where the sigmoid bends.

    At multiples of log(2)/2, exp's range reduction switches from one interval to the next.
    """
    rng = np.random.default_rng(seed)
    magnitudes = np.ldexp(rng.uniform(1, 2, n), rng.integers(-1074, 1024, n, dtype=np.int32))
    signs = rng.choice([-1.0, 1.0], n)
    steps = rng.integers(-2150, 2150, n) * (math.log(2) / 2)
    steps += rng.integers(-2, 3, n) * np.spacing(steps)
    return np.concatenate(
        [signs * magnitudes, rng.normal(0, 5, n), rng.uniform(-750, 750, n), steps]
    )


# ---- sigmoid -------------------------------------------------------------------------------------


@pytest.mark.parametrize("Z", [EDGES, spread(4000)], ids=["edges", "the whole range"])
@pytest.mark.long
def test_sigmoid_within_2_ulp(Z):
    exact = [sigmoid(z) for z in mpf(Z)]
    assert ulps(logreg_c.sigmoid(Z), exact) <= 2


@pytest.mark.sampled(3)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("Z", [EDGES, spread(500, 1)], ids=["edges", "the whole range"])
def test_predict_proba_within_2_ulp_of_a_z_given_exactly(Z, layout):
    A = logreg_c.predict_proba(LAYOUTS[layout](Z[None]), [[1.0]], 0.0)
    assert A.shape == (1, Z.size)
    assert ulps(A, [sigmoid(z) for z in mpf(Z)]) <= 2


def test_sigmoid_where_results_are_subnormal():
    Z = -np.linspace(708.3, 745.2, 500)
    A = logreg_c.sigmoid(Z)
    assert ((A > 0) & (A < 2.3e-308)).any()
    assert ulps(A, [sigmoid(z) for z in mpf(Z)]) <= 2


def test_sigmoid_at_the_ends():
    np.testing.assert_array_equal(
        logreg_c.sigmoid(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0])), [1, 0, np.nan, 0.5, 0.5]
    )


def test_sigmoid_never_falls_by_more_than_its_error():
    Z = np.sort(spread(20_000, 2))
    A = logreg_c.sigmoid(Z)
    assert (A[1:] >= A[:-1] * (1 - 4 * 2.0**-53)).all()
    assert ((A >= 0) & (A <= 1)).all()


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (4, 3, 2)])
def test_sigmoid_keeps_the_shape(shape):
    Z = np.ones(shape)
    assert np.shape(logreg_c.sigmoid(Z)) == shape
    np.testing.assert_array_equal(logreg_c.sigmoid(Z), logreg_c.sigmoid(np.ones(1))[0])


def test_the_place_of_a_z_does_not_change_its_sigmoid():
    Z = spread(30)
    one_by_one = [logreg_c.sigmoid(np.array([z]))[0] for z in Z]
    for start in range(9):
        np.testing.assert_array_equal(logreg_c.sigmoid(Z[start:]), one_by_one[start:])
    np.testing.assert_array_equal(logreg_c.sigmoid(Z[::2]), one_by_one[::2])


# ---- The cost, given Z exactly -------------------------------------------------------------------


def cost(Z, Y, sample_weight=None):
    return logreg_c.cost_and_gradient(
        np.array(Z, ndmin=2), np.array(Y, ndmin=1), [[1.0]], 0.0, sample_weight=sample_weight
    )[0]


def exact_cost(Z, Y, sample_weight=None):
    problem = Problem(np.array(Z, ndmin=2), Y, sample_weight)
    return problem.cost_and_gradient([mpf(1)], mpf(0))[0]


def assert_cost(Z, Y, sample_weight=None):
    exact = exact_cost(Z, Y, sample_weight)
    ours = cost(Z, Y, sample_weight)
    assert abs(mpf(ours) - exact) <= 1e-13 * exact + TINY * np.size(Z)


LABELS = [0.0, 1.0, 0.5, 0.25, 1e-300, 1e-16, 1 - 1e-16, 1 - 2.0**-52, 1 / 3]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("y", LABELS)
def test_the_cost_of_one_example(y):
    for z in EDGES:
        assert_cost(z, [y])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("m", [2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 511, 512, 513, 600])
@pytest.mark.sampled(6)
def test_the_cost_of_many_examples(m, weighted):
    rng = np.random.default_rng(m)
    Z = spread(m)[rng.permutation(4 * m)[:m]]
    Z = Z[np.abs(Z) < HUGE]
    Y = rng.choice([*LABELS, 0.0, 1.0], Z.size)
    assert_cost(Z, Y, rng.uniform(0, 3, Z.size) if weighted else None)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("z", [1.0, 30.0, 36.0, 37.0, 200.0, 600.0, 690.0, 700.0])
@pytest.mark.sampled(1)
def test_the_cost_of_separated_data_stays_exact_down_to_1e_300(z, weighted):
    rng = np.random.default_rng(0)
    Y = rng.choice([0.0, 1.0], 700)
    Z = (2 * Y - 1) * rng.uniform(z, z + 2, Y.size)
    assert_cost(Z, Y, rng.uniform(0.5, 2, Z.size) if weighted else None)


@pytest.mark.long
def test_the_cost_where_every_example_is_certain_or_undecided():
    for z in (
        0.0,
        -0.0,
        TINY,
        1e-300,
        1e-17,
    ):  # e = 1, so the product inside the logarithm is largest
        for m in (1, 64, 512, 513):
            assert_cost(np.full(m, z), np.ones(m))
    assert cost(np.full(100, 1e10), np.ones(100)) == 0


@pytest.mark.long
def test_the_cost_of_one_wrong_example_among_separated_ones():
    for place in (0, 7, 8, 63, 64, 511, 512, 599):
        Z, Y = np.full(600, 50.0), np.ones(600)
        Y[place] = 0
        assert_cost(Z, Y)


@bounded
@given(
    st.lists(
        st.tuples(st.floats(-HUGE, HUGE), st.floats(0, 1), st.floats(1e-3, 1e3)),
        min_size=1,
        max_size=80,
    ),
    st.booleans(),
)
@pytest.mark.long
def test_the_cost_of_any_examples(examples, weighted):
    Z, Y, weights = map(np.array, zip(*examples, strict=True))
    assert_cost(Z, Y, weights if weighted else None)


# ---- The gradient --------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("n_x", "m"), [(1, 1), (1, 100), (2, 65), (5, 64), (8, 130), (33, 40), (3, 600)]
)
@pytest.mark.long
def test_the_gradient_of_well_scaled_data(n_x, m, layout):
    X, Y = make_data(n_x, m)
    rng = np.random.default_rng(m)
    w = rng.normal(0, 3 / math.sqrt(n_x), n_x)
    weight = rng.uniform(0, 2, m)
    soft = rng.uniform(0, 1, m)
    for labels, weights, l2 in ((Y, None, 0.0), (soft, None, 0.3), (Y, weight, 0.0)):
        J, dw, db = logreg_c.cost_and_gradient(
            LAYOUTS[layout](X), labels, w, 0.5, l2=l2, sample_weight=weights
        )
        problem = Problem(X, labels, weights)
        exact_J, exact_dw, exact_db, scale = problem.cost_and_gradient(mpf(w), mpf(0.5), mpf(l2))
        assert dw.shape == (n_x, 1)
        assert abs(J - exact_J) <= 1e-13 * exact_J
        for ours, exact, bound, w_j in zip(dw[:, 0], exact_dw, scale, w, strict=True):
            assert abs(ours - exact) <= 1e-13 * (bound + l2 * abs(w_j))
        bias_scale = problem.mean(
            abs(sigmoid(z) - y)
            for z, (_, y, _) in zip(problem.z(mpf(w), mpf(0.5)), problem.examples, strict=True)
        )
        assert abs(db - exact_db) <= 1e-13 * bias_scale


def test_the_penalty_of_many_features():
    """A naive sum of 10^5 squares of 0.1 is off by 8e-13, because all roundings go the same way."""
    w = np.full(100_000, 0.1)
    J, dw, _ = logreg_c.cost_and_gradient(np.zeros((w.size, 2)), [0, 1], w, 0.0, l2=0.5)
    assert relative(J, [MP.log(2) + mpf(0.25) * w.size * mpf(0.1) ** 2]) <= 4e-16
    assert (dw == 0.05).all()


@pytest.mark.parametrize("z", [37.0, 40.0, 100.0, 600.0, 700.0])
def test_the_gradient_where_a_minus_y_cancels(z):
    """At y = 1 and z = 40, the textbook dZ is 0, but the exact value is -4e-18."""
    dz = sigmoid(-mpf(z))  # 1 - sigmoid(z) = sigmoid(-z), computed at -z so that nothing cancels
    for y, sign in ((0.0, -1), (1.0, 1)):
        _, dw, db = logreg_c.cost_and_gradient([[sign * z]], [y], [[1.0]], 0.0)
        assert relative(db, [-sign * dz]) < 1e-13
        assert relative(dw, [-dz * mpf(z)]) < 1e-13


def z_error(X, w, b):
    """Return k u (sum|w_j x_j| + |b|): a bound on the rounding error of each example's Z."""
    return (np.abs(w) @ np.abs(X) + abs(b)) * (len(w) + 2) * 2.0**-53


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4, 1e8])
@pytest.mark.parametrize("n_x", [2, 9, 40])
@pytest.mark.sampled(2)
def test_on_badly_scaled_data_the_rounding_of_z_is_the_bound(n_x, scale, layout):
    X, Y = make_data(n_x, 70)
    X *= scale
    rng = np.random.default_rng(n_x)
    w, b = rng.standard_normal(n_x), scale * 0.7
    exact_Z = Problem(X, Y).z(mpf(w), mpf(b))
    off = z_error(X, w, b)

    A = logreg_c.predict_proba(LAYOUTS[layout](X), w, b)[0]
    for a, z, error in zip(A, exact_Z, off, strict=True):
        exact = sigmoid(z)  # the sigmoid's slope is at most the sigmoid itself, and at most 1/4
        assert abs(a - exact) <= (math.expm1(error) + 2.0**-51) * exact + TINY

    J, dw, db = logreg_c.cost_and_gradient(LAYOUTS[layout](X), Y, w, b)
    exact_J, exact_dw, exact_db, bound = Problem(X, Y).cost_and_gradient(mpf(w), mpf(b))
    assert abs(J - exact_J) <= off.mean() + 1e-13 * exact_J  # |dJ/dz| <= 1
    slope = np.minimum(off / 4, 1)  # |d(dZ)/dz| <= 1/4
    for j in range(n_x):
        assert abs(dw[j, 0] - exact_dw[j]) <= np.mean(np.abs(X[j]) * slope) + 1e-13 * bound[j]
    assert abs(db - exact_db) <= slope.mean() + 1e-13


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_the_gradient_is_the_slope_of_the_cost(l2, weighted, layout):
    """Checked by fourth-order finite differences of our own J."""
    X, Y = make_data(5, 80)
    X = LAYOUTS[layout](X)
    rng = np.random.default_rng(1)
    start = rng.standard_normal(6)
    weights = rng.uniform(0, 2, 80) if weighted else None

    def run(wb):
        return logreg_c.cost_and_gradient(X, Y, wb[:5], wb[5], l2=l2, sample_weight=weights)

    _, dw, db = run(start)
    h = 2.0**-9  # rounding 1e-16 / h and truncation h^4 / 30 are both below 1e-11
    for j, slope in enumerate([*dw[:, 0], db]):
        step = h * np.eye(6)[j]
        near = run(start + step)[0] - run(start - step)[0]
        far = run(start + 2 * step)[0] - run(start - 2 * step)[0]
        assert abs((8 * near - far) / (12 * h) - slope) < 1e-11


@pytest.mark.long
def test_descent_is_exact_descent():
    """Many iterations, beyond the reference's reliable range: separable data, |Z| up to 30."""
    X, _ = make_data(2, 50)
    Y = (X[0] > 0).astype(float)
    X[0] += np.where(Y, 1, -1)
    ours = logreg_c.train(X, Y, 4.0, 60)
    w, b, costs = descend(X, Y, 4.0, 60)
    assert max(abs(z) for z in Problem(X, Y).z(w, b)) > 15
    assert relative(ours.w, w) < 1e-12
    assert relative(ours.b, [b]) < 1e-11
    for ours_k, exact_k in zip(ours.costs, costs, strict=True):
        assert abs(ours_k - exact_k) < 1e-12 * exact_k
