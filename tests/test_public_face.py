# SPDX-License-Identifier: BSD-3-Clause
"""The public names, and what each promises in addition to its numbers."""

import copy
import doctest
import importlib
import importlib.util
import inspect
import pickle
import sys
import tracemalloc
from operator import methodcaller

import numpy as np
import pytest
from oracle import bits, make_data, run_python

import logreg_c
from logreg_c._solvers import training

X, Y = make_data(4, 50)


def test_signatures():
    expected = {
        "train": "(X, Y, alpha, iters, *, w=None, b=0.0, l2=0.0, sample_weight=None, "
        "standardize=False, tol=None, callback=None, dtype=None, n_threads=None)",
        "fit": "(X, Y, *, l2=0.0, l1=0.0, penalty_factors=None, lower=None, upper=None, "
        "firth=False, sample_weight=None, w=None, b=None, intercept=True, tol=1e-09, "
        "max_passes=None, callback=None, dtype=None, n_threads=None)",
        "fit_many": "(X, Y, *, groups=None, l2=0.0, sample_weight=None, intercept=True, tol=1e-09, "
        "max_passes=None, dtype=None, n_threads=None)",
        "fit_path": "(X, Y, *, l2=0.0, l1=0.0, penalty_factors=None, lower=None, upper=None, "
        "sample_weight=None, intercept=True, tol=1e-09, max_passes=None, dtype=None, "
        "n_threads=None)",
        "l1_max": "(X, Y, *, penalty_factors=None, sample_weight=None, intercept=True, "
        "n_threads=None)",
        "cost_and_gradient": "(X, Y, w, b, *, l2=0.0, sample_weight=None, dtype=None, "
        "n_threads=None)",
        "predict_proba": "(X, w, b, *, dtype=None, n_threads=None)",
        "predict": "(X, w, b, *, threshold=0.5, dtype=None, n_threads=None)",
        "sigmoid": "(Z)",
        "with_names": "(w, feature_names)",
        "show_config": "()",
    }
    if importlib.util.find_spec("polars"):
        expected["load"] = "(path)"
    for name, text in expected.items():
        signature = inspect.signature(getattr(logreg_c, name))
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        assert str(inspect.Signature(bare)) == text


def test_public_names_all_have_docstrings():
    public = {name for name in vars(logreg_c) if not name.startswith("_")} | {"__version__"}
    imported_on_demand = {"batches", "callbacks", "dask", "model", "onnx", "sklearn"}
    assert set(logreg_c.__all__) == public - {"select_isa", "annotations"} - imported_on_demand
    for name in set(logreg_c.__all__) - {"__version__"}:
        assert getattr(logreg_c, name).__doc__


@pytest.mark.parametrize(
    "page",
    [
        "_train",
        "_fit",
        "_fit_many",
        "_fit_path",
        "_predict",
        "_names",
        "_config",
        "model",
        "reference",
    ],
)
@pytest.mark.thread_unsafe(reason="doctest replaces a function of linecache")
def test_examples_in_docstrings_are_true(page):
    if page == "model":
        pytest.importorskip("polars")
    failed, tried = doctest.testmod(importlib.import_module(f"logreg_c.{page}"))
    assert tried > 0
    assert failed == 0


# ---- train ---------------------------------------------------------------------------------------


def test_result_is_a_tuple_of_three_with_attributes():
    result = logreg_c.train(X, Y, 0.1, 7)
    w, b, costs = result
    assert w is result.w
    assert b is result.b
    assert costs is result.costs
    assert (w.shape, type(b), costs.shape) == ((4, 1), float, (7,))
    assert w.dtype == costs.dtype == np.float64
    assert w.flags.writeable
    assert result.stopped == "iters"
    assert result.feature_names is None


@pytest.mark.parametrize(
    "through", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
def test_result_can_be_pickled(through):
    result = logreg_c.train(X, Y, 0.1, 7, tol=10.0)
    other = through(result)
    assert type(other) is logreg_c.TrainResult
    assert other.feature_names is None
    assert other.stopped == "tol"
    assert other.w.tobytes() == result.w.tobytes()
    assert other.b == result.b
    assert other.costs.tobytes() == result.costs.tobytes()


@pytest.mark.parametrize("standardize", [False, True])
def test_training_again_continues_bit_for_bit(standardize):
    whole = logreg_c.train(X, Y, 0.1, 30, l2=0.1)
    w, b, costs = logreg_c.train(X, Y, 0.1, 13, l2=0.1)
    start = w.copy()
    rest = logreg_c.train(X, Y, 0.1, 17, l2=0.1, w=w, b=b)
    assert rest.w.tobytes() == whole.w.tobytes()
    assert rest.b == whole.b
    assert np.concatenate([costs, rest.costs]).tobytes() == whole.costs.tobytes()
    assert w.tobytes() == start.tobytes()  # the start is unchanged
    flat = logreg_c.train(X, Y, 0.1, 17, l2=0.1, w=w.ravel(), b=b)
    assert flat.w.tobytes() == whole.w.tobytes()


@pytest.mark.parametrize("standardize", [False, True])
def test_callback_sees_what_a_run_of_that_length_returns(standardize):
    seen = []
    settings = {"standardize": standardize, "l2": 0.01}
    result = logreg_c.train(X, Y, 0.1, 1500, callback=lambda *a: seen.append(a), **settings)
    assert [k for k, *_ in seen] == list(range(1500))
    assert [cost for _, cost, *_ in seen] == result.costs.tolist()
    assert seen[-1][2].tobytes() == result.w.tobytes()
    assert seen[-1][3] == result.b
    for n in 1, 1024, 1025:
        short = logreg_c.train(X, Y, 0.1, n, **settings)
        _k, cost, w, b = seen[n - 1]
        assert w.tobytes() == short.w.tobytes()
        assert (type(cost), w.shape, type(b)) == (float, (4, 1), float)
        assert (cost, b) == (short.costs[-1], short.b)


def test_callback_gets_copies_and_stops_by_a_true_return():
    def spoil(k, _cost, w, _b):
        w[...] = np.nan
        return "enough" if k == 9 else None

    result = logreg_c.train(X, Y, 0.1, 100, callback=spoil)
    expected = logreg_c.train(X, Y, 0.1, 10)
    assert result.stopped == "callback"
    assert result.w.tobytes() == expected.w.tobytes()
    assert result.costs.tobytes() == expected.costs.tobytes()


def test_an_exception_in_the_callback_propagates_and_leaves_nothing_locked():
    own = X.copy()

    class Odd(Exception):  # noqa: N818
        pass

    def fail(k, *_):
        if k == 2:
            # training inside a callback is no different
            logreg_c.train(own, Y, 0.1, 3, callback=lambda *_: None)
            raise Odd

    with pytest.raises(Odd):
        logreg_c.train(own, Y, 0.1, 100, callback=fail)
    own.resize((2, 2), refcheck=False)
    assert logreg_c.train(X, Y, 0.1, 10).costs.size == 10


def test_a_callback_may_be_a_falsy_object():
    class Empty(list):
        def __call__(self, k, *_):
            return k == 2

    assert logreg_c.train(X, Y, 0.1, 9, callback=Empty()).costs.size == 3


@pytest.mark.parametrize("called_back", [False, True])
def test_tol_stops_before_the_update(called_back):
    seen = []
    callback = (lambda *_: seen.append(1)) if called_back else None
    tol = 1e-2
    result = logreg_c.train(X, Y, 0.5, 10**6, tol=tol, l2=0.01, callback=callback)
    J, dw, db = logreg_c.cost_and_gradient(X, Y, result.w, result.b, l2=0.01)
    assert result.stopped == "tol"
    assert result.costs[-1] == J
    assert max(abs(dw).max(), abs(db)) <= tol
    before = logreg_c.train(X, Y, 0.5, result.costs.size - 1, l2=0.01)
    assert before.w.tobytes() == result.w.tobytes()
    assert len(seen) == called_back * before.costs.size  # not called without an update


def test_tol_zero_stops_at_a_gradient_of_zero():
    result = logreg_c.train(np.zeros((1, 2)), [0, 1], 0.5, 100, tol=0)
    assert (result.stopped, result.costs.size) == ("tol", 1)


@pytest.mark.thread_unsafe(reason="tracemalloc sees every thread")
def test_a_vast_number_of_iterations_takes_no_memory_in_advance():
    tracemalloc.start()
    try:
        result = logreg_c.train(X, Y, 1.0, 10**30, tol=1e-6, l2=0.1)
        _size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.stopped == "tol"
    assert peak < 100_000 + 8 * training.FIRST_COSTS  # reserved, but no memory until it is used
    assert result.costs.base is None


@pytest.mark.parametrize("iters", [8, 9, 40])
def test_more_memory_for_costs_changes_none(monkeypatch, iters):
    wanted = logreg_c.train(X, Y, 1.0, iters)
    monkeypatch.setattr(training, "FIRST_COSTS", 4)
    monkeypatch.setattr(training, "COSTS_AT_ONCE", 3)
    for callback in None, lambda *_: False:
        result = logreg_c.train(X, Y, 1.0, iters, callback=callback)
        assert bits(result) == bits(wanted)


# ---- What is read in place, and what is copied once ----------------------------------------------


def misaligned(X):
    raw = np.empty(X.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(np.float64).reshape(X.shape)
    view[...] = X
    return view


def read_only(X):
    X.flags.writeable = False
    return X


IN_PLACE = {
    "C": lambda X: X,
    "F": np.asfortranarray,
    "read-only": lambda X: read_only(X.copy()),
    "rows of a larger C array": lambda X: np.repeat(X, 2, axis=0)[::2],
    "columns of a larger C array": lambda X: np.hstack([X, X])[:, : X.shape[1]],
    "rows of a larger F array": lambda X: np.asfortranarray(np.vstack([X, X]))[: X.shape[0]],
    "columns of a larger F array": lambda X: np.asfortranarray(np.repeat(X, 2, axis=1))[:, ::2],
    "features of a C array backwards": lambda X: X[::-1],
    "examples of an F array backwards": lambda X: np.asfortranarray(X)[:, ::-1],
    "matrix": lambda X: X.view(np.matrix),
    "masked array without a mask": np.ma.asarray,
    **{np.dtype(code).name: methodcaller("astype", code) for code in "?bBhHefilq"},
    **{
        f"{np.dtype(code).name}, F": methodcaller("astype", code, order="F")
        for code in "?bBhHefilq"
    },
    "columns": list,
    "columns of many types": lambda X: [x.astype("dfebq"[j % 5]) for j, x in enumerate(X)],
    "columns that are strided": lambda X: list(np.asfortranarray(X)),
    "columns backwards": lambda X: [x[::-1] for x in X],
}
COPIED_ONCE = {
    "byte-swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "misaligned": misaligned,
    "examples of a C array backwards": lambda X: X[:, ::-1],
    "doubly strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "uint32": lambda X: X.astype(np.uint32),
    "uint64": lambda X: X.astype(np.uint64),
    "columns, byte-swapped": lambda X: [x.astype(x.dtype.newbyteorder()) for x in X],
    "rows as lists": lambda X: X.tolist(),
}

# On Windows and on ARM Macs it is a double.
(IN_PLACE if np.dtype(np.longdouble).itemsize == 8 else COPIED_ONCE)["longdouble"] = methodcaller(
    "astype", np.longdouble
)


@pytest.mark.parametrize("layout", [*IN_PLACE, *COPIED_ONCE])
@pytest.mark.thread_unsafe(reason="tracemalloc sees every thread")
@pytest.mark.sampled(5)
def test_what_is_copied_is_a_short_list(layout):
    whole, labels = make_data(20, 40_000)
    whole = np.abs(np.round(4 * whole))  # the same numbers in every dtype
    if layout.startswith("bool"):
        whole = np.minimum(whole, 1)
    given = (IN_PLACE | COPIED_ONCE)[layout](whole)
    tracemalloc.start()
    try:
        result = logreg_c.train(given, labels, 0.01, 3, dtype=np.float64)
        _size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if layout in IN_PLACE:
        assert peak < 0.25 * sum(np.asarray(x).nbytes for x in given)
    else:
        assert whole.nbytes <= peak < 1.25 * whole.nbytes
    plain = np.asarray(given, dtype=np.float64)
    expected = logreg_c.train(plain.copy(order="C"), labels, 0.01, 3)
    np.testing.assert_allclose(result.w, expected.w, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(result.costs, expected.costs, rtol=1e-13)


REAL = "?bhilqBHILQefdg"


@pytest.mark.parametrize("code", REAL)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_real_dtype_is_taken(code, order):
    given = np.array(X > 0, dtype=code, order=order)
    weight = np.ones(50, dtype=code)
    result = logreg_c.train(given, Y, 0.1, 3, sample_weight=weight, dtype=np.float64)
    expected = logreg_c.train(np.array(given, dtype=float, order=order), Y, 0.1, 3)
    assert result.w.tobytes() == expected.w.tobytes()


def test_anything_that_numpy_makes_an_array_of_is_accepted():
    expected = logreg_c.train([[1.0, 2.0, 4.0]], [0.0, 1.0, 1.0], 0.1, 3)
    lists = logreg_c.train([[1, 2, 4]], [[False, True, True]], 0.1, 3)
    record = np.zeros(3, dtype=[("pad", "i1"), ("x", "f8"), ("y", "f4")])
    record["x"], record["y"] = [1, 2, 4], [0, 1, 1]
    fields = logreg_c.train(record["x"][None], record["y"], 0.1, 3)
    for result in lists, fields:
        assert result.w.tobytes() == expected.w.tobytes()


def test_a_memory_map_is_read_where_it_is(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    assert logreg_c.train(mapped, Y, 0.1, 3).w.tobytes() == logreg_c.train(X, Y, 0.1, 3).w.tobytes()


@pytest.mark.parametrize(
    "view",
    [
        np.broadcast_to(X[0], (3, 50)),
        np.broadcast_to(X[:, :1], (4, 50)),
        np.broadcast_to(2.0, (4, 50)),
        np.lib.stride_tricks.sliding_window_view(np.arange(54.0) / 50, 50),
        X[::-1][:1],
        X[:1, ::2].repeat(2, 1),
        X[:1, 49::-1],
        X[:1].T.repeat(3, 1).T[1:2],
        np.repeat(X, 3, axis=1)[:1, ::3],
    ],
)
def test_odd_strides_are_read_right(view):
    labels = Y[:, : view.shape[1]]
    w, b, costs = logreg_c.train(view, labels, 0.1, 5)
    expected = logreg_c.train(view.copy(order="C"), labels, 0.1, 5)
    np.testing.assert_allclose(w, expected.w, rtol=1e-13)
    np.testing.assert_allclose(costs, expected.costs, rtol=1e-14)
    assert b == pytest.approx(expected.b, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1)])
def test_arrays_that_are_both_layouts_give_the_same_bits(shape):
    given = make_data(40, 40)[0][: shape[0], : shape[1]]
    labels = (np.arange(shape[1]) % 2).astype(float)
    results = {
        logreg_c.train(array, labels, 0.1, 5).w.tobytes()
        for array in (np.ascontiguousarray(given), np.asfortranarray(given))
    }
    assert len(results) == 1


def test_labels_and_weights_in_any_layout():
    weight = np.arange(50.0)
    expected = logreg_c.train(X, Y, 0.1, 3, sample_weight=weight).w.tobytes()
    for odd in (
        lambda v: np.repeat(v, 2)[::2],
        lambda v: v[::-1].copy()[::-1],
        lambda v: v[:, None].T,
        lambda v: v.astype(">f4"),
        lambda v: v.tolist(),
    ):
        result = logreg_c.train(X, odd(Y.ravel()), 0.1, 3, sample_weight=odd(weight))
        assert result.w.tobytes() == expected


# ---- The other functions -------------------------------------------------------------------------


def test_cost_and_gradient_is_an_iteration_of_train():
    w0 = np.linspace(-1, 1, 4)[:, None]
    J, dw, db = logreg_c.cost_and_gradient(X, Y, w0, 0.5, l2=0.25)
    assert (type(J), dw.shape, type(db)) == (float, (4, 1), float)
    w, b, costs = logreg_c.train(X, Y, 0.125, 1, w=w0, b=0.5, l2=0.25)
    assert costs[0] == J
    np.testing.assert_array_equal(w, w0 - 0.125 * dw)
    assert b == 0.5 - 0.125 * db


def test_predictions():
    w, b, _ = logreg_c.train(X, Y, 0.5, 100)
    A = logreg_c.predict_proba(X, w, b)
    assert (A.shape, A.dtype) == ((1, 50), np.float64)
    np.testing.assert_allclose(A, 1 / (1 + np.exp(-(w.T @ X + b))), rtol=1e-14)
    for threshold in 0, 0.3, 0.5, 1:
        labels = logreg_c.predict(X, w, b, threshold=threshold)
        assert (labels.shape, labels.dtype) == ((1, 50), np.int64)
        np.testing.assert_array_equal(labels, A > threshold)
    half = logreg_c.predict(X, 0 * w, 0.0)
    assert half.sum() == 0  # A == threshold is label 0


def test_sigmoid_keeps_the_shape():
    for shape in (), (0,), (3,), (2, 3), (2, 0, 3), (4, 3, 2):
        A = logreg_c.sigmoid(np.zeros(shape))
        assert A.shape == shape
        assert A.dtype == np.float64
        assert (A == 0.5).all()
    Z = np.arange(24.0).reshape(4, 6)
    np.testing.assert_array_equal(logreg_c.sigmoid(Z[::2, ::-3]), logreg_c.sigmoid(Z)[::2, ::-3])
    assert isinstance(logreg_c.sigmoid(0), np.float64)
    extremes = logreg_c.sigmoid([-np.inf, np.inf, np.nan, -745.0])
    assert extremes.tolist()[:2] == [0.0, 1.0]
    assert np.isnan(extremes[2])
    assert 0.0 < extremes[3] < 1e-320


def test_results_do_not_share_memory_with_what_was_given():
    w0 = np.zeros((4, 1))
    result = logreg_c.train(X, Y, 0.1, 1, w=w0)
    assert not np.shares_memory(result.w, w0)
    assert not w0.any()
    Z = np.zeros(3)
    assert not np.shares_memory(logreg_c.sigmoid(Z), Z)


# ---- Configuration, import, small calls ----------------------------------------------------------


def test_show_config():
    config = logreg_c.show_config()
    assert config["version"] == logreg_c.__version__
    assert config["isa"] in config["isa_available"]
    assert config["isa_available"][0] == "baseline"
    assert config["threads"] >= 1
    assert config["threads_backend"] in {"openmp", "dispatch", "serial"}


@pytest.mark.long
def test_the_environment_chooses_the_instruction_set():
    for isa in logreg_c.show_config()["isa_available"]:
        code = "import logreg_c; print(logreg_c.show_config()['isa'])"
        assert run_python(code, LOGREG_C_ISA=isa) == isa
    code = "import logreg_c; config = logreg_c.show_config(); print(*config['isa_available'][-1:])"
    assert run_python(code, LOGREG_C_ISA="") == logreg_c.show_config()["isa_available"][-1]


@pytest.mark.long
def test_an_unknown_instruction_set_is_an_error_at_import():
    code = "try:\n    import logreg_c\nexcept ImportError as error:\n    print(error)\n"
    message = run_python(code, LOGREG_C_ISA="AVX9000")
    assert "LOGREG_C_ISA='AVX9000' is not one of this build's instruction sets" in message
    assert "set it to one of: baseline" in message
    assert "is not one of" in run_python(code, LOGREG_C_ISA="\udcff")


@pytest.mark.long
def test_import_loads_no_adapter():
    code = (
        "import sys, numpy; old = set(sys.modules); import logreg_c; print(*set(sys.modules) - old)"
    )
    new = run_python(code).split()
    packages = {name.partition(".")[0] for name in new} - sys.stdlib_module_names
    assert {name for name in packages if "cython" not in name} <= {"logreg_c", "numpy"}
    assert not {"logreg_c._cli", "logreg_c.callbacks", "logreg_c.sklearn"} & set(new)


@pytest.mark.long
def test_callbacks_are_imported_on_first_use():
    code = "import sys, logreg_c; logreg_c.callbacks.EarlyStopping; print('tqdm' in sys.modules)"
    assert run_python(code) == "False"
    assert "callbacks" in dir(logreg_c)
    with pytest.raises(AttributeError, match="module 'logreg_c' has no attribute 'callback'"):
        _ = logreg_c.callback
