# SPDX-License-Identifier: BSD-3-Clause
"""LogisticRegressionCV has the numbers and the manners of scikit-learn's, and copies no fold."""

import doctest
import pickle
import tracemalloc
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'logreg-c[sklearn]'")

import pandas as pd
import sklearn
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegressionCV as Theirs
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, check_cv
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from logreg_c import TrainingInterrupted
from logreg_c.sklearn import LogisticRegression, LogisticRegressionCV
from logreg_c.sklearn.scores import score_folds

VERSION = tuple(map(int, sklearn.__version__.split(".")[:2]))
CS = [0.01, 0.3, 10.0]
# What is new in scikit-learn, and what warns unless it is passed.
PLAIN = {"Cs": CS, "l1_ratios": (0,), "scoring": "neg_log_loss"}
MODERN = {**PLAIN, "use_legacy_attributes": False}


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), np.array(["bad", "good"])[y]


def made(m=400, n_x=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, n_x))
    y = X @ rng.standard_normal(n_x) + 2 * rng.standard_normal(m) > 0.5
    return X, y, rng.integers(0, 4, m) / 2


def theirs(**settings):
    """Return their estimator, which minimizes exactly, with the parameters that it has."""
    known = Theirs().get_params()
    settings = {"solver": "newton-cholesky", "tol": 1e-10, **settings}
    return Theirs(**{name: value for name, value in settings.items() if name in known})


def assert_same(ours, other, *, legacy, atol=1e-6):
    """Compare all attributes, and the forms in which they come."""
    for name in "coef_", "intercept_", "C_", "Cs_", "l1_ratios_", "n_iter_":
        found, expected = getattr(ours, name), getattr(other, name)
        assert np.shape(found) == np.shape(expected), name
        if name != "n_iter_" and np.asarray(expected).dtype != object:
            np.testing.assert_allclose(found, expected, atol=atol, err_msg=name)
    if not legacy:
        assert type(ours.C_) is type(ours.l1_ratio_) is float
        assert ours.l1_ratio_ == other.l1_ratio_
    for name in "scores_", "coefs_paths_":
        found, expected = getattr(ours, name), getattr(other, name)
        if legacy:
            assert list(found) == list(expected)
            found, expected = (np.array(list(one.values())) for one in (found, expected))
        assert found.shape == expected.shape, name
        np.testing.assert_allclose(found, expected, atol=atol, err_msg=name)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("l1_ratios", [None, (0,), [0.0, 0.0]])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "roc_auc"])
@pytest.mark.sampled(3)
def test_every_number_is_that_of_scikit_learn(cancer, scoring, l1_ratios, refit, legacy):
    if VERSION < (1, 8) and (not legacy or l1_ratios is not None):
        pytest.skip("new in scikit-learn 1.8")
    if VERSION < (1, 9) and not (legacy or refit):
        pytest.skip("an error of scikit-learn 1.8")
    settings = {
        "Cs": CS,
        "cv": 3,
        "scoring": scoring,
        "l1_ratios": l1_ratios,
        "refit": refit,
        "use_legacy_attributes": legacy,
    }
    ours = LogisticRegressionCV(**settings).fit(*cancer)
    assert_same(ours, theirs(**settings).fit(*cancer), legacy=legacy)
    scorer = get_scorer(scoring or "accuracy")
    assert ours.score(*cancer) == pytest.approx(scorer(ours, *cancer))


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("class_weight", [None, "balanced", {False: 3.0}])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("Cs", [4, [np.inf, 1.0]])
@pytest.mark.sampled(2)
def test_weights_mean_the_same(Cs, fit_intercept, weighted, class_weight):
    if VERSION < (1, 8) and weighted and class_weight == "balanced":
        pytest.skip("scikit-learn balances without the weights before 1.8")
    X, y, weight = made()
    settings = {
        "cv": 3,
        "use_legacy_attributes": VERSION < (1, 8),
        "Cs": Cs,
        "fit_intercept": fit_intercept,
        "class_weight": class_weight,
        "l1_ratios": None,
    }
    sample_weight = weight if weighted else None
    for scoring in "accuracy", "neg_log_loss":
        settings["scoring"] = scoring
        ours = LogisticRegressionCV(**settings).fit(X, y, sample_weight=sample_weight)
        expected = theirs(**settings).fit(X, y, sample_weight=sample_weight)
        assert_same(ours, expected, legacy=VERSION < (1, 8))


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss", "neg_brier_score"])
@pytest.mark.sampled(1)
def test_several_classes_are_those_of_scikit_learn(scoring, refit, legacy):
    if VERSION < (1, 8):
        pytest.skip("attributes in another form")
    if VERSION < (1, 9) and not (legacy or refit):
        pytest.skip("an error of scikit-learn 1.8")
    X, y = load_iris(return_X_y=True)
    settings = {**PLAIN, "scoring": scoring, "refit": refit, "use_legacy_attributes": legacy}
    ours, expected = LogisticRegressionCV(**settings).fit(X, y), theirs(**settings).fit(X, y)
    assert_same(ours, expected, legacy=legacy, atol=1e-5)
    assert ours.score(X, y) == pytest.approx(expected.score(X, y), abs=1e-6)


@pytest.mark.parametrize("Cs", [[1e-3, 0.1, 1.0, 10.0, 1e3], [10.0, 0.1, 0.1, 1.0, 1e-3]])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.sampled(1)
def test_paths_of_several_classes_end_at_the_minimum(standardize, Cs):
    X, y = load_iris(return_X_y=True)
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    settings = {"standardize": standardize, "tol": 1e-7, "max_iter": 1000}
    model = LogisticRegressionCV(**{**MODERN, **settings, "cv": folds, "Cs": Cs}).fit(X, y)
    for k, (train, _) in enumerate(folds):
        for c, C in enumerate(Cs):
            alone = LogisticRegression(C=C, **settings).fit(X[train], y[train])
            found = model.coefs_paths_[k, 0, c]
            np.testing.assert_allclose(found[:, :-1], alone.coef_, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(found[:, -1], alone.intercept_, rtol=1e-3, atol=1e-4)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("dtype", ["f8", "f4", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_fit_is_that_of_the_estimator_on_the_samples_of_its_fold(order, dtype):
    X, y, _ = made()
    X = np.asarray(np.clip(50 * X + 120, 0, 255).astype(dtype), order=order)
    folds = list(KFold(3).split(X))
    model = LogisticRegressionCV(cv=folds, tol=1e-8, max_iter=1000, **MODERN).fit(X, y)
    for k, (train, test) in enumerate(folds):
        for c, C in enumerate(CS):
            alone = LogisticRegression(C=C, tol=1e-8, max_iter=1000).fit(X[train], y[train])
            found = model.coefs_paths_[k, 0, c, 0]
            expected = np.append(alone.coef_, alone.intercept_)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
            score = get_scorer("neg_log_loss")(alone, X[test], y[test])
            assert model.scores_[k, 0, c] == pytest.approx(score, rel=1e-5)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("size", [1.0, 1e3], ids=["", "beyond-the-largest-loss"])
@pytest.mark.parametrize("cv", [3, KFold(3), KFold(3, shuffle=True, random_state=0)])
@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
def test_scores_are_those_of_the_scorer(scoring, cv, size):
    X, y, _ = made()
    settings = {**MODERN, "cv": cv, "scoring": scoring, "Cs": [1.0]}
    model = LogisticRegressionCV(**settings).fit(X, y)
    folds = list(check_cv(cv, y, classifier=True).split(X, y))
    paths = size * np.random.default_rng(0).standard_normal(model.coefs_paths_.shape)
    found = score_folds(model, paths, X, y, folds, scoring=scoring, parameters={})
    assert_scored(found, model, paths, X, y, folds, scoring, 1e-12 if size == 1.0 else 1e-4)


@pytest.mark.parametrize("size", [1.0, 1e2], ids=["", "beyond-the-largest-loss"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
@pytest.mark.sampled(2)
def test_scores_of_several_classes_are_those_of_the_scorer(scoring, weighted, size):
    X, y = load_iris(return_X_y=True)
    y = np.array(["c", "a", "b"])[y]
    model = LogisticRegressionCV(**{**MODERN, "scoring": scoring, "Cs": [1.0]}).fit(X, y)
    folds = list(check_cv(5, y, classifier=True).split(X, y))
    paths = size * np.random.default_rng(0).standard_normal(model.coefs_paths_.shape)
    weights = {"sample_weight": np.arange(len(y)) % 3 + 1.0} if weighted else {}
    found = score_folds(model, paths, X, y, folds, scoring=scoring, parameters=weights)
    assert_scored(found, model, paths, X, y, folds, scoring, 1e-12, **weights)


def assert_scored(found, model, paths, X, y, folds, scoring, rel, sample_weight=None):
    for k, (_, test) in enumerate(folds):
        model.coef_, model.intercept_ = paths[k, 0, 0, :, :-1], paths[k, 0, 0, :, -1]
        weight = {} if sample_weight is None else {"sample_weight": sample_weight[test]}
        expected = get_scorer(scoring)(model, X[test], y[test], **weight)
        # log_loss takes the logarithm of 1 - p, which has no digits left where p is nearly 1
        assert found[k, 0, 0] == pytest.approx(expected, rel=rel)


def test_standardize_is_a_standard_scaler_in_every_fold():
    X, y, _ = made()
    X = X * [1.0, 100.0, 0.01, 5.0] + [0.0, 30.0, 2.0, -9.0]
    ours = LogisticRegressionCV(standardize=True, tol=1e-8, **MODERN).fit(X, y)
    scaled = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8))
    grid = {"logisticregression__C": CS}
    search = GridSearchCV(scaled, grid, scoring="neg_log_loss").fit(X, y)
    assert search.best_params_ == {"logisticregression__C": ours.C_}
    means = ours.scores_.mean(axis=0)[0]
    np.testing.assert_allclose(means, search.cv_results_["mean_test_score"], rtol=1e-7)
    np.testing.assert_allclose(ours.decision_function(X), search.decision_function(X), rtol=1e-5)


def test_samples_that_a_fold_repeats_or_marks_count_as_often():
    X, y, weight = made()
    train = np.random.default_rng(0).integers(0, 300, 300)
    held_out = np.arange(400) >= 300
    model = LogisticRegressionCV(cv=[(train, held_out), (~held_out, held_out)], **MODERN)
    model.fit(X, y, sample_weight=weight + 0.5)
    for k, chosen in enumerate((train, np.arange(300))):
        alone = LogisticRegression(C=CS[1]).fit(X[chosen], y[chosen], weight[chosen] + 0.5)
        np.testing.assert_allclose(model.coefs_paths_[k, 0, 1, 0, :-1], alone.coef_[0], rtol=1e-4)


def peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.thread_unsafe(reason="traces the memory of all threads")
@pytest.mark.long
def test_no_fold_is_copied(shuffle):
    X, y, weight = made(100_000, n_x=40)
    folds = KFold(5, shuffle=shuffle, random_state=0 if shuffle else None)
    model = LogisticRegressionCV(cv=folds, n_threads=1, **MODERN)
    model.fit(X[:100], y[:100])  # imports
    of_one = peak(lambda: LogisticRegression(n_threads=1).fit(X, y, weight))
    # in addition some columns, such as indices; and what is held out, unless it is a range
    assert peak(lambda: model.fit(X, y)) - of_one < X.nbytes * (0.2 * shuffle + 0.15)


@pytest.mark.parametrize("classes", [2, 3])
def test_threads_change_no_bit(classes):
    X, y, _ = made(20_000 if classes == 2 else 2_000, n_x=12)
    y = y + (classes > 2) * (X[:, 0] > 1.0)
    one, three = (LogisticRegressionCV(n_threads=n, cv=2, **MODERN).fit(X, y) for n in (1, 3))
    np.testing.assert_array_equal(one.coefs_paths_, three.coefs_paths_)
    np.testing.assert_array_equal(one.coef_, three.coef_)


def test_a_frame_keeps_its_names(cancer):
    X, y = cancer
    frame = pd.DataFrame(X[:, :3], columns=list("abc"))
    model = LogisticRegressionCV(**MODERN).fit(frame, y)
    np.testing.assert_array_equal(model.feature_names_in_, list("abc"))
    expected = LogisticRegressionCV(**MODERN).fit(X[:, :3], y)
    np.testing.assert_allclose(model.scores_, expected.scores_, rtol=1e-9)
    np.testing.assert_array_equal(model.predict(frame), expected.predict(X[:, :3]))


def test_copies_are_the_same(cancer):
    model = LogisticRegressionCV(n_threads=1, **MODERN)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        model.predict(cancer[0])
    copy = pickle.loads(pickle.dumps(model.fit(*cancer)))
    np.testing.assert_array_equal(copy.predict_proba(cancer[0]), model.predict_proba(cancer[0]))
    assert repr(LogisticRegressionCV(Cs=3)) == "LogisticRegressionCV(Cs=3)"


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:The least populated class")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize("settings", [{}, {"standardize": True, **MODERN}, MODERN])
@pytest.mark.long
def test_scikit_learn_finds_nothing_to_complain_about(settings, monkeypatch):
    if VERSION == (1, 6) and "standardize" in settings:
        monkeypatch.setattr(estimator_checks, "_enforce_estimator_tags_y", lambda _, y: y > y.min())
    estimator_checks.check_estimator(LogisticRegressionCV(cv=3, **settings))


def test_routed_groups_and_weights_arrive():
    X, y, weight = made()
    groups = np.arange(400) // 50
    with config_context(enable_metadata_routing=True):
        scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        settings = {**MODERN, "scoring": scorer, "cv": GroupKFold(4).set_split_request(groups=True)}
        if VERSION < (1, 8):
            pytest.skip("attributes in another form")
        ours, expected = (
            estimator.fit(X, y, sample_weight=weight, groups=groups)
            for estimator in (LogisticRegressionCV(**settings), theirs(**settings))
        )
        assert_same(ours, expected, legacy=False)
        found = ours.score(X, y, sample_weight=weight)
        assert found == pytest.approx(expected.score(X, y, sample_weight=weight))
    with pytest.raises(ValueError, match="only supported if enable_metadata_routing=True"):
        LogisticRegressionCV(**MODERN).fit(X, y, groups=groups)


@pytest.mark.parametrize("estimator", [LogisticRegression, LogisticRegressionCV])
@pytest.mark.thread_unsafe(reason="doctest replaces a function of linecache")
def test_examples_in_docstrings_are_true(estimator):
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(estimator, module=False):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.long
def test_l1_ratios_are_those_of_scikit_learn(cancer, legacy):
    if VERSION < (1, 8):
        pytest.skip("attributes in another form")
    X, y = cancer[0][:, :8], cancer[1]
    settings = {**PLAIN, "l1_ratios": [0.0, 0.4, 1.0], "Cs": [0.05, 1.0]}
    settings |= {"cv": 3, "use_legacy_attributes": legacy, "max_iter": 20_000}
    ours = LogisticRegressionCV(**settings).fit(X, y)
    expected = theirs(**settings | {"solver": "saga", "tol": 1e-9}).fit(X, y)
    assert_same(ours, expected, legacy=legacy, atol=1e-5)
    if not legacy:
        assert (ours.coefs_paths_[:, 2, 0] == 0.0).any()


# ---- What is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"Cs": []}, ValueError, "Cs is empty; expected at least one number > 0, or how many"),
        ({"Cs": 0}, ValueError, "Cs is 0; expected an integer >= 1"),
        ({"Cs": 2.5}, TypeError, "Cs is 2.5 of type float; expected an integer >= 1"),
        ({"Cs": [1.0, -1]}, ValueError, r"Cs\[1\] is -1.0; expected a finite number > 0"),
        ({"l1_ratios": []}, ValueError, r"l1_ratios is \[\]; expected at least one number within"),
        ({"l1_ratios": [2]}, ValueError, r"l1_ratios\[0\] is 2.0; expected a number within \[0, 1"),
        ({"l1_ratios": [0, 1], "solver": "sag"}, ValueError, "Solver sag supports only 'l2'"),
        (
            {"penalty": None},
            ValueError,
            "penalty is None; expected one of 'l2', 'l1', 'elasticnet'",
        ),
        ({"solver": "gd"}, ValueError, "solver is 'gd'; expected 'auto'"),
        ({"solver": "adam"}, ValueError, "solver is 'adam'; expected one of"),
        ({"dual": True}, ValueError, "supports only dual=False"),
        ({"refit": "no"}, TypeError, "refit is 'no' of type str; expected True or False"),
        ({"use_legacy_attributes": 1}, TypeError, "use_legacy_attributes is 1 of type int"),
        ({"tol": -1}, ValueError, "tol is -1.0; expected a finite number >= 0"),
        ({"scoring": "speed"}, ValueError, "scoring|speed"),
        ({"n_threads": 0}, ValueError, "n_threads is 0"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_wrong_setting_is_named(cancer, settings, error, message):
    with pytest.raises(error, match=message):
        LogisticRegressionCV(**{**MODERN, **settings}).fit(*cancer)


def test_a_failed_fit_leaves_the_estimator_as_it_was(cancer):
    X, y = cancer
    model = LogisticRegressionCV(**MODERN).fit(X, y)
    before = dict(model.__dict__)
    with pytest.raises(ValueError, match="only one class"):
        model.fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match="fold 1: sample_weight is zero at every sample"):
        model.set_params(cv=2).fit([[1.0], [2.0]] * 2, [0, 1] * 2, sample_weight=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.fit(X, None)
    assert model.__dict__ == before | {"cv": 2}


def test_the_fits_that_did_not_converge_are_counted(cancer):
    with pytest.warns(
        ConvergenceWarning, match=r"16 of 16 fits did not reach tol. The first: auto"
    ):
        LogisticRegressionCV(max_iter=1, tol=1e-9, **MODERN).fit(*cancer)


@pytest.mark.skipif(VERSION < (1, 9), reason="earlier versions warn of less")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"l1_ratios": None},
        {"l1_ratios": (0,)},
        {"l1_ratios": (0,), "penalty": "l2"},
        {"scoring": None},
        {"use_legacy_attributes": True},
        MODERN,
    ],
    ids=str,
)
@pytest.mark.long
def test_scikit_learn_warns_of_the_same(settings):
    X, y, _ = made(200, n_x=2)
    caught = []
    for estimator in Theirs, LogisticRegressionCV:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            estimator(**settings).fit(X, y)
        caught.append(warned)
    expected, found = ([w.category for w in warned] for warned in caught)
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert {w.filename for w in caught[1]} <= {__file__}


def test_the_parameters_are_all_those_of_scikit_learn(cancer):
    given = Theirs().get_params()
    model = LogisticRegressionCV(**given)
    assert given.items() <= model.get_params().items()
    assert set(given) <= set(LogisticRegressionCV().get_params())


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_ctrl_c_keeps_the_previous_fit(ratio, monkeypatch):
    """An interrupted search for l1 carries the w of its fold, which is nobody's result."""
    X, y = load_breast_cancer(return_X_y=True)
    settings = {"l1_ratios": (ratio,), "use_legacy_attributes": False, "Cs": 3}
    settings |= {"scoring": "neg_log_loss", "max_iter": 1000}
    model = LogisticRegressionCV(**settings).fit(X, y)
    before = dict(model.__dict__)

    def interrupted(*_, **__):
        raise TrainingInterrupted("of a fold", np.zeros((30, 1)), 0.0, np.empty(0))

    monkeypatch.setattr("logreg_c.sklearn.folds.minimize_paths", interrupted)
    monkeypatch.setattr("logreg_c.sklearn.folds.path_of_elastic_net", interrupted)
    with pytest.raises(KeyboardInterrupt, match="the previous fit stays") as caught:
        model.fit(X, y)
    assert not isinstance(caught.value, TrainingInterrupted)
    assert all(model.__dict__[name] is value for name, value in before.items())
