# SPDX-License-Identifier: BSD-3-Clause
"""Sparse X: what dense X gives, the same bits everywhere, and indices that lead nowhere."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bits, bounded, run_python

import logreg_c
from logreg_c import _input
from logreg_c._objective import Objective

sp = pytest.importorskip("scipy.sparse")

TYPES = ["f8", "f4", "i8", "i4", "i2", "i1", "u1", "u2", "?", "u4"]
SEEDS = st.integers(0, 2**32 - 1)
# Around the sums of an example (4), blocks (512 examples) and segments (8192).
SHAPES = [(1, 1), (1, 9), (3, 4), (17, 511), (40, 513), (9, 2000), (5, 8193), (700, 60), (65, 1025)]


def make_sparse(shape, dtype="f8", density=0.2, seed=0, index=np.int32):
    """A CSC array with empty rows and columns and explicit zeros, and Y."""
    rng = np.random.default_rng([seed, *shape])
    X = sp.random_array(shape, density=density, rng=rng, format="csc", dtype=np.float64)
    X.data = np.round(X.data * 20 - (0 if dtype[0] in "u?" else 10))
    X.data[::7] = 0
    X = X.astype(dtype)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    return X, rng.integers(0, 2, shape[1]).astype(float)


def disordered(X, rng):
    """The same matrix with the values of each example in any order, and each in two parts."""
    X = X.astype(np.float64)
    example = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
    example, feature = np.tile(example, 2), np.tile(X.indices, 2)
    values = np.concatenate([X.data - 1, np.ones(X.nnz)])
    order = np.lexsort((rng.random(values.size), example))
    starts = np.concatenate([[0], np.cumsum(np.bincount(example, minlength=X.shape[1]))])
    given = sp.csc_array(X.shape)
    given.data, given.indices, given.indptr = values[order], feature[order], starts
    return given


def answers(X, Y, w, **settings):
    return (
        *logreg_c.cost_and_gradient(X, Y, w, 0.3, l2=0.1, **settings),
        logreg_c.predict_proba(X, w, 0.3, n_threads=settings.get("n_threads")),
    )


@bounded
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 90)) | st.sampled_from(SHAPES),
    dtype=st.sampled_from(TYPES),
    density=st.sampled_from([0.0, 0.02, 0.2, 1.0]),
    index=st.sampled_from([np.int32, np.int64]),
    layout=st.sampled_from(["csc_array", "csc_matrix", "csr_array", "csr_matrix"]),
    weighted=st.booleans(),
    seed=SEEDS,
)
def test_as_dense(shape, dtype, density, index, layout, weighted, seed):
    X, Y = make_sparse(shape, dtype, density, seed, index)
    rng = np.random.default_rng(seed)
    w = rng.uniform(-0.1, 0.1, shape[0])
    settings = {"sample_weight": rng.uniform(0.1, 2.0, shape[1])} if weighted else {}
    tolerance = 1e-11 if dtype in {"f8", "i8", "i4", "u4"} else 2e-5
    dense = answers(X.toarray(), Y, w, **settings)
    for found, expected in zip(
        answers(getattr(sp, layout)(X), Y, w, **settings), dense, strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@bounded
@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 70)) | st.sampled_from(SHAPES[:6]),
    layout=st.sampled_from(["csc_array", "csr_matrix"]),
    seed=SEEDS,
)
def test_values_of_one_place_add_up_in_any_order(shape, layout, seed):
    X, Y = make_sparse(shape, seed=seed)
    rng = np.random.default_rng(seed)
    given_X = disordered(X, rng)
    if layout == "csr_matrix":
        given_X = sp.csr_matrix(given_X)  # keeps the parts
    w = rng.standard_normal(shape[0])
    assert bits(*answers(given_X, Y, w)) == bits(*answers(X, Y, w))


@pytest.mark.parametrize(("dtype", "total"), [("i1", 300.0), ("?", 1.0), ("f4", 300.0)])
def test_sums_of_values_of_one_place_do_not_wrap(dtype, total):
    X = sp.csc_array((2, 1))
    X.data, X.indices, X.indptr = np.full(3, 100).astype(dtype), np.ones(3, int), np.array([0, 3])
    assert logreg_c.predict_proba(X, [0.0, 0.01], 0.0) == logreg_c.sigmoid(0.01 * total)


def test_a_csc_array_is_read_in_place_and_a_csr_array_has_its_bits():
    X, Y = make_sparse((30, 400))
    found = _input.examples(X, None).values
    assert np.shares_memory(found.values, X.data)
    assert np.shares_memory(found.indices, X.indices)
    w = np.linspace(-1, 1, 30)
    assert bits(*answers(X, Y, w)) == bits(*answers(X.tocsr(), Y, w))


@pytest.mark.parametrize("dtype", ["f8", "f4", "?"])
@pytest.mark.parametrize("shape", [(40, 513), (5, 30_000), (3000, 900)])
@pytest.mark.long
def test_the_bits_do_not_depend_on_threads(shape, dtype):
    X, Y = make_sparse(shape, dtype, 0.1)
    w = np.linspace(-0.1, 0.1, shape[0])
    found = {
        bits(
            *answers(X, Y, w, n_threads=n),
            logreg_c.train(X, Y, "auto", 3, n_threads=n),
            logreg_c.fit(X, Y, l2=0.01, n_threads=n),
        )
        for n in range(1, 6)
    }
    assert len(found) == 1


CODE = """
import numpy as np, scipy.sparse as sp, logreg_c
from oracle import bits
from test_sparse import answers, make_sparse
found = []
for dtype in "f8", "f4", "?":
    X, Y = make_sparse((40, 3000), dtype, 0.1)
    found += answers(X, Y, np.linspace(-0.1, 0.1, 40))
    found += [logreg_c.fit(X, Y, l2=0.01), logreg_c.train(X, Y, "auto", 3)]
print(bits(*found))
"""


@pytest.mark.parametrize("isa", [k for k, runs in logreg_c._kernel.isa_known().items() if runs])
@pytest.mark.long
def test_the_bits_do_not_depend_on_the_instruction_set(isa):
    assert run_python(CODE, LOGREG_C_ISA=isa) == run_python(CODE)


MEMORY = """
import resource
import numpy as np, scipy.sparse as sp, logreg_c

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

N_X, M, EACH = 100_000, 40_000, 100
features = np.arange(M)[:, None] % 99_991 + np.arange(EACH) * 991
X = sp.csc_array(
    (np.ones(M * EACH), (features % N_X).astype(np.int32).ravel(), np.arange(M + 1) * EACH),
    shape=(N_X, M),
)
Y, w = np.arange(M) % 2, np.zeros(N_X)
before = peak()
{call}
print((peak() - before) / (8 * N_X))
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="ru_maxrss has other units or is missing"
)
@pytest.mark.parametrize(
    ("call", "vectors"),
    [
        ("logreg_c.predict_proba(X, w, 0.0, n_threads=2)", 8),
        ("logreg_c.train(X, Y, 0.1, 3, n_threads=2)", 20),
        ("logreg_c.fit(X, Y, l2=1e-4, max_passes=4, n_threads=2)", 100),
    ],
)
@pytest.mark.filterwarnings("ignore::logreg_c.ConvergenceWarning")
@pytest.mark.memory
@pytest.mark.long
def test_peak_memory_above_the_data_is_some_vectors_over_the_features(call, vectors):
    assert float(run_python(MEMORY.format(call=call))) <= vectors


# ---- Moments, curvature, and the minimum --------------------------------------------------------


@bounded
@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 70)) | st.sampled_from(SHAPES),
    density=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    weighted=st.booleans(),
    seed=SEEDS,
)
@pytest.mark.long
def test_moments_and_grams(shape, density, weighted, seed):
    X, _ = make_sparse(shape, density=density, seed=seed)
    rng = np.random.default_rng(seed)
    h = rng.integers(0, 3, shape[1]) + (0.25 if weighted else 1.0)
    found = Objective(_input.examples(X, None), None, h, 2).standardize(centre=False)
    dense = X.toarray()
    mean = np.average(dense, axis=1, weights=h)
    far = dense - mean[:, None]
    sd = np.sqrt(np.average(far**2, axis=1, weights=h))
    constant = (dense[:, h > 0] == dense[:, h > 0][:, :1]).all(axis=1)
    np.testing.assert_allclose(found[0], mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found[2], sd, rtol=1e-9, atol=1e-9)
    assert ((found[2] == 0) == constant).all()
    G, mu, S = Objective(_input.examples(X, None), None, None, 2).gram(h, np.zeros(shape[0]))
    np.testing.assert_allclose(mu, mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.tril(G), np.tril((far * h) @ far.T), rtol=1e-9, atol=1e-8 * S)


def test_a_column_that_is_far_from_0_keeps_its_deviation():
    rng = np.random.default_rng(0)
    x = 1e9 + rng.standard_normal(5000)
    X = sp.csc_array(np.vstack([x, np.full(5000, 7.0), rng.integers(0, 2, 5000)]))
    found = Objective(_input.examples(X, None), None, rng.random(5000) + 0.5, 1)
    sd = found.standardize(centre=False)[2]
    assert sd[0] == pytest.approx(x.std(), rel=0.05)
    assert sd[1] == 0.0


@bounded
@given(
    shape=st.sampled_from([(3, 40), (20, 300), (30, 3000), (300, 90)]),
    dtype=st.sampled_from(["f8", "f4", "i1", "?"]),
    l2=st.sampled_from([1e-3, 0.1]),
    intercept=st.booleans(),
    seed=SEEDS,
)
@pytest.mark.long
def test_the_minimum_is_that_of_dense_x(shape, dtype, l2, intercept, seed):
    X, Y = make_sparse(shape, dtype, 0.1, seed)
    settings = {"l2": l2, "intercept": intercept, "tol": 1e-12}
    w, b, _ = logreg_c.fit(X, Y, **settings)
    expected = logreg_c.fit(X.toarray(), Y, **settings)

    def cost(w, b):
        return logreg_c.cost_and_gradient(X, Y, w, b, l2=l2, dtype=float)[0]

    assert cost(w, b) <= cost(expected.w, expected.b) * (1 + 1e-10)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("penalty", [0.0, 1e-3])
def test_a_diagonal_without_an_intercept_knows_the_mean_of_counts(penalty):
    X, Y = make_sparse((600, 900) if penalty else (2000, 20_000), density=0.01)
    X.data = np.abs(X.data)
    X = sp.csc_array(sp.vstack([X, np.ones((2, X.shape[1]))]))  # alike, and constant
    with_b = logreg_c.fit(X, Y, l2=penalty)
    without = logreg_c.fit(X, Y, l2=penalty, intercept=False)
    assert without.converged
    assert without.passes <= 2 * with_b.passes + 3
    if not penalty:
        assert without.costs[-1] == pytest.approx(with_b.costs[-1], rel=1e-8)
        assert without.w[-1] == pytest.approx(without.w[-2])


def test_the_minimum_in_many_fits_and_callbacks_of_sparse_x():
    X, Y = make_sparse((30, 500))
    many = logreg_c.fit_many([X, X.tocsr()], Y, l2=0.1)
    assert bits(many.w[0], many.w[1]) == bits(*2 * [logreg_c.fit(X, Y, l2=0.1).w[:, 0]])
    stopping = logreg_c.callbacks.EarlyStopping(X, Y, patience=9)
    logreg_c.train(X, Y, "auto", 5, callback=stopping)
    assert stopping.iteration == 4


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("layout", ["csc_array", "csr_matrix"])
def test_groups_have_the_bits_of_their_own_fits(sort, layout):
    X, Y = make_sparse((30, 900), "f4")
    groups = np.random.default_rng(0).integers(0, 4, 900)
    groups = np.sort(groups) if sort else groups
    found = logreg_c.fit_many(getattr(sp, layout)(X), Y, groups=groups, l2=0.1)
    for k in range(4):
        alone = logreg_c.fit(X[:, groups == k], Y[groups == k], l2=0.1)
        assert bits(found.w[k], found.b[k]) == bits(alone.w[:, 0], alone.b)


# ---- What is refused -----------------------------------------------------------------------------


def broken(name, value, layout):
    X = getattr(sp, layout)(make_sparse((6, 6), density=0.5)[0])
    setattr(X, name, value(getattr(X, name)))
    return X


def put(k, value):
    def change(array):
        array = array.copy()
        array[k] = value
        return array

    return change


FAULTS = [
    ("indices", put(3, 6), r"X.indices\[3\] is 6; expected a number within \[0, 6\)"),
    ("indices", put(0, -1), r"X.indices\[0\] is -1"),
    ("indices", lambda x: put(-1, 2**62)(x.astype(np.int64)), r"is 4611686018427387904"),
    ("indices", lambda x: put(-1, -(2**63))(x.astype(np.int64)), r"is -9223372036854775808"),
    ("indices", lambda x: put(2, 2**63)(x.astype(np.uint64)), r"X.indices\[2\] is -92"),
    ("indices", lambda x: x[:-1], r"X.indptr ends at \d+, beyond the \d+ values"),
    ("indices", lambda x: x + 0.0, r"X.indices has dtype float64; expected int32 or int64"),
    ("data", lambda x: x[:-1], r"X.indptr ends at \d+, beyond"),
    ("data", lambda x: x[:, None], r"X.data has shape .*; expected one dimension"),
    ("data", lambda x: x + 1j, r"X.data has dtype complex128"),
    ("indptr", put(0, -1), r"X.indptr falls"),
    ("indptr", put(2, 0), r"X.indptr falls"),
    ("indptr", put(1, 100), r"X.indptr falls"),
    ("indptr", put(-1, 2**31 - 1), r"X.indptr ends at 2147483647, beyond"),
    ("indptr", lambda x: x[:-1], r"X.indptr has 6 values, and the shape asks for 7"),
]


@pytest.mark.parametrize("layout", ["csc_array", "csr_matrix"])
@pytest.mark.parametrize(("name", "value", "message"), FAULTS)
def test_bad_indices_are_errors_that_say_where(name, value, message, layout):
    X = broken(name, value, layout)
    for call in (
        lambda: logreg_c.predict_proba(X, np.zeros(6), 0.0),
        lambda: logreg_c.train(X, np.zeros(6), 0.1, 1),
        lambda: logreg_c.fit(X, np.zeros(6)),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            call()


def test_unusual_but_sound_arrays_are_read():
    X, Y = make_sparse((6, 50))
    w = np.linspace(-1, 1, 6)
    expected = bits(*answers(X, Y, w))
    roomy, strided, swapped, late = X.copy(), X.copy(), X.copy(), X.copy()
    roomy.data = np.concatenate([X.data, [np.nan] * 3])
    roomy.indices = np.concatenate([X.indices, [99, -1, 7]])
    strided.data, strided.indices = np.repeat(X.data, 2)[::2], np.repeat(X.indices, 3)[::3]
    swapped.data, swapped.indices = X.data.astype(">f8"), X.indices.astype(">i4")
    late.data = np.concatenate([[np.nan], X.data])
    late.indices, late.indptr = np.concatenate([[99], X.indices]), X.indptr + 1
    for given_X in roomy, strided, swapped, late:
        assert bits(*answers(given_X, Y, w)) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_nan_is_named(value):
    X, Y = make_sparse((9, 2000), density=1.0)
    X.data[9 * 1234 + 5] = X.data[9 * 1234 + 3] = value
    for call in (
        lambda: logreg_c.train(X, Y, 0.1, 1),
        lambda: logreg_c.fit(X.tocsr(), Y),
        lambda: logreg_c.predict_proba(X, np.zeros(9), 0.0),
    ):
        with pytest.raises(ValueError, match=r"first at \(feature, example\) = \(3, 1234\)"):
            call()


def test_what_sparse_x_cannot_do_is_refused_with_a_remedy():
    X, Y = make_sparse((6, 50))
    w = np.zeros(6)
    refused = [
        (lambda: logreg_c.train(X.tocoo(), Y, 0.1, 1), r"in COO format.*pass X\.tocsc\(\)"),
        (
            lambda: logreg_c.train(X, Y, 0.1, 1, standardize=True),
            r"centring .*search for the min",
        ),
        (lambda: logreg_c.fit(X, Y, firth=True), r"X is sparse and firth is True"),
        (
            lambda: logreg_c.inference(X, np.arange(50) % 3, np.zeros((6, 3)), np.zeros(3)),
            r"X is sparse; .*pass X\.toarray\(\)",
        ),
        (lambda: logreg_c.inference(X, Y, w, 0.0), r"X is sparse; .*pass X\.toarray\(\)"),
        (lambda: logreg_c.train(X[:, :0], Y[:0], 0.1, 1), r"expected at least one example"),
        (lambda: logreg_c.train(X, Y[:49], 0.1, 1), r"Y has shape \(49,\) and X \(6, 50\)"),
        (lambda: logreg_c.train(X, sp.csc_array(Y[None]), 0.1, 1), r"Y is a sparse csc_array"),
    ]
    for call, message in refused:
        with pytest.raises((TypeError, ValueError), match=message):
            call()


@pytest.mark.long
def test_scipy_is_not_imported_before_a_sparse_x_is_passed():
    code = (
        "import sys, numpy as np, logreg_c; logreg_c.fit(np.ones((2, 3)), [0, 1, 1], l2=1.0); "
        "print('scipy' in sys.modules)"
    )
    assert run_python(code).strip() == "False"
