# SPDX-License-Identifier: BSD-3-Clause
"""X, Y and sample_weight are read in their stored type, with the documented arithmetic."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bits, bounded, make_data, run_python

import logreg_c
from logreg_c import reference

WIDE = ["float64", "int64", "int32"]
NARROW = ["float32", "float16", "bool", "int8", "uint8", "int16", "uint16"]
ORDERS = ["C", "F"]
# around the size of lanes, run and block
M = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 127, 128, 129, 255, 257, 511, 513, 4097]


def stored_as(dtype, n_x, m, seed=0):
    """Return an array with many different values of the dtype, its float64 copy, and labels."""
    X, Y = make_data(n_x, m, seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        X = X > 0
    elif dtype.kind in "iu":
        X = np.clip(30 * X, 0 if dtype.kind == "u" else -120, 120)
    X = X.astype(dtype)
    return X, X.astype(np.float64), Y


def everything(X, Y, dtype, alpha=0.01, **settings):
    m = np.size(Y)
    weight = np.arange(m) % 4 + 0.5
    w = np.linspace(-0.01, 0.01, len(X))
    results = [
        logreg_c.train(X, Y, alpha, 3, dtype=dtype, **settings),
        logreg_c.train(X, Y, alpha, 3, sample_weight=weight, l2=0.1, dtype=dtype, **settings),
        logreg_c.cost_and_gradient(X, Y, w, 0.1, dtype=dtype, **settings),
        logreg_c.predict_proba(X, w, 0.1, dtype=dtype, **settings),
    ]
    if m > 2:
        results.append(logreg_c.train(X, Y, 0.1, 3, standardize=True, dtype=dtype, **settings))
    return bits(*results)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [*WIDE, *NARROW])
@pytest.mark.long
def test_in_float64_the_bits_are_those_of_the_float64_matrix(dtype, order):
    for n_x in (1, 2, 8, 9, 17, 30):
        for m in M:
            X, twin, Y = stored_as(dtype, n_x, m)
            X, twin = X.astype(X.dtype, order=order), twin.astype(np.float64, order=order)
            assert everything(X, Y, np.float64, 1e-4) == everything(twin, Y, None, 1e-4)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.sampled(1)
def test_in_float32_the_bits_are_those_of_the_float32_matrix(dtype, order):
    for n_x in (1, 2, 8, 9, 17, 30):
        for m in M:
            X, twin, Y = stored_as(dtype, n_x, m)
            X, twin = X.astype(X.dtype, order=order), twin.astype(np.float32, order=order)
            assert everything(X, Y, np.float32, 1e-4) == everything(twin, Y, np.float32, 1e-4)
            train, twin_train = logreg_c.train(X, Y, 1e-4, 3), logreg_c.train(twin, Y, 1e-4, 3)
            assert bits(train) == bits(twin_train)
            assert bits(train) == bits(logreg_c.train(X, Y, 1e-4, 3, dtype=np.float32))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [*WIDE, *NARROW])
@pytest.mark.long
def test_threads_change_no_bit(dtype, order):
    for n_x, m in [(3, 20_000), (30, 9001), (784, 700), (2000, 300)]:
        X, _, Y = stored_as(dtype, n_x, m)
        X = X.astype(X.dtype, order=order)
        once = everything(X, Y, None, n_threads=1)
        for n_threads in (2, 3, 8):
            assert everything(X, Y, None, n_threads=n_threads) == once


@pytest.mark.long
def test_wide_features_agree_with_the_reference():
    for order in ORDERS:
        for dtype in ("float64", "float32", "uint8"):
            X, twin, Y = stored_as(dtype, 20_000, 150)
            alpha = 1e-4 if dtype == "uint8" else 1e-2
            w, b, costs = reference.train_vectorized(twin, Y, alpha / 1000, 3)
            result = logreg_c.train(X.astype(dtype, order=order), Y, alpha / 1000, 3)
            tolerance = 1e-12 if dtype == "float64" else 3e-5
            np.testing.assert_allclose(result.w, w, rtol=0, atol=tolerance * np.abs(w).max())
            np.testing.assert_allclose(result.costs, costs, rtol=tolerance)
            assert result.b == pytest.approx(b, abs=tolerance * np.abs(w).max())


@bounded
@given(
    dtypes=st.lists(st.sampled_from([*WIDE, *NARROW]), min_size=1, max_size=40),
    m=st.integers(1, 1500),
    seed=st.integers(0, 2**32),
    n_threads=st.integers(1, 8),
    strides=st.lists(st.sampled_from([1, 1, 2, -1, 3]), min_size=1, max_size=4),
)
def test_a_list_of_columns_is_the_matrix_of_them(dtypes, m, seed, n_threads, strides):
    X, _ = make_data(len(dtypes), m, seed)
    X = np.round(3 * X)
    columns = []
    for j, dtype in enumerate(dtypes):
        x = np.clip(X[j], 0, 1 if dtype == "bool" else 100).astype(dtype)
        stride = strides[j % len(strides)]
        columns.append(np.repeat(x[:: np.sign(stride)], abs(stride))[::stride])
    Y = np.arange(m) % 2
    arithmetic = np.float64 if set(dtypes) & set(WIDE) else np.float32
    matrix = np.array([np.asarray(x, dtype=arithmetic) for x in columns])
    ours = everything(columns, Y, None, 0.001, n_threads=n_threads)
    assert ours == everything(matrix, Y, None, 0.001)
    assert everything(tuple(columns), Y, np.float64) == everything(matrix.astype(float), Y, None)


@pytest.mark.parametrize("dtype", [*WIDE, *NARROW, "uint32", "longdouble"])
@pytest.mark.parametrize("x_dtype", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("stride", [1, 2, -1])
def test_labels_and_weights_of_any_type_and_stride_change_no_bit(dtype, x_dtype, stride):
    X, _, Y = stored_as(x_dtype, 5, 701)
    weight = (np.arange(701) % 3 > 0).astype(float)
    expected = logreg_c.train(X, Y, 0.01, 3, sample_weight=weight)
    typed_Y = np.repeat(Y.astype(dtype), abs(stride), axis=1)[:, ::stride]
    typed_weight = np.repeat(weight.astype(dtype), abs(stride))[::stride]
    if stride < 0:
        typed_Y, typed_weight = typed_Y[:, ::-1].copy()[:, ::-1], typed_weight[::-1].copy()[::-1]
        expected = logreg_c.train(X, Y[:, ::-1], 0.01, 3, sample_weight=weight[::-1])
    result = logreg_c.train(X, typed_Y, 0.01, 3, sample_weight=typed_weight)
    assert bits(result) == bits(expected)
    assert bits(logreg_c.train(X, typed_Y[0], 0.01, 3, sample_weight=typed_weight)) == bits(result)


@pytest.mark.parametrize("dtype", [*WIDE, *NARROW])
def test_a_dtype_that_spells_its_byte_order_is_the_same(dtype):
    X, _, _ = stored_as(dtype, 3, 60)
    Y = (np.arange(60) % 2).astype(dtype)
    expected = logreg_c.train(X, Y, 0.01, 3, sample_weight=Y)
    order = "<" if sys.byteorder == "little" else ">"
    X, Y = (array.view(array.dtype.newbyteorder(order)) for array in (X, Y))
    assert bits(logreg_c.train(X, Y, 0.01, 3, sample_weight=Y)) == bits(expected)
    assert bits(logreg_c.train(list(X), Y, 0.01, 3, sample_weight=Y)) == bits(expected)


# ---- The ends of each type's range ---------------------------------------------------------------


def z_of(X, dtype=None):
    """Return the values as the kernel reads them.

    Z recovered from the logarithms of probabilities is too coarse, so this uses the slope of one
    example at w = 0, which is (1/2 - y) x.
    """
    return (
        np.array(
            [
                logreg_c.cost_and_gradient(x.reshape(1, 1), [0], [0], 0, dtype=dtype)[1][0, 0]
                for x in X
            ]
        )
        * 2
    )


@pytest.mark.parametrize("dtype", [*WIDE, *NARROW])
def test_the_ends_of_the_range_are_read_right(dtype):
    kind = np.dtype(dtype).kind
    if kind == "f":
        info = np.finfo(dtype)
        ends = [info.max, -info.max, info.tiny, info.smallest_subnormal, -0.0, 1 + info.eps]
        if dtype != "float16":
            ends = ends[2:]  # half of the maximum is fine, but not its square
    elif kind == "b":
        ends = [False, True]
    else:
        info = np.iinfo(dtype)
        ends = [info.min, info.min + 1, info.max, info.max - 1, 0, 1, info.max // 3]
    X = np.array(ends, dtype=dtype)
    expected = X.astype(np.float64)
    if dtype != "float64":  # halving the smallest float64 rounds
        assert z_of(X, np.float64).tolist() == expected.tolist()
    assert np.all(np.abs(z_of(X) - expected) <= 1e-7 * np.abs(expected) + 3e-45)


def test_int64_beyond_2_to_53_rounds_as_numpy_does():
    rng = np.random.default_rng(3)
    X = rng.integers(-(2**63), 2**63 - 1, 2000, dtype=np.int64)
    X[:6] = [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**62 + 2**9, 2**54 + 2]
    assert z_of(X).tolist() == X.astype(np.float64).tolist()
    for matrix in (np.tile(X, (20, 1)), np.asfortranarray(np.tile(X, (20, 1)))):
        Y = np.arange(2000) % 2
        w = np.full(20, 1e-20)
        ours = logreg_c.cost_and_gradient(matrix, Y, w, 0)
        assert bits(ours) == bits(logreg_c.cost_and_gradient(matrix.astype(float), Y, w, 0))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.long
def test_the_cost_of_very_wide_data_is_right(dtype):
    """With a few examples per block, no lane may hold the product of a whole run."""
    for n_x in (16_385, 40_000, 140_000):
        X = np.ones((n_x, 300), dtype=dtype, order="F")
        J, dw, db = logreg_c.cost_and_gradient(X, np.arange(300) % 3 == 0, np.zeros(n_x), 0.0)
        assert J == pytest.approx(np.log(2), rel=1e-13 if dtype == "float64" else 2e-6)
        np.testing.assert_allclose(dw, 1 / 6, rtol=1e-6)
        assert db == pytest.approx(1 / 6, rel=1e-6)


def test_every_float16_is_read_exactly():
    X = np.arange(2**16, dtype=np.uint16).view(np.float16)
    X = X[np.isfinite(X)]
    X = X[: len(X) // 16 * 16].reshape(16, -1)
    for matrix in (X, np.asfortranarray(X)):
        w = np.full(16, 1e-3)
        for dtype in (np.float32, np.float64):
            A = logreg_c.predict_proba(matrix, w, 0.0, dtype=dtype)
            twin = matrix.astype(dtype)
            assert bits(A) == bits(logreg_c.predict_proba(twin, w, 0.0, dtype=dtype))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_found(dtype, order, bad):
    for n_x, m in [(3, 50), (20, 700)]:
        X, _, Y = stored_as(dtype, n_x, m)
        X = X.astype(dtype, order=order)
        X[2, m - 3] = bad
        with pytest.raises(ValueError, match=rf"\(feature, example\) = \(2, {m - 3}\)"):
            logreg_c.train(X, Y, 0.1, 2)
        with pytest.raises(ValueError, match=rf"\(feature, example\) = \(2, {m - 3}\)"):
            logreg_c.predict_proba(list(X), np.zeros(n_x), 0.0)
        bad_Y = Y.astype(dtype)
        bad_Y[0, 5] = bad
        with pytest.raises(ValueError, match=r"Y is -?(nan|inf) at example 5"):
            logreg_c.train(np.abs(X[:2]), bad_Y, 0.1, 2)


# ---- Arithmetic ----------------------------------------------------------------------------------


def test_dtype_chooses_the_arithmetic():
    X, twin, Y = stored_as("float32", 7, 900)
    w = np.linspace(-1, 1, 7)

    def result(X, **settings):
        return bits(logreg_c.cost_and_gradient(X, Y, w, 0.1, **settings))

    assert result(X, dtype=np.float64) == result(twin)
    assert result(X, dtype="float32") == result(X)
    assert result(X) != result(twin)
    columns = [*X[:6], twin[6]]
    assert result(columns) == result(twin)
    with pytest.raises(TypeError, match=r"dtype is float32 and X float64, .* convert X"):
        result(columns, dtype=np.float32)
    with pytest.raises(TypeError, match=r"dtype is float32 and X int32"):
        result(np.ones((7, 900), dtype=np.int32), dtype=np.float32)


@bounded
@given(m=st.integers(1, 3000), seed=st.integers(0, 2**32), order=st.sampled_from(ORDERS))
def test_float32_is_accurate_on_well_scaled_data(m, seed, order):
    rng = np.random.default_rng(seed)
    n_x = int(rng.integers(1, 60))
    X = rng.standard_normal((n_x, m)).astype(np.float32, order=order)
    w = (rng.standard_normal((n_x, 1)) * 3 / np.sqrt(n_x)).astype(np.float32).astype(float)
    Y = (rng.random(m) < 0.5).astype(float)
    J, dw, db = logreg_c.cost_and_gradient(X, Y, w, 0.5)
    exact_J, exact_dw, exact_db = logreg_c.cost_and_gradient(X, Y, w, 0.5, dtype=np.float64)
    A = logreg_c.predict_proba(X, w, 0.5, dtype=np.float64)
    scale = (np.abs(X.astype(float)) @ np.abs(A - Y).T) / m
    assert np.all(np.abs(dw - exact_dw) <= 4e-6 * scale)
    assert abs(db - exact_db) <= 4e-6 * np.abs(A - Y).mean()
    assert abs(J - exact_J) <= 4e-6 * exact_J


def test_the_cost_of_an_exact_z_is_right_in_float32():
    for z in (0.0, 1e-30, 0.3, 1.0, -2.5, 17.0, -30.0, 80.0, 1e30):
        for y in (0.0, 1.0, 0.25):
            for m in (1, 7, 512, 5000):
                X = np.full((1, m), z, dtype=np.float32)
                J, _, _ = logreg_c.cost_and_gradient(X, np.full(m, y), [1.0], 0.0)
                exact, _, _ = logreg_c.cost_and_gradient(X[:, :1].astype(float), [y], [1.0], 0.0)
                assert J == pytest.approx(exact, rel=1e-6, abs=1e-44)


def test_a_float32_overflow_is_reported():
    X = np.full((2, 10), 1e30, dtype=np.float32)
    Y = np.arange(10) % 2
    with pytest.raises(OverflowError, match=r"overflows float32: pass dtype=np.float64"):
        logreg_c.predict_proba(X, [1e10, 1e10], 0.0, dtype=np.float32)
    assert (logreg_c.predict_proba(X, [1e10, 1e10], 0.0) == 1.0).all()
    with pytest.raises(OverflowError, match=r"overflows float32: pass dtype=np.float64"):
        logreg_c.cost_and_gradient(X, Y, [1e10, 1e10], 0.0)
    with pytest.raises(logreg_c.DivergenceError, match=r"left the range of float32, .*float64"):
        logreg_c.train(X, np.ones(10), 1e10, 5)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", NARROW)
def test_prediction_keeps_the_digits_of_any_type(dtype, order):
    """Features far from 0 with standard deviation 1 or so: float32 would lose their differences."""
    centre = {"float32": 1e6, "float16": 1500, "bool": 0, "int8": 120, "uint8": 250}.get(dtype, 3e4)
    for n_x, m in [(1, 40), (8, 40), (28, 1000), (784, 50)]:
        rng = np.random.default_rng(n_x)
        X = (centre + rng.integers(-3, 4, (n_x, m))).astype(dtype, order=order)
        w = rng.standard_normal((n_x, 1)) / np.sqrt(n_x)
        wide = X.astype(np.float64, order=order)
        b = -float((w * wide).sum() / m)
        for predict in (logreg_c.predict_proba, logreg_c.predict):
            expected = bits(predict(wide, w, b))
            assert bits(predict(X, w, b)) == expected
            assert bits(predict(X, w, b, dtype=np.float64)) == expected


def test_prediction_of_float32_far_from_zero():
    X = (1e6 + np.random.default_rng(0).standard_normal((1, 2000))).astype(np.float32)
    expected = logreg_c.sigmoid(2.0 * X.astype(np.float64) - 2e6)
    np.testing.assert_allclose(logreg_c.predict_proba(X, [2.0], -2e6), expected, rtol=1e-9)


# ---- Bools ---------------------------------------------------------------------------------------


def odd_bool(*shape):
    """Return a bool array whose bytes are 0 to 255, and the same of 0 and 1."""
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image[..., ::3] = 0
    return image.view(bool), image != 0


@pytest.mark.sampled(13)
@pytest.mark.parametrize("dtype", [None, np.float32, np.float64])
@pytest.mark.parametrize(
    "given",
    [
        np.ascontiguousarray,
        np.asfortranarray,
        lambda X: X[:, ::-1],
        lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
        list,
        lambda X: list(X.T.copy().T),
        lambda X: [x[::-1] for x in X],
    ],
    ids=["C", "F", "reversed", "strided", "columns", "strided columns", "reversed columns"],
)
def test_every_byte_of_a_bool_that_is_not_0_is_true(given, dtype):
    for n_x, m in [(3, 50), (11, 333), (784, 70)]:
        odd, plain = odd_bool(n_x, m)
        odd_Y, plain_Y = odd_bool(1, m)
        weight = np.arange(m) % 3 > 0
        odd_weight = (weight * np.uint8(7)).view(bool)
        w = np.linspace(-1, 1, n_x)
        for standardize in (False, True):
            found = logreg_c.train(given(odd), odd_Y, 0.1, 3, dtype=dtype, standardize=standardize,
                                   sample_weight=odd_weight)  # fmt: skip
            expected = logreg_c.train(given(plain), plain_Y, 0.1, 3, dtype=dtype,
                                      standardize=standardize, sample_weight=weight)  # fmt: skip
            assert bits(found) == bits(expected)
        found = logreg_c.predict_proba(given(odd), w, 0.5, dtype=dtype)
        assert bits(found) == bits(logreg_c.predict_proba(given(plain), w, 0.5, dtype=dtype))
    assert bits(logreg_c.sigmoid(odd)) == bits(logreg_c.sigmoid(plain))


def test_standardize_in_float32_centres_exactly():
    rng = np.random.default_rng(0)
    X = (30_000 + rng.integers(-3, 4, (4, 5000))).astype(np.uint16)
    Y = (rng.random(5000) < 0.5) * 1.0
    narrow = logreg_c.train(X, Y, 0.5, 50, standardize=True)
    wide = logreg_c.train(X, Y, 0.5, 50, standardize=True, dtype=np.float64)
    np.testing.assert_allclose(narrow.costs, wide.costs, rtol=2e-6)
    np.testing.assert_allclose(narrow.w, wide.w, rtol=0, atol=1e-5 * np.abs(wide.w).max())


# ---- Columns -------------------------------------------------------------------------------------


def test_columns_of_different_lengths_are_named():
    with pytest.raises(ValueError, match=r"X\[1\] has 3 values and X\[0\] 4; expected columns of"):
        logreg_c.train([np.ones(4), np.ones(3)], [0, 1, 0, 1], 0.1, 1)
    with pytest.raises(TypeError, match=r"X\[1\] has dtype complex128"):
        logreg_c.train([np.ones(4), np.ones(4, complex)], [0, 1, 0, 1], 0.1, 1)
    with pytest.raises(ValueError, match="at least one example"):
        logreg_c.train([np.ones(0), np.ones(0)], [], 0.1, 1)
    with pytest.raises(ValueError, match=r"\(feature, example\) = \(1, 2\)"):
        logreg_c.train([np.ones(4), np.array([1, 2, np.nan, 4])], [0, 1, 0, 1], 0.1, 1)


# ---- Memory --------------------------------------------------------------------------------------

MEMORY = """
import warnings
from pathlib import Path
import numpy as np
import logreg_c

warnings.simplefilter("ignore")
X = np.zeros(({n_x}, {m}), dtype="{dtype}", order="{order}")
(X if X.flags.c_contiguous else X.T)[:, ::3] = 1
Y = np.zeros({m}, dtype=np.uint8)
Y[::2] = 1
X = {given}
logreg_c.train([[1.0, 2.0]], [0, 1], 0.1, 1)  # load everything that is loaded once
Path("/proc/self/clear_refs").write_text("5")  # reset the peak

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])

before = peak()
logreg_c.train(X, Y, 1e-6, {iters}, n_threads={n_threads}, standardize={standardize})
print(peak() - before)
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def memory_above(
    n_x, dtype="float64", order="C", given="X", iters=3, nbytes=80_000_000, **settings
):
    m = max(1, nbytes // n_x // np.dtype(dtype).itemsize)
    settings = {"n_threads": 2, "standardize": False} | settings
    code = MEMORY.format(
        n_x=n_x, m=m, dtype=dtype, order=order, given=given, iters=iters, **settings
    )
    return int(run_python(code))


@linux
@pytest.mark.parametrize("given", ["X", "list(X)"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8"])
@pytest.mark.parametrize("n_x", [28, 784, 10_000])
@pytest.mark.memory
@pytest.mark.long
def test_peak_memory_above_the_data(n_x, dtype, order, given):
    extra = memory_above(n_x, dtype, order, given)
    columns = 300 * n_x if given == "list(X)" else 0  # views of them
    assert extra <= 0.8e6 + 2e6 + 8 * n_x * 8 + 24 + columns


@linux
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("n_x", "n_threads"), [(784, 8), (30_000, 2), (100_000, 2), (100_000, 8), (1_000_000, 1)]
)
@pytest.mark.memory
@pytest.mark.long
def test_peak_memory_above_wide_data(n_x, n_threads, order, standardize):
    """The sums over so many features dominate; standardizing adds three moments."""
    extra = memory_above(
        n_x, "uint8", order, n_threads=n_threads, standardize=standardize, nbytes=300_000_000
    )
    vectors = 4 + 2 * n_threads + 3 * standardize
    assert extra <= 3e6 + 2e6 + 8 * n_x * vectors + 24


MEMORY_OF_THREADS = """
import resource
import numpy as np
import logreg_c
n_x = 1_000_000
X = np.broadcast_to(np.uint8(1), (n_x, 2))
w = np.zeros(n_x)
logreg_c.train([[1.0, 2.0]], [0, 1], 0.1, 1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 2**20,) * 2)
logreg_c.{call}
print("done")
"""


@linux
@pytest.mark.parametrize(
    "call",
    [
        "train(X, [0, 1], 1e-9, 2, n_threads=1024)",
        "train(X, [0, 1], 1e-9, 2, n_threads=1024, standardize=True)",
        "train(X.T.copy().T, [0, 1], 1e-9, 2, n_threads=1024)",
        "cost_and_gradient(X, [0, 1], w, 0.0, n_threads=1024)",
        "predict(X, w, 0.0, n_threads=1024)",
    ],
)
@pytest.mark.long
def test_threads_without_work_take_no_memory(call):
    """Not even address space, of which the limit is 25 doubles for each feature."""
    assert run_python(MEMORY_OF_THREADS.format(call=call)) == "done"


@linux
@pytest.mark.memory
@pytest.mark.long
def test_peak_memory_of_many_costs():
    iters = 1_500_000
    assert memory_above(2, nbytes=160, iters=iters, n_threads=1) <= 8 * iters + 2e6
