# SPDX-License-Identifier: BSD-3-Clause
"""`inference` of several classes: against the formulas, published figures and identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import run_python
from test_softmax import make

import logreg_c
from logreg_c import inference


def fitted(X, Y, *, robust=False, clusters=None, reference=0, **settings):
    w, b, _ = logreg_c.fit(X, Y, tol=1e-18, **settings)
    return inference(X, Y, w, b, robust=robust, clusters=clusters, reference=reference, **settings)


def contrasts(n, k, reference):
    """The matrix that makes differences from the reference of parameters, class by class."""
    others = [a for a in range(k) if a != reference]
    return np.kron(np.eye(k)[others] - np.eye(k)[reference], np.eye(n))


def expected_covariance(X, Y, w, b, reference, *, l2, s, groups, intercept):
    """That of the differences, from the Hessian of all classes, which has no inverse."""
    A = logreg_c.predict_proba(X, w, b)
    ones = [np.ones(X.shape[1])] if intercept else []
    x = np.vstack([X, *ones])
    (n, m), k = x.shape, len(A)
    H = sum(
        s[i] * np.kron(np.diag(A[:, i]) - np.outer(A[:, i], A[:, i]), np.outer(x[:, i], x[:, i]))
        for i in range(m)
    )
    of_w = np.arange(n) < len(X)
    H += l2 * s.sum() * np.diag(np.tile(of_w, k))
    C = contrasts(n, k, reference)
    inverse = np.linalg.pinv(H, rcond=1e-13)
    if groups is not None:
        g = np.array([np.kron(s[i] * (A[:, i] - np.eye(k)[Y[i]]), x[:, i]) for i in range(m)])
        g = np.array([g[groups == c].sum(0) for c in np.unique(groups)])
        inverse = inverse @ (g.T @ g) @ inverse
    return C @ inverse @ C.T


@settings(max_examples=30)
@given(
    n_x=st.integers(0, 4),
    k=st.integers(2, 5),
    seed=st.integers(0, 2**20),
    l2=st.sampled_from([0.0, 0.1]),
    weighted=st.booleans(),
    intercept=st.booleans(),
    kind=st.sampled_from(["classical", "HC0", "cluster"]),
)
@pytest.mark.long
def test_covariances_are_those_of_the_formulas(n_x, k, seed, l2, weighted, intercept, kind):
    m, intercept = 120, intercept or n_x == 0
    X, Y = make(n_x, m, k, seed)
    rng = np.random.default_rng(seed)
    s = rng.integers(1, 4, m).astype(float) if weighted else np.ones(m)
    reference = int(rng.integers(k))
    Y = np.eye(k)[Y].T if k == 2 else Y
    fit = {"l2": l2 + 1e-4, "intercept": intercept, "sample_weight": s}
    w, b, _ = logreg_c.fit(X, Y, tol=1e-13, **fit)
    clusters = np.arange(m) % 9 if kind == "cluster" else None
    robust = "HC0" if kind == "HC0" else False
    found = inference(X, Y, w, b, robust=robust, clusters=clusters, reference=reference, **fit)
    groups = {"classical": None, "HC0": np.arange(m), "cluster": clusters}[kind]
    codes = Y.argmax(0) if k == 2 else Y
    expected = expected_covariance(
        *(X, codes, w, b, reference), l2=l2 + 1e-4, s=s, groups=groups, intercept=intercept
    )
    if kind == "cluster":
        expected *= 9 / 8 * (s.sum() - 1) / (s.sum() - len(expected))
    scale = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    assert np.all(np.abs(found.covariance - expected) <= 1e-7 * scale)


# Stata 11, checked with R's nnet, as statsmodels has them: three of the 36 parameters.
STATA = {
    (1, "selfLR"): ("0.2977144", "0.0936268", 3.179798597, 0.0014737744),
    (3, "educ"): ("-0.0071524", "0.1262913", -0.0566342868, 0.9548365214),
    (6, "const"): ("-12.1057509", "1.0599548", -11.42100649, 3.28408e-30),
}


@pytest.mark.long
def test_election_study_as_stata_and_statsmodels_have_it():
    sm = pytest.importorskip("statsmodels.api")
    data = sm.datasets.anes96.load_pandas()
    X, Y = data.exog, data.endog.astype(int)
    found = fitted(X, Y)
    order = [*X.columns, "const"]
    for (k, name), (coefficient, error, z, p) in STATA.items():
        j = (k - 1) * 6 + order.index(name)
        assert f"{found.coefficients[j]:.7f}" == coefficient
        assert f"{found.standard_errors[j]:.7f}" == error
        np.testing.assert_allclose([found.z[j], found.p_values[j]], [z, p], rtol=1e-5)
    assert f"{found.log_likelihood:.6f} {found.lr_statistic:.4f}" == "-1461.922747 576.8479"
    assert f"{found.mcfadden:.8f} {found.aic:.5f} {found.bic:.5f}" == (
        "0.16478105 2995.84549 3170.45004"
    )
    groups = np.arange(len(Y)) % 20
    for ours, theirs in (
        ({}, {}),
        ({"robust": "HC0"}, {"cov_type": "HC0"}),
        ({"clusters": groups}, {"cov_type": "cluster", "cov_kwds": {"groups": groups}}),
    ):
        other = sm.MNLogit(data.endog, sm.add_constant(X)).fit(disp=0, tol=1e-12, **theirs)
        found = fitted(X, Y, **ours)
        for name, their_name in ("coefficients", "params"), ("standard_errors", "bse"):
            expected = getattr(other, their_name).loc[order].to_numpy().T.ravel()
            np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-6)
        ends = found.interval().reshape(6, 6, 2)
        expected = np.asarray(other.conf_int()).reshape(6, 6, 2)[:, [1, 2, 3, 4, 5, 0]]
        np.testing.assert_allclose(ends, expected, rtol=1e-5)


@pytest.mark.parametrize("kind", [{}, {"robust": True}, {"clusters": np.arange(300) // 2}])
def test_two_classes_as_rows_have_the_errors_of_one_output(kind):
    X, Y = make(3, 300, 2)
    one = fitted(X, Y, l2=0.01, **kind)
    both = fitted(X, np.eye(2)[Y].T, l2=0.02, **kind)  # |w/2|^2 twice
    np.testing.assert_allclose(both.coefficients, one.coefficients, rtol=1e-5)
    np.testing.assert_allclose(both.covariance, one.covariance, rtol=1e-5, atol=1e-9)
    assert both.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9)
    assert both.lr_p_value == pytest.approx(one.lr_p_value, rel=1e-6)
    assert (both.classes, both.reference, one.classes, one.reference) == ((1,), 0, (), None)


def test_hc1_and_clusters_of_one_are_hc0_times_their_factors():
    X, Y = make(3, 200, 4)
    parameters = 4 * 3
    hc0, hc1 = (fitted(X, Y, robust=kind).covariance for kind in ("HC0", "HC1"))
    np.testing.assert_allclose(hc1, hc0 * 200 / (200 - parameters), rtol=1e-12)
    clustered = fitted(X, Y, clusters=np.arange(200)).covariance
    expected = hc0 * 200 / 199 * 199 / (200 - parameters)
    np.testing.assert_allclose(clustered, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"l2": 0.1}, {"l2": 0.1, "standardize": True}])
def test_another_reference_has_the_same_model(settings):
    X, Y = make(2, 400, 4)
    w, b, _ = logreg_c.fit(X, Y, tol=1e-15, l2=settings.get("l2", 0.0))
    if settings.get("standardize"):
        w = w / X.std(1)[:, None]
        X = X * X.std(1)[:, None]
    a, c = (inference(X, Y, w, b, reference=reference, **settings) for reference in (0, 2))
    to_c = contrasts(3, 4, 2) @ np.linalg.pinv(contrasts(3, 4, 0))
    np.testing.assert_allclose(to_c @ a.coefficients, c.coefficients, atol=1e-9)
    np.testing.assert_allclose(to_c @ a.covariance @ to_c.T, c.covariance, rtol=1e-7, atol=1e-12)
    assert (c.classes, c.reference, c.aic) == ((0, 1, 3), 2, a.aic)


def test_features_far_from_0_keep_their_digits():
    X, Y = make(3, 400, 3)
    w, b, _ = logreg_c.fit(X, Y, tol=1e-15)
    near, far = inference(X, Y, w, b), inference(X + 2.0**20, Y, w, b.T - 2.0**20 * w.sum(0))
    slopes = [0, 1, 2, 4, 5, 6]
    np.testing.assert_allclose(far.standard_errors[slopes], near.standard_errors[slopes], rtol=1e-8)


def test_without_an_intercept():
    X, Y = make(2, 200, 3)
    found = fitted(X, Y, intercept=False)
    assert found.names == ("x0", "x1", "x0", "x1")
    assert found.null_log_likelihood == pytest.approx(-200 * np.log(3), rel=1e-12)
    assert "chi2(4)" in repr(found)


def test_the_table_says_which_class_is_compared_with_which():
    pd = pytest.importorskip("pandas")
    X, Y = make(2, 200, 3)
    found = fitted(pd.DataFrame(X.T, columns=["height", "age"]), Y, reference=1)
    shown = repr(found)
    for text in "compared with class 1", "chi2(4)", "0: height ", "2: intercept ":
        assert text in shown
    assert "2: age" in found._repr_html_()
    table = pd.DataFrame(found.table())
    assert table["class"].tolist() == [0, 0, 0, 2, 2, 2]
    assert table["term"].tolist() == ["height", "age", "intercept"] * 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"reference": 3}, "reference is 3 and there are 3 classes; expected one of 0 to 2"),
        ({"firth": True}, "firth is True and Y has several classes"),
        ({"X": np.vstack([make(2, 200, 3)[0], np.ones(200)])}, "feature 2 is constant"),
        ({"X": make(2, 200, 3)[0][[0, 1, 1]]}, "feature 2 is a combination of feature 1"),
        ({"Y": np.arange(200) % 2}, "no example has class 2, so its weights are not determined"),
        ({"w": np.full((2, 3), [1e6, 0, -1e6])}, "predict every label with certainty"),
        ({"w": np.zeros((2, 1)), "b": 0.0, "Y": np.arange(200) % 2, "reference": 1}, "one output"),
    ],
)
def test_bad_input_is_refused_with_the_reason(settings, words):
    X, Y = make(2, 200, 3)
    w, b, _ = logreg_c.fit(X, Y)
    given = {"X": X, "Y": Y, "w": w, "b": b} | settings
    if len(given["X"]) == 3:
        given["w"] = np.vstack([w, w[:1]])
    with pytest.raises(ValueError, match=words):
        inference(**given)


def test_weights_that_are_not_at_the_minimum_are_told():
    X, Y = make(2, 200, 3)
    with pytest.warns(logreg_c.ConvergenceWarning, match="standard errors from the minimum"):
        inference(X, Y, np.zeros((2, 3)), np.zeros(3))


SAME = """
import numpy as np, logreg_c, hashlib
rng = np.random.default_rng(0)
X = rng.normal(size=(9, 3000)); Y = (X[:4] + rng.gumbel(size=(4, 3000))).argmax(0)
w, b, _ = logreg_c.fit(X, Y, l2=1e-4)
settings = {{"l2": 1e-4, "n_threads": {threads}}}
found = [logreg_c.inference(X, Y, w, b, robust=robust, **settings) for robust in (False, True)]
print(hashlib.sha256(b"".join(v.covariance.tobytes() for v in found)).hexdigest())
"""


@pytest.mark.long
def test_the_bits_do_not_depend_on_threads_or_instruction_set():
    best = logreg_c.show_config()["isa"]
    hashes = {
        run_python(SAME.format(threads=threads), LOGREG_C_ISA=isa)
        for isa, threads in (("baseline", 1), ("baseline", 2), (best, 3))
    }
    assert len(hashes) == 1
