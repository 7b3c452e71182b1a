# SPDX-License-Identifier: BSD-3-Clause
"""Several classes in batches have the bits of the same classes in memory."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import bits

import logreg_c
from logreg_c import batches
from logreg_c.callbacks import Checkpoint


def make_problem(n_x, k, m):
    rng = np.random.default_rng(7)
    rows = rng.standard_normal((m, n_x)) * np.logspace(-1, 1, n_x)
    Z = rows @ (rng.standard_normal((n_x, k)) / np.logspace(-1, 1, n_x)[:, np.newaxis])
    return rows, np.argmax(Z + rng.gumbel(size=(m, k)), 1), rng.random(m)


def in_columns(rows):
    return {f"x{j}": np.ascontiguousarray(x) for j, x in enumerate(rows.T)}


def cut(columns, size):
    m = len(columns["y"])
    return [{c: x[i : i + size] for c, x in columns.items()} for i in range(0, m, size)]


def assert_same(found, expected):
    assert bits(*found) == bits(*expected)
    assert found.stopped == expected.stopped


M = 20_011
ROWS, CODES, WEIGHT = make_problem(4, 4, M)
COLUMNS = in_columns(ROWS)
FEATURES = list(COLUMNS.values())


@pytest.mark.parametrize("size", [777, 100_000])
@pytest.mark.parametrize("weight", [None, WEIGHT, WEIGHT * 2.0**-90])
@pytest.mark.sampled(1)
def test_fit_and_train(size, weight):
    pieces = cut(COLUMNS | {"y": CODES, **({} if weight is None else {"s": weight})}, size)
    X, s = batches.Batches(lambda: pieces), None if weight is None else "s"
    for goal in {}, {"l2": 1e-3, "intercept": False}, {"tol": 0.0}:
        expected = logreg_c.fit(FEATURES, CODES, sample_weight=weight, **goal)
        found = logreg_c.fit(X, "y", sample_weight=s, **goal)
        assert_same(found, expected)
        assert (found.passes, found.gap) == (expected.passes, expected.gap)
    for goal in {"alpha": 0.1}, {"alpha": "auto", "standardize": True, "l2": 0.1}:
        expected = logreg_c.train(FEATURES, CODES, iters=4, sample_weight=weight, **goal)
        assert_same(logreg_c.train(X, "y", iters=4, sample_weight=s, **goal), expected)


ERRORS = {
    "classical": {},
    "robust": {"robust": True, "reference": 2},
    "no intercept": {"intercept": False, "robust": "HC0"},
    "penalty": {"l2": 1e-3, "standardize": True},
}


@pytest.mark.parametrize("settings", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.filterwarnings("ignore::logreg_c.ConvergenceWarning")
@pytest.mark.sampled(1)
def test_inference(settings, weight):
    named = COLUMNS | {"y": CODES, **({} if weight is None else {"s": weight})}
    X, s = batches.Batches(lambda: cut(named, 6000)), None if weight is None else "s"
    w, b, _ = logreg_c.fit(FEATURES, CODES, sample_weight=weight, tol=1e-12)
    given = {"w": w, "b": b} | settings
    expected = logreg_c.inference(FEATURES, CODES, sample_weight=weight, **given)
    found = logreg_c.inference(X, "y", sample_weight=s, **given)
    assert_same_statistics(found, expected)
    assert found.names[:4] == tuple(COLUMNS)


def assert_same_statistics(found, expected):
    for name in "coefficients", "covariance", "log_likelihood", "null_log_likelihood", "n_obs":
        assert bits(getattr(found, name)) == bits(getattr(expected, name)), name


@pytest.mark.parametrize(("n_x", "k", "m"), [(400, 6, 38_000), (750, 3, 900), (750, 3, 2_000)])
@pytest.mark.long
def test_every_factor_of_the_hessian(n_x, k, m):
    """Of S (x) G from a sample, of the diagonal, and of S (x) G from all examples."""
    rows, codes, weight = make_problem(n_x, k, m)
    X = batches.Batches(lambda: np.array_split(rows, 3))
    settings = {"sample_weight": weight, "l2": 1e-3, "tol": 1e-3}
    assert_same(logreg_c.fit(X, codes, **settings), logreg_c.fit(rows.T, codes, **settings))


def test_y_of_any_form():
    X = batches.Batches(lambda: np.array_split(ROWS[:3000], 4))
    codes = CODES[:3000]
    expected = logreg_c.fit(ROWS[:3000].T, codes)
    for Y in codes.astype(np.uint8), codes.astype(np.uint64), np.eye(4)[codes].T, codes.tolist():
        assert_same(logreg_c.fit(X, Y), expected)
    two = (np.eye(2)[codes % 2]).T
    assert_same(logreg_c.fit(X, two), logreg_c.fit(ROWS[:3000].T, two))
    w, b = np.full((4, 6), 0.25), np.zeros(6)
    for Y in codes, codes > 1:
        J = logreg_c.cost_and_gradient(X, Y, w, b, l2=0.5)
        assert bits(*J) == bits(*logreg_c.cost_and_gradient(ROWS[:3000].T, Y, w, b, l2=0.5))
    named = batches.Batches(lambda: cut(COLUMNS | {"y": CODES.astype(np.uint32)}, 5000))
    assert logreg_c.fit(named, "y").w.shape == (4, 4)


def test_a_cache_and_a_checkpoint(tmp_path):
    pieces = cut(COLUMNS | {"y": CODES}, 3000)
    X = batches.Batches(lambda: pieces, cache=tmp_path / "cache")
    expected = logreg_c.fit(FEATURES, CODES, tol=1e-12)
    path = tmp_path / "run.npz"
    logreg_c.fit(FEATURES, CODES, tol=1e-12, callback=[lambda k, *_: k == 1, Checkpoint(path)])
    names = tuple(COLUMNS)
    found = logreg_c.fit(X, "y", tol=1e-12)
    assert_same(found, expected)
    assert found.feature_names == names
    unnamed = batches.Batches(lambda: np.array_split(ROWS, 5))
    assert_same(logreg_c.fit(unnamed, CODES, tol=1e-12, callback=Checkpoint(path)), expected)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1, -2], r"Y is -2 in row 2 .*expected 0, 1, .* as integers"),
        ([0.0, 1.0, 2.0], r"Y is 2\.0 in row 2 .*expected 0, 1, .* as integers"),
        ([0, 1, 5000], r"Y holds the integers 0 and 5000; expected classes 0, 1, .* at most 1024"),
    ],
)
def test_labels_that_are_no_classes(labels, words):
    X = batches.Batches(lambda: [{"x": [1.0, 2.0, 3.0], "y": labels}])
    with pytest.raises(ValueError, match=words):
        logreg_c.fit(X, "y")


def test_other_labels_in_a_later_batch():
    first = {"x": np.arange(5000.0), "y": np.arange(5000) % 3}
    X = batches.Batches(lambda: [first, {"x": [1.0], "y": [0.5]}])
    with pytest.raises((TypeError, ValueError), match=r"Y is .*expected"):
        logreg_c.fit(X, "y")
    whole = {"x": np.arange(2.0**21), "y": np.arange(2**21) % 3}
    X = batches.Batches(lambda: [whole, {"x": [1.0], "y": [0.5]}])
    with pytest.raises(TypeError, match=r"Y is float64 from row 2097152 .* on, and holds classes"):
        logreg_c.fit(X, "y")


def test_what_has_one_output():
    X = batches.Batches(lambda: [ROWS])
    w, b = np.zeros((4, 4)), np.zeros(4)
    with pytest.raises(TypeError, match=r"clusters are passed and X comes in batches"):
        logreg_c.inference(X, CODES, w, b, clusters=CODES)
    with pytest.raises(ValueError, match=r"firth is True and Y has several classes"):
        logreg_c.inference(X, CODES, w, b, firth=True)
    with pytest.raises(ValueError, match=r"w has 3 columns, and Y is not the classes 0 to 2"):
        logreg_c.fit(X, CODES, w=np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"firth is True and Y has several classes"):
        logreg_c.fit(X, CODES, firth=True)


@st.composite
def problems_in_batches(draw):
    m = draw(st.integers(1, 3000))
    k = draw(st.integers(3, 5))
    cuts = sorted(draw(st.lists(st.integers(0, m), max_size=4)))
    dtype = draw(st.sampled_from(["f8", "f4", "i2"]))
    rows, codes, weight = make_problem(draw(st.integers(1, 6)), k, m)
    return (4 * rows).astype(dtype), codes, draw(st.sampled_from([None, weight])), [0, *cuts, m]


@given(problems_in_batches())
@settings(max_examples=25)
@pytest.mark.filterwarnings("ignore::logreg_c.ConvergenceWarning")
@pytest.mark.long
def test_any_cut_has_the_bits_of_memory(drawn):
    rows, codes, weight, cuts = drawn
    if codes.max() <= 1:  # then these are labels of one output
        return
    X = batches.Batches(lambda: [rows[a:b] for a, b in pairwise(cuts)])
    goal = {"sample_weight": weight, "l2": 1e-2}
    assert_same(logreg_c.fit(X, codes, **goal), logreg_c.fit(rows.T, codes, **goal))
