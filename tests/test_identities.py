# SPDX-License-Identifier: BSD-3-Clause
"""Identities of logistic regression: irrelevant changes have no effect, and parts combine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import LAYOUTS, bits, bounded, make_data

import logreg_c


def assert_close(ours, theirs, tolerance=1e-12):
    """Check that each of J, dw, db (or w, b, costs) agrees, relative to its largest entry."""
    for value, other in zip(ours, theirs, strict=True):
        scale = max(np.abs(other).max(initial=0), 1e-3)  # sums may cancel to almost nothing
        assert np.abs(np.subtract(value, other)).max(initial=0) <= tolerance * scale


shapes = {
    "n_x": st.integers(1, 40),
    "m": st.integers(1, 1200),
    "seed": st.integers(0, 2**32),
    "layout": st.sampled_from(list(LAYOUTS)),
}


@bounded
@given(**shapes)
def test_the_order_of_the_examples_does_not_matter(n_x, m, seed, layout):
    X, Y = make_data(n_x, m, seed)
    order = np.random.default_rng(seed).permutation(m)
    w = np.full((n_x, 1), 0.3)
    assert_close(
        logreg_c.cost_and_gradient(LAYOUTS[layout](X[:, order]), Y[:, order], w, 0.1),
        logreg_c.cost_and_gradient(LAYOUTS[layout](X), Y, w, 0.1),
    )


@bounded
@given(**shapes)
def test_the_order_of_the_features_permutes_w(n_x, m, seed, layout):
    X, Y = make_data(n_x, m, seed)
    order = np.random.default_rng(seed).permutation(n_x)
    ours = logreg_c.train(LAYOUTS[layout](X[order]), Y, 0.05, 5)
    plain = logreg_c.train(LAYOUTS[layout](X), Y, 0.05, 5)
    assert_close(ours, (plain.w[order], plain.b, plain.costs))


@bounded
@given(cut=st.floats(0, 1), **shapes)
def test_merged_data_has_the_weighted_mean_of_the_parts(n_x, m, seed, layout, cut):
    X, Y = make_data(n_x, m + 1, seed)
    k = 1 + int(cut * (m - 1))
    w = np.full((n_x, 1), -0.2)
    parts = [
        logreg_c.cost_and_gradient(LAYOUTS[layout](X[:, part]), Y[:, part], w, 0.1)
        for part in (slice(None, k), slice(k, None))
    ]
    merged = [(a * k + b * (m + 1 - k)) / (m + 1) for a, b in zip(*parts, strict=True)]
    assert_close(logreg_c.cost_and_gradient(LAYOUTS[layout](X), Y, w, 0.1), merged)


@bounded
@given(**shapes)
def test_exchanged_labels_change_the_signs(n_x, m, seed, layout):
    X, Y = make_data(n_x, m, seed)
    X = LAYOUTS[layout](X)
    ours = logreg_c.train(X, 1 - Y, 0.05, 5, l2=0.1)
    plain = logreg_c.train(X, Y, 0.05, 5, l2=0.1)
    assert_close(ours, (-plain.w, -plain.b, plain.costs))


@bounded
@given(**shapes)
def test_a_negated_feature_negates_its_weight(n_x, m, seed, layout):
    X, Y = make_data(n_x, m, seed)
    ours = logreg_c.train(LAYOUTS[layout](-X), Y, 0.05, 5)
    plain = logreg_c.train(LAYOUTS[layout](X), Y, 0.05, 5)
    assert bits(-ours.w, ours.b, ours.costs) == bits(plain)


@bounded
@given(**shapes)
def test_the_two_layouts_agree_up_to_rounding(n_x, m, seed, layout):
    X, Y = make_data(n_x, m, seed)
    for options in ({}, {"standardize": True}, {"sample_weight": np.linspace(0, 1, m) + 0.1}):
        assert_close(
            logreg_c.train(LAYOUTS[layout](X), Y, 0.05, 5, **options),
            logreg_c.train(X, Y, 0.05, 5, **options),
        )


@bounded
@given(**shapes)
def test_a_gradient_step_is_an_iteration(n_x, m, seed, layout):
    X, Y = make_data(n_x, m, seed)
    X = LAYOUTS[layout](X)
    w, b = np.full((n_x, 1), 0.2), -0.1
    J, dw, db = logreg_c.cost_and_gradient(X, Y, w, b, l2=0.3)
    ours = logreg_c.train(X, Y, 0.07, 1, w=w, b=b, l2=0.3)
    assert bits(ours.costs) == bits(J)
    assert_close((ours.w, ours.b), (w - 0.07 * dw, b - 0.07 * db), 1e-15)


@bounded
@given(**shapes)
def test_predictions_are_the_sigmoid_of_z(n_x, m, seed, layout):
    X, _ = make_data(n_x, m, seed)
    w = np.random.default_rng(seed).standard_normal((n_x, 1))
    A = logreg_c.predict_proba(LAYOUTS[layout](X), w, 0.5)
    np.testing.assert_allclose(A, logreg_c.sigmoid(w.T @ X + 0.5), rtol=1e-13)
    for threshold in (0.5, 0.2):
        labels = logreg_c.predict(LAYOUTS[layout](X), w, 0.5, threshold=threshold)
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(labels, threshold < A)


def test_the_cost_falls_towards_its_minimum():
    X, Y = make_data(5, 400)
    result = logreg_c.train(X, Y, 0.5, 4000)
    assert (np.diff(result.costs) <= 1e-15).all()
    _, dw, db = logreg_c.cost_and_gradient(X, Y, result.w, result.b)
    assert max(np.abs(dw).max(), abs(db)) < 1e-12


# ---- Bit for bit ---------------------------------------------------------------------------------

OPTIONS = {
    "plain": {},
    "l2": {"l2": 0.1},
    "weights": {"sample_weight": np.linspace(0, 2, 900)},
    "standardize": {"standardize": True},
    "standardize, l2, weights": {
        "standardize": True,
        "l2": 0.1,
        "sample_weight": np.linspace(0, 2, 900),
    },
}
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
every_layout = pytest.mark.parametrize("layout", LAYOUTS)


def ordinary_data():
    """Features with different means and standard deviations."""
    X, Y = make_data(6, 900)
    X *= np.array([[1.0], [0.1], [30.0], [5.0], [1e-3], [2.0]])
    X += np.array([[0.0], [7.0], [100.0], [-3.0], [1.0], [0.5]])
    return X, Y


@every_option
@every_layout
@pytest.mark.parametrize("n_x", [0, 1, 6])
def test_training_again_from_a_result_continues(n_x, layout, options):
    X, Y = ordinary_data()
    X = LAYOUTS[layout](X)[:n_x]
    alpha = 0.3 if "standardize" in options else 1e-5
    whole = logreg_c.train(X, Y, alpha, 12, **options)
    first = logreg_c.train(X, Y, alpha, 5, **options)
    second = logreg_c.train(X, Y, alpha, 7, w=first.w, b=first.b, **options)
    assert abs(whole.b) <= 4096
    assert bits(second.w, second.b, first.costs, second.costs) == bits(
        whole.w, whole.b, whole.costs[:5], whole.costs[5:]
    )


@every_option
@every_layout
def test_ten_single_iterations_are_ten_iterations(layout, options):
    X, Y = ordinary_data()
    X = LAYOUTS[layout](X)
    alpha = 0.3 if "standardize" in options else 1e-5
    whole = logreg_c.train(X, Y, alpha, 10, **options)
    w, b, costs = np.zeros(6), 0.0, []
    for _ in range(10):
        w, b, cost = logreg_c.train(X, Y, alpha, 1, w=w, b=b, **options)
        costs.extend(cost)
    assert bits(w, b, costs) == bits(whole)


@every_option
@every_layout
def test_a_callback_sees_every_iteration_and_changes_none(layout, options):
    X, Y = ordinary_data()
    X = LAYOUTS[layout](X)
    alpha = 0.3 if "standardize" in options else 1e-5
    seen = []
    with_callback = logreg_c.train(X, Y, alpha, 10, callback=lambda *a: seen.append(a), **options)
    assert bits(with_callback) == bits(logreg_c.train(X, Y, alpha, 10, **options))
    assert [k for k, *_ in seen] == list(range(10))
    assert [cost for _, cost, *_ in seen] == list(with_callback.costs)
    for k, _, w, b in seen:
        until = logreg_c.train(X, Y, alpha, k + 1, **options)
        assert bits(w, b) == bits(until.w, until.b)


@every_option
def test_no_iterations_return_the_start(options):
    X, Y = ordinary_data()
    w = np.array([0.1, -0.0, 5e-324, 1e300, -1 / 3, 7.0])
    result = logreg_c.train(X, Y, 0.1, 0, w=w, b=0.1, **options)
    assert bits(result) == bits(w, 0.1)
    assert result.costs.shape == (0,)


@every_layout
def test_a_view_and_a_copy_of_it_give_the_same_bits(layout):
    X, Y = make_data(6, 900)
    view = LAYOUTS[layout](X)[1:5, 3:700]
    copy = view.copy(order="F" if view.strides[0] < view.strides[1] else "C")
    Y = Y[:, 3:700]
    assert bits(logreg_c.train(view, Y, 0.1, 5)) == bits(logreg_c.train(copy, Y, 0.1, 5))


@every_layout
def test_a_read_only_memmap_gives_the_same_bits(tmp_path, layout):
    X, Y = make_data(6, 900)
    X = LAYOUTS[layout](X)
    order = "F" if X.strides[0] < X.strides[1] else "C"
    np.save(tmp_path / "X.npy", X.copy(order=order))
    np.save(tmp_path / "Y.npy", Y)
    mapped = [np.load(tmp_path / name, mmap_mode="r") for name in ("X.npy", "Y.npy")]
    assert bits(logreg_c.train(*mapped, 0.1, 5)) == bits(logreg_c.train(X, Y, 0.1, 5))


def test_what_was_passed_is_never_changed():
    X, Y = ordinary_data()
    w, weight = np.ones((6, 1)), np.linspace(0, 2, 900)
    before = bits(X, Y, w, weight)
    logreg_c.train(X, Y, 1e-5, 3, w=w, sample_weight=weight)
    logreg_c.train(X, Y, 0.1, 3, w=w, sample_weight=weight, standardize=True)
    logreg_c.cost_and_gradient(X, Y, w, 0.0, sample_weight=weight)
    logreg_c.predict_proba(X, w, 0.0)
    logreg_c.sigmoid(X)
    assert bits(X, Y, w, weight) == before


@pytest.mark.parametrize("make", [
    lambda X: X[:, ::-1],
    lambda X: X[::-1],
    lambda X: np.repeat(np.repeat(X, 2, 0), 3, 1)[::2, ::3],
    lambda X: X.astype(">f8"),
    lambda X: np.frombuffer(b"\0" + X.tobytes(), np.uint8)[1:].view(np.float64).reshape(X.shape),
    lambda X: X.tolist(),
], ids=["negative example stride", "negative feature stride", "doubly strided", "byte-swapped",
        "unaligned", "lists"])  # fmt: skip
def test_an_array_that_must_be_copied_has_the_bits_of_its_copy(make):
    X, Y = make_data(4, 600)
    odd = make(X)
    assert bits(logreg_c.train(odd, Y, 0.1, 5)) == bits(
        logreg_c.train(np.array(odd, np.float64, order="C"), Y, 0.1, 5)
    )
