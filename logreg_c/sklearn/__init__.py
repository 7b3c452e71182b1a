# SPDX-License-Identifier: BSD-3-Clause
"""Logistic regression as a scikit-learn classifier (extra ``sklearn``).

`estimator` is the classifier, and `predicting` what it predicts. `parameters`, `samples`, `labels`
and `weights` check what a user passes as parameters, X, y and sample_weight. `cross_validation`
chooses C, with `grid`, `folds` and `scores`.
"""

try:
    from .cross_validation import LogisticRegressionCV
    from .estimator import LogisticRegression
except ImportError as error:
    msg = (
        "logreg_c.sklearn needs scikit-learn 1.6 or later and its dependencies: "
        f"pip install 'logreg-c[sklearn]'. What went wrong: {error}"
    )
    raise ImportError(msg) from error

__all__ = ["LogisticRegression", "LogisticRegressionCV"]
