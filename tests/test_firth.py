# SPDX-License-Identifier: BSD-3-Clause
"""Firth's penalty, against published figures, closed forms, exact sums and identities."""

import os
import signal
import subprocess
import sys
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bits, bounded

import logreg_c
from logreg_c import ConvergenceWarning
from logreg_c.callbacks import Checkpoint

# Endometrial cancer (Heinze and Schemper 2002): NV, PI, EH, HG.
ENDOMETRIAL = """
0 13 1.64 0  0 16 2.26 0  0 8 3.14 0  0 34 2.68 0  0 20 1.28 0  0 5 2.31 0  0 17 1.8 0
0 10 1.68 0  0 26 1.56 0  0 17 2.31 0  0 8 2.01 0  0 7 1.89 0  0 20 3.15 0  0 10 1.23 0
0 18 1.27 0  0 16 1.76 0  0 18 2 0  0 8 2.64 1  0 29 0.88 1  0 12 1.27 1  0 20 1.37 1
1 38 0.97 1  1 22 1.14 1  1 7 0.88 1  1 25 0.91 1  1 15 0.58 1  0 7 0.97 1  0 28 1.5 0
0 11 1.33 0  0 19 2.37 0  0 10 1.82 0  0 10 3.13 0  0 18 1.31 0  0 14 1.92 0  0 21 1.64 0
0 11 2.01 0  0 17 1.88 0  0 25 1.93 0  0 16 2.11 0  0 19 1.29 0  0 15 1.72 0  0 33 0.75 0
0 24 1.92 0  0 48 1.84 1  0 12 1.11 1  0 19 1.61 1  0 2 1.18 1  1 22 1.44 1  1 40 1.18 1
1 5 0.93 1  1 0 1.17 1  0 21 1.19 1  0 15 1.06 1  0 29 2.02 0  0 15 2.29 0  0 12 2.33 0
0 3 2.9 0  0 20 1.7 0  0 23 1.41 0  0 12 2.25 0  0 22 1.54 0  0 42 1.97 0  0 15 1.75 0
0 13 2.16 0  0 14 2.57 0  0 19 1.37 0  0 12 3.61 0  0 13 2.04 0  0 10 2.17 0  0 12 1.69 1
1 49 0.27 1  0 6 1.84 1  0 5 1.3 1  0 17 0.96 1  1 11 1.01 1  1 21 0.98 1  0 5 0.35 1
1 19 1.02 1  0 33 0.85 1
"""
# Urinary tract infections and contraception (sex2 of R's logistf): case, age, oc, vic, vicl, vis
# and dia as digits, then how many women there are of this kind.
SEX2 = """
1000010 1  1001000 14  1001010 3  1001100 10  1001110 12  1001111 1
1010000 44  1010001 3  1011000 15  1011001 1  1011010 2  1011100 7
1011110 3  1101000 2  1101010 1  1101011 1  1101100 1  1101111 1
1110000 5  1111000 3  0000010 1  0001000 2  0001010 1  0001100 8
0001110 18  0010000 42  0010010 1  0011000 1  0011100 5  0011110 6
0101100 2  0101110 4  0110000 14  0110010 1  0111000 1  0111110 2
"""


def endometrial():
    table = np.array(ENDOMETRIAL.replace(",", " ").split(), float).reshape(-1, 4)
    return table[:, :3].T, table[:, 3]


def sex2():
    kinds = SEX2.split()[::2]
    table = np.array([[int(digit) for digit in kind] for kind in kinds])
    return table[:, 1:].T, table[:, 0], np.array(SEX2.split()[1::2], int)


def make(n_x, m, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_x, m))
    Y = (X[0] + noise * rng.logistic(size=m) > 0.0).astype(np.uint8)
    return X, Y


def firth(X, Y, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return logreg_c.fit(X, Y, firth=True, **({"tol": 0.0} | settings))


def exact_score(X, Y, result, *, s=None, intercept=True):
    """The distance to the minimum in standard errors, and its cost, in 40 digits."""
    with mpmath.workdps(40):
        F = mpmath.matrix([[*map(float, x), *[1.0] * intercept] for x in X.T])
        s = [1] * F.rows if s is None else list(map(float, s))
        theta = mpmath.matrix([*map(float, np.ravel(result.w)), *[float(result.b)] * intercept])
        offset = 0.0 if intercept else result.b
        z = [v + offset for v in F * theta]
        a = [1 / (1 + mpmath.exp(-v)) for v in z]
        h = [si * ai * (1 - ai) for si, ai in zip(s, a, strict=True)]
        FH = F.copy()
        for i in range(F.rows):
            FH[i, :] = F[i, :] * h[i]
        information = F.T * FH
        inverse = information**-1
        U = mpmath.matrix(F.cols, 1)
        cost = -mpmath.log(mpmath.det(information)) / 2
        for i in range(F.rows):
            hat = (FH[i, :] * inverse * F[i, :].T)[0]
            y = mpmath.mpf(float(Y[i]))
            U += F[i, :].T * (s[i] * (y - a[i]) + hat * (mpmath.mpf(1) / 2 - a[i]))
            cost += s[i] * (mpmath.log1p(mpmath.exp(z[i])) - y * z[i])
        return float(mpmath.sqrt((U.T * inverse * U)[0])), float(cost / mpmath.fsum(s))


# ---- Published figures ---------------------------------------------------------------------------


def test_endometrial_cancer_as_r_prints_it():
    """As R's logistf (in the tests of firthlogist) and brglm (in the README of mbrglm) print it."""
    X, Y = endometrial()
    result = firth(X, Y)
    np.testing.assert_allclose(result.w.ravel(), [2.92927330, -0.03475175, -2.60416387], rtol=3e-7)
    assert result.b == pytest.approx(3.77455951, rel=3e-7)
    assert round(2 * 79 * result.costs[-1], 4) == 48.0745  # the penalized deviance
    with pytest.warns(ConvergenceWarning, match="of feature 0 grow .* certain of 13 examples"):
        assert logreg_c.fit(X, Y, tol=1e-9).w[0, 0] > 12.0  # all with NV = 1 are ill
    by_default = firth(X, Y, tol=1e-9)
    assert by_default.stopped == "tol"
    np.testing.assert_allclose(by_default.w, result.w, rtol=1e-5)


def test_urinary_tract_infections_as_r_prints_them():
    """As R's logistf prints sex2 (in firthlogist); women of a kind are an example with a weight."""
    X, Y, count = sex2()
    assert count.sum() == 239
    result = firth(X, Y, sample_weight=count)
    expected = [-1.10598131, -0.06881673, 2.26887464, -2.11140817, -0.78831694, 3.09601166]
    np.testing.assert_allclose(result.w.ravel(), expected, rtol=1e-7)
    assert result.b == pytest.approx(0.12025405, rel=1e-7)
    assert round(-239 * result.costs[-1], 4) == -132.5394
    repeated = firth(np.repeat(X, count, axis=1), np.repeat(Y, count))
    np.testing.assert_allclose(repeated.w, result.w, rtol=1e-7)


@given(counts=st.lists(st.integers(0, 30), min_size=4, max_size=4))
@bounded
def test_a_two_by_two_table_gets_a_half_added_to_each_cell(counts):
    healthy, ill, exposed_healthy, exposed_ill = counts
    if healthy + ill == 0 or exposed_healthy + exposed_ill == 0:
        return
    result = firth([[0, 0, 1, 1]], [0, 1, 0, 1], sample_weight=counts)
    expected = np.log((ill + 0.5) / (healthy + 0.5))
    exposed = np.log((exposed_ill + 0.5) / (exposed_healthy + 0.5))
    assert result.b == pytest.approx(expected, abs=2e-6)
    assert result.w.item() == pytest.approx(exposed - expected, abs=2e-6)


# ---- Exact sums ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_x", [1, 2, 7, 8, 9, 17])
@pytest.mark.parametrize("m", [19, 32, 33, 130])
@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.long
def test_it_is_the_minimum(n_x, m, noise):
    X, Y = make(n_x, m, seed=n_x + m, noise=noise)
    for intercept in (True, False):
        offset = {} if intercept else {"b": 0.5}
        result = firth(X, Y, intercept=intercept, **offset)
        far, cost = exact_score(X, Y, result, intercept=intercept)
        assert far < 2e-6
        assert result.costs[-1] == pytest.approx(cost, rel=1e-13, abs=1e-13)
        assert result.converged
        if not intercept:
            assert result.b == 0.5


@given(
    seed=st.integers(0, 2**32 - 1),
    n_x=st.integers(1, 6),
    m=st.integers(8, 40),
    spread=st.floats(0, 5),
    fractional=st.booleans(),
    weighted=st.booleans(),
)
@bounded
@pytest.mark.long
def test_there_is_always_a_minimum(seed, n_x, m, spread, fractional, weighted):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_x, m)) * 10 ** rng.uniform(-spread, spread, (n_x, 1))
    X += X.std(axis=1, keepdims=True) * rng.integers(-20, 21, (n_x, 1))
    Y = rng.random(m) if fractional else (rng.random(m) < rng.random()).astype(float)
    s = rng.integers(0, 4, m) if weighted else None
    if weighted:
        s[: n_x + 2] = 1
    result = firth(X, Y, sample_weight=s, tol=1e-12)
    far, cost = exact_score(X, Y, result, s=s)
    assert far < 1e-4
    assert result.costs[-1] == pytest.approx(cost, rel=1e-10, abs=1e-10)
    assert (np.diff(result.costs) <= 1e-12 * (1.0 + abs(result.costs[:-1]))).all()


def test_labels_that_are_all_alike_have_a_minimum():
    X, _ = make(3, 40)
    result = firth(X, np.ones(40))
    assert exact_score(X, np.ones(40), result)[0] < 1e-6
    assert result.b > 3.0


# ---- Identities ----------------------------------------------------------------------------------


def test_units_and_offsets_of_features_do_not_matter():
    X, Y = make(4, 60, noise=0.2)
    expected = firth(X, Y)
    unit, offset = np.array([[1e-6], [1.0], [60.0], [1e9]]), np.array([[0.0], [1e3], [-7], [0.0]])
    result = firth(X * unit + offset, Y)
    np.testing.assert_allclose(result.w * unit, expected.w, rtol=1e-5)
    assert result.b + (result.w * offset).sum() == pytest.approx(expected.b, rel=1e-5)


def test_the_other_label_is_the_other_sign():
    X, Y = make(4, 60)
    one, other = firth(X, Y), firth(X, 1 - Y)
    np.testing.assert_allclose(one.w, -other.w, rtol=1e-6)
    assert one.b == pytest.approx(-other.b, rel=1e-6)


def test_it_approaches_the_minimum_without_a_penalty():
    X, Y = make(3, 20_000)
    plain = logreg_c.fit(X, Y, tol=1e-14)
    result = firth(X, Y)
    assert 1e-6 < abs(plain.w - result.w).max() < 1e-3


def test_weight_zero_leaves_an_example_out():
    X, Y = make(3, 50)
    s = np.arange(50) % 3
    result = firth(X, Y, sample_weight=s)
    np.testing.assert_allclose(
        result.w, firth(X[:, s > 0], Y[s > 0], sample_weight=s[s > 0]).w, rtol=1e-6
    )


@pytest.mark.parametrize("kind", ["f4", "f2", "i1", "?", "u4"])
def test_types_and_layouts_give_the_same(kind):
    X, Y = make(5, 200)
    X = np.round(2 * X).astype(kind) if kind != "u4" else np.abs(np.round(2 * X)).astype(kind)
    expected = firth(X.astype(float), Y)
    for given_X in (X, np.asfortranarray(X), list(X)):
        for settings in ({}, {"dtype": np.float32} if kind in {"f4", "f2"} else {}):
            result = firth(given_X, Y.astype(bool), **settings)
            np.testing.assert_allclose(result.w, expected.w, rtol=1e-6)


def test_a_data_frame_gives_names():
    pandas = pytest.importorskip("pandas")
    X, Y = endometrial()
    result = firth(pandas.DataFrame(X.T, columns=["NV", "PI", "EH"]), Y)
    assert result.feature_names == ("NV", "PI", "EH")
    assert result.w.tobytes() == firth(X, Y).w.tobytes()


# ---- Bits ----------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_bits_do_not_depend_on_threads():
    X, Y = make(20, 5000, noise=0.05)
    results = [firth(X, Y, tol=1e-9, n_threads=n) for n in (1, 2, 7)]
    assert len({bits(result) for result in results}) == 1


@pytest.mark.long
def test_the_bits_do_not_depend_on_the_instruction_set():
    code = """
import numpy as np, logreg_c
rng = np.random.default_rng(1)
X = rng.normal(size=(11, 333))
r = logreg_c.fit(X, X[0] > 0, firth=True, tol=0)
print(r.w.tobytes().hex(), r.b.hex(), r.costs.tobytes().hex())
"""
    printed = set()
    for name in [name for name, runs in logreg_c._kernel.isa_known().items() if runs]:
        environment = {**os.environ, "LOGREG_C_ISA": name}
        command = [sys.executable, "-P", "-c", code]
        printed.add(
            subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        )
    assert len(printed) == 1


# ---- On the way ----------------------------------------------------------------------------------


def test_a_start_at_the_minimum_takes_a_pass_or_two():
    X, Y = endometrial()
    w, b, _ = result = firth(X, Y, tol=1e-9)
    again = firth(X, Y, tol=1e-9, w=w, b=b)
    assert again.passes <= 3 < result.passes
    assert again.costs[0] == pytest.approx(result.costs[-1], rel=1e-14)


def test_callbacks_see_each_step_and_stop_the_search():
    X, Y = endometrial()
    seen = []
    expected = firth(X, Y)
    result = firth(X, Y, callback=lambda *step: seen.append(step))
    assert bits(result) == bits(expected)
    assert [cost for _, cost, _, _ in seen] == result.costs.tolist()
    assert seen[-1][2].tobytes() == result.w.tobytes()
    stopped = firth(X, Y, callback=lambda k, *_: k == 2)
    assert (stopped.stopped, stopped.costs.size) == ("callback", 3)
    assert stopped.costs.tolist() == expected.costs[:3].tolist()


@pytest.mark.parametrize("passes", [1, 2, 5, 8])
def test_a_checkpoint_resumes_bit_for_bit(tmp_path, passes):
    X, Y = make(6, 40, noise=0.0)
    expected = firth(X, Y)
    path = tmp_path / "run.npz"
    with pytest.warns(ConvergenceWarning, match=f"after {passes} passes; pass a larger max_pass"):
        logreg_c.fit(X, Y, firth=True, tol=0, max_passes=passes, callback=Checkpoint(path))
    result = firth(X, Y, callback=Checkpoint(path))
    assert bits(result) == bits(expected)
    assert result.passes == expected.passes
    with pytest.raises(ValueError, match="delete it to begin anew"):
        logreg_c.fit(X, Y, l2=1e-3, callback=Checkpoint(path))


@pytest.mark.thread_unsafe(reason="signals go to the main thread")
def test_ctrl_c_carries_where_it_stood():
    X, Y = make(3, 600)
    costs = firth(X, Y).costs
    with pytest.raises(logreg_c.TrainingInterrupted) as caught:
        firth(X, Y, callback=lambda k, *_: signal.raise_signal(signal.SIGINT) if k == 1 else None)
    assert caught.value.w.shape == (3, 1)
    assert caught.value.costs.tolist() == costs[:2].tolist()


# ---- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "fault"),
    [
        ([[1, 2, 3, 5, 4], [2, 2, 2, 2, 2]], "feature 1 is constant"),
        ([[1, 2, 3, 5, 4], [3, 5, 7, 11, 9]], "feature 1 is a combination of feature 0"),
        ([[1, 2, 3, 5, 4], [0, 1, 0, 0, 1], [1, 3, 3, 5, 5]], "feature 2 is a .*feature 0, feat"),
        (np.eye(5), "feature 4 is a combination of"),
    ],
)
def test_features_without_information_are_named(X, fault):
    wanted = rf"the information is singular: {fault}.*expected features|the information .*{fault}"
    with pytest.raises(ValueError, match=wanted):
        logreg_c.fit(X, [0, 1, 0, 1, 1], firth=True)


def test_what_does_not_go_together_is_refused():
    X, Y = endometrial()
    with pytest.raises(ValueError, match=r"l2 is 0\.1 and firth is True; expected one penalty"):
        logreg_c.fit(X, Y, firth=True, l2=0.1)
    with pytest.raises(TypeError, match="firth is 'yes'"):
        logreg_c.fit(X, Y, firth="yes")
    for size in (1e-12, 1e12, 1e300):
        with pytest.raises(ValueError, match="largest sample_weight is not within"):
            logreg_c.fit(X, Y, firth=True, sample_weight=np.full(79, size))


def test_a_start_that_is_worse_than_0_is_no_start():
    X, Y = endometrial()
    expected = firth(X, Y)
    for start in ({"b": 1e4}, {"w": [-1e3, 5, 0]}, {"w": [30, -3, 1], "b": 9}, {"w": [1e305] * 3}):
        result = firth(X, Y, **start)
        assert result.w.tobytes() == expected.w.tobytes()
        assert result.passes == expected.passes + 1


def test_a_fixed_bias_where_everything_is_certain_is_refused():
    X, Y = endometrial()
    for b in (1e4, -1e4):
        with pytest.raises(ValueError, match=r"singular: all predictions are certain.*a bias that"):
            logreg_c.fit(X, Y, firth=True, b=b, intercept=False)


@pytest.mark.parametrize("b", [-25.0, 18.0])
def test_a_fixed_bias_far_out_has_a_minimum(b):
    X, Y = make(4, 40)
    result = firth(X, Y, b=b, intercept=False)
    assert result.converged
    assert exact_score(X, Y, result, intercept=False)[0] < 1e-5


def test_bad_values_are_named():
    X, Y = endometrial()
    X = X.copy()
    X[1, 7] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinity, first .*\(1, 7\)"):
        logreg_c.fit(X, Y, firth=True)
    X[1, 7] = 1e200
    with pytest.raises(OverflowError, match="rescale X"):
        logreg_c.fit(X, Y, firth=True)


def test_passes_that_are_used_up_are_reported():
    X, Y = make(6, 40, noise=0.0)
    with pytest.warns(ConvergenceWarning, match="after 3 passes; pass a larger max_passes"):
        result = logreg_c.fit(X, Y, firth=True, max_passes=3)
    assert (result.passes, result.stopped, result.converged) == (3, "passes", False)


# ---- Inference -----------------------------------------------------------------------------------


def test_standard_errors_as_r_prints_them():
    X, Y, count = sex2()
    w, b, _ = firth(X, Y, sample_weight=count)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = logreg_c.inference(X, Y, w, b, sample_weight=count, firth=True)
    expected = [0.42366, 0.443793, 0.548416, 0.543082, 0.417368, 1.67501, 0.485542]
    np.testing.assert_allclose(found.standard_errors, expected, rtol=2e-6)
    assert "Firth's penalty" in repr(found)
    assert found.firth


def test_the_deviance_and_aic_as_r_prints_them():
    """Of brglm, in the README of mbrglm."""
    X, Y = endometrial()
    w, b, _ = firth(X, Y)
    found = logreg_c.inference(X, Y, w, b, firth=True)
    assert round(-2 * found.log_likelihood, 4) == 56.5754
    assert round(found.aic, 4) == 64.5754


def test_inference_at_another_minimum_warns():
    X, Y = endometrial()
    w, b, _ = firth(X, Y)
    with pytest.warns(ConvergenceWarning, match="same l2, firth, sample_weight"):
        logreg_c.inference(X, Y, w, b)
    with pytest.warns(ConvergenceWarning, match="from the minimum"):
        logreg_c.inference(X, Y, w * 1.2, b, firth=True)


def test_inference_takes_one_penalty_and_classical_errors():
    X, Y = endometrial()
    w, b, _ = firth(X, Y)
    with pytest.raises(ValueError, match="expected one penalty"):
        logreg_c.inference(X, Y, w, b, firth=True, l2=1.0)
    for settings in ({"robust": True}, {"clusters": np.arange(79) % 9}):
        with pytest.raises(ValueError, match="firth is True, and robust or clusters is passed"):
            logreg_c.inference(X, Y, w, b, firth=True, **settings)


def test_the_bias_is_a_float():
    X, Y = make(3, 40, noise=0.05)
    assert type(firth(X, Y).b) is float
