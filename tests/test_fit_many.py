# SPDX-License-Identifier: BSD-3-Clause
"""`fit_many` makes every fit with the bits of its own `fit`, and says which found no minimum."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logreg_c


def make(n_x, m, k, seed=0, *, dtype=float):
    """Return X (k, n_x, m) and labels (k, m) with noise."""
    rng = np.random.default_rng(seed)
    X = (10 * rng.normal(size=(k, n_x, m))).astype(dtype)
    Z = 0.1 * np.einsum("j,kjm->km", rng.normal(size=n_x), X) + rng.logistic(size=(k, m))
    return X, (Z > 0).astype(np.uint8)


def assert_same(result, k, alone):
    """Fit k of many has the bits of its own fit."""
    assert result.w[k].tobytes() == alone.w.tobytes()
    assert result.b[k] == alone.b
    assert result.cost[k] == alone.costs[-1]
    assert result.gap[k] == alone.gap
    assert result.passes[k] == alone.passes
    assert result.stopped[k] == alone.stopped
    assert result.converged[k] == alone.converged


def assert_all_same(result, fits, **settings):
    assert len(result) == len(fits)
    for k, (X, Y, options) in enumerate(fits):
        assert_same(result, k, logreg_c.fit(X, Y, **options, **settings))


# ---- The bits of each fit ------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::logreg_c.ConvergenceWarning")
@settings(max_examples=40)
@given(
    n_x=st.integers(0, 40),
    m=st.one_of(st.integers(1, 70), st.integers(250, 1300)),
    k=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
    order=st.sampled_from("CF"),
    dtype=st.sampled_from([np.float64, np.float32, np.int8]),
    l2=st.sampled_from([0.0, 1e-3]),
    intercept=st.booleans(),
    n_threads=st.sampled_from([1, 2, 5]),
)
def test_a_stack(n_x, m, k, seed, order, dtype, l2, intercept, n_threads):
    X, Y = make(n_x, m, k, seed, dtype=dtype)
    if order == "F":
        X = np.ascontiguousarray(X.transpose(0, 2, 1)).transpose(0, 2, 1)
    options = {"l2": l2, "intercept": intercept}
    result = logreg_c.fit_many(X, Y, n_threads=n_threads, **options)
    assert_all_same(result, [(x, y, {}) for x, y in zip(X, Y, strict=True)], **options)


@pytest.mark.filterwarnings("ignore::logreg_c.ConvergenceWarning")
@settings(max_examples=40)
@given(
    n_x=st.integers(1, 20),
    m=st.integers(1, 400),
    n_groups=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
    example_major=st.booleans(),
    is_sorted=st.booleans(),
    weighted=st.booleans(),
    n_threads=st.sampled_from([1, 2, 5]),
)
def test_groups(n_x, m, n_groups, seed, example_major, is_sorted, weighted, n_threads):
    rng = np.random.default_rng(seed)
    (X,), (Y,) = make(n_x, m, 1, seed)
    X = np.asfortranarray(X) if example_major else X
    groups = rng.integers(0, n_groups, m)
    groups = np.sort(groups) if is_sorted else groups
    weights = rng.uniform(0.1, 3.0, m) if weighted else None
    result = logreg_c.fit_many(
        X, Y, groups=groups, sample_weight=weights, l2=1e-2, n_threads=n_threads
    )
    np.testing.assert_array_equal(result.groups, np.unique(groups))
    fits = []
    for group in result.groups:
        chosen = groups == group
        x = X.T[chosen].T if example_major else X.compress(chosen, axis=1)
        fits.append((x, Y[chosen], {"sample_weight": weights[chosen]} if weighted else {}))
    # one feature and one example are both orders at once: the slice of X decides
    if n_x > 1 and min(np.bincount(groups)[result.groups]) > 1:
        assert_all_same(result, fits, l2=1e-2)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_labels_weights_and_penalties_of_one_matrix(n_threads):
    rng = np.random.default_rng(1)
    (X,), (y,) = make(4, 150, 1)
    Y = np.where(rng.random((6, 150)) < 0.2, 1 - y, y)
    W = rng.multinomial(150, np.full(150, 1 / 150), size=6)
    l2 = np.geomspace(1e-3, 1, 6)
    options = {"n_threads": n_threads}
    fit_many = logreg_c.fit_many
    assert_all_same(fit_many(X, Y, **options), [(X, row, {}) for row in Y])
    assert_all_same(
        fit_many(X, y, sample_weight=W, **options), [(X, y, {"sample_weight": s}) for s in W]
    )
    assert_all_same(fit_many(X, y, l2=l2, **options), [(X, y, {"l2": a}) for a in l2])
    assert_all_same(
        fit_many(X, Y, sample_weight=list(W), l2=list(l2), **options),
        [(X, Y[k], {"sample_weight": W[k], "l2": l2[k]}) for k in range(6)],
    )
    assert_all_same(fit_many(list(X), Y, **options), [(list(X), row, {}) for row in Y])
    assert_all_same(fit_many(X, y), [(X, y, {})])


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_lists_of_unequal_sizes_and_types(n_threads):
    Xs, Ys = [], []
    for k, m in enumerate([30, 1000, 75, 4000, 200]):
        X, Y = make(6, m, 1, k, dtype=[float, np.float32, np.int16][k % 3])
        Xs.append(X[0] if k % 2 else np.asfortranarray(X[0]))
        Ys.append(Y[0])
    result = logreg_c.fit_many(Xs, Ys, l2=1e-3, n_threads=n_threads)
    assert_all_same(result, [(X, Y, {}) for X, Y in zip(Xs, Ys, strict=True)], l2=1e-3)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.long
def test_a_fit_that_all_threads_share(n_threads):
    sizes = [(2, 100), (2, 400_000), (2, 300), (2, 350_000)]
    data = [make(*size, 1, k) for k, size in enumerate(sizes)]
    Xs, Ys = [X[0] for X, _ in data], [Y[0] for _, Y in data]
    result = logreg_c.fit_many(Xs, Ys, n_threads=n_threads)
    assert_all_same(result, [(X, Y, {}) for X, Y in zip(Xs, Ys, strict=True)])


@pytest.mark.parametrize("order", ["C", "F", "columns"])
@pytest.mark.long
def test_large_fits_of_one_matrix_share_its_passes(order):
    rng = np.random.default_rng(0)
    (X,), (y,) = make(3, 270_000, 1)
    X = list(X) if order == "columns" else np.asarray(X, order=order)
    Y = np.where(rng.random((18, y.size)) < 0.2, 1 - y, y)  # more than share a pass
    W = rng.random((18, y.size)) < 0.8
    l2 = np.geomspace(1e-3, 1, 18)
    result = logreg_c.fit_many(X, Y, sample_weight=W, l2=l2, n_threads=2)
    fits = [(X, Y[k], {"sample_weight": W[k], "l2": l2[k]}) for k in range(18)]
    assert_all_same(result, fits)


def test_more_steps_than_are_taken_at_once():
    X, Y = make(40, 60, 3)
    options = {"l2": 1e-12, "tol": 0.0, "intercept": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for max_passes in (1, 2, 5, 1000):
            result = logreg_c.fit_many(X, Y, max_passes=max_passes, **options)
            fits = [(x, y, {}) for x, y in zip(X, Y, strict=True)]
            assert_all_same(result, fits, max_passes=max_passes, **options)


def test_tiny_and_huge_weights_count_as_in_a_fit():
    (X,), (Y,) = make(3, 80, 1)
    groups = np.repeat([0, 1], 40)
    weights = np.where(groups == 0, 1e-300, 1e300)
    result = logreg_c.fit_many(X, Y, groups=groups, sample_weight=weights, l2=0.1)
    halves = [slice(40), slice(40, None)]
    fits = [(X[:, half], Y[half], {"sample_weight": weights[half]}) for half in halves]
    assert_all_same(result, fits, l2=0.1)


def test_a_stack_without_a_unit_stride_is_copied():
    X, Y = make(4, 100, 3)
    apart = np.repeat(np.repeat(X, 2, axis=1), 2, axis=2)[:, ::2, ::2]
    assert_all_same(
        logreg_c.fit_many(apart, Y, l2=0.1), [(X[k], Y[k], {}) for k in range(3)], l2=0.1
    )


def test_frames_of_groups():
    pd = pytest.importorskip("pandas")
    (X,), (Y,) = make(3, 90, 1)
    frame = pd.DataFrame(X.T, columns=["a", "b", "c"])
    groups = pd.Series(np.tile(["x", "y", "z"], 30))
    result = logreg_c.fit_many(frame, pd.Series(Y), groups=groups, l2=0.1)
    assert result.feature_names == ("a", "b", "c")
    fits = [(frame[groups == g], Y[groups == g], {}) for g in "xyz"]
    assert_all_same(result, fits, l2=0.1)
    parts = [frame[groups == g] for g in "xyz"]
    again = logreg_c.fit_many(parts, [Y[groups == g] for g in "xyz"], l2=0.1)
    assert again.w.tobytes() == result.w.tobytes()
    assert again.feature_names == ("a", "b", "c")


# ---- Fits without a minimum ----------------------------------------------------------------------


def test_one_warning_names_the_first_of_those_without_a_minimum():
    X, Y = make(2, 100, 5)
    Y[1] = 1
    Y[3] = X[3, 0] > 0
    with pytest.warns(logreg_c.ConvergenceWarning) as caught:
        result = logreg_c.fit_many(X, Y)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith("2 of 5 fits ended without the minimum")
    assert "The first is fit 1: a plane separates the classes" in message
    assert result.stopped.tolist() == ["tol", "separated", "tol", "separated", "tol"]
    assert result.converged.tolist() == [True, False, True, False, True]


def test_the_first_group_is_named():
    (X,), (Y,) = make(2, 100, 1)
    groups = np.repeat(["left", "right"], 50)
    Y[50:] = 0
    with pytest.warns(logreg_c.ConvergenceWarning, match="The first is group 'right': all labels"):
        logreg_c.fit_many(X, Y, groups=groups, l2=0.1)


def test_a_fit_that_overflows_leaves_the_others():
    X, Y = make(2, 100, 3)
    X[1] *= 1e200
    with pytest.warns(logreg_c.ConvergenceWarning, match=r"1 of 3 fits .* fit 1: J, its gradient"):
        result = logreg_c.fit_many(X, Y, l2=0.1)
    assert result.stopped.tolist() == ["tol", "overflow", "tol"]
    assert np.isnan(result.w[1]).all()
    assert np.isnan([result.b[1], result.cost[1]]).all()
    for k in (0, 2):
        assert_same(result, k, logreg_c.fit(X[k], Y[k], l2=0.1))


def test_nan_is_found():
    X, Y = make(2, 100, 3)
    X[1, 1, 7] = np.nan
    with pytest.raises(ValueError, match=r"^fit 1: X holds NaN or infinity.*\(1, 7\)"):
        logreg_c.fit_many(X, Y)


@pytest.mark.parametrize("order", ["C", "F"])
def test_nan_is_found_where_no_fit_has_weight(order):
    (X,), (y,) = make(5, 210_000, 1)  # enough values for the fits to share passes
    X = np.asarray(X, order=order)
    W = np.ones((2, y.size), np.bool_)
    W[:, : y.size // 2] = False  # whole segments
    X[2, 50_000] = np.nan
    with pytest.raises(ValueError, match=r"^fit 0: X holds NaN or infinity.*\(2, 50000\)"):
        logreg_c.fit_many(X, y, sample_weight=W)


# ---- What is refused -----------------------------------------------------------------------------

X, Y = make(2, 6, 3)
ONES = np.ones(6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, Y[:2]), "Y is for 2 fits and X for 3; expected as many of each"),
        ((X, [1, 0]), r"fit 0: Y has shape \(2,\) and X \(2, 6\)"),
        ((X, Y + 1), "fit 0: Y is 2 at example"),
        ((X[:0], Y), r"X has shape \(0, 2, 6\); expected \(k, n_x, m\)"),
        ((X[:, :, :0], Y), "at least one fit of one example"),
        (([X[0], X[1, :1]], Y[:2]), r"X\[1\] is X \(1, 6\) and X\[0\] is X \(2, 6\)"),
        (([X[0], [["a"] * 6] * 2], Y[:2]), "fit 1: X has dtype"),
        ((X, Y[0][:, None]), "X is for 3 fits and Y for 6"),
    ],
)
def test_data_that_do_not_fit(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        logreg_c.fit_many(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": [0, 1]}, r"groups has the shape \(2,\); expected \(6,\)"),
        ({"groups": [0, 0, 0, 1, 1, np.nan]}, "groups holds NaN"),
        ({"groups": [0, 0, 0, 1, 1, None]}, "groups cannot be sorted"),
        ({"groups": [0, 0, 0, 1, 1, 1], "l2": [1, 2, 3]}, "l2 is for 3 fits and groups for 2"),
        (
            {"groups": [0, 0, 0, 1, 1, 1], "sample_weight": [1, 1, 1, 0, 0, 0]},
            "group 1: sample_weight is zero",
        ),
        ({"sample_weight": [ONES, 0 * ONES]}, "fit 1: sample_weight is zero"),
        ({"sample_weight": [ONES, -ONES]}, "fit 1: sample_weight is -1.0 at example 0"),
        ({"l2": [0.1, -1.0]}, r"l2\[1\] is -1.0; expected a finite number >= 0"),
        ({"l2": [[0.1]]}, r"l2 has shape \(1, 1\)"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"max_passes": 0}, "max_passes is 0"),
        ({"intercept": 1}, "intercept is 1"),
        ({"n_threads": 0}, "n_threads is 0"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        logreg_c.fit_many(X[0], Y[0], **options)


# ---- The result ----------------------------------------------------------------------------------


def test_the_result():
    X, Y = make(2, 200, 3)
    result = logreg_c.fit_many(X, Y, l2=0.1)
    passes = result.passes.sum()
    assert repr(result) == f"<FitManyResult fits: 3, features: 2, converged: 3, passes: {passes}>"
    assert result.groups is None
    again = pickle.loads(pickle.dumps(result))
    assert again.w.tobytes() == result.w.tobytes()
    A = logreg_c.sigmoid(result.w @ X[0] + result.b[:, None])
    assert A.shape == (3, 200)


# ---- What generated calls have found -------------------------------------------------------------


def test_a_stack_in_any_order_of_axes():
    X = np.random.default_rng(5).normal(size=(88, 12, 3))
    Y = np.random.default_rng(6).integers(0, 2, (3, 12))
    for stack in (X.T.swapaxes(1, 2), X.astype(">f8").T.swapaxes(1, 2), X.swapaxes(0, 2)):
        y = Y if stack.shape[2] == 12 else np.zeros((3, 88), int)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = logreg_c.fit_many(stack, y, l2=1e-2)
            assert_all_same(
                result, [(x, row, {}) for x, row in zip(stack, y, strict=True)], l2=1e-2
            )


class Unreadable:
    """An object that NumPy cannot make an array of."""

    def __array__(self, dtype=None, copy=None):
        return "array"


@pytest.mark.parametrize("name", ["l2", "Y", "sample_weight", "groups"])
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x]])
def test_what_is_no_array_is_named(name, wrap):
    arguments = {"X": [[0.5, 1.5, 2.5, 3.5]], "Y": [0, 1, 0, 1], name: wrap(Unreadable())}
    with pytest.raises((TypeError, ValueError), match=name):
        logreg_c.fit_many(**arguments)


def test_the_feature_that_overflows_is_named():
    X, Y = make(2, 100, 3)
    X[2, 1] *= 1e-160
    with pytest.warns(logreg_c.ConvergenceWarning, match=r"1 of 3 .* fit 2: .* divide feature 1"):
        result = logreg_c.fit_many(X, Y)
    assert result.stopped.tolist() == ["tol", "tol", "overflow"]
