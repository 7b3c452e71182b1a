# SPDX-License-Identifier: BSD-3-Clause
"""Along a path of l1, features that are certain to stay at 0 are not read."""

import numpy as np
import pytest

import logreg_c
from logreg_c import _input
from logreg_c._objective import Objective
from logreg_c._solvers import screening


@pytest.fixture(autouse=True)
def screens(monkeypatch):
    """Small data are screened, too."""
    monkeypatch.setattr(screening, "FEWEST_VALUES", 1)
    monkeypatch.setattr(screening, "FEWEST_FEATURES", 1)


def some_data(n_x=60, m=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_x, m)) + rng.standard_normal((n_x, 1))
    w = rng.standard_normal(n_x) * (np.arange(n_x) < 5)
    return X, rng.random(m) < 1.0 / (1.0 + np.exp(-w @ X)), rng.integers(0, 3, m).astype(float)


def path_of(X, Y, **settings):
    strengths = np.geomspace(1.0, 0.03, 25)
    of_both = {"intercept": settings.get("intercept", True)}
    of_both["sample_weight"] = settings.get("sample_weight")
    l1 = strengths * logreg_c.l1_max(X, Y, **of_both)
    return l1, logreg_c.fit_path(X, Y, l1=l1, tol=1e-9, **settings)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("lower", [None, 0.0])
def test_no_feature_is_left_out_that_has_to_move(intercept, weighted, lower):
    X, Y, s = some_data()
    s = s if weighted else np.ones(Y.size)
    l1, path = path_of(X, Y, intercept=intercept, sample_weight=s, lower=lower)
    assert path.converged.all()
    for strength, w, b in zip(l1, path.w, path.b, strict=True):
        A = 1.0 / (1.0 + np.exp(-(w @ X + b)))
        dw = X @ (s * (A - Y)) / s.sum()
        steep = -dw if lower == 0.0 else np.abs(dw)
        assert (steep[w == 0.0] <= strength * (1.0 + 1e-3)).all()
        np.testing.assert_allclose(dw[w != 0.0], -strength * np.sign(w[w != 0.0]), rtol=2e-2)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_bound_holds_at_points_of_any_distance(intercept, weighted):
    X, Y, s = some_data()
    weight = s if weighted else None
    objective = Objective.checked(_input.examples(X, None), Y, sample_weight=weight, n_threads=1)
    s = s if weighted else np.ones(Y.size)
    mean = X @ s / s.sum()
    centre = mean if intercept else np.zeros(len(X))
    square = (X - centre[:, np.newaxis]) ** 2 @ s / s.sum()
    screen = screening.Screening(objective, mean, square, s.sum(), intercept=intercept)
    rng = np.random.default_rng(1)
    chosen, infinite = np.arange(3), np.full(len(X), np.inf)
    infinite[3:] = -1.0
    at = rng.standard_normal((2, len(X))) * (np.arange(len(X)) < 3)
    for distance in (0.0, 1.0, 1.0, 0.5, 1.1, 3.0):
        w = at[0] + distance * at[1] + 1e-2 * rng.standard_normal(len(X)) * (at[0] != 0.0)
        residual = 1.0 / (1.0 + np.exp(-(w @ X + distance))) - Y
        estimate, radius = screen._bounded(residual)
        exact = (X - centre[:, np.newaxis]) @ (s * residual) / s.sum()
        assert (np.abs(estimate - exact) <= radius + 1e-15).all()
        screen.everything(objective.features(chosen), chosen, w, distance, infinite)


def test_most_passes_read_few_features(monkeypatch):
    X, Y, _ = some_data(200, 4000)
    read = []
    whole = Objective.__call__

    def counting(self, w, b, l2):
        read.append(w.size)
        return whole(self, w, b, l2)

    monkeypatch.setattr(Objective, "__call__", counting)
    _, path = path_of(X, Y)
    assert path.converged.all()
    assert sum(size == 200 for size in read) <= len(path.w) / 2 + 2  # two of them in l1_max


@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.sampled(1)
def test_threads_change_no_bit(n_threads):
    X, Y, s = some_data(m=20_000)
    one, more = (path_of(X, Y, sample_weight=s, n_threads=threads)[1] for threads in (1, n_threads))
    assert one.w.tobytes() == more.w.tobytes()
    assert one.b.tobytes() == more.b.tobytes()
