# SPDX-License-Identifier: BSD-3-Clause
"""Data frames are read in place, by column name, and unreadable columns are named."""

import copy
import io
import pickle
import sys
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bits, bounded, make_data, run_python

import logreg_c
from logreg_c import _input
from logreg_c._input import frame_types, vectors

nw = pytest.importorskip("narwhals")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
frames = pytest.importorskip("logreg_c._input.frames")

M = 700
X, Y = make_data(4, M)
COLUMNS = {
    "income": X[0],
    "age": np.round(20 * X[1]).astype(np.int8),
    "rate": X[2].astype(np.float32),
    "late": X[3] > 0,
}
LIBRARIES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "record batch": pa.RecordBatch.from_pydict,
    "narwhals": lambda data: nw.from_native(pl.DataFrame(data)),
}
libraries = pytest.mark.parametrize("frame_of", LIBRARIES.values(), ids=LIBRARIES)
SETTINGS = {"alpha": 0.1, "iters": 20, "standardize": True}


def address(array):
    return array.__array_interface__["data"][0]


# ---- The same numbers ----------------------------------------------------------------------------


@libraries
def test_every_function_takes_a_frame_and_gives_the_bits_of_its_columns(frame_of):
    frame, columns = frame_of(COLUMNS), list(COLUMNS.values())
    result, expected = (logreg_c.train(x, Y, **SETTINGS) for x in (frame, columns))
    w, b, _ = result
    assert bits(result) == bits(expected)
    for function in logreg_c.predict_proba, logreg_c.predict:
        assert bits(function(frame, w, b)) == bits(function(columns, w, b))
    for args in ((w, b), (np.array(w), b), (np.array(w).ravel(), b)):
        of_frame = logreg_c.cost_and_gradient(frame, Y, *args, l2=0.1)
        assert bits(of_frame) == bits(logreg_c.cost_and_gradient(columns, Y, *args, l2=0.1))


@libraries
def test_a_frame_of_one_type_gives_the_bits_of_the_matrix(frame_of):
    frame = frame_of({f"x{j}": x for j, x in enumerate(X)})
    assert bits(logreg_c.train(frame, Y, 0.1, 20)) == bits(logreg_c.train(X, Y, 0.1, 20))


def test_a_pandas_frame_on_an_array_of_examples_gives_the_same_bits():
    frame = pd.DataFrame(np.ascontiguousarray(X.T), copy=False)
    assert bits(logreg_c.train(frame, Y, 0.1, 20)) == bits(logreg_c.train(X, Y, 0.1, 20))


CODES = st.lists(st.sampled_from("?bBhHefilq"), min_size=1, max_size=5)


@given(codes=CODES, m=st.integers(1, 600), library=st.sampled_from(["pandas", "polars", "pyarrow"]))
@bounded
def test_any_mixture_of_types(codes, m, library):
    rng = np.random.default_rng(m)
    columns = [rng.integers(0, 2, m).astype(code) for code in codes]
    frame = LIBRARIES[library]({f"x{j}": x for j, x in enumerate(columns)})
    labels = rng.integers(0, 2, m)
    assert bits(logreg_c.train(frame, labels, 0.5, 3)) == bits(
        logreg_c.train(columns, labels, 0.5, 3)
    )


WIDE = {f"x{j}": np.random.default_rng(j).integers(0, 5, 200) for j in range(60)}
WIDE_FRAMES = {
    "one type": lambda: pd.DataFrame(WIDE, dtype="f8"),
    "two types in turn": lambda: pd.DataFrame(
        {name: x.astype("fi"[j % 2]) for j, (name, x) in enumerate(WIDE.items())}
    ),
    "many types": lambda: pd.DataFrame(
        {name: x.astype("fdbhilBH?e"[j % 10]) for j, (name, x) in enumerate(WIDE.items())}
    ),
    "uint32": lambda: pd.DataFrame(WIDE, dtype="u4"),
    "nullable among them": lambda: pd.DataFrame(WIDE).convert_dtypes().astype({"x3": "f8"}),
    "grown": lambda: pd.concat([pd.DataFrame({name: x}) for name, x in WIDE.items()], axis=1),
    "over examples": lambda: pd.DataFrame(np.array([*WIDE.values()]).T.copy(), columns=[*WIDE]),
    "rows backwards": lambda: pd.DataFrame(WIDE)[::-1],
    "every second row": lambda: pd.DataFrame(WIDE, dtype="f4")[::2],
    "columns backwards": lambda: pd.DataFrame(WIDE).iloc[:, ::-1],
    "part of the rows": lambda: pd.DataFrame(WIDE, dtype="i2")[7:190],
}


@pytest.mark.parametrize("m", [1, 2, 63, 64, 65, 200])
@pytest.mark.parametrize("frame_of", WIDE_FRAMES.values(), ids=WIDE_FRAMES)
@pytest.mark.sampled(5)
def test_wide_pandas_frames_have_the_bits_of_their_columns(frame_of, m):
    """The bits do not depend on how many columns are read at once."""
    frame = frame_of()[:m]
    columns = [frame[name].to_numpy() for name in frame.columns]
    labels = np.arange(len(frame)) % 2
    w, b, costs = logreg_c.train(frame, labels, 1e-3, 3)
    assert bits(w, b, costs) == bits(logreg_c.train(columns, labels, 1e-3, 3))
    expected = bits(logreg_c.predict_proba(columns, np.array(w), b))
    others = [frame, frame[frame.columns[::-1]], frame.assign(other="text")]
    for other in others:
        assert bits(logreg_c.predict_proba(other, w, b)) == expected
    some = logreg_c.with_names(w[5:9, 0], frame.columns[5:9])
    expected = bits(logreg_c.predict_proba(columns[5:9], np.array(some), b))
    assert bits(logreg_c.predict_proba(frame, some, b)) == expected


def test_a_row_of_a_wide_pandas_frame_is_not_read_column_by_column(monkeypatch):
    """Column by column, that took 0.5 s for 10,000 columns."""
    frame = pd.DataFrame(np.ones((3, 1000)), columns=[f"x{j}" for j in range(1000)])
    w = logreg_c.with_names(np.ones(1000), frame.columns)
    mixed = frame.astype(dict.fromkeys(frame.columns[::2], "f4"))
    monkeypatch.setattr(frames, "_values", None)
    for other in frame, frame[:1], mixed, frame[frame.columns[::-1]]:
        assert logreg_c.predict(other, w, 0.0).all()


SERIES = {
    "pandas": pd.Series,
    "pandas, nullable": lambda y: pd.Series(y).convert_dtypes(),
    "polars": pl.Series,
    "polars, one column": lambda y: pl.DataFrame({"y": y}),
    "polars, an expression's result": lambda y: pl.DataFrame({"y": y}).select(pl.col("y") * 1),
    "pyarrow": pa.array,
    "pyarrow, chunked": lambda y: pa.chunked_array([y[:99], y[99:]]),
    "pyarrow, one column": lambda y: pa.table({"y": y}),
    "narwhals": lambda y: nw.from_native(pl.Series(y), series_only=True),
}


@pytest.mark.sampled(29)
@pytest.mark.parametrize("series_of", SERIES.values(), ids=SERIES)
@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float32, np.float64])
def test_labels_and_weights_may_be_series(series_of, dtype):
    labels = Y[0].astype(dtype)
    weight = np.arange(M, dtype=np.float32)
    expected = bits(logreg_c.train(X, Y, 0.1, 5, sample_weight=weight))
    given = {"Y": series_of(labels), "sample_weight": series_of(weight)}
    assert bits(logreg_c.train(X, alpha=0.1, iters=5, **given)) == expected
    frame = pl.DataFrame({f"x{j}": x for j, x in enumerate(X)})
    assert bits(logreg_c.train(frame, alpha=0.1, iters=5, **given)) == expected


# ---- What is copied when: the table in docs/howto/frames.md --------------------------------------


def values(code, n=99):
    return np.arange(n).astype(code)


def chunked(*arrays):
    return pa.chunked_array(arrays)


CODES_IN_PLACE = "bBhHefilq"
IN_PLACE = {
    **{f"pandas, {code}": pd.Series(values(code)) for code in "?" + CODES_IN_PLACE},
    **{f"polars, {code}": pl.Series(values(code)) for code in CODES_IN_PLACE},
    **{f"pyarrow, {code}": chunked(values(code)) for code in CODES_IN_PLACE},
    **{
        f"pandas, {name}": pd.Series(values("d")).astype(name)
        for name in ("Float64", "Float32", "Int64", "UInt8", "double[pyarrow]", "int8[pyarrow]")
    },
    "pandas, boolean": pd.Series(values("?")).astype("boolean"),
    "pandas, every second row": pd.Series(values("d"))[::2],
    "pandas, of an array of examples": pd.DataFrame(values("d").reshape(33, 3), copy=False)[1],
    "polars, some rows": pl.Series(values("d"))[10:50],
    "pyarrow, some rows": chunked(values("d"))[10:50],
}
COPIED = {
    "pandas, bool[pyarrow]": pd.Series(values("?")).astype("bool[pyarrow]"),
    "pandas, sparse": pd.Series(pd.arrays.SparseArray(values("h") % 2)),
    "polars, boolean": pl.Series(values("?")),
    "polars, several chunks": pl.concat([pl.Series(values("f"))] * 2, rechunk=False),
    "pyarrow, boolean": chunked(values("?")),
    "pyarrow, several chunks": chunked(values("f", 9), values("f", 90)),
}
COPIED_TO_FLOAT64 = {
    f"{library}, {code}": series_of(values(code))
    for library, series_of in {"pandas": pd.Series, "polars": pl.Series, "pyarrow": chunked}.items()
    for code in "IQ"
}


def read(series):
    """Return the array that the kernel gets for a column, and that for labels."""
    if isinstance(series, pd.Series):
        frame = series.to_frame("x")
    else:
        frame = (pl.DataFrame if isinstance(series, pl.Series) else pa.table)({"x": series})
    examples = _input.examples(frame, None)
    (column,) = examples.values
    labels = vectors.column(series, "Y", examples)
    native = series.to_pylist() if isinstance(series, pa.ChunkedArray) else series.to_list()
    assert column.tolist() == labels.tolist() == native
    return column, labels


def native_address(series):
    """Return the address of the values, as reported by the library itself."""
    if isinstance(series, pl.Series):
        series = chunked(series.to_arrow())
    if isinstance(series, pd.Series):
        if hasattr(series.array, "_data"):  # nullable
            return address(series.array._data)
        if "pyarrow" not in str(series.dtype):
            return address(series.array._ndarray)
        series = series.array._pa_array
    (chunk,) = series.chunks
    return chunk.buffers()[1].address + chunk.offset * chunk.type.bit_width // 8


@pytest.mark.parametrize("series", IN_PLACE.values(), ids=IN_PLACE)
def test_read_in_place(series):
    for array in read(series):
        assert address(array) == native_address(series)


@pytest.mark.parametrize("series", COPIED.values(), ids=COPIED)
def test_copied_once_in_their_own_type(series):
    column, labels = read(series)
    assert address(column) != address(labels)
    assert column.dtype == labels.dtype == np.asarray(series).dtype


@pytest.mark.parametrize("series", COPIED_TO_FLOAT64.values(), ids=COPIED_TO_FLOAT64)
def test_copied_once_to_float64(series):
    for array in read(series):
        assert array.dtype == np.float64


# ---- Names ---------------------------------------------------------------------------------------


@libraries
def test_columns_are_found_by_name_in_any_order_and_among_others(frame_of):
    w, b, _ = result = logreg_c.train(frame_of(COLUMNS), Y, **SETTINGS)
    assert result.feature_names == w.feature_names == tuple(COLUMNS)
    other = frame_of({"comment": ["text"] * M} | dict(reversed(COLUMNS.items())))
    expected = bits(logreg_c.predict_proba(frame_of(COLUMNS), w, b))
    assert bits(logreg_c.predict_proba(other, w, b)) == expected
    assert logreg_c.predict(other, w, b).tolist() == logreg_c.predict(other, *result[:2]).tolist()
    again = logreg_c.train(other, Y, 0.1, 5, w=w, b=b)
    assert again.feature_names == tuple(COLUMNS)
    assert bits(again) == bits(logreg_c.train(frame_of(COLUMNS), Y, 0.1, 5, w=w, b=b))
    J = logreg_c.cost_and_gradient(other, Y, w, b)
    assert bits(J) == bits(logreg_c.cost_and_gradient(frame_of(COLUMNS), Y, w, b))


@libraries
def test_a_missing_column_is_named(frame_of):
    w, b, _ = logreg_c.train(frame_of(COLUMNS), Y, **SETTINGS)
    fewer = frame_of({"age": COLUMNS["age"], "late": COLUMNS["late"]})
    message = r"X lacks 'income', 'rate' of the columns that w was trained on; expected all of"
    for call in (
        lambda: logreg_c.predict(fewer, w, b),
        lambda: logreg_c.cost_and_gradient(fewer, Y, w, b),
        lambda: logreg_c.train(fewer, Y, 0.1, 1, w=w),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_many_missing_columns_are_counted():
    w, b, _ = logreg_c.train(pl.DataFrame({f"x{j}": X[0] for j in range(9)}), Y, 0.1, 1)
    with pytest.raises(ValueError, match=r"lacks 'x0', 'x1', 'x2' and 6 more of"):
        logreg_c.predict(pl.DataFrame({"y": X[0]}), w, b)


def test_names_may_be_anything_that_pandas_has():
    for names in ([3, 1, 2, 0], pd.MultiIndex.from_product([["a", "b"], [1, 2]])):
        frame = pd.DataFrame(X.T, columns=names)
        w, b, _ = logreg_c.train(frame, Y, 0.1, 5)
        assert w.feature_names == tuple(names)
        expected = logreg_c.predict_proba(X, np.array(w), b)
        backwards = frame[frame.columns[::-1]]
        assert logreg_c.predict_proba(backwards, w, b).tolist() == expected.tolist()


def through_npz(w):
    file = io.BytesIO()
    np.savez(file, w=w)
    return np.load(io.BytesIO(file.getvalue()))["w"]


def through_joblib(w):
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    joblib.dump({"w": w}, file)
    return joblib.load(io.BytesIO(file.getvalue()))["w"]


NAMELESS = {
    "array": np.array,
    "view of the values": np.asarray,
    "subclass": lambda w: np.array(w, subok=True),
    "list": lambda w: w.tolist(),
    "product": lambda w: w * 1,
    "sorted": lambda w: np.sort(w, axis=0),
    "partitioned": lambda w: np.partition(w, 1, axis=0),
    "permuted": lambda w: w[[3, 1, 0, 2]],
    "taken": lambda w: w.take([3, 1, 0, 2], axis=0),
    "backwards": lambda w: w[::-1],
    "part": lambda w: w[:3],
    "file": through_npz,
}
NAMED = {
    "itself": lambda w: w,
    "copy": lambda w: w.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "deep in a list": lambda w: copy.deepcopy([w])[0],
    "whole": lambda w: w[:],
    "column": lambda w: w[:, 0],
    "ravel": lambda w: w.ravel(),
    "reshape": lambda w: w.reshape(-1),
    "squeeze": lambda w: w.squeeze(),
    "flatten": lambda w: w.flatten(),
    "joblib": through_joblib,
    "copy of a pickle of a column": lambda w: pickle.loads(pickle.dumps(w[:, 0])).copy(),
    "restored": lambda w: logreg_c.with_names(np.array(w), w.feature_names),
    **{
        f"pickle {protocol}": lambda w, p=protocol: pickle.loads(pickle.dumps(w, p))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("through", NAMED.values(), ids=NAMED)
def test_names_survive_what_keeps_the_order(through):
    frame = pl.DataFrame(COLUMNS)
    w, b, _ = logreg_c.train(frame, Y, **SETTINGS)
    other = through(w)
    assert other.feature_names == tuple(COLUMNS)
    assert other.tolist() in (w.tolist(), w[:, 0].tolist())
    backwards = frame.select(reversed(frame.columns))
    expected = bits(logreg_c.predict_proba(frame, w, b))
    assert bits(logreg_c.predict_proba(backwards, other, b)) == expected


@pytest.mark.parametrize("through", NAMELESS.values(), ids=NAMELESS)
def test_weights_without_names_are_applied_in_order_with_a_warning(through):
    w, b, _ = logreg_c.train(pl.DataFrame(COLUMNS), Y, **SETTINGS)
    other = through(w)
    assert getattr(other, "feature_names", None) is None
    values = np.reshape(other, (-1, 1))
    frame = pl.DataFrame(dict(list(COLUMNS.items())[: len(values)]))
    columns = frame.to_dict(as_series=False).values()
    expected = logreg_c.predict_proba(np.array([*columns], dtype=float), values, b)
    for function in logreg_c.predict_proba, logreg_c.predict:
        with pytest.warns(
            UserWarning, match=r"taken in their order.*with_names\(w, names\)"
        ) as caught:
            found = function(frame, other, b)
        assert [warning.filename for warning in caught] == [__file__]
        np.testing.assert_allclose(found, expected if found.dtype == float else expected > 0.5)


def test_no_warning_without_a_reason():
    """Pytest makes an error of every warning."""
    frame = pl.DataFrame(COLUMNS)
    w, b, _ = logreg_c.train(frame, Y, **SETTINGS)
    plain = np.array(w)
    logreg_c.cost_and_gradient(frame, Y, plain, b)  # as in a user's own loop
    logreg_c.train(frame, Y, 0.1, 2, w=plain)
    columns = list(COLUMNS.values())
    for weights in w, plain:  # the features of a list have no names
        logreg_c.predict(columns, weights, b)
    numbered = pd.DataFrame(np.array([column.astype(float) for column in columns]).T)
    logreg_c.predict(numbered, plain, b)  # nor has scikit-learn names for these
    with pytest.raises(ValueError, match=r"w has shape \(3, 1\)"):
        logreg_c.predict(frame, plain[:3], b)


def test_matrices_have_no_names():
    assert logreg_c.train(X, Y, 0.1, 1).feature_names is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a"], r"feature_names has 1 names and w 2 weights"),
        ("aa", r"feature_names has 'a' several times"),
    ],
)
def test_names_that_do_not_fit_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        logreg_c.with_names([1.0, 2.0], names)


@pytest.mark.parametrize(
    "through", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
def test_names_travel_with_the_result(through):
    result = through(logreg_c.train(pl.DataFrame(COLUMNS), Y, 0.1, 2))
    assert result.feature_names == result.w.feature_names == tuple(COLUMNS)


def test_the_callback_and_what_is_caught_have_the_names():
    seen = []
    frame = pl.DataFrame(COLUMNS)
    logreg_c.train(frame, Y, 0.1, 2, callback=lambda *a: seen.append(a[2].feature_names))
    assert seen == [tuple(COLUMNS)] * 2
    with pytest.raises(logreg_c.DivergenceError) as caught:
        logreg_c.train(frame, Y, 1e308, 50, l2=1e5)
    assert caught.value.w.feature_names == tuple(COLUMNS)


# ---- What cannot be read -------------------------------------------------------------------------

WRONG_TYPES = {
    "text": (["yes", "no"], r"make categories of it|encode text"),
    "date": (np.array(["2024-01-01"] * 2, dtype="M8[us]"), r"such as days since"),
    "list": ([[1], [2]], r"a column of each of its parts|one number for each value"),
    "bytes": ([b"1", b"2"], r"make numbers of it|encode text as numbers"),
}


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_a_column_without_numbers_is_named(frame_of, kind):
    given, remedy = WRONG_TYPES[kind]
    said = rf"(is of type \w+|has dtype object).*; expected (real )?numbers.*: .*({remedy})"
    message = f"column 'odd' of X {said}"
    with pytest.raises(TypeError, match=message):
        logreg_c.train(frame_of({"fine": [1.0, 2.0], "odd": given}), [0, 1], 0.1, 1)
    with pytest.raises(TypeError, match=r"Y (is of type \w+|has dtype object).*; expected"):
        logreg_c.train(np.zeros((1, 2)), frame_of({"odd": given}), 0.1, 1)


OTHER_TYPES = {
    "pandas, complex": pd.DataFrame({"odd": [1j, 2.0]}),
    "pandas, timedelta": pd.DataFrame({"odd": pd.to_timedelta([1, 2])}),
    "polars, struct": pl.DataFrame({"odd": [{"a": 1}, {"a": 2}]}),
}


@pytest.mark.parametrize("frame", OTHER_TYPES.values(), ids=OTHER_TYPES)
def test_other_types_are_named_too(frame):
    with pytest.raises(TypeError, match=r"column 'odd' of X is of type .*; expected numbers or bo"):
        logreg_c.train(frame, [0] * len(frame), 0.1, 1)


@pytest.mark.parametrize("values", [pd.period_range("2024", periods=2), pd.interval_range(0, 2)])
def test_columns_of_other_objects_show_one_of_them(values):
    said = r"column 'odd' of X has dtype object and holds (Period|Interval).*: pass one number"
    with pytest.raises(TypeError, match=said):
        logreg_c.train(pd.DataFrame({"odd": values}), [0, 1], 0.1, 1)


@pytest.mark.parametrize("kind", [pa.decimal128(20, 3), pa.decimal256(50, 3)], ids=str)
def test_decimals_of_any_width_are_numbers(kind):
    frame = pa.table({"a": pa.array(list(map(Decimal, "1234")), kind)})
    found, expected = (
        logreg_c.train(X, [0, 1, 0, 1], 0.1, 5) for X in (frame, np.array([[1.0, 2, 3, 4]]))
    )
    np.testing.assert_array_equal(found.w, expected.w)


OBJECTS = [1, Decimal("2.5"), True, np.float32(0.5)]
DECIMALS = [Decimal("1.0"), Decimal("2.5"), Decimal(1), Decimal("0.5")]
NUMBERS = {
    "pandas, objects": pd.Series(OBJECTS, dtype=object),
    "polars, objects": pl.Series(OBJECTS, dtype=pl.Object),
    "pandas, decimals": pd.Series(DECIMALS),
    "pandas, decimals on Arrow": pd.Series(DECIMALS, dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    "polars, decimals": pl.Series(DECIMALS),
    "pyarrow, decimals": pa.array(DECIMALS),
    "polars, int128": pl.Series([2, 5, 2, 1], dtype=pl.Int128),
    "pandas, categories": pd.Series([2, 5, 2, 1]).astype("category"),
    "pandas, ordered categories": pd.Series(pd.Categorical([2.5, 5, 2, 1], ordered=True)),
    "pandas, categories of objects": pd.Series(DECIMALS, dtype="category"),
    "pyarrow, dictionary": pa.array([2, 5, 2, 1]).dictionary_encode(),
}


@pytest.mark.parametrize("series", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_any_kind_are_accepted(series):
    values = [float(v) for v in (series.to_pylist() if isinstance(series, pa.Array) else series)]
    frame_of = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
    frame = frame_of[type(series).__module__.partition(".")[0]]({"x": series})
    expected = bits(logreg_c.train([values], [0, 1, 1, 0], 0.1, 3, dtype=float))
    for x in frame, [series]:
        assert bits(logreg_c.train(x, [0, 1, 1, 0], 0.1, 3, dtype=float)) == expected
    labels = [v / 8 for v in values]
    weighted = logreg_c.train([values], labels, 0.1, 3, sample_weight=values, dtype=float)
    found = logreg_c.train(frame, labels, 0.1, 3, sample_weight=series, dtype=float)
    assert bits(weighted) == bits(found)


def test_objects_with_text_among_them_are_named():
    frame = pd.DataFrame({"odd": [1, "2"]}, dtype=object)
    with pytest.raises(TypeError, match=r"column 'odd' of X .*(String|'2' of type str at \[1\])"):
        logreg_c.train(frame, [0, 1], 0.1, 1)


MANY_SERIES = {
    "pandas": pd.Series,
    "pandas, nullable": lambda x: pd.Series(x).convert_dtypes(),
    "pandas, array": pd.array,
    "pandas, index": pd.Index,
    "polars": pl.Series,
    "pyarrow": pa.array,
}


@pytest.mark.parametrize("series_of", MANY_SERIES.values(), ids=MANY_SERIES)
def test_series_in_a_list_are_its_columns(series_of):
    columns = [X[0], np.arange(M, dtype=np.int8), X[2].astype(np.float32)]
    expected = bits(logreg_c.train(columns, Y, **SETTINGS))
    assert bits(logreg_c.train([*map(series_of, columns)], Y, **SETTINGS)) == expected
    assert (
        bits(logreg_c.train((columns[0], *map(series_of, columns[1:])), Y, **SETTINGS)) == expected
    )


@pytest.mark.parametrize(
    "series", [pd.array([1, None, 3]), pl.Series([1, None, 3]), pa.array([1, None, 3])]
)
def test_nulls_in_a_list_of_columns_are_named(series):
    with pytest.raises(ValueError, match=r"X\[1\] has 1 null, first in row 1"):
        logreg_c.train([[1.0, 2.0, 3.0], series], [0, 1, 1], 0.1, 1)


@pytest.mark.parametrize("series", [pd.Series([1.0, 2.0]), pl.Series([1.0, 2.0])])
def test_a_series_as_x_is_an_error_with_a_remedy(series):
    with pytest.raises(TypeError, match=r"X is a Series; expected a data frame.*X\.to_frame\(\)"):
        logreg_c.train(series, [0, 1], 0.1, 1)
    assert logreg_c.train(series.to_frame(), [0, 1], 0.1, 1).w.shape == (1, 1)


def test_labels_that_narwhals_does_not_know_are_read_by_numpy():
    assert logreg_c.train([[1.0, 2.0]], pd.Index([0, 1]), 0.1, 1).costs.size == 1


def test_text_labels_are_an_error_with_a_remedy():
    with pytest.raises(TypeError, match=r"Y is of type String; .* pass Y == one_of_them"):
        logreg_c.train([[1.0, 2.0]], pl.Series(["yes", "no"]), 0.1, 1)


NULLS = {
    "pandas, nullable": pd.DataFrame({"x": pd.array([1, 2, None, None], dtype="Int64")}),
    "pandas, boolean": pd.DataFrame({"x": pd.array([True, False, None, None], dtype="boolean")}),
    "pandas, pyarrow": pd.DataFrame({"x": pd.array([1, 2, None, None], dtype="int8[pyarrow]")}),
    "polars": pl.DataFrame({"x": [1, 2, None, None]}),
    "polars, boolean": pl.DataFrame({"x": [True, False, None, None]}),
    "pyarrow": pa.table({"x": pa.chunked_array([[1.0, 2.0], [None, None]])}),
}


@pytest.mark.parametrize("frame", NULLS.values(), ids=NULLS)
def test_nulls_are_counted_and_named(frame):
    said = r"has 2 nulls, first in row 2 \(counted from 0\); expected a value in every row: fill"
    with pytest.raises(ValueError, match=f"column 'x' of X {said}"):
        logreg_c.train(frame, [0, 1, 0, 1], 0.1, 1)
    with pytest.raises(ValueError, match=f"Y {said}"):
        logreg_c.train(np.zeros((1, 4)), frame, 0.1, 1)
    with pytest.raises(ValueError, match=f"sample_weight {said}"):
        logreg_c.train(np.zeros((1, 4)), [0, 1, 0, 1], 0.1, 1, sample_weight=frame)


def test_a_column_whose_name_is_a_pattern_is_named():
    for frame in pl.DataFrame({"^x$": [1, None]}), pa.table({"^x$": [1, None]}):
        with pytest.raises(ValueError, match=r"column '\^x\$' of X has 1 null, first in row 1"):
            logreg_c.train(frame, [0, 1], 0.1, 1)
        with pytest.raises(ValueError, match="Y has 1 null, first in row 1"):
            logreg_c.train([[1.0, 2.0]], frame["^x$"], 0.1, 1)


def test_a_column_of_nothing_but_nulls_is_named():
    for frame in pl.DataFrame({"x": [None]}), pa.table({"x": pa.nulls(1)}):
        with pytest.raises(ValueError, match=r"column 'x' of X has 1 null, first in row 0"):
            logreg_c.train(frame, [0], 0.1, 1)


@libraries
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_named_by_column_and_row(frame_of, value):
    changed = COLUMNS["income"].copy()
    changed[17] = value
    frame = frame_of({"age": COLUMNS["age"], "income": changed})
    message = r"X holds NaN or infinity, .*that is column 'income', row 17 \(counted from 0\)"
    for call in (
        lambda: logreg_c.train(frame, Y, 0.1, 1),
        lambda: logreg_c.cost_and_gradient(frame, Y, [1, 1], 0),
        lambda: logreg_c.predict(frame, [1, 1], 0),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame([[1, 2, 3]], columns=list("aba")), pa.table([[1]] * 3, names=list("aba"))],
)
def test_names_that_repeat_are_named(frame):
    with pytest.raises(ValueError, match=r"X has several columns named 'a'; .*rename them"):
        logreg_c.train(frame, [0], 0.1, 1)


LAZY = {
    "frame": pl.LazyFrame(COLUMNS),
    "narwhals": nw.from_native(pl.LazyFrame(COLUMNS)),
    "expression": pl.col("income") > 3,
}


@pytest.mark.parametrize("lazy", LAZY.values(), ids=LAZY)
def test_lazy_objects_are_not_computed(lazy):
    for name, args in {"X": (lazy, Y), "Y": (X, lazy)}.items():
        with pytest.raises(TypeError, match=rf"{name} is a \w+, which is still to be computed; .*"):
            logreg_c.train(*args, 0.1, 1)


FRAME = pd.DataFrame(COLUMNS)
SHAPES = [
    (FRAME["age"], Y, TypeError, r"X is a Series; expected a data frame"),
    (FRAME[:0], Y, ValueError, r"expected at least one example, that is one row"),
    (FRAME[[]], Y, ValueError, r"X is a data frame without columns"),
    (FRAME, FRAME, ValueError, r"Y is a data frame of 4 columns; expected one column"),
    (
        FRAME[["income", "rate"]].T,
        Y,
        ValueError,
        r"X 700 columns and 2 rows; .*each row of X.*not its transpose",
    ),
    (
        FRAME,
        Y[0, :5],
        ValueError,
        r"Y has shape \(5,\) and X 4 columns and 700 rows; expected .* row",
    ),
    (pd.Index([1, 2]), Y, ValueError, r"X has shape \(2,\); expected two dimensions"),
]


@pytest.mark.parametrize(("frame", "labels", "kind", "message"), SHAPES)
def test_messages_give_shapes_in_columns_and_rows(frame, labels, kind, message):
    with pytest.raises(kind, match=message):
        logreg_c.train(frame, labels, 0.1, 1)


def test_a_wrong_number_of_weights_is_reported_in_columns():
    with pytest.raises(ValueError, match=r"w has shape \(3,\) and X 4 columns .* each column of X"):
        logreg_c.predict(FRAME, [1, 2, 3], 0)


# ---- Memory, imports, the extra ------------------------------------------------------------------

PEAK = """
import numpy as np, {library} as library, logreg_c

def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

rng = np.random.default_rng(0)
M = 1_000_000
def columns(m):
    for j in range(50):
        integers = rng.integers(0, 200, m, dtype=np.uint8)
        yield f"x{{j}}", integers if j % 2 else integers.astype(np.float32)

def frame(m):
    return library.DataFrame(dict(columns(m)))

w, b, _ = logreg_c.train(frame(9), np.arange(9) % 2, 1e-5, 1)  # lazy imports
X, Y, weight = frame(M), *(library.Series(rng.integers(0, 2, M, dtype=np.uint8)) for _ in "YV")
open("/proc/self/clear_refs", "w").write("5")  # the peak begins here
before = status("VmRSS")
{call}
print((status("VmHWM") - before) / (M * 25 * 5))
"""
CALLS = {
    "train": "logreg_c.train(X, Y, 1e-5, 2)",
    "train, standardized": "logreg_c.train(X, Y, 0.1, 2, standardize=True, sample_weight=weight)",
    "cost_and_gradient": "logreg_c.cost_and_gradient(X, Y, w, b)",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.memory
@pytest.mark.long
def test_a_frame_is_trained_on_within_2_percent_more_memory(library, call):
    assert float(run_python(PEAK.format(library=library, call=CALLS[call]))) < 0.02


MISSING = """
import sys
for name in {missing}:
    sys.modules[name] = None
import numpy as np
import logreg_c
{code}
"""


@pytest.mark.long
def test_without_narwhals_the_error_says_what_to_install():
    code = """
import pandas as pd
X = pd.DataFrame({"a": [1.0, 2.0]})
for call in (lambda: logreg_c.train(X, [0, 1], 0.1, 1), lambda: logreg_c.predict(X, [0], 0)):
    try:
        call()
    except ModuleNotFoundError as error:
        print(error)
print(logreg_c.train(X.to_numpy().T, X["a"] > 1, 0.1, 1).costs.size)
"""
    said = run_python(MISSING.format(missing=["narwhals", "polars", "pyarrow"], code=code))
    message = "X is a pandas DataFrame; reading it needs narwhals: pip install 'logreg-c[frames]'"
    assert said.splitlines() == [message, message, "1"]


KNOWN = [
    "pandas", "polars", "pyarrow", "narwhals", "modin", "cudf", "dask", "duckdb", "_duckdb", "ibis",
    "pyspark", "sqlframe",
]  # fmt: skip


@pytest.mark.parametrize("library", KNOWN)
def test_a_library_is_recognized_by_its_name(monkeypatch, library):
    monkeypatch.setattr(frame_types, "frame_reader", lambda: None)
    frame = type("DataFrame", (), {"__module__": f"{library}.core"})()
    with pytest.raises(ModuleNotFoundError, match=f"X is a {library} DataFrame; reading it needs"):
        logreg_c.train(frame, [0], 0.1, 1)


@pytest.mark.long
def test_one_library_is_read_without_the_others():
    for library, others in {
        "pandas": ["polars", "pyarrow"],
        "polars": ["pandas", "pyarrow"],
    }.items():
        code = (
            f"import {library} as library\n"
            "X = library.DataFrame({'a': [1.0, 2.0], 'b': [True, False]})\n"
            "print(logreg_c.train(X, X['b'], 0.1, 1).feature_names)"
        )
        said = run_python(MISSING.format(missing=others, code=code))
        assert said == "('a', 'b')"


def test_arrays_and_lists_load_nothing_of_it():
    code = """
import sys, numpy as np, logreg_c
logreg_c.train([[1, 2]], [0, 1], 0.1, 1)
logreg_c.train(np.ones((1, 2)), (0, 1), 0.1, 1, callback=lambda *_: None)
extras = {"narwhals", "pandas", "polars", "pyarrow", "tqdm", "logreg_c._input.frames"}
print(extras & set(sys.modules))
"""
    assert run_python(code) == "set()"


def test_other_missing_modules_are_not_called_a_missing_frames_extra(monkeypatch):
    monkeypatch.delattr(_input, "frames", raising=False)
    monkeypatch.setitem(sys.modules, "logreg_c._input.frames", None)
    with pytest.raises(ModuleNotFoundError, match=r"logreg_c\._input\.frames"):
        logreg_c.train(pd.DataFrame(COLUMNS), Y, 0.1, 1)
