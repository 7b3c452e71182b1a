# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's own tests pass with the estimators of logreg_c in the place of its own.

The tests are those of the installed scikit-learn. `sklearn_suite.toml` lists what is not ours to
pass, each with its reason.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'logreg-c[sklearn]'")

import sklearn

HERE = Path(__file__).resolve().parent
LIST = tomllib.loads((HERE / "sklearn_suite.toml").read_text(encoding="utf-8"))
# scikit-learn's modules in which many tests have a LogisticRegression.
MODULES = [
    "calibration",
    "compose.test_column_transformer",
    "ensemble.test_bagging",
    "ensemble.test_common",
    "ensemble.test_stacking",
    "ensemble.test_voting",
    "ensemble.test_weight_boosting",
    "feature_selection.test_from_model",
    "feature_selection.test_rfe",
    "frozen.test_frozen",
    "inspection._plot.test_boundary_decision_display",
    "inspection.test_partial_dependence",
    "inspection.test_permutation_importance",
    "metaestimators",
    "metaestimators_metadata_routing",
    "model_selection.test_classification_threshold",
    "model_selection.test_search",
    "model_selection.test_validation",
    "multiclass",
    "multioutput",
    "pipeline",
]


def outcomes(module, folder, **settings):
    """Run a module of scikit-learn's tests; return how each ended."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = folder / "report.json"
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "OMP_NUM_THREADS": "1",
        "LOGREG_C_REPORT": str(report),
        **settings,
    }
    pytest_here = [sys.executable, "-P", "-m", "pytest", "-c", folder / "pytest.ini"]
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "as_sklearn", "--tb=short"]
    command = [*pytest_here, *quiet, "--rootdir", folder, "--pyargs", module]
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode in {0, 1}, run.stdout + run.stderr
    return json.loads(report.read_text(encoding="utf-8"))


def is_listed(test):
    names = (name for entry in LIST["not_ours"] for name in entry["tests"])
    return any(re.fullmatch(rf"{name}(\[.*\])?", test) for name in names)


def failures(ended):
    """Return the tests that failed without being listed."""
    return {
        test: how for test, how in ended.items() if how.startswith("failed") and not is_listed(test)
    }


@pytest.mark.parametrize("one_in", [1, 10])
@pytest.mark.long
def test_of_logistic_regression(one_in, tmp_path):
    module = "sklearn.linear_model.tests.test_logistic"
    ended = outcomes(module, tmp_path, LOGREG_C_SAMPLE=str(one_in))
    assert len(ended) > 200 / one_in
    assert failures(ended) == {}
    if sklearn.__version__.startswith("1.9."):  # the list is about these tests
        assert [test for test, how in ended.items() if how == "passed" and is_listed(test)] == []


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.long
def test_of_what_uses_it(module, tmp_path):
    package, _, name = module.rpartition(".")
    where = f"sklearn.{package}.tests.{name}" if package else f"sklearn.tests.test_{name}"
    if importlib.util.find_spec(where) is None:
        pytest.skip(f"scikit-learn {sklearn.__version__} has no {where}")
    ours = failures(outcomes(where, tmp_path))
    theirs = outcomes(where, tmp_path, LOGREG_C_THEIRS="1") if ours else {}
    assert {test: how for test, how in ours.items() if theirs[test] == "passed"} == {}
