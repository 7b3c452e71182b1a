# SPDX-License-Identifier: BSD-3-Clause
"""The commands and code in README.md do what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import logreg_c

pytestmark = pytest.mark.clone

CLONE = Path(__file__).parent.parent


def readme():
    return (CLONE / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", readme(), re.MULTILINE | re.DOTALL)


def test_the_example_prints_what_is_shown():
    _, example, _ = blocks("python")
    (shown,) = blocks("text")
    ended = subprocess.run(
        [sys.executable, "-P", "-c", example],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout == shown


def test_the_estimator_is_used_as_shown():
    pytest.importorskip("sklearn")
    example, _, _ = blocks("python")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X[:, 0] > 0
    names = {"X_train": X[:40], "y_train": y[:40], "X_test": X[40:], "y_test": y[40:]}
    exec(example, names)  # noqa: S102
    assert names["model"].score(X, y) > 0.9


def test_train_does_what_the_usual_loop_does():
    _, _, loop = blocks("python")
    rng = np.random.default_rng(3)
    names = {"np": np, "n_x": 4, "m": 50, "iters": 30, "alpha": 0.3, "costs": np.zeros(30)}
    names["X"] = rng.normal(size=(4, 50))
    names["Y"] = (rng.random((1, 50)) < 0.5).astype(np.float64)
    exec(loop, names)  # noqa: S102
    w, b, costs = logreg_c.train(names["X"], names["Y"], 0.3, 30)
    np.testing.assert_allclose(names["w"], w, rtol=1e-12)
    np.testing.assert_allclose(names["b"], b, rtol=1e-12)
    np.testing.assert_allclose(names["costs"], costs, rtol=1e-12)


def test_it_stays_short_and_its_links_lead_somewhere():
    assert readme().count("\n") <= 120
    pages = ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "examples/README.md"]
    for page in pages:
        text = (CLONE / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (CLONE / page).parent.joinpath(target).exists(), (page, target)
