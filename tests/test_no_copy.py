# SPDX-License-Identifier: BSD-3-Clause
"""Float64 data are read in place: the process barely grows while it works on them."""

import sys

import numpy as np
import pytest
from oracle import run_python

import logreg_c

N_X, M = 100, 250_000
CODE = """
import resource
import numpy as np
import logreg_c

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

X = np.empty(({n_x}, {m}), order="{order}")
rng = np.random.default_rng(0)
for part in X if X.flags.c_contiguous else X.T:
    part[...] = rng.standard_normal(part.size)
Y = np.zeros((1, {m}))
Y[0, ::2] = 1
weight = np.ones({m})
w = np.zeros(({n_x}, 1))
before = peak()
{call}
print(peak() - before)
"""
CALLS = {
    "train": "logreg_c.train(X, Y, 0.1, 3)",
    "train, all settings": "logreg_c.train(X, Y, 0.1, 3, standardize=True, l2=1, tol=0, "
    "sample_weight=weight, callback=lambda *_: None, n_threads=2)",
    "cost_and_gradient": "logreg_c.cost_and_gradient(X, Y, w, 0.0)",
    "predict_proba": "logreg_c.predict_proba(X, w, 0.0)",
}


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="ru_maxrss has other units or is missing"
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.memory
@pytest.mark.long
def test_peak_memory_above_the_data(order, call):
    extra = int(run_python(CODE.format(n_x=N_X, m=M, order=order, call=CALLS[call])))
    assert extra <= 0.01 * (8 * N_X * M) + 2e6


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_one_feature_or_one_example_is_read_where_it_is_whatever_its_strides(shape):
    X = np.ones((10, 10))[::2, ::2][: shape[0], : shape[1]]
    assert X.itemsize not in X.strides
    Y = np.ones(shape[1])
    after_one, _, _ = logreg_c.train(X, Y, 0.1, 1)

    def forget(k, cost, w, b):  # from here on X reads as 0, unless a copy is read
        X[...] = 0.0

    after_three, _, _ = logreg_c.train(X, Y, 0.1, 3, callback=forget)
    assert np.array_equal(after_three, after_one)
