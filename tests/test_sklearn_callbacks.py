# SPDX-License-Identifier: BSD-3-Clause
"""The callbacks of scikit-learn 1.9 see every step of a fit, and can end it."""

import warnings

import numpy as np
import pytest

callback = pytest.importorskip("sklearn.callback")

from sklearn.datasets import make_classification  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from logreg_c.sklearn import LogisticRegression  # noqa: E402


class Recorder:
    """Records the calls; ends the fit at the step after `most`."""

    def __init__(self, most=10**9):
        self.most, self.calls, self.points = most, [], []

    def setup(self, **_):
        self.calls.append("setup")

    def teardown(self, **_):
        self.calls.append("teardown")

    def on_fit_task_begin(self, _, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(self, _, context, *, X, fitted_estimator):
        self.calls.append(f"end {context.task_name}")
        if context.task_name == "step" and fitted_estimator is not None:
            self.points.append((fitted_estimator.coef_, fitted_estimator.predict(X)))
        return len(self.points) > self.most


def data(classes):
    settings = {"n_features": 5, "n_informative": 4, "n_redundant": 0, "random_state": 0}
    return make_classification(300, n_classes=classes, **settings)


@pytest.mark.parametrize(
    ("classes", "settings"), [(2, {}), (3, {}), (2, {"solver": "gd", "max_iter": 20})]
)
def test_every_step_is_a_task(classes, settings):
    X, y = data(classes)
    recorder = Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(**settings).set_callbacks(recorder).fit(X, y)
        plain = LogisticRegression(**settings).fit(X, y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    steps = len(recorder.points)
    assert steps >= 1
    assert recorder.calls == [
        *("setup", "begin fit"),
        *["begin step", "end step"] * (steps + 1),
        *("end fit", "teardown"),
    ]
    coef, predicted = recorder.points[-1]
    np.testing.assert_allclose(coef, model.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(predicted, model.predict(X))
    assert not {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} & set(vars(model))


def test_an_l1_penalty_is_one_task():
    X, y = data(2)
    recorder = Recorder()
    LogisticRegression(l1_ratio=0.5).set_callbacks(recorder).fit(X, y)
    step = ["begin step", "end step"]
    assert recorder.calls == ["setup", "begin fit", *step, "end fit", "teardown"]


@pytest.mark.parametrize("solver", ["auto", "gd"])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_a_callback_ends_the_fit_without_a_warning(solver, dtype):
    X, y = data(2)
    X = X.astype(dtype)
    recorder = Recorder(most=1)
    model = LogisticRegression(C=1e6, solver=solver).set_callbacks(recorder).fit(X, y)
    np.testing.assert_array_equal(model.coef_, recorder.points[1][0])
    assert len(recorder.points) == 2


def test_a_fit_that_fails_is_torn_down():
    X, y = data(2)
    X[3, 1] = np.nan
    recorder = Recorder()
    model = LogisticRegression().set_callbacks(recorder)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, y)
    assert recorder.calls[-1] == "teardown"
    assert "_callback_fit_ctx" not in vars(model)


def test_scikit_learns_progress_bar_in_a_pipeline():
    pytest.importorskip("rich")
    X, y = data(2)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    if not hasattr(model, "set_callbacks"):
        model = model[-1]
    assert model.set_callbacks(callback.ProgressBar()).fit(X, y).score(X, y) > 0.7
