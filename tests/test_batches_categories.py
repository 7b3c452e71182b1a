# SPDX-License-Identifier: BSD-3-Clause
"""Columns of categories in batches give the bits of the same frame in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import bounded

import logreg_c
from logreg_c import batches
from logreg_c.batches import category_sums, parts
from logreg_c.callbacks import Checkpoint
from logreg_c.sklearn import LogisticRegression

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pytest.importorskip("narwhals")

M = 9_001
SIZES = {"plan": 4, "city": 30}


def make(m=M, numbers=3, sizes=SIZES, seed=0):
    """A table of numbers between columns of categories, with labels y and weights s."""
    rng = np.random.default_rng(seed)
    codes = {name: rng.integers(0, size, m) for name, size in sizes.items()}
    X = {f"x{j}": rng.normal(size=m) * (j + 1) + j for j in range(numbers)}
    z = sum(X.values()) / 2 - 0.5 * (codes["plan"] == 1)
    texts = {
        name: pa.array([f"{name} {code}" for code in of]).dictionary_encode()
        for name, of in codes.items()
    }
    columns = {"plan": texts["plan"]} | X | texts
    y = rng.random(m) < 1 / (1 + np.exp(-z))
    return pa.table(columns | {"y": y.astype(int), "s": rng.random(m) * (rng.random(m) < 0.9)})


TABLE = make()
FEATURES = TABLE.drop_columns(["y", "s"])
UNWEIGHTED = TABLE.drop_columns("s")


def own_dictionaries(table, cuts):
    """Return the batches of a table; each has a dictionary of its own, in an order of its own."""
    pieces = []
    ends = [*sorted(cuts), table.num_rows]
    for first, end in zip([0, *ends], ends, strict=False):
        piece = table.slice(first, end - first)
        names = [name for name in table.column_names if pa.types.is_dictionary(table[name].type)]
        for name in names:
            text = piece[name].cast(pa.string()).combine_chunks().dictionary_encode()
            piece = piece.set_column(piece.column_names.index(name), name, text)
        pieces.append(piece.combine_chunks())
    return batches.Batches(lambda: pieces)


def bits_of(*results):
    return [
        (*map(np.ndarray.tobytes, map(np.asarray, (r.w, r.b, r.costs))), r.feature_names)
        for r in results
    ]


def models(X, y, s, l2, **settings):
    return bits_of(
        logreg_c.fit(X, y, sample_weight=s, l2=l2, **settings),
        logreg_c.train(X, y, "auto", 3, sample_weight=s, l2=l2, standardize=True),
    )


@pytest.fixture(scope="module", params=[0.0, 0.01])
def expected(request):
    l2 = request.param
    return l2, models(FEATURES, TABLE["y"], TABLE["s"], l2)


@pytest.mark.parametrize("cuts", [[], [1, 777, 5_000], range(0, M, 1_999)])
def test_batches_with_dictionaries_of_their_own(expected, cuts):
    l2, whole = expected
    assert models(own_dictionaries(TABLE, cuts), "y", "s", l2) == whole


@settings(bounded, max_examples=10)
@pytest.mark.long
@given(cuts=st.lists(st.integers(0, 3_000), max_size=6), seed=st.integers(0, 10))
def test_any_cuts(cuts, seed):
    table = make(3_000, numbers=seed % 3, sizes={"plan": 2 + seed, "city": 1 + 5 * seed}, seed=seed)
    X = own_dictionaries(table, cuts)
    whole = models(table.drop_columns(["y", "s"]), table["y"], table["s"], 0.01)
    assert models(X, "y", "s", 0.01) == whole


@pytest.mark.parametrize("write", ["parquet", "arrow"])
@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.sampled(2)
def test_files_and_their_cache(expected, tmp_path, write, cached, monkeypatch):
    monkeypatch.setattr(parts, "VALUES", 1 << 14)  # many parts, which are cut anew
    l2, whole = expected
    if write == "parquet":
        pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=1_777)
    else:
        with pa.ipc.new_file(str(tmp_path / "a.arrow"), TABLE.schema) as file:
            file.write_table(TABLE, max_chunksize=1_777)
    cache = tmp_path / "cache" if cached else None
    X = batches.from_files(tmp_path / f"a.{write}", cache=cache)
    assert models(X, "y", "s", l2) == whole


def test_frames_of_other_libraries():
    frame = pl.from_arrow(TABLE)
    assert models(batches.from_stream(frame.lazy()), "y", "s", 0.01) == models(
        frame.drop("y", "s"), frame["y"], frame["s"], 0.01
    )
    frame = frame.to_pandas()
    pieces = [frame.iloc[k::3] for k in range(3)]
    whole = pd.concat(pieces)
    assert models(batches.Batches(lambda: pieces), "y", "s", 0.01) == models(
        whole.drop(columns=["y", "s"]), whole["y"], whole["s"], 0.01
    )


@pytest.mark.parametrize("intercept", [True, False])
def test_very_many_categories_take_a_diagonal_factor(intercept):
    table = make(8_000, numbers=2, sizes={"plan": 1_500})
    X = own_dictionaries(table.drop_columns("s"), [3_000])
    goal = {"l2": 1e-3, "intercept": intercept, "tol": 1e-6}
    found = logreg_c.fit(X, "y", **goal)
    again = logreg_c.fit(table.drop_columns(["y", "s"]), table["y"], **goal)
    assert bits_of(found) == bits_of(again)


def test_a_gram_of_all_examples(monkeypatch):
    """Where no sample is smaller than the data, the factor is that of all: a Gram in parts."""
    counted = []
    of_all = category_sums.ProblemWithCategories.gram
    monkeypatch.setattr(
        category_sums.ProblemWithCategories,
        "gram",
        lambda *given, **named: counted.append(1) or of_all(*given, **named),
    )
    table = make(2_500, numbers=0, sizes={"plan": 90})
    found = logreg_c.fit(own_dictionaries(table.drop_columns("s"), [600]), "y", l2=0.1)
    again = logreg_c.fit(table.drop_columns(["y", "s"]), table["y"], l2=0.1)
    assert counted
    assert bits_of(found) == bits_of(again)


@pytest.mark.filterwarnings("ignore:w and b are about")  # the minimum of another penalty
def test_gradients_paths_and_standard_errors(expected):
    l2, _ = expected
    X, y = own_dictionaries(UNWEIGHTED, [3, 5_000]), TABLE["y"]
    w, b, _ = logreg_c.fit(FEATURES, y, l2=l2)
    for one, other in zip(
        logreg_c.cost_and_gradient(X, "y", w, b),
        logreg_c.cost_and_gradient(FEATURES, y, w, b),
        strict=True,
    ):
        assert np.array_equal(one, other)
    found = [logreg_c.fit_path(of, of_y, l2=[0.1, l2]) for of, of_y in ((X, "y"), (FEATURES, y))]
    assert np.array_equal(found[0].w, found[1].w)
    assert np.array_equal(found[0].b, found[1].b)
    for kind in {}, {"robust": True}, {"standardize": True}:
        one = logreg_c.inference(X, "y", w, b, l2=l2, **kind)
        other = logreg_c.inference(FEATURES, y, w, b, l2=l2, **kind)
        assert np.array_equal(one.covariance, other.covariance)
        assert str(one) == str(other)


def test_predictions_find_categories_by_name():
    w, b, _ = logreg_c.fit(FEATURES, TABLE["y"], l2=0.01)
    A = logreg_c.predict_proba(FEATURES, w, b)
    X = own_dictionaries(UNWEIGHTED, [0, 5_000])
    assert np.array_equal(logreg_c.predict_proba(X, w, b), A)
    assert np.array_equal(np.concatenate(list(X.predict_proba(w, b))), A[0])
    assert np.array_equal(logreg_c.predict(X, w, b), logreg_c.predict(FEATURES, w, b))
    other = pa.table(
        {"plan": pa.array(["plan 2", "new"]).dictionary_encode()}
        | {name: TABLE[name].slice(0, 2) for name in FEATURES.column_names[1:]}
    )
    with pytest.warns(UserWarning, match=r"column 'plan' of X has 'new' in row 1"):
        found = next(batches.Batches(lambda: [other]).predict_proba(w, b))
    with pytest.warns(UserWarning, match=r"'new'"):
        assert np.array_equal(found, logreg_c.predict_proba(other, w, b)[0])
    with pytest.raises(ValueError, match=r"w has no names of these; expected w as fit"):
        logreg_c.predict_proba(X, np.asarray(w), b)


def test_a_start_keeps_the_order_of_its_categories():
    start = logreg_c.fit(own_dictionaries(UNWEIGHTED.slice(M // 2), []), "y", l2=0.1)
    found = logreg_c.fit(own_dictionaries(UNWEIGHTED, [400]), "y", l2=0.1, w=start.w, b=start.b)
    again = logreg_c.fit(FEATURES, TABLE["y"], l2=0.1, w=start.w, b=start.b)
    assert bits_of(found) == bits_of(again)
    few = UNWEIGHTED.filter(pa.compute.not_equal(TABLE["plan"].cast(pa.string()), "plan 1"))
    start = logreg_c.fit(own_dictionaries(few, []), "y", l2=0.1)
    with pytest.raises(ValueError, match=r"'plan 1' in row \d+ .* expected categories that w was"):
        logreg_c.fit(own_dictionaries(UNWEIGHTED, []), "y", w=start.w)


def test_a_checkpoint_of_memory_resumes_over_batches(tmp_path):
    y = TABLE["y"]
    whole = logreg_c.fit(FEATURES, y, l2=1e-4, tol=0)
    saved = [lambda k, *_: k == 2, Checkpoint(tmp_path / "run.npz", seconds=0)]
    logreg_c.fit(FEATURES, y, l2=1e-4, tol=0, callback=saved)
    X = own_dictionaries(UNWEIGHTED, [5_000])
    resumed = logreg_c.fit(X, "y", l2=1e-4, tol=0, callback=Checkpoint(tmp_path / "run.npz"))
    assert bits_of(resumed) == bits_of(whole)


def test_the_estimator_takes_batches_of_categories():
    X = own_dictionaries(UNWEIGHTED, [5_000])
    model = LogisticRegression().fit(X, "y")
    again = LogisticRegression().fit(FEATURES.to_pandas(), TABLE["y"].to_numpy())
    assert model.n_features_in_ == 5
    assert model.feature_names_in_.tolist() == FEATURES.column_names
    order = [model.coef_names_.tolist().index(name) for name in again.coef_names_]
    assert np.allclose(model.coef_[:, order], again.coef_, rtol=1e-6, atol=1e-8)
    assert np.array_equal(model.predict_proba(X), model.predict_proba(FEATURES.to_pandas()))


def test_what_is_refused():
    X = own_dictionaries(UNWEIGHTED, [5_000])
    y = np.arange(M) % 3
    for ask in (
        lambda: logreg_c.fit(X, y),
        lambda: LogisticRegression().fit(own_dictionaries(FEATURES, []), y),
    ):
        with pytest.raises(TypeError, match=r"columns of categories, and Y has several classes"):
            ask()
    for ask in (
        lambda: logreg_c.fit(X, "y", l1=0.1),
        lambda: logreg_c.fit(X, "y", lower=0.0),
        lambda: logreg_c.l1_max(X, "y"),
    ):
        with pytest.raises(TypeError, match=r"batches with columns of categories, which l1"):
            ask()
    with pytest.raises(TypeError, match=r"column 'plan' of X is of type Categorical"):
        logreg_c.fit(X, "plan")
    text = UNWEIGHTED.set_column(0, "plan", TABLE["plan"].cast(pa.string()))
    with pytest.raises(TypeError, match=r"'plan' of X is of type String; .* make categories of it"):
        logreg_c.fit(batches.from_stream(text), "y")
    pieces = [
        UNWEIGHTED.slice(0, 10),
        UNWEIGHTED.slice(10).set_column(0, "plan", TABLE["x0"].slice(10)),
    ]
    with pytest.raises(TypeError, match=r"'plan' has numbers, and categories in the first batch"):
        logreg_c.fit(batches.Batches(lambda: pieces), "y")
    holes = [None, *TABLE["plan"].cast(pa.string()).to_pylist()[1:]]
    null = UNWEIGHTED.set_column(0, "plan", pa.array(holes).dictionary_encode())
    with pytest.raises(ValueError, match=r"rows from 0 on: column 'plan' of X has 1 null"):
        logreg_c.fit(batches.from_stream(null), "y")


def test_a_category_that_comes_later_is_refused():
    passes = []

    def read():
        passes.append(1)
        new = pa.array(["new"] * M if len(passes) > 1 else ["old"] * M).dictionary_encode()
        return [UNWEIGHTED.set_column(0, "plan", new)]

    with pytest.raises(ValueError, match=r"the category 'new', which no batch of the first pass"):
        logreg_c.fit(batches.Batches(read), "y", l2=0.1)


def test_codes_in_a_cache_are_checked(tmp_path):
    table = pa.table({"plan": TABLE["plan"], "y": TABLE["y"]})
    pq.write_table(table, tmp_path / "a.parquet")
    X = batches.from_files(tmp_path / "a.parquet", cache=tmp_path / "cache")
    logreg_c.fit(X, "y", l2=0.1)
    values = bytearray((tmp_path / "cache").read_bytes())
    values[64 + 100] = 99
    (tmp_path / "cache").write_bytes(values)
    with pytest.raises(ValueError, match=r"codes beyond its categories, .* delete it"):
        logreg_c.fit(X, "y", l2=0.1)
