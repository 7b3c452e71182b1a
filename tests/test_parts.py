# SPDX-License-Identifier: BSD-3-Clause
"""Sums of data that come in parts, as from a file or a cluster, have the bits of one call."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from logreg_c import _input, _kernel
from logreg_c._objective import Objective
from logreg_c._parts import ObjectiveInParts, Part, examples_of_parts
from logreg_c._solvers.descent import descend
from logreg_c._solvers.minimum import minimize

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
@pytest.mark.sampled(2)
def test_parts_that_arrive_in_any_order_have_the_bits_of_one_call(parts, layout, dtype, weighted):
    X, Y, weight, size = make_problem(layout, dtype, weighted=weighted)
    rng = np.random.default_rng(parts)
    float32 = dtype != "f8"
    w, b = rng.standard_normal(N_X), 0.5
    point = _kernel.Point(w, b, None)
    cuts = 1 + rng.choice(N_SEGMENTS - 1, parts - 1, replace=False)
    bounds = [0, *sorted(cuts.tolist()), N_SEGMENTS]
    if parts > 1:
        bounds[-2] = N_SEGMENTS - 1  # a chunk of one example
    whole = _kernel.Problem(X, Y, weight, 2, float32)

    def sum_part(k):
        """Every other part is a separate chunk; the others are segments of the whole data."""
        first, end = bounds[k : k + 2]
        sums = _kernel.Sums(_kernel.GRADIENT, N_X)
        if k % 2 == 0:
            here = slice(first * size, end * size)
            part_of_weight = None if weight is None else weight[here]
            arguments = X[:, here], Y[here], part_of_weight, 1, float32, layout == "F"
            sums.add(_kernel.Problem(*arguments), point, first, 0, end - first)
        else:
            own = _kernel.Problem(X, Y, weight, 2, float32) if parts > 2 else whole
            sums.add(own, point, 0, first, end)
        return sums

    order = rng.permutation(len(bounds) - 1).tolist()
    with ThreadPoolExecutor(3) as pool:
        arrived = list(pool.map(sum_part, order))
    total = _kernel.Sums(_kernel.GRADIENT, N_X)
    for sums in arrived:
        total.merge(sums)
    dw = np.empty(N_X)
    status, J, db = total.gradient(N_SEGMENTS, float32, point, 0.1, dw)
    assert status == _kernel.OK
    found = np.concatenate([[J, db], dw]).tobytes()
    assert found == one_call(X, Y, weight, w, b, float32)


@pytest.mark.parametrize("layout", "CF")
def test_a_chunk_of_one_example_has_the_layout_that_is_stated(layout):
    X, Y, _, size = make_problem(layout, "f8", weighted=False)
    w = np.linspace(-1, 1, N_X)
    X, Y = X[:, : size + 1], Y[: size + 1]
    total, dw = _kernel.Sums(_kernel.GRADIENT, N_X), np.empty(N_X)
    point = _kernel.Point(w, 0.0, None)
    for first in 1, 0:
        here = slice(first * size, (first + 1) * size)
        chunk = _kernel.Problem(X[:, here].copy("F"), Y[here], None, 1, False, layout == "F")
        if layout == "C" and not first:
            chunk = _kernel.Problem(X[:, here], Y[here], None, 1, False, False)
        total.add(chunk, point, first, 0, 1)
    status, J, db = total.gradient(2, False, point, 0.1, dw)
    assert status == _kernel.OK
    assert np.concatenate([[J, db], dw]).tobytes() == one_call(X, Y, None, w, 0.0, False)


@pytest.mark.parametrize("counts", [(1, 0, 1), (1, 1, 0), (0, 1, 1), (1, 2, 1), (2, 1, 1)])
def test_missing_or_duplicate_parts_are_detected(counts):
    problem = _kernel.Problem(np.ones((N_X, 1 << 15)), np.ones(1 << 15), None, 1, False)
    point = _kernel.Point(np.zeros(N_X), 0.0, None)
    n = (1 << 15) // problem.segment_size
    total = _kernel.Sums(_kernel.GRADIENT, N_X)
    for (first, end), count in zip([(0, 1), (1, 3), (3, n)], counts, strict=True):
        for _ in range(count):
            total.add(problem, point, 0, first, end)
    status = total.gradient(n, False, point, 0.0, np.empty(N_X))[0]
    assert status == _kernel.INCOMPLETE


class Slices:
    """An array in memory, as parts."""

    def __init__(self, X, Y, weight, units):
        self.X, self.Y, self.weight = X, Y, weight
        whole = _input.examples(X, None)
        dtypes = {x.dtype for x in whole.values} if isinstance(X, list) else {X.dtype}
        dtype = dtypes.pop() if len(dtypes) == 1 else "f8"
        self.examples = whole._replace(values=np.empty(0, dtype))
        self.example_major = not isinstance(X, list) and not X.flags.c_contiguous
        self.survey = self.tally = None
        self.step = units * examples_of_parts(whole.shape[0])
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        for first in range(0, self.Y.size, self.step):
            here = slice(first, first + self.step)
            X = [x[here] for x in self.X] if isinstance(self.X, list) else self.X[:, here]
            weight = None if self.weight is None else self.weight[here]
            yield Part(first, X, self.Y[here], weight)

    def place(self, example):
        return f"row {example}"


def make_data(n_x, m, layout, *, weighted, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_x, m)) * np.exp(rng.standard_normal((n_x, 1)))
    Y = (rng.random(m) < 1 / (1 + np.exp(-X[: min(n_x, 5)].sum(axis=0)))).astype(np.uint8)
    weight = rng.random(m) if weighted else None
    if layout == "columns":
        X = [
            x.astype(np.float32) if j % 2 else np.round(x).astype(np.int8) for j, x in enumerate(X)
        ]
    else:
        X = np.array(X, order=layout)
    return X, Y, weight


def bits_of(found):
    values = [found.w.ravel(), [found.b], found.costs]
    return np.concatenate(values).tobytes(), found.n_iter, found.stopped


CASES = [
    (3, 40_000, "C", False, 1),
    (3, 40_001, "F", True, 3),
    (28, 30_000, "columns", True, 2),
    (12, 5_000, "F", False, 1),
    (1, 9_000, "F", False, 1),
]


@pytest.mark.parametrize(("n_x", "m", "layout", "weighted", "units"), CASES)
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("fixed_b", [False, True])
@pytest.mark.long
def test_fit_of_parts_has_the_bits_of_fit(n_x, m, layout, weighted, units, standardize, fixed_b):
    X, Y, weight = make_data(n_x, m, layout, weighted=weighted)
    settings = {"warm": False, "l2": 1e-3, "tol": 1e-10, "fixed_b": fixed_b}
    source = Slices(X, Y, weight, units)
    whole = Objective.checked(_input.examples(X, None), Y, sample_weight=weight, n_threads=2)
    found = [
        bits_of(minimize(o, 100, w=np.zeros((n_x, 1)), b=0.0, standardize=standardize, **settings))
        for o in (whole, ObjectiveInParts(source, 2))
    ]
    assert found[0] == found[1]
    assert found[0][2] == "tol"
    assert source.passes <= found[0][1] + standardize + 6  # survey, samples, factors


@pytest.mark.parametrize(("n_x", "m", "layout", "weighted", "units"), CASES)
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("alpha", [0.125, "auto"])
@pytest.mark.sampled(8)
def test_train_of_parts_has_the_bits_of_train(n_x, m, layout, weighted, units, standardize, alpha):
    X, Y, weight = make_data(n_x, m, layout, weighted=weighted)
    source = Slices(X, Y, weight, units)
    whole = Objective.checked(_input.examples(X, None), Y, sample_weight=weight, n_threads=2)
    found = [
        bits_of(
            descend(o, alpha, 12, w=np.zeros((n_x, 1)), b=0.25, l2=0.01, standardize=standardize,
                    tol=1e-9)
        )
        for o in (whole, ObjectiveInParts(source, 1))
    ]  # fmt: skip
    assert found[0] == found[1]


@pytest.mark.long
def test_factors_of_all_examples_have_the_bits_of_fit():
    """A Gram of two groups of features, and a diagonal."""
    for n_x, m in [(520, 9_000), (4_352, 2_050)]:
        X, Y, _ = make_data(n_x, m, "F", weighted=False)
        X = X.astype(np.float32)
        X[7] = 0.0
        X[7, 5] = 1.0  # constant in most samples
        source = Slices(X, Y, None, 1)
        whole = Objective.checked(_input.examples(X, None), Y, sample_weight=None, n_threads=2)
        found = [
            bits_of(minimize(o, 9, w=np.zeros((n_x, 1)), b=0.0, warm=False, l2=0.01, tol=1e-6))
            for o in (whole, ObjectiveInParts(source, 2))
        ]
        assert found[0] == found[1]


def test_a_search_of_parts_resumes_one_in_memory_and_back():
    X, Y, weight = make_data(9, 30_000, "F", weighted=True)
    whole = Objective.checked(_input.examples(X, None), Y, sample_weight=weight, n_threads=1)
    parts = ObjectiveInParts(Slices(X, Y, weight, 1), 1)
    goal = {"l2": 0.0, "tol": 0.0, "slope": np.inf, "passes": 50, "fixed_b": False, "warm": False}
    results = []
    for first, second in [(whole, whole), (whole, parts), (parts, whole), (parts, parts)]:
        costs, w = np.zeros(50), np.zeros((9, 1))
        search = first.minimization(w, 0.0, **goal)
        search.advance(costs, 2)
        again = second.minimization(np.zeros((9, 1)), 0.0, **goal)
        assert again.resume(search.state(), search.done)
        again.advance(costs, 50)
        results.append((costs.tobytes(), again.b, again.passes, again.state()))
    assert len(set(results)) == 1


def test_a_feature_that_is_constant_in_the_sample_moves():
    X, Y, _ = make_data(4, 60_000, "F", weighted=False)
    X[2] = 0.0
    X[2, 17:19] = 1.0
    whole = Objective.checked(_input.examples(X, None), Y, sample_weight=None, n_threads=1)
    source = Slices(X, Y, None, 2)
    found = [
        minimize(o, 30, w=np.zeros((4, 1)), b=0.0, warm=False, l2=1e-4, tol=1e-9)
        for o in (whole, ObjectiveInParts(source, 1))
    ]
    assert bits_of(found[0]) == bits_of(found[1])
    assert found[0].w[2, 0] != 0.0


def test_nan_in_a_part_is_named():
    X, Y, _ = make_data(3, 9_000, "C", weighted=False)
    X[1, 8_777] = np.nan
    objective = ObjectiveInParts(Slices(X, Y, None, 1), 1)
    with pytest.raises(ValueError, match="first in feature 1 of row 8777; expected finite values"):
        minimize(objective, 9, w=np.zeros((3, 1)), b=0.0, warm=False, l2=0.0, tol=1e-9)
