# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's own tests pass with the estimators of logreg_c in the place of its own.

The tests are those of the installed scikit-learn. `sklearn_suite.toml` lists what is not ours to
pass, each with its reason.
"""

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
NOT_OURS = tomllib.loads((HERE / "sklearn_suite.toml").read_text(encoding="utf-8"))["not_ours"]


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
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "as_sklearn", "--tb=line"]
    command = [*pytest_here, *quiet, "--rootdir", folder, "--pyargs", module]
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode in {0, 1}, run.stdout + run.stderr
    return json.loads(report.read_text(encoding="utf-8"))


def is_listed(test, entry):
    return any(re.fullmatch(rf"{name}(\[.*\])?", test) for name in entry["tests"])


@pytest.mark.parametrize("one_in", [pytest.param(1, marks=pytest.mark.long), 10])
def test_of_logistic_regression(one_in, tmp_path):
    module = "sklearn.linear_model.tests.test_logistic"
    ended = outcomes(module, tmp_path, LOGREG_C_SAMPLE=str(one_in))
    assert len(ended) > 200 / one_in
    failed = {test: how for test, how in ended.items() if how.startswith("failed")}
    unlisted = {
        test: how
        for test, how in failed.items()
        if not any(is_listed(test, entry) for entry in NOT_OURS)
    }
    assert unlisted == {}
    if sklearn.__version__.startswith("1.9."):  # the list is about these tests
        passed = [test for test, how in ended.items() if how == "passed"]
        stale = [test for test in passed if any(is_listed(test, entry) for entry in NOT_OURS)]
        assert stale == []
