# SPDX-License-Identifier: BSD-3-Clause
"""Several classes: `train`, `fit` and predictions against the formulas, and identities."""

import doctest
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import LAYOUTS, bits, run_python

import logreg_c
from logreg_c import _input, _kernel, reference
from logreg_c._objective import SoftmaxObjective
from logreg_c._solvers.softmax_factor import Diagonal, eigen
from logreg_c.callbacks import Checkpoint, EarlyStopping

LD = np.longdouble


def make(n_x, m, k, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_x, m))
    Z = rng.normal(size=(n_x, k)).T @ X / max(n_x, 1) ** 0.5 + rng.normal(size=(k, 1))
    Y = (Z + rng.gumbel(size=(k, m))).argmax(0)
    Y[: min(k, m)] = np.arange(min(k, m))
    return X * scale, Y


def exact(X, Y, w, b, l2, s):
    """Return J, dw, db and A in long double."""
    X = np.asarray([np.asarray(x, np.float64) for x in X], LD).reshape(len(w), len(Y))
    Z = w.astype(LD).T @ X + b.astype(LD)[:, None]
    E = np.exp(Z - Z.max(0))
    A = E / E.sum(0)
    i = np.arange(len(Y))
    others = E.sum(0) - 1
    of_class = Z.max(0) - Z[Y, i]
    J = s @ (of_class + np.log1p(others)) / s.sum() + LD(l2) / 2 * (w.astype(LD) ** 2).sum()
    dZ = (A - (np.arange(len(b))[:, None] == Y)) * s
    return J, X @ dZ.T / s.sum() + LD(l2) * w, dZ.sum(1) / s.sum(), A


@pytest.mark.sampled(46)
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize(("n_x", "m", "k"), [(0, 5, 3), (3, 200, 2), (9, 130, 8), (20, 700, 5)])
@pytest.mark.parametrize("least", [0.0, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_hessian_is_that_of_the_formula(weighted, least, n_x, m, k, layout):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_x, m))
    A = rng.dirichlet(np.full(k, 0.3), m)
    s = rng.random(m) if weighted else None
    centre = rng.normal(size=n_x)
    examples = _input.examples(LAYOUTS[layout](X), None)
    H = SoftmaxObjective(examples, None, None, 2).softmax_hessian(A, s, centre, least=least)
    x = np.vstack([X - centre[:, None], np.ones(m)])
    expected = np.zeros_like(H)
    for a in range(k):
        for b in range(a):
            h = A[:, a] * A[:, b] * (1.0 if s is None else s)
            h = np.where(h < least * h.mean(), 0.0, h)
            of_pair = np.zeros((k, k))
            of_pair[[a, b, a, b], [a, b, b, a]] = 1, 1, -1, -1
            expected += np.einsum("kl,ij->kilj", of_pair, (x * h) @ x.T)
    size = k * (n_x + 1)
    lower = np.tril(np.ones((size, size), bool))
    found, expected = H.reshape(size, size)[lower], expected.reshape(size, size)[lower]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * m)


@settings(max_examples=60)
@given(
    n_x=st.sampled_from([0, 1, 3, 8, 9, 70, 600]),
    m=st.sampled_from([1, 2, 7, 8, 9, 129, 1000]),
    k=st.sampled_from([2, 3, 8, 9, 16, 17]),
    layout=st.sampled_from(sorted(LAYOUTS)),
    dtype=st.sampled_from(["f8", "f4", "f2", "i1", "u1", "?", "i2", "i8"]),
    weighted=st.booleans(),
    size=st.sampled_from([0.1, 3.0, 60.0]),
    seed=st.integers(0, 99),
)
@pytest.mark.long
def test_cost_and_gradient_are_those_of_the_formulas(
    n_x, m, k, layout, dtype, weighted, size, seed
):
    rng = np.random.default_rng(seed)
    X = LAYOUTS[layout]((rng.normal(size=(n_x, m)) * 3).astype(dtype))
    Y = rng.integers(0, k, m)
    w, b = rng.normal(size=(n_x, k)) * size / max(n_x, 1) ** 0.5, rng.normal(size=k)
    s = rng.integers(1, 5, m).astype(float) if weighted else None
    found = []
    for n_threads in 1, 3:
        dw, db = np.empty_like(w), np.empty_like(b)
        problem = _kernel.Problem(X, Y.astype(np.int32), s, n_threads, False)
        status, J = _kernel.softmax_cost_and_gradient(problem, w, b, 0.1, dw, db)
        assert status == _kernel.OK
        found.append(bits(J, dw, db))
    assert found[0] == found[1]
    J_exact, dw_exact, db_exact, A_exact = exact(X, Y, w, b, 0.1, np.ones(m) if s is None else s)
    blur = 2.0**-50 * (1 + np.abs(w).sum(0) @ np.ones(k) * 10)
    assert abs(J - J_exact) <= blur * (1 + abs(J_exact))
    np.testing.assert_allclose(dw, dw_exact.astype(float), rtol=0, atol=blur * 100)
    np.testing.assert_allclose(db, db_exact.astype(float), rtol=0, atol=blur * 10)
    A = np.empty((m, k))
    assert _kernel.softmax_predict(problem, w, b, True, A) == _kernel.OK
    np.testing.assert_allclose(A.T, A_exact.astype(float), rtol=blur * 100, atol=1e-300)
    np.testing.assert_allclose(A.sum(1), 1.0, rtol=1e-14)


@pytest.mark.parametrize("k", [2, 3, 9])
def test_train_is_the_reference(k):
    X, Y = make(5, 400, k)
    one_hot = np.eye(k)[Y].T
    expected = reference.train_softmax(X, one_hot, 0.3, 50)
    found = logreg_c.train(X, one_hot, 0.3, 50)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)
    assert (found.w.shape, found.b.shape) == ((5, k), (k, 1))
    if k > 2:
        assert bits(*logreg_c.train(X, Y, 0.3, 50)) == bits(*found)
    again = logreg_c.train(X, one_hot, 0.3, 20, w=found.w, b=found.b)
    assert bits(again.w, again.b) == bits(*logreg_c.train(X, one_hot, 0.3, 70)[:2])


def test_w_says_how_many_classes_there_are():
    X, Y = make(5, 400, 3)
    some = Y < 2
    w, b, _ = logreg_c.train(X, Y, 0.3, 10)
    J, dw, db = logreg_c.cost_and_gradient(X[:, some], Y[some], w, b)
    expected = exact(X[:, some], Y[some], w, b.ravel(), 0.0, np.ones(some.sum()))
    for ours, theirs in zip((J, dw, db[:, 0]), expected, strict=False):
        np.testing.assert_allclose(ours, theirs.astype(float), rtol=1e-12, atol=1e-14)
    found = logreg_c.train(X[:, some], Y[some], 0.3, 1, w=w, b=b)
    np.testing.assert_allclose(found.w, w - 0.3 * dw, rtol=1e-14)


def test_standardize_descends_on_standardized_features():
    X, Y = make(5, 400, 3, scale=np.array([1e-3, 1.0, 30.0, 1.0, 1e4])[:, None])
    X[1] += 100.0
    X[3] = 7.0  # constant: keeps its weight
    s = np.random.default_rng(0).integers(1, 3, 400)
    mean = np.average(X, axis=1, weights=s)[:, None]
    sd = np.sqrt(np.average((X - mean) ** 2, axis=1, weights=s))[:, None]
    sd[3] = 1.0
    shared = {"alpha": 0.5, "iters": 30, "l2": 0.01, "sample_weight": s}
    expected = logreg_c.train((X - mean) / sd, Y, **shared)
    found = logreg_c.train(X, Y, standardize=True, **shared)
    np.testing.assert_allclose(found.costs, expected.costs, rtol=1e-11)
    np.testing.assert_allclose(found.w * sd, expected.w, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(found.b + found.w.T @ mean, expected.b, rtol=1e-8, atol=1e-11)
    assert not found.w[3].any()
    half = logreg_c.train(X, Y, **shared | {"iters": 15}, standardize=True)
    again = logreg_c.train(X, Y, **shared | {"iters": 15}, standardize=True, w=half.w, b=half.b)
    assert bits(again.w, again.b) == bits(found.w, found.b)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_the_cost_falls_at_every_iteration_with_the_alpha_that_auto_finds(standardize, l2):
    X, Y = make(6, 300, 4, scale=np.logspace(-1, 2, 6)[:, None])
    w = np.random.default_rng(0).normal(size=(6, 4))
    shared = {"iters": 200, "l2": l2, "standardize": standardize}
    found = logreg_c.train(X, Y, "auto", w=w, b=np.zeros(4), **shared)
    assert (np.diff(found.costs) <= 1e-14 * found.costs[0]).all()
    features = (X - X.mean(1)[:, None]) / X.std(1)[:, None] if standardize else X
    x = np.vstack([features, np.ones(300)])
    largest = np.linalg.eigvalsh(x @ x.T / 300)[-1] / 2  # half of it: the most that softmax has
    assert 0.7 / (largest + l2) < found.alpha <= 1 / (largest + l2)


def test_a_rising_cost_is_told():
    X, Y = make(4, 300, 3)
    with pytest.warns(logreg_c.DivergenceWarning, match="choose alpha below 50, such as 'auto'"):
        logreg_c.train(X, Y, 50.0, 30)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_passes_than_allowed(most, monkeypatch):
    monkeypatch.setattr("logreg_c._solvers.softmax.LARGEST_SAMPLE", 0.5)
    X, Y = make(4, 4000, 3)
    with pytest.warns(logreg_c.ConvergenceWarning, match="pass a larger"):
        found = logreg_c.fit(X, Y, tol=0.0, max_passes=most)
    assert (found.passes, found.stopped) == (most, "passes")


def test_two_classes_as_rows_are_the_logistic_regression_of_their_difference():
    X, Y = make(4, 500, 2)
    both = logreg_c.fit(X, np.eye(2)[Y].T, l2=0.02)
    one = logreg_c.fit(X, Y, l2=0.01)  # |w/2|^2 twice
    np.testing.assert_allclose(both.w[:, 1:] - both.w[:, :1], one.w, rtol=1e-4, atol=1e-6)
    A = logreg_c.predict_proba(X, both.w, both.b)
    np.testing.assert_allclose(A[1:], logreg_c.predict_proba(X, one.w, one.b), atol=1e-5)


@pytest.mark.parametrize(("n_x", "m", "k"), [(3, 60, 3), (12, 4000, 4), (30, 200, 12), (0, 50, 3)])
@pytest.mark.parametrize("l2", [0.0, 1e-3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.sampled(3)
def test_the_gradient_is_0_at_the_minimum(n_x, m, k, l2, weighted):
    X, Y = make(n_x, m, k, scale=np.logspace(-2, 3, n_x)[:, None] if n_x else 1.0)
    if l2 == 0.0 and m < 10 * n_x * k:
        l2 = 1e-6  # the classes are separated
    s = np.random.default_rng(1).integers(0, 4, m).astype(float) if weighted else None
    found = logreg_c.fit(X, Y, l2=l2, sample_weight=s, tol=1e-10)
    assert found.converged
    J, dw, db, _ = exact(X, Y, found.w, found.b.ravel(), l2, np.ones(m) if s is None else s)
    assert found.costs[-1] == pytest.approx(float(J), rel=1e-12)
    sd = X.std(1)[:, None] if n_x else 1.0
    assert np.abs(dw / sd).max(initial=0) < 1e-5
    assert np.abs(db).max() < 1e-5
    scale = np.abs(found.w).max(initial=1.0)
    np.testing.assert_allclose(found.w.sum(1), 0.0, atol=1e-6 * scale)


def test_many_parameters_take_the_kronecker_factor(monkeypatch):
    X, Y = make(10, 3000, 5)
    dense = logreg_c.fit(X, Y, l2=1e-3, tol=1e-11)
    monkeypatch.setattr("logreg_c._solvers.softmax_factor.DENSE", 1)
    other = logreg_c.fit(X, Y, l2=1e-3, tol=1e-11)
    assert other.converged
    np.testing.assert_allclose(other.w, dense.w, atol=1e-5)


def test_samples_come_first(monkeypatch):
    X, Y = make(4, 20_000, 3)
    whole = logreg_c.fit(X, Y)
    monkeypatch.setattr("logreg_c._solvers.softmax.LARGEST_SAMPLE", 0.0)
    sampled = logreg_c.fit(X, Y)
    np.testing.assert_allclose(sampled.w, whole.w, atol=1e-4)


@pytest.mark.parametrize("collinear", [False, True])
def test_without_an_intercept_and_with_features_that_add_nothing(collinear):
    X, Y = make(4, 500, 3)
    if collinear:
        X = np.vstack([X, X[:1] + X[1:2], np.ones((1, 500)), np.zeros((1, 500))])
    found = logreg_c.fit(X, Y, intercept=False)
    assert found.converged
    assert not found.b.any()
    _, dw, _, _ = exact(X, Y, found.w, np.zeros(3), 0.0, np.ones(500))
    assert np.abs(dw).max() < 1e-4


@pytest.mark.parametrize("dtype", ["f4", "i1", "?"])
def test_weights_of_any_type_are_those_of_float64(dtype):
    X, Y = make(11, 40, 5, seed=3)
    weight = (np.arange(40) % 3 > 0).astype(dtype)
    found, expected = (
        logreg_c.fit(X, Y, l2=0.3, sample_weight=w) for w in (weight, weight.astype("f8"))
    )
    assert bits(found.w) == bits(expected.w)


def test_a_large_value_in_one_example_ends_at_the_minimum_too():
    """Its curvature falls to nothing as its class becomes certain, and J hardly shows it."""
    _, Y = make(3, 127, 4, seed=5)
    rng = np.random.default_rng(5)
    X = np.zeros((3, 127))
    for x in X[1:]:
        x[rng.choice(127, 2)] = rng.normal(size=2)
    X[0, 60] = 332.5
    result, nearer = (logreg_c.fit(X, Y, l2=0.0333, tol=tol) for tol in (1e-9, 1e-14))
    assert result.costs[-1] - nearer.costs[-1] <= 4e-9 * nearer.costs[-1]


def test_separated_classes_say_so():
    X = np.repeat(np.eye(3), 20, 1)
    Y = np.repeat(np.arange(3), 20)
    with pytest.warns(logreg_c.ConvergenceWarning, match="planes separate the classes"):
        assert logreg_c.fit(X, Y).stopped == "separated"
    assert logreg_c.fit(X, Y, l2=0.01).converged


def test_examples_of_one_class_have_no_minimum_even_with_a_penalty():
    with pytest.warns(logreg_c.ConvergenceWarning, match="all labels are alike"):
        result = logreg_c.fit(np.ones((1, 3)), [2, 2, 2], l2=0.1)
    assert result.stopped == "separated"
    assert logreg_c.fit(np.ones((1, 3)), [2, 2, 2], l2=0.1, intercept=False).converged


@pytest.mark.sampled(11)
@pytest.mark.parametrize("tol", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("l2", [0.0, 0.76])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("absent", [[0], [1, 3], [0, 1, 4]])
def test_the_gap_counts_what_classes_without_examples_leave(absent, weighted, l2, tol):
    X, live = make(3, 300, 3)
    classes = np.setdiff1d(np.arange(3 + len(absent)), absent)
    Y, weights = classes[live], np.ones(300)
    if weighted or absent[-1] > classes[-1]:  # the last class needs an example
        X, Y = np.hstack([X, X[:, : len(absent)]]), np.append(Y, absent)
        weights = np.append(weights, np.zeros(len(absent)))
    least = logreg_c.fit(X[:, :300], live, l2=l2, tol=1e-14).costs[-1]
    for start in None, np.zeros(3 + len(absent)):
        found = logreg_c.fit(X, Y, l2=l2, tol=tol, sample_weight=weights, b=start)
        assert found.converged
        assert 0.0 <= found.gap <= tol
        assert (found.costs[-1] - least) / least <= 2 * found.gap + 1e-14


@pytest.mark.parametrize("share", [1e-13, 1e-10, 1e-7])
def test_the_gap_counts_what_a_class_of_little_weight_leaves(share):
    weights = np.array([0.3, 0.7 - share, share])
    least = -(weights * np.log(weights)).sum()
    found = logreg_c.fit(np.zeros((2, 3)), [0, 1, 2], l2=1.0, sample_weight=weights)
    assert (found.costs[-1] - least) / least <= 2 * found.gap + 1e-14


def test_a_b_that_stays_costs_no_passes():
    X, Y = make(6, 400, 4)
    X[0] += 30.0  # b would make up for it
    found = logreg_c.fit(X, Y, intercept=False, l2=1e-4)
    assert found.converged
    assert found.passes <= 10
    _, dw, _, _ = exact(X, Y, found.w, np.zeros(4), 1e-4, np.ones(400))
    assert np.abs(dw).max() < 1e-3


def test_a_penalty_is_that_of_weights_that_sum_to_0_whatever_the_start():
    X, Y = make(3, 200, 3)
    w = np.full((3, 3), 0.3) + 0.01 * np.eye(3)
    found = logreg_c.fit(X, Y, w=w, l2=1e-5)
    own = logreg_c.fit(X, Y, l2=1e-5)
    assert found.costs[-1] == pytest.approx(own.costs[-1], rel=2e-9)
    np.testing.assert_allclose(found.w.sum(1), 0.0, atol=1e-11)


@pytest.mark.parametrize("m", [30, 4000])
def test_a_b_that_is_given_stays(m):
    X, Y = make(2, m, 3)
    b = np.array([0.5, -1.0, 0.0])
    found = logreg_c.fit(X, Y, b=b, intercept=False, l2=0.01)
    assert found.converged
    assert found.b[:, 0].tolist() == b.tolist()
    _, dw, _, _ = exact(X, Y, found.w, b, 0.01, np.ones(m))
    assert np.abs(dw).max() < 1e-4


def test_a_b_that_stays_does_not_hide_that_planes_do_not_separate():
    X = np.array([[1.0, -1.0, 1.0, -1.0]])
    b = [40.0, 0.0, 0.0]
    assert logreg_c.fit(X, [0, 0, 0, 0], w=np.zeros((1, 3)), b=b, intercept=False).converged


def test_nearly_separated_classes_with_features_of_all_scales():
    rng = np.random.default_rng(9)
    X = rng.standard_normal((64, 100)) * 10.0 ** rng.integers(-6, 7, (64, 1))
    Y = rng.integers(0, 3, 100)
    result = logreg_c.fit(X, Y, l2=1e-7, tol=1e-12)
    assert result.converged
    assert result.passes < 700


def test_a_frame_gives_its_names_and_takes_its_columns_by_name():
    pd = pytest.importorskip("pandas")
    X, Y = make(3, 300, 3)
    frame = pd.DataFrame(X.T, columns=["a", "b", "c"])
    found = logreg_c.fit(frame, pd.Series(Y), l2=0.01)
    assert found.w.feature_names == ("a", "b", "c")
    assert bits(found.w) == bits(logreg_c.fit(X, Y, l2=0.01).w)
    shuffled = frame[["c", "a", "b"]]
    expected = logreg_c.predict_proba(X, np.asarray(found.w), found.b)
    np.testing.assert_array_equal(logreg_c.predict_proba(shuffled, found.w, found.b), expected)
    labels = logreg_c.predict(shuffled, found.w, found.b)
    assert (labels.shape, labels.dtype) == ((1, 300), np.int64)
    np.testing.assert_array_equal(labels[0], expected.argmax(0))


def test_callbacks_see_all_classes_and_can_end_it():
    X, Y = make(3, 300, 3)
    seen = []

    def look(k, cost, w, b):
        seen.append((k, cost, w.shape, b.shape))
        return k == 2

    found = logreg_c.fit(X, Y, callback=look)
    assert found.stopped == "callback"
    assert [shape for _, _, *shape in seen] == [[(3, 3), (3, 1)]] * 3
    assert [cost for _, cost, _, _ in seen] == found.costs.tolist()
    found = logreg_c.train(X, Y, 0.1, 10, callback=look)
    assert (found.stopped, len(found.costs)) == ("callback", 3)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", ["fit", "train"])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_checkpoint_resumes_bit_for_bit(tmp_path, kind, after):
    X, Y = make(4, 3000, 3)
    arguments = (X, Y) if kind == "fit" else (X, Y, 0.1, 12)
    call = getattr(logreg_c, kind)
    expected = call(*arguments, l2=1e-5)
    path = tmp_path / "run.npz"
    stop = [lambda k, *_: k == after, Checkpoint(path, seconds=0)]
    assert call(*arguments, l2=1e-5, callback=stop).stopped == "callback"
    found = call(*arguments, l2=1e-5, callback=Checkpoint(path))
    assert bits(*found) == bits(*expected)


def test_early_stopping_keeps_the_best_of_all_classes():
    X, Y = make(30, 200, 3)
    held_out, rest = slice(0, 60), slice(60, None)
    stopping = EarlyStopping(X[:, held_out], Y[held_out], patience=3)
    found = logreg_c.train(X[:, rest], Y[rest], 2.0, 2000, callback=stopping)
    assert found.stopped == "callback"
    assert (stopping.w.shape, stopping.b.shape) == ((30, 3), (3, 1))
    assert (
        stopping.cost
        == logreg_c.cost_and_gradient(X[:, held_out], Y[held_out], stopping.w, stopping.b)[0]
    )
    with pytest.raises(ValueError, match="held-out data of EarlyStopping: Y"):
        logreg_c.train(X, Y, 0.1, 5, callback=EarlyStopping(X, Y + 1))


@pytest.mark.parametrize(
    ("Y", "settings", "words"),
    [
        ([[0, 1, 1], [1, 0, 0.5]], {}, "example 2 has .1.0, 0.5.; expected one 1"),
        ([0, -1, 2], {}, "integers -1 and 2; expected classes 0, 1"),
        ([0, 7, 500_000], {}, "integers 0 and 500000; expected classes 0, 1.*at most 1024"),
        ([0, 1, 2], {"w": np.zeros((3, 2))}, "Y holds 0 to 2 and w has 2 columns; expected"),
        ([[0, 1, 0], [1, 0, 1]], {"w": np.zeros((3, 3))}, "which of 3 classes each of the 3"),
        ([0, 1, 2], {"b": 1.0}, "b is 1.0 and there are 3 classes; expected 3 values"),
        ([0, 1, 2], {"firth": True}, "firth is True and Y has several classes"),
    ],
)
def test_bad_input_is_refused_with_the_reason(Y, settings, words):
    with pytest.raises(ValueError, match=words):
        logreg_c.fit(np.eye(3), Y, **settings)


def test_probabilities_of_classes_are_examples_with_weights_as_the_message_says():
    X, _ = make(4, 50, 3)
    Y = np.random.default_rng(0).dirichlet(np.ones(3), 50).T
    with pytest.raises(ValueError, match="probabilities, pass the examples 3 times"):
        logreg_c.inference(X, Y, np.zeros((4, 3)), np.zeros(3))
    classes = np.repeat(np.arange(3), 50)
    fitted = logreg_c.fit(np.tile(X, 3), classes, sample_weight=Y.ravel(), l2=0.1, tol=1e-12)
    dZ = logreg_c.predict_proba(X, fitted.w, fitted.b) - Y
    np.testing.assert_allclose(X @ dZ.T / 50, -0.1 * fitted.w, atol=1e-7)
    np.testing.assert_allclose(dZ.mean(1), 0.0, atol=1e-7)


def test_nan_in_x_is_named():
    X, Y = make(3, 300, 3)
    X[1, 7] = np.nan
    with pytest.raises(ValueError, match=r"X\[1, 7\]"):
        logreg_c.fit(X, Y)


def test_a_descent_that_leaves_the_range_says_so():
    X, Y = make(3, 300, 3, scale=1e200)
    with pytest.raises(logreg_c.DivergenceError, match="choose alpha below"):
        logreg_c.train(X, Y, 1e200, 10)


SAME = """
import numpy as np, logreg_c, hashlib
rng = np.random.default_rng(0)
X = rng.normal(size=(9, 5000)); Y = (X[:4] + rng.gumbel(size=(4, 5000))).argmax(0)
found = [logreg_c.fit(X, Y, l2=1e-4, n_threads={threads}), logreg_c.train(X, Y, 0.1, 5)]
print(hashlib.sha256(b"".join(np.asarray(v).tobytes() for r in found for v in r)).hexdigest())
"""


@pytest.mark.long
def test_the_bits_do_not_depend_on_threads_or_instruction_set():
    best = logreg_c.show_config()["isa"]
    hashes = {
        run_python(SAME.format(threads=threads), LOGREG_C_ISA=isa)
        for isa, threads in (("baseline", 1), ("baseline", 2), (best, 3), (best, 5))
    }
    assert len(hashes) == 1


def test_examples_of_the_reference():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert doctest.testmod(reference).failed == 0


@pytest.mark.parametrize("n", range(1, 8))
def test_eigenvectors_make_the_matrix(n):
    """Also where pairs of rows have nothing in common."""
    rng = np.random.default_rng(n)
    M = rng.standard_normal((n, n))
    S = M @ M.T * (rng.random((n, n)) < 0.7)
    S = np.tril(S) + np.tril(S, -1).T
    values, V = eigen(S)
    np.testing.assert_allclose(V @ np.diag(values) @ V.T, S, atol=1e-8 * np.abs(S).max())
    np.testing.assert_allclose(V.T @ V, np.eye(n), atol=1e-12)


@pytest.mark.parametrize("fixed_b", [False, True])
@pytest.mark.parametrize("unit", [1.0, 2.0**-30])
def test_the_diagonal_is_that_of_the_hessian(fixed_b, unit):
    rng = np.random.default_rng(5)
    X, Y = 3.0 + rng.standard_normal((4, 50)), rng.integers(0, 3, 50)
    objective = SoftmaxObjective(_input.examples(unit * X, None), Y.astype(np.int32), None, 1)
    theta, gradient = rng.standard_normal((2, 5, 3))
    theta[:-1] /= unit
    Z = X.T @ (unit * theta[:-1]) + theta[-1]
    A = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    mu, d = X.mean(1), (A * (1.0 - A)).mean(0)
    D = (X - mu[:, np.newaxis] * (not fixed_b)) ** 2 @ (A * (1.0 - A)) / 50
    step = gradient.copy()
    step[:-1] = gradient[:-1] / unit - mu[:, np.newaxis] * gradient[-1] * (not fixed_b)
    for k in range(3):
        H = np.diag(D[:, k]) + d[k] * fixed_b * np.outer(mu, mu)  # where b stays, also along mu
        step[:-1, k] = np.linalg.solve(H, step[:-1, k])
    step[-1] = 0.0 if fixed_b else gradient[-1] / d - mu @ step[:-1]
    step[:-1] /= unit
    found = Diagonal(objective, theta, 0.0, total=50.0, fixed_b=fixed_b)
    np.testing.assert_allclose(found.solve(gradient), step, rtol=1e-9)


@pytest.mark.parametrize("mean", [0.0, 3.0])
def test_a_mean_that_is_noise_has_no_curvature_of_its_own(mean):
    rng = np.random.default_rng(5)
    X, Y = mean + rng.standard_normal((100, 20)), rng.integers(0, 3, 20)
    objective = SoftmaxObjective(_input.examples(X, None), Y.astype(np.int32), None, 1)
    factor = Diagonal(objective, np.zeros((101, 3)), 0.0, total=20.0, fixed_b=True)
    gradient = np.vstack([np.tile(X.mean(1)[:, np.newaxis], 3), np.zeros((1, 3))])
    alone = X.mean(1) / ((X**2).mean(1) * 2 / 9)
    share = 1.0 if mean == 0.0 else 1.0 / (1.0 + X.mean(1) @ alone * 2 / 9)
    np.testing.assert_allclose(factor.solve(gradient)[:-1, 0], alone * share, rtol=1e-9)


def test_eigenvalues_of_entries_of_any_size():
    # a product of two probabilities near 0 is far below the others, and must not overflow
    tiny = np.array([[2.0, 1.0, 1e-170], [1.0, 2.0, 1e-310], [1e-170, 1e-310, 1e-20]])
    for S in (tiny, tiny * 1e-100, np.diag([1.0, 0.0, 1e-300]), np.zeros((3, 3))):
        values, vectors = eigen(S)
        assert sorted(values) == pytest.approx(
            np.linalg.eigvalsh(S), rel=1e-12, abs=1e-16 * S.max()
        )
        np.testing.assert_allclose((vectors * values) @ vectors.T, S, atol=1e-15 * S.max())


@pytest.mark.parametrize("settings", [{}, {"l2": 1e-3}, {"intercept": False}])
@pytest.mark.parametrize("classes", [3, 40])
def test_a_feature_that_is_constant_in_the_sample_is_moved(settings, classes):
    rng = np.random.default_rng(3)
    m = 9000
    X = rng.standard_normal((3, m))
    Y = np.argmax(
        0.5 * np.outer(rng.standard_normal(classes), X[0]) + rng.gumbel(size=(classes, m)), 0
    )
    X[2] = 0.0
    X[2, np.random.default_rng(5).choice(m, 9, replace=False)] = 1.0
    Y[np.flatnonzero(X[2])] = np.arange(9) % 3
    settings = {"l2": 1e-6} | settings
    found = logreg_c.fit(X, Y, tol=1e-9, **settings)
    least = logreg_c.fit(
        X, Y, tol=1e-12, w=np.outer(np.ones(3), np.arange(classes) % 3), **settings
    )
    assert found.costs[-1] - least.costs[-1] <= 4e-9 * least.costs[-1]
