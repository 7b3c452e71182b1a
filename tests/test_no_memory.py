# SPDX-License-Identifier: BSD-3-Clause
"""Each allocation of a call fails in turn: MemoryError, no leak, and the next call is right.

libgomp's own allocations happen beforehand. It makes them in a process's first parallel region, and
ends the process if one fails, whoever called it.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from oracle import run_python

CALLS = {
    "train": "train(X, Y, 0.1, 3)",
    "train on two threads": "train(LARGE, LARGE_Y, 0.1, 2, n_threads=2)",
    "train from a start": "train(X, Y, 0.1, 3, w=W, b=0.5, l2=0.1, sample_weight=Y)",
    "train by columns": "train(COLUMNS, Y, 0.1, 3)",
    "train on lists": "train(*LISTS, 0.1, 3)",
    "train on the other byte order": "train(SWAPPED, Y, 0.1, 3)",
    "train for long": "train(X, Y, 0.1, 300)",
    "train standardized": "train(X, Y, 0.1, 3, standardize=True)",
    "train with a callback": "train(X, Y, 0.1, 3, callback=CALLBACK)",
    "diverge": "train(X, Y, 1e9, 10, l2=1e9)",
    "warn": "train(X, Y, 60.0, 2)",
    "refuse NaN": "train(X * NAN, Y, 0.1, 3)",
    "refuse a shape": "train(X.T, Y, 0.1, 3)",
    "refuse a label": "train(X, 3 * Y, 0.1, 3)",
    "fit": "fit(X, Y, l2=0.1)",
    "fit from samples": "fit(LARGE, LARGE_Y, n_threads=2, l2=0.01)",
    "fit_many": "fit_many(STACK, STACK_Y, l2=0.1).w",
    "fit_many of groups": "fit_many(X, Y, groups=[1, 0, 1, 0, 1], l2=0.1).w",
    "inference": "inference(X, Y, W, 0.5, l2=0.1).covariance",
    "robust inference": "inference(X, Y, W, 0.5, l2=0.1, robust=True).covariance",
    "inference by clusters": "inference(X, Y, W, 0.5, l2=0.1, clusters=[0, 1, 2, 0, 1]).covariance",
    "fit softmax": "fit(X, CLASSES, l2=0.1)",
    "fit with l1": "fit(X, Y, l1=0.01)",
    "fit within bounds": "fit(X, Y, l2=0.01, lower=0, upper=[1, 1, 0.5])",
    "fit sparse X": "fit(SPARSE, Y, l2=0.1)",
    "fit sparse X with l1": "fit(SPARSE, Y, l1=0.01)",
    "fit sparse X softmax": "fit(SPARSE, CLASSES, l2=0.1)",
    "fit with firth": "fit(X, Y, firth=True)",
    "fit_path": "fit_path(X, Y, l2=[0.1, 0.01]).w",
    "fit_path with l1": "fit_path(X, Y, l1=[0.1, 0.01]).w",
    "fit_path of sparse X": "fit_path(SPARSE, Y, l1=[0.1, 0.01]).w",
    "fit_many of weights": "fit_many(X, Y, sample_weight=np.stack([W5, Y + 1]), l2=0.1).w",
    "inference of classes": "inference(X, CLASSES, *MANY, l2=0.1).covariance",
    "cost_and_gradient": "cost_and_gradient(X, Y, W, 0.5)",
    "predict_proba": "predict_proba(X, W, 0.5)",
    "predict": "predict(X, W, 0.5)",
    "sigmoid": "sigmoid(X)",
}
# Faults in CPython itself, by version.
NAME_FREED_TWICE = "CPython frees the name of contextlib's function twice if it has no memory"
NOT_OURS = {
    (3, 12): {"train with a callback": NAME_FREED_TWICE},
    (3, 13): {"train with a callback": NAME_FREED_TWICE},
}
# CPython 3.11 leaks what a frame holds if there is no memory for its traceback.
LEAKS_IN_3_11 = re.compile("fit|inference|train for long")

SCRIPT = """
import ctypes, gc, sys, warnings
import numpy as np
import scipy.sparse
import logreg_c
from logreg_c import *

NAN = np.nan
X = np.arange(15.0).reshape(3, 5) / 7
Y = np.array([0, 1, 0, 1, 1.0])
W = np.ones(3)
W5 = np.ones(5)
COLUMNS = [X[0], X[1].astype("f4"), X[2, ::-1]]
STACK = np.stack([X, X[::-1], X])
STACK_Y = np.stack([Y, Y, 1 - Y])
LARGE = np.arange(300_000.0).reshape(3, -1) % 7 / 7
LARGE_Y = np.arange(100_000) % 2
CALLBACK = lambda *_: False
LISTS = X.tolist(), Y.tolist()
SWAPPED = X.astype(X.dtype.newbyteorder())
CLASSES = np.eye(3)[[0, 1, 2, 0, 2]].T
SPARSE = scipy.sparse.csc_array(X)
warnings.simplefilter("ignore")
MANY = fit(X, CLASSES, l2=0.1)[:2]
sys.unraisablehook = lambda _: None
hook = ctypes.CDLL(None)
countdown = ctypes.c_long.in_dll(hook, "fail_malloc_countdown")
live = ctypes.c_long.in_dll(hook, "fail_malloc_live")

def plain(value):
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return np.asarray(value).tobytes()

def call():
    try:
        found = {call}
    except MemoryError:
        return "MemoryError"
    except (ValueError, ArithmeticError) as error:
        return type(error).__name__, str(error)
    left, countdown.value = countdown.value, 0
    result = plain(found)
    countdown.value = left
    return result

def failing_at(n):
    countdown.value = n
    try:
        result = call()
    except MemoryError:  # raised while `call` handled another error
        result = "MemoryError"
    except SystemError as error:
        # Not our fault: CPython returns without raising MemoryError if it has no memory for a new
        # frame, so do NumPy's ufuncs, and NumPy's astype and CPython's creation of exceptions
        # ignore one that was raised.
        assert "exception set" in str(error) or "without setting an exception" in str(error)
        assert "kernel" not in str(error)
        result = "MemoryError"
    reached = countdown.value == 0
    countdown.value = 0
    return result, reached

counts = (ctypes.c_long * 12)()  # a list would allocate
expected = call()
assert expected == call() != "MemoryError"
gc.collect()
gc.freeze()  # collections look only at newer objects
gc.disable()
n = failures = 0
while True:
    n += 1 if n < 400 else 7
    result, reached = failing_at(n)
    if not reached:
        break
    # If Python or NumPy can do without the memory, the call gives its result.
    assert result in ("MemoryError", expected), (n, result)
    failures += result == "MemoryError"
    assert call() == expected, n
    if not {leaks}:
        continue
    # A cache may grow in the first few rounds, but not after that.
    for k in range(len(counts)):
        failing_at(n)
        gc.collect()  # an error and its traceback refer to each other
        counts[k] = live.value
    assert counts[11] <= counts[5], (n, *counts)
assert result == expected
print(n, failures)
"""


@pytest.fixture(scope="module")
def hook(tmp_path_factory):
    compiler = shutil.which("gcc")
    if platform.libc_ver()[0] != "glibc" or compiler is None:
        pytest.skip("the failing allocator wraps glibc's, and needs gcc")
    library = tmp_path_factory.mktemp("hook") / "fail_malloc.so"
    source = Path(__file__).with_name("fail_malloc.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="this Python has its own allocator"
)
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="a sanitizer has replaced the allocator")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.long
def test_every_allocation_may_fail(hook, call):
    if call in NOT_OURS.get(sys.version_info[:2], {}):
        pytest.skip(NOT_OURS[sys.version_info[:2]][call])
    leaks = sys.version_info[:2] != (3, 11) or not LEAKS_IN_3_11.match(call)
    script = SCRIPT.replace("{call}", CALLS[call]).replace("{leaks}", str(leaks))
    done = run_python(script, LD_PRELOAD=hook, PYTHONMALLOC="malloc")
    allocations, failures = map(int, done.split())
    assert allocations >= failures > 5
