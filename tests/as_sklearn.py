# SPDX-License-Identifier: BSD-3-Clause
"""A pytest plugin that runs scikit-learn's tests with the estimators of logreg_c.

`test_sklearn_suite.py` starts it. It writes how each test ended to the path LOGREG_C_REPORT, and
runs one test in LOGREG_C_SAMPLE. LOGREG_C_THEIRS leaves scikit-learn's estimators in place.
"""

import json
import os
import random
from pathlib import Path

import sklearn.linear_model

import logreg_c.sklearn

if "LOGREG_C_THEIRS" not in os.environ:
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
        crash = getattr(report.longrepr, "reprcrash", None)
        OUTCOMES[name] = f"{report.outcome} {crash.message}" if crash else report.outcome


def pytest_sessionfinish():
    """Write the report."""
    Path(os.environ["LOGREG_C_REPORT"]).write_text(json.dumps(OUTCOMES), encoding="utf-8")
