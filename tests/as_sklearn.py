# SPDX-License-Identifier: BSD-3-Clause
"""A pytest plugin that runs scikit-learn's tests with the estimators of logreg_c.

`test_sklearn_suite.py` starts it. It writes how each test ended to the path LOGREG_C_REPORT, and
runs one test in LOGREG_C_SAMPLE.
"""

import json
import os
import random
from pathlib import Path

import sklearn.linear_model

import logreg_c.sklearn

for name in logreg_c.sklearn.__all__:
    setattr(sklearn.linear_model, name, getattr(logreg_c.sklearn, name))

OUTCOMES = {}


def pytest_collection_modifyitems(items):
    """Leave a sample of the tests."""
    if "LOGREG_C_SAMPLE" in os.environ:
        share = int(os.environ["LOGREG_C_SAMPLE"])
        items[:] = random.Random(0).sample(items, len(items) // share)  # noqa: S311


def pytest_runtest_logreport(report):
    """Remember the worst of setup, call and teardown."""
    name = report.nodeid.rpartition("::")[2]
    if report.failed or OUTCOMES.get(name) in {None, "passed"}:
        text = report.longreprtext.splitlines()[-1:] if report.failed else []
        OUTCOMES[name] = " ".join([report.outcome, *text])


def pytest_sessionfinish():
    """Write the report."""
    Path(os.environ["LOGREG_C_REPORT"]).write_text(json.dumps(OUTCOMES), encoding="utf-8")
