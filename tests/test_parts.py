# SPDX-License-Identifier: BSD-3-Clause
"""Sums of data that come in parts, as from a file or a cluster, have the bits of one call."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from logreg_c import _kernel

N_X = 10
N_SEGMENTS = 103  # the last of one example


def make_problem(layout, dtype, *, weighted):
    rng = np.random.default_rng(5)
    size = _kernel.Problem(np.zeros((N_X, 1)), None, None, 1, False).segment_size
    m = (N_SEGMENTS - 1) * size + 1
    X = np.array(4.0 * rng.standard_normal((N_X, m)), dtype=dtype, order=layout)
    weight = rng.random(m) if weighted else None
    return X, rng.random(m) > 0.5, weight, size


def one_call(X, Y, weight, w, b, float32):
    dw = np.empty(N_X)
    problem = _kernel.Problem(X, Y, weight, 2, float32)
    status, J, db = problem.cost_and_gradient(w, b, 0.1, dw)
    assert status == _kernel.OK
    return np.concatenate([[J, db], dw]).tobytes()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("layout", "dtype"), [("C", "f8"), ("F", "f8"), ("F", "f4"), ("C", "i1")])
@pytest.mark.parametrize("parts", [1, 2, 7, 100])
@pytest.mark.sampled(10)
def test_parts_that_arrive_in_any_order_have_the_bits_of_one_call(parts, layout, dtype, weighted):
    X, Y, weight, size = make_problem(layout, dtype, weighted=weighted)
    rng = np.random.default_rng(parts)
    float32 = dtype != "f8"
    w, b = rng.standard_normal(N_X), 0.5
    cuts = 1 + rng.choice(N_SEGMENTS - 1, parts - 1, replace=False)
    bounds = [0, *sorted(cuts.tolist()), N_SEGMENTS]
    if parts > 1:
        bounds[-2] = N_SEGMENTS - 1  # a chunk of one example
    whole = _kernel.Problem(X, Y, weight, 2, float32)

    def sum_part(k):
        """Every other part is a separate chunk; the others are segments of the whole data."""
        first, end = bounds[k : k + 2]
        sums = _kernel.GradientSums(N_X)
        if k % 2 == 0:
            here = slice(first * size, end * size)
            part_of_weight = None if weight is None else weight[here]
            arguments = X[:, here], Y[here], part_of_weight, 1, float32, layout == "F"
            sums.add(_kernel.Problem(*arguments), w, b, first, 0, end - first)
        else:
            own = _kernel.Problem(X, Y, weight, 2, float32) if parts > 2 else whole
            sums.add(own, w, b, 0, first, end)
        return sums

    order = rng.permutation(len(bounds) - 1).tolist()
    with ThreadPoolExecutor(3) as pool:
        arrived = list(pool.map(sum_part, order))
    total = _kernel.GradientSums(N_X)
    for sums in arrived:
        total.merge(sums)
    dw = np.empty(N_X)
    status, J, db = total.finish(N_SEGMENTS, float32, w, b, 0.1, dw)
    assert status == _kernel.OK
    found = np.concatenate([[J, db], dw]).tobytes()
    assert found == one_call(X, Y, weight, w, b, float32)


@pytest.mark.parametrize("layout", "CF")
def test_a_chunk_of_one_example_has_the_layout_that_is_stated(layout):
    X, Y, _, size = make_problem(layout, "f8", weighted=False)
    w = np.linspace(-1, 1, N_X)
    X, Y = X[:, : size + 1], Y[: size + 1]
    total, dw = _kernel.GradientSums(N_X), np.empty(N_X)
    for first in 1, 0:
        here = slice(first * size, (first + 1) * size)
        chunk = _kernel.Problem(X[:, here].copy("F"), Y[here], None, 1, False, layout == "F")
        if layout == "C" and not first:
            chunk = _kernel.Problem(X[:, here], Y[here], None, 1, False, False)
        total.add(chunk, w, 0.0, first, 0, 1)
    status, J, db = total.finish(2, False, w, 0.0, 0.1, dw)
    assert status == _kernel.OK
    assert np.concatenate([[J, db], dw]).tobytes() == one_call(X, Y, None, w, 0.0, False)


@pytest.mark.parametrize("counts", [(1, 0, 1), (1, 1, 0), (0, 1, 1), (1, 2, 1), (2, 1, 1)])
def test_missing_or_duplicate_parts_are_detected(counts):
    problem = _kernel.Problem(np.ones((N_X, 1 << 15)), np.ones(1 << 15), None, 1, False)
    w = np.zeros(N_X)
    n = (1 << 15) // problem.segment_size
    total = _kernel.GradientSums(N_X)
    for (first, end), count in zip([(0, 1), (1, 3), (3, n)], counts, strict=True):
        for _ in range(count):
            total.add(problem, w, 0.0, 0, first, end)
    assert total.finish(n, False, w, 0.0, 0.0, np.empty(N_X))[0] == _kernel.INCOMPLETE
