# SPDX-License-Identifier: BSD-3-Clause
"""The same bits for any number of threads, instruction set, run and caller's FP modes."""

import ctypes
import functools
import platform
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import EXAMPLE_MAJOR, FEATURE_MAJOR, LAYOUTS, bits, bounded, make_data, run_python

import logreg_c

THREADS = [1, 2, 3, 5, 8]
SIZES = [
    (0, 3000),
    (1, 5),
    (2, 40_000),
    (3, 4097),
    (30, 20_011),
    (31, 16_384),
    (300, 1025),
    (1000, 700),
]


def make_inputs(n_x, m):
    """Make all inputs of `everything` beforehand, because NumPy's results depend on the modes."""
    X, Y = make_data(n_x, m)
    narrow = X.astype(np.float32)
    X[:1] *= 1e-310  # subnormal values, products and slopes
    narrow[:1] *= np.float32(1e-40)
    rng = np.random.default_rng([n_x, m])
    weight = rng.integers(0, 4, m) + 0.25
    w = rng.standard_normal((n_x, 1)) / np.sqrt(n_x + 1)
    return X, narrow, Y, rng.uniform(size=m), weight, w, 1 / (10 + n_x), np.linspace(-760, 760, 999)


def everything(inputs, layout="C", n_threads=None):
    """Hash everything the package computes from one data set."""
    X, narrow, Y, soft, weight, w, alpha, Z = inputs
    X, narrow = LAYOUTS[layout](X), LAYOUTS[layout](narrow)
    threads = {"n_threads": n_threads}
    return bits(
        logreg_c.train(X, Y, alpha, 5, **threads),
        logreg_c.train(X, soft, alpha, 3, w=w, b=0.3, l2=0.1, sample_weight=weight, **threads),
        logreg_c.train(X[1:], Y, alpha, 3, standardize=True, **threads),
        logreg_c.train(
            X[1:], Y, alpha, 3, w=w[1:], standardize=True, sample_weight=weight, **threads
        ),
        logreg_c.cost_and_gradient(X, soft, w, 0.3, **threads),
        logreg_c.predict_proba(X, w, 0.3, **threads),
        logreg_c.predict_proba(narrow, w, 0.3, **threads),
        logreg_c.train(narrow, soft, alpha, 3, sample_weight=weight, **threads),
        logreg_c.sigmoid(Z),
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("n_x", "m"), SIZES)
@pytest.mark.long
def test_any_number_of_threads_gives_the_same_bits(n_x, m, layout):
    inputs = make_inputs(n_x, m)
    once = everything(inputs, layout, 1)
    for n_threads in [*THREADS[1:], None]:
        assert everything(inputs, layout, n_threads) == once


@pytest.mark.parametrize("layout", ["C", "F"])
def test_twenty_runs_give_the_same_bits(layout):
    X, Y = make_data(7, 30_000)
    X = LAYOUTS[layout](X)
    assert len({bits(logreg_c.train(X, Y, 0.3, 8, n_threads=3)) for _ in range(20)}) == 1


@bounded
@given(
    n_x=st.integers(2, 70),
    m=st.integers(2, 5000),
    seed=st.integers(0, 2**32),
    scale=st.sampled_from([1e-310, 1e-155, 1e-3, 1.0, 1e3, 1e150]),
    n_threads=st.integers(2, 8),
)
def test_neither_strides_nor_threads_change_a_bit(n_x, m, seed, scale, n_threads):
    X, Y = make_data(n_x, m, seed)
    X *= scale
    for layouts in (FEATURE_MAJOR, EXAMPLE_MAJOR):
        hashes = {
            bits(logreg_c.cost_and_gradient(view(X), Y, np.ones(n_x), 0.1, n_threads=threads))
            for view in layouts.values()
            for threads in (1, n_threads)
        }
        assert len(hashes) == 1


@pytest.mark.sampled(63)
@pytest.mark.parametrize("gap", [0, 1, 9])
@pytest.mark.parametrize("m", [2, 8, 9, 64, 513, 4100])
@pytest.mark.parametrize("n_x", range(1, 9))
def test_examples_of_few_features_have_the_bits_of_their_columns(n_x, m, gap):
    X, Y = make_data(n_x, m)
    wider = np.full((m, n_x + gap), np.nan)  # what lies behind an example counts for nothing
    wider[:, :n_x] = X.T
    short = wider[:, :n_x].T
    for standardize in (False, True):
        settings = {"standardize": standardize, "n_threads": 2}
        columns = logreg_c.train(X, Y, 0.1, 3, **settings)
        assert bits(logreg_c.train(short, Y, 0.1, 3, **settings)) == bits(columns)
        assert bits(logreg_c.train(short[:, ::-1], Y, 0.1, 3, **settings)) == bits(
            logreg_c.train(np.ascontiguousarray(X[:, ::-1]), Y, 0.1, 3, **settings)
        )


@pytest.mark.parametrize(
    ("n_x", "m"), [(8199, 67), (8212, 67), pytest.param(103, 35_000, marks=pytest.mark.long)]
)
def test_an_array_has_the_bits_of_its_columns(n_x, m):
    X, Y = make_data(n_x, m)
    columns = [row.copy() for row in X]
    w = np.linspace(-1, 1, n_x)
    assert bits(logreg_c.cost_and_gradient(X, Y, w, 0.1)) == bits(
        logreg_c.cost_and_gradient(columns, Y, w, 0.1)
    )
    assert bits(logreg_c.predict_proba(X, w, 0.1)) == bits(logreg_c.predict_proba(columns, w, 0.1))


@pytest.mark.parametrize(("n_x", "m"), [(1, 1), (1, 2), (1, 1025), (2, 1), (300, 1), (1025, 1)])
def test_an_array_that_is_both_layouts_has_one_answer(n_x, m):
    inputs = make_inputs(n_x, m)
    assert everything(inputs, "F") == everything(inputs, "C")


# ---- Instruction sets ----------------------------------------------------------------------------

HASHES = """
from oracle import LAYOUTS
from test_same_bits import SIZES, everything, logreg_c, make_inputs
print(logreg_c.show_config()["isa"])
for n_x, m in SIZES:
    inputs = make_inputs(n_x, m)
    print(n_x, m, [everything(inputs, layout) for layout in LAYOUTS])
"""


@functools.cache
def hashes_here():
    return [
        f"{n_x} {m} {[everything(inputs, layout) for layout in LAYOUTS]}"
        for n_x, m in SIZES
        for inputs in [make_inputs(n_x, m)]
    ]


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
@pytest.mark.long
def test_every_instruction_set_gives_the_same_bits(isa):
    if isa not in logreg_c.show_config()["isa_available"]:
        pytest.skip(f"{isa} is not available here")
    assert run_python(HASHES, LOGREG_C_ISA=isa).splitlines() == [isa, *hashes_here()]


# ---- The caller's floating-point modes -----------------------------------------------------------

# The SSE control register. Its default masks every exception and rounds to nearest.
DEFAULT, EXCEPTION_FLAGS = 0x1F80, 0x3F
MODES = {
    "flush to zero": DEFAULT | 0x8000,
    "subnormals are zero": DEFAULT | 0x40,
    "round down": DEFAULT | 0x2000,
    "round up, flush to zero": DEFAULT | 0xC040,
    "round toward zero": DEFAULT | 0x6000,
}


def get_mode():
    env = (ctypes.c_uint32 * 8)()  # fenv_t on x86-64: 28 bytes for the x87, then the SSE register
    ctypes.CDLL("libm.so.6").fegetenv(env)
    return env[7] & ~EXCEPTION_FLAGS


def set_mode(mode):
    env = (ctypes.c_uint32 * 8)()
    libm = ctypes.CDLL("libm.so.6")
    libm.fegetenv(env)
    env[7] = mode
    libm.fesetenv(env)


def in_mode(mode, function, *args):
    """Return function(*args) and the mode it leaves, in a new thread.

    A new thread has no workers yet, so the workers that the kernel starts inherit the mode.
    """
    result = []

    def run():
        set_mode(mode)
        try:
            result.extend([function(*args), get_mode()])
        finally:
            set_mode(DEFAULT)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result


linux_x86_64 = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="knows only the floating-point environment of x86-64 Linux",
)


@linux_x86_64
@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.long
def test_the_callers_modes_change_no_bit_and_stay_as_they_were(mode, layout):
    for n_x, m in [(2, 40_000), (31, 16_384), (1000, 700)]:
        inputs = make_inputs(n_x, m)
        expected = everything(inputs, layout)
        for n_threads in (1, 3):
            result = in_mode(MODES[mode], everything, inputs, layout, n_threads)
            assert result == [expected, MODES[mode]]


@linux_x86_64
def test_the_modes_of_these_tests_do_something():
    flushed, mode = in_mode(MODES["subnormals are zero"], lambda x: x * 0.5, 1e-310)
    assert (flushed, mode) == (0.0, MODES["subnormals are zero"])
    third, _ = in_mode(MODES["round up, flush to zero"], lambda x: x / 3, 1.0)
    assert third > 1 / 3


@pytest.mark.long
def test_importing_the_package_leaves_subnormals_alone():
    assert run_python("import logreg_c; x = 5e-324; print(x * 1.0, x > 0)") == "5e-324 True"
