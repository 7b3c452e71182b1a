# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures: a small table, a model of it, and calls of the entry point."""

import re
import sys

import numpy as np
import pytest

from logreg_c._cli import main


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the entry point; return its exit code, stdout and stderr."""
    pytest.importorskip("polars")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["logreg-c", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return call


@pytest.fixture
def fails(run):
    """Expect exit code 2, nothing on stdout, and a line on stderr that matches, or a list."""

    def call(*arguments, match, code=2):
        ended, out, err = run(*arguments)
        assert (ended, out) == (code, "")
        assert err.startswith("logreg-c: ")
        assert err.count("\n") == 1 or "kinds of faults:\n" in err
        assert err.endswith("\n")
        assert re.search(match, err), err

    return call


@pytest.fixture
def frame():
    """40 rows, two numeric features, one true/false, and a target that they determine."""
    pl = pytest.importorskip("polars")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 40))
    return pl.DataFrame(
        {
            "height": x[0],
            "weight": x[1] * 10 + 70,
            "smokes": rng.random(40) < 0.5,
            "sick": np.where(x[0] + x[1] > 0, "yes", "no"),
        }
    )


@pytest.fixture
def data(tmp_path, frame):
    path = tmp_path / "data.csv"
    frame.write_csv(path)
    return path


@pytest.fixture
def model(tmp_path, data, run):
    path = tmp_path / "model.npz"
    assert run("train", data, "--target", "sick", "--output", path)[0] == 0
    return path
