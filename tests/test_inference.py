# SPDX-License-Identifier: BSD-3-Clause
"""`inference`, against exact sums, published figures and identities."""

import os
import subprocess
import sys
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logreg_c
from logreg_c import Inference, inference
from logreg_c._summary import chi2_tail

# Spector and Mazzeo (1980), as statsmodels ships it: GPA, TUCE, PSI, GRADE.
SPECTOR = """
2.66 20 0 0  2.89 22 0 0  3.28 24 0 0  2.92 12 0 0  4.00 21 0 1  2.86 17 0 0  2.76 17 0 0
2.87 21 0 0  3.03 25 0 0  3.92 29 0 1  2.63 20 0 0  3.32 23 0 0  3.57 23 0 0  3.26 25 0 1
3.53 26 0 0  2.74 19 0 0  2.75 25 0 0  2.83 19 0 0  3.12 23 1 0  3.16 25 1 1  2.06 22 1 0
3.62 28 1 1  2.89 14 1 0  3.51 26 1 0  3.54 24 1 1  2.83 27 1 1  3.39 17 1 1  2.67 24 1 0
3.65 21 1 1  4.00 23 1 1  3.10 21 1 0  2.39 19 1 1
"""


def spector():
    table = np.array(SPECTOR.split(), float).reshape(-1, 4)
    return table[:, :3].T, table[:, 3]


def make(n_x, m, seed=0, offset=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_x, m))
    z = rng.normal(size=n_x) @ X / max(n_x, 1) ** 0.5
    return X * scale + offset, (z + rng.logistic(size=m) > 0).astype(np.uint8)


def at_minimum(X, Y, **settings):
    w, b, _ = logreg_c.fit(X, Y, tol=1e-15, **settings)
    return w, b


def fitted(X, Y, *, robust=False, clusters=None, **settings):
    w, b = at_minimum(X, Y, **settings)
    return inference(X, Y, w, b, robust=robust, clusters=clusters, **settings)


def exact_covariance(X, Y, w, b, *, l2=0.0, s=None, kind="classical", clusters=None):
    """The covariance in 40 digits, straight from the formulas."""
    with mpmath.workdps(40):
        m = X.shape[1]
        s = [1.0] * m if s is None else list(s)
        A = mpmath.matrix([[*map(float, column), 1.0] for column in X.T])
        theta = mpmath.matrix([*map(float, np.ravel(w)), float(b)])
        z = A * theta
        a = [1 / (1 + mpmath.exp(-v)) for v in z]
        k = A.cols
        H = mpmath.matrix(k, k)
        for i in range(m):
            H += float(s[i]) * a[i] * (1 - a[i]) * (A[i, :].T * A[i, :])
        for j in range(k - 1):
            H[j, j] += l2 * mpmath.fsum(map(float, s))
        inverse = H**-1
        if kind != "classical":
            clusters = range(m) if clusters is None else clusters
            sums = {}
            for i, c in enumerate(clusters):
                g = float(s[i]) * (a[i] - float(Y[i])) * A[i, :].T
                sums[c] = sums[c] + g if c in sums else g
            meat = mpmath.matrix(k, k)
            for g in sums.values():
                meat += g * g.T
            inverse = inverse * meat * inverse
        return np.array(inverse.tolist(), float).reshape(k, k)


def close(found, expected, rtol=1e-10):
    scale = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    return np.all(np.abs(found - expected) <= rtol * scale)


# ---- Against exact sums --------------------------------------------------------------------------


@settings(max_examples=20)
@given(
    n_x=st.integers(1, 6),
    m=st.integers(20, 40),
    seed=st.integers(0, 2**20),
    l2=st.sampled_from([0.0, 0.1]),
    weighted=st.booleans(),
    kind=st.sampled_from(["classical", "HC0", "cluster"]),
)
@pytest.mark.long
def test_covariances_are_those_of_the_formulas(n_x, m, seed, l2, weighted, kind):
    rng = np.random.default_rng(seed)
    X, Y = make(n_x, m, seed, offset=rng.choice([0.0, 100.0]))
    w, b = rng.normal(size=n_x) / 10, rng.normal()
    b -= w @ X.mean(1)
    s = rng.integers(1, 4, m).astype(float) if weighted else None
    clusters = np.arange(m) % 7 if kind == "cluster" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)  # anywhere, not at the minimum
        found = inference(
            X, Y, w, b, l2=l2, sample_weight=s, clusters=clusters,
            robust=kind if kind == "HC0" else False,
        )  # fmt: skip
    expected = exact_covariance(X, Y, w, b, l2=l2, s=s, kind=kind, clusters=clusters)
    if kind == "cluster":
        total = m if s is None else s.sum()
        expected *= 7 / 6 * (total - 1) / (total - n_x - 1)
    assert close(found.covariance, expected, 1e-8)


def test_features_far_from_0_keep_their_digits():
    X, Y = make(3, 400)
    near = fitted(X, Y)
    w, b = at_minimum(X, Y)
    far = inference(X + 2.0**20, Y, w, b - 2.0**20 * w.sum())
    np.testing.assert_allclose(far.standard_errors[:3], near.standard_errors[:3], rtol=1e-8)


@pytest.mark.parametrize(
    "case", ["sorted", "two regimes", "rare", "heavy", "mostly without weight"]
)
def test_any_few_examples_are_enough_to_centre_by(case):
    X, Y = make(2, 300)  # more than the sums of products are centred by
    s = None
    if case == "sorted":
        X[0] = np.sort(X[0]) + 1e6
    elif case == "two regimes":
        X[0, 150:] += 1e6
    elif case == "rare":
        X[0] = 0.0
        X[0, ::75] = 1e4
    else:
        s = np.where(np.arange(300) % 60 == 7, 1e6, 1.0 if case == "heavy" else 0.0)
        X[0, s > 1.0] += 1e4
    w = np.array([1.0, -0.5]) / X.std(1)
    b = -w @ X.mean(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)  # not at the minimum
        found = inference(X, Y, w, b, sample_weight=s)
    assert close(found.covariance, exact_covariance(X, Y, w, b, s=s), 1e-8)


# ---- Published figures ---------------------------------------------------------------------------


def test_spector_as_statsmodels_and_greene_print_it():
    found = fitted(*spector())
    printed = {
        "coefficients": ["2.8261", "0.0952", "2.3787", "-13.0213"],
        "standard_errors": ["1.2629", "0.1416", "1.0646", "4.9313"],
        "z": ["2.2377", "0.6722", "2.2344", "-2.6405"],
        "p_values": ["0.0252", "0.5014", "0.0255", "0.0083"],
    }
    for name, values in printed.items():
        assert [f"{v:.4f}" for v in getattr(found, name)] == values
    ends = [[f"{v:.3f}" for v in row] for row in found.interval()]
    assert ends == [["0.351", "5.301"], ["-0.182", "0.373"], ["0.292", "4.465"],
                    ["-22.687", "-3.356"]]  # fmt: skip
    assert f"{found.log_likelihood:.3f} {found.null_log_likelihood:.3f}" == "-12.890 -20.592"
    assert f"{found.mcfadden:.4f} {found.lr_p_value:.6f}" == "0.3740 0.001502"
    assert f"{found.aic:.3f} {found.bic:.3f}" == "33.779 39.642"


@pytest.mark.long
def test_statsmodels_finds_the_same():
    sm = pytest.importorskip("statsmodels.api")
    for data, label in ((sm.datasets.spector, None), (sm.datasets.fair, "affairs")):
        frame = data.load_pandas()
        X, y = frame.exog, frame.endog if label is None else frame.endog > 0
        theirs = sm.Logit(y.astype(float), sm.add_constant(X)).fit(disp=0, tol=1e-14, maxiter=100)
        order = [*X.columns, "const"]
        for kind, robust in (("nonrobust", False), ("HC0", "HC0")):
            other = sm.Logit(y.astype(float), sm.add_constant(X)).fit(
                disp=0, maxiter=100, cov_type=kind
            )
            ours = fitted(X, y, robust=robust)
            np.testing.assert_allclose(ours.coefficients, other.params[order], rtol=1e-6)
            np.testing.assert_allclose(ours.standard_errors, other.bse[order], rtol=1e-6)
        groups = np.arange(len(y)) % 11
        other = sm.Logit(y.astype(float), sm.add_constant(X)).fit(
            disp=0, cov_type="cluster", cov_kwds={"groups": groups}
        )
        ours = fitted(X, y, clusters=groups)
        np.testing.assert_allclose(ours.standard_errors, other.bse[order], rtol=1e-6)
        for name, their_name in {
            "log_likelihood": "llf", "null_log_likelihood": "llnull", "aic": "aic", "bic": "bic",
            "mcfadden": "prsquared", "lr_statistic": "llr", "lr_p_value": "llr_pvalue",
        }.items():  # fmt: skip
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, their_name), rtol=1e-6)
        np.testing.assert_allclose(ours.p_values, other.pvalues[order], rtol=1e-4, atol=1e-12)


# ---- Identities ----------------------------------------------------------------------------------


def test_a_table_of_two_by_two_has_woolfs_standard_error():
    counts = {(0, 0): 23, (0, 1): 11, (1, 0): 7, (1, 1): 19}
    x, y = zip(*(cell for cell, n in counts.items() for _ in range(n)), strict=True)
    found = fitted([x], y)
    assert found.standard_errors[0] == pytest.approx(
        sum(1 / n for n in counts.values()) ** 0.5, rel=1e-8
    )
    assert found.odds_ratios[0] == pytest.approx(23 * 19 / (11 * 7), rel=1e-6)


def test_a_weight_of_two_is_the_example_twice():
    X, Y = make(3, 50)
    twice = np.repeat(np.arange(50), 2)
    weighted = fitted(X, Y, sample_weight=np.full(50, 2.0))
    repeated = fitted(X[:, twice], Y[twice])
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-9)
    assert weighted.n_obs == repeated.n_obs == 100
    assert weighted.bic == pytest.approx(repeated.bic, rel=1e-12)


def test_other_units_change_only_the_units():
    X, Y = make(4, 200)
    unit = np.array([1e-6, 1.0, 1e3, 1e8])
    found, scaled = fitted(X, Y), fitted(X * unit[:, np.newaxis], Y)
    np.testing.assert_allclose(scaled.standard_errors[:4] * unit, found.standard_errors[:4], 1e-7)
    np.testing.assert_allclose(scaled.z, found.z, rtol=1e-6)


@pytest.mark.parametrize("intercept", [True, False])
def test_a_penalty_of_standardized_features_has_their_errors(intercept):
    X, Y = make(4, 300, scale=np.array([[1.0], [1e3], [1e-3], [30.0]]))
    X[2] = 0.25  # constant: its weight is 0, and has the penalty's error
    sd = X.std(1, keepdims=True)
    sd[2] = 1.0
    standardized = X / sd
    w, b, _ = logreg_c.fit(standardized, Y, l2=0.1, intercept=intercept)
    settings = {"l2": 0.1, "intercept": intercept}
    expected = logreg_c.inference(standardized, Y, w, b, **settings)
    found = logreg_c.inference(X, Y, w / sd, b, standardize=True, **settings)
    units = np.append(sd, 1.0)[: len(found.standard_errors)]
    np.testing.assert_allclose(found.standard_errors * units, expected.standard_errors, rtol=1e-9)


def test_hc1_and_clusters_of_one_are_hc0_times_their_factors():
    X, Y = make(3, 60)
    hc0, hc1 = fitted(X, Y, robust="HC0"), fitted(X, Y, robust=True)
    alone = fitted(X, Y, clusters=[f"c{i}" for i in range(60)])
    np.testing.assert_allclose(hc1.covariance, hc0.covariance * 60 / 56, rtol=1e-12)
    np.testing.assert_allclose(alone.covariance, hc0.covariance * 60 / 56, rtol=1e-9)
    assert (hc0.kind, hc1.kind, alone.kind) == ("HC0", "HC1", "cluster")


def test_without_an_intercept_b_has_no_error():
    X, Y = make(3, 80, offset=0.5)
    found = fitted(X, Y, intercept=False)
    w, _ = at_minimum(X, Y, intercept=False)
    A = logreg_c.predict_proba(X, w, 0.0)
    H = (X * A * (1 - A)) @ X.T
    np.testing.assert_allclose(found.covariance, np.linalg.inv(H), rtol=1e-9)
    assert found.names == ("x0", "x1", "x2")
    assert found.null_log_likelihood == pytest.approx(-80 * np.log(2), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8", "bool", "int64"])
def test_every_type_has_the_errors_of_its_values(dtype):
    X, Y = make(3, 200)
    X = X > 0.5 if dtype == "bool" else (X * 3).astype(dtype)
    if dtype == "uint8":
        X %= 7
    np.testing.assert_allclose(
        fitted(X, Y).covariance, fitted(X.astype(float), Y).covariance, rtol=1e-6
    )


def test_no_features_leave_the_intercept():
    Y = np.array([0, 1, 1, 1, 0, 1])
    found = fitted(np.empty((0, 6)), Y)
    assert found.standard_errors[0] == pytest.approx((6 * (4 / 6) * (2 / 6)) ** -0.5, rel=1e-6)
    assert found.lr_p_value == 1.0


# ---- The same bits -------------------------------------------------------------------------------

BITS = """
import hashlib, sys
import numpy as np, logreg_c
digest = hashlib.sha256()
rng = np.random.default_rng(3)
for n_x, m in ((1, 50), (7, 3000), (70, 5000)):
    X = rng.normal(size=(n_x, m)).astype(np.float32)
    Y = (X.sum(0) + n_x**0.5 * rng.logistic(size=m) > 0).astype(np.uint8)
    groups = np.arange(m) % 13
    w, b, _ = logreg_c.fit(X, Y)
    for n_threads in map(int, sys.argv[1:]):
        for layout in (X, np.asfortranarray(X)):
            for kind in ({}, {"robust": True}, {"clusters": groups}):
                found = logreg_c.inference(layout, Y, w, b, n_threads=n_threads, **kind)
                digest.update(found.covariance.tobytes())
                digest.update(np.array([found.log_likelihood, found.null_log_likelihood]).tobytes())
        print(digest.hexdigest())
        digest = hashlib.sha256()
"""


@pytest.mark.long
def test_any_number_of_threads_and_any_instruction_set_give_the_same_bits():
    hashes = set()
    for name in [name for name, runs in logreg_c._kernel.isa_known().items() if runs]:
        ended = subprocess.run(
            [sys.executable, "-P", "-c", BITS, "1", "2", "5"],
            env={**os.environ, "LOGREG_C_ISA": name},
            capture_output=True,
            text=True,
            check=True,
        )
        lines = ended.stdout.splitlines()
        assert lines == [lines[k // 3 * 3] for k in range(9)]
        hashes.add(ended.stdout)
    assert len(hashes) == 1


# ---- What is said --------------------------------------------------------------------------------


def test_it_prints_as_a_table_with_the_names_of_a_data_frame():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    X, Y = spector()
    frame = pd.DataFrame(dict(zip(("GPA", "<TUCE>", "PSI\n"), X, strict=True)))
    found = fitted(frame, Y)
    assert isinstance(found, Inference)
    text = repr(found)
    assert [line.split()[0] for line in text.splitlines()[-4:]] == [
        "GPA", "<TUCE>", "PSI\\n", "intercept",
    ]  # fmt: skip
    assert "2.8261" in text
    assert "p = 0.0015" in text
    assert "&lt;TUCE&gt;" in found._repr_html_()
    assert pd.DataFrame(found.table(0.9)).shape == (4, 8)


def test_a_long_table_leaves_out_its_middle():
    X, Y = make(100, 3000)
    text = repr(fitted(X, Y))
    assert "(41 more)" in text
    assert len(text.splitlines()) == 3 + 1 + 1 + 61


def test_a_penalty_says_that_the_errors_are_not_classical():
    X, Y = make(2, 50)
    assert "not classical" in repr(fitted(X, Y, l2=0.1))
    assert "not classical" not in repr(fitted(X, Y))


def test_collinear_columns_are_named():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    X, Y = make(3, 100)
    frame = pd.DataFrame(X.T, columns=["a", "b", "c"])
    frame["d"] = frame["a"] - 2 * frame["c"]
    frame["e"] = 5.0
    frame["f"] = frame["b"] * 3 + 1
    w = np.zeros(6)
    with pytest.raises(ValueError, match="'d' is a combination of 'a', 'c'; 'e' is constant") as e:
        inference(frame, Y, logreg_c.with_names(w, frame.columns), 0.0)
    assert "'f' is a combination of 'b'" in str(e.value)
    assert "uncertain" not in str(e.value)  # they are collinear everywhere
    with pytest.raises(ValueError, match="feature 3 is a combination of feature 0, feature 2"):
        inference(frame.to_numpy().T, Y, w, 0.0)
    assert np.isfinite(fitted(frame, Y, l2=0.1).standard_errors).all()


def test_a_point_far_from_the_minimum_warns():
    X, Y = make(2, 100)
    w, b = at_minimum(X, Y)
    with pytest.warns(logreg_c.ConvergenceWarning, match="standard errors from the minimum"):
        inference(X, Y, w + 0.5, b)
    with pytest.warns(logreg_c.ConvergenceWarning, match="with the same l2"):
        inference(X, Y, w, b, l2=0.5)


def test_certain_predictions_have_no_errors():
    X = np.linspace(-1, 1, 20)[np.newaxis]
    with pytest.raises(ValueError, match="predict every label with certainty"):
        inference(X, X[0] > 0, [1e5], 0.0)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"robust": "HC3"}, ValueError, "expected True, False, 'HC0' or 'HC1'"),
        ({"robust": 2}, (TypeError, ValueError), "robust"),
        ({"robust": "HC0", "clusters": [0, 1] * 10}, ValueError, "one of the two"),
        ({"clusters": [0, 1]}, ValueError, r"shape \(2,\); expected \(20,\)"),
        ({"clusters": [1] * 20}, ValueError, "at least two"),
        ({"clusters": [1.0, np.nan] * 10}, ValueError, "NaN"),
        ({"clusters": np.array(["2020", "NaT"] * 10, "M8[D]")}, ValueError, "NaT"),
        ({"clusters": np.array([np.nan, "a"] * 10, object)}, (TypeError, ValueError), "clusters"),
        ({"clusters": np.ma.masked_equal(np.arange(20) % 3, 1)}, ValueError, "masked"),
        ({"clusters": [1, "a", None, 2] * 5}, TypeError, "all numbers or all strings"),
        ({"l2": -1}, ValueError, "l2"),
        ({"intercept": "no"}, TypeError, "intercept"),
        ({"sample_weight": [1.0]}, ValueError, "sample_weight"),
    ],
)
def test_bad_input_is_refused_with_the_reason(settings, error, words):
    X, Y = make(2, 20)
    with pytest.raises(error, match=words):
        inference(X, Y, [0.0, 0.0], 0.0, **settings)


def test_too_few_examples_for_a_correction():
    X, Y = make(2, 3, seed=1)
    with pytest.raises(ValueError, match="3 examples for 3 parameters"):
        inference(X, Y, [0.1, 0.1], 0.0, robust=True)


def test_levels_are_checked():
    found = fitted(*make(1, 40))
    for level in (0.0, 1.0, 1.5, -0.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            found.interval(level)
    with pytest.raises(TypeError, match="level"):
        found.interval("0.95")
    inner, outer = found.interval(0.5), found.interval(0.99)
    assert np.all(outer[:, 0] < inner[:, 0])
    assert np.all(outer[:, 1] > inner[:, 1])


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 30, 501])
def test_the_tail_of_chi_squared_is_the_incomplete_gamma_function(df):
    for x in (1e-6, 0.5, df / 2, float(df), 2.0 * df, 5.0 * df + 100):
        exact = float(mpmath.gammainc(df / 2, x / 2, mpmath.inf, regularized=True))
        assert chi2_tail(x, df) == pytest.approx(exact, rel=1e-10, abs=1e-300)
    assert chi2_tail(0.0, df) == 1.0


# ---- What generated calls have found -------------------------------------------------------------


def test_more_features_than_examples_are_named_at_once():
    X = np.random.default_rng(0).normal(size=(2000, 9))
    Y = np.arange(9) % 2
    with pytest.raises(ValueError, match=r"feature 8 is a combination of .*; and so on"):
        logreg_c.inference(X, Y, np.zeros(2000), 0.0)


def test_weights_that_cannot_count_are_refused():
    X, Y = [[0.5, 1.5, 2.5, 3.5]], [0, 1, 0, 1]
    for weight in (1e-30, 1e30):
        with pytest.raises(ValueError, match=r"sample_weight .* count examples"):
            logreg_c.inference(X, Y, [0.9], -1.8, sample_weight=np.full(4, weight))


@pytest.mark.parametrize("settings", [{}, {"intercept": False}, {"l2": 1.0, "standardize": True}])
@pytest.mark.parametrize("size", [1e-310, 1e-160, 1e160])
def test_products_that_leave_the_range_are_told(settings, size):
    X = np.array([[1.3, 1.4, 1.5]]) * size
    with pytest.raises(OverflowError, match="rescale X"):
        logreg_c.inference(X, [0, 1, 1], [0.0], 0.0, **settings)


@pytest.mark.parametrize("intercept", [True, False])
def test_a_feature_that_is_constant_where_it_counts_is_named(intercept):
    # only x = 0 has a prediction that is not certain
    X = np.array([[0, 5, 4, 9, 1, 0.0]])
    with pytest.raises(ValueError, match=r"feature 0 is (constant|0 throughout)"):
        logreg_c.inference(X, [1, 0, 1, 1, 0, 0], [-1e20], 0.05, intercept=intercept)


def test_a_covariance_that_overflows_is_told():
    with pytest.raises(OverflowError, match="rescale X"):
        logreg_c._inference._uncentred(np.ones((1, 1)), np.zeros(1), 1.0, np.array([1e160]))


# ---- Weights that run away -----------------------------------------------------------------------


def test_robust_errors_without_an_intercept_keep_their_digits_where_residuals_vanish():
    X = np.zeros((1, 8))
    X[0, 3] = 1.0
    Y = np.array([0.0, 1.0, 0.0, 0.9, 0.0, 1.0, 0.0, 0.0])
    w = 2.1972245773
    found = logreg_c.inference(X, Y, [w], 0.0, intercept=False, robust="HC0")
    mpmath.mp.dps = 40
    a = 1 / (1 + mpmath.exp(-mpmath.mpf(w)))
    exact = float(abs(a - mpmath.mpf(Y[3])) / (a * (1 - a)))
    assert found.standard_errors[0] == pytest.approx(exact, rel=1e-4)
    assert exact < 1e-8


def test_robust_errors_that_rounding_hides_are_refused():
    X = [[1.93066406, 0.84375], [0.26049805, 2.453125], [-1.34179688, -0.91210938]]
    point = {"w": [0.0, 0.0, 0.0], "b": -2.0, "robust": "HC0"}
    with pytest.raises(ValueError, match="rounding hides the robust errors"):
        logreg_c.inference(X, [0, 0], l2=1.4e-10, **point)
    with pytest.warns(logreg_c.ConvergenceWarning):  # this is not the minimum
        logreg_c.inference(X, [0, 0], l2=1e-3, **point)
    t = np.linspace(1.0, 2.0, 200)  # powers of t, whose correlations are above 0.999
    Y = np.arange(200) % 3 == 0
    found = logreg_c.fit([t, t**2, t**3, t**4], Y, tol=1e-13)
    robust = logreg_c.inference([t, t**2, t**3, t**4], Y, found.w, found.b, robust="HC0")
    assert (robust.standard_errors > 0.0).all()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", ["classical", "HC0"])
@pytest.mark.parametrize("l2", [0.0, 1e-10])
@pytest.mark.parametrize("apart", [1e-2, 1e-4, 1e-5, 1e-6])
def test_errors_of_nearly_collinear_features_keep_the_digits_that_rounding_leaves(apart, l2, kind):
    rng = np.random.default_rng(2)
    X, Y = make(3, 60)
    X[2] = X[0] - X[1] + apart * rng.normal(size=60)
    found = logreg_c.fit(X, Y, l2=l2)
    settings = {"l2": l2, "robust": False if kind == "classical" else kind}
    if apart == 1e-6 and l2 == 0.0:
        with pytest.raises(ValueError, match="feature 2 is a combination of feature 0, feature 1"):
            inference(X, Y, found.w, found.b, **settings)
        return
    expected = exact_covariance(X, Y, found.w, found.b, l2=l2, kind=kind)
    errors = inference(X, Y, found.w, found.b, **settings).standard_errors
    exact = np.sqrt(np.diagonal(expected))
    # the condition number is about 1 / apart^2, and each entry of H is off by some units of 2^-53
    np.testing.assert_allclose(errors, exact, rtol=min(1e-14 / apart**2, 5e-3))


@pytest.mark.parametrize("l2", [1e308, 1e200])
@pytest.mark.parametrize("settings", [{}, {"standardize": True}, {"robust": "HC0"}])
def test_a_penalty_near_the_end_of_the_range_is_taken_or_refused(l2, settings):
    X, Y = make(3, 50)
    if l2 == 1e308:
        with pytest.raises(OverflowError, match=r"l2 is 1e\+308, .*: pass a smaller l2"):
            inference(X, Y, np.zeros(3), 0.0, l2=l2, **settings)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)
        found = inference(X, Y, np.zeros(3), 0.0, l2=l2, **settings)
    assert (found.standard_errors[:3] < 1e-99).all()
    assert (np.nan_to_num(found.z[:3]) == 0.0).all()
    assert "intercept" in str(found)
