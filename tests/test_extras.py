# SPDX-License-Identifier: BSD-3-Clause
"""Each extra works without the others, and if one is missing, the error says what to install.

This file runs in the full environment, and `nox -s extras` runs it in some that lack extras.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import logreg_c

EXTRAS = "narwhals", "tqdm", "click"
needs = {name: find_spec(name) is None for name in EXTRAS}


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames(library):
    module = pytest.importorskip(library)
    frame = getattr(module, "DataFrame", getattr(module, "table", None))
    X = frame({"a": np.arange(4.0), "b": np.arange(4, dtype=np.uint8)})
    if needs["narwhals"]:
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'logreg-c\[frames\]'"):
            logreg_c.train(X, [0, 1, 0, 1], 0.1, 3)
        return
    labels = frame({"y": [False, True, False, True]})
    w, b, _ = logreg_c.train(X, labels, 0.1, 3, sample_weight=X["a"])
    assert w.feature_names == ("a", "b")
    other = frame({"b": np.arange(4, dtype=np.uint8), "a": np.arange(4.0)})
    assert (logreg_c.predict(other, w, b) == logreg_c.predict(X, w, b)).all()


def test_labels_may_be_a_pandas_series_without_narwhals():
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series([0, 1, 0, 1])
    assert logreg_c.train([[1.0, 2.0, 3.0, 4.0]], labels, 0.1, 3).costs.size == 3


def test_progress(capsys):
    from logreg_c.callbacks import Progress

    if needs["tqdm"]:
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'logreg-c\[progress\]'"):
            Progress()
        return
    logreg_c.train([[1.0, 2.0]], [0, 1], 0.1, 30, callback=Progress())
    assert "30/30" in capsys.readouterr().err


def test_callbacks_that_need_no_extra(tmp_path):
    from logreg_c.callbacks import Checkpoint, EarlyStopping

    callbacks = [EarlyStopping([[1.0, 2.0]], [0, 1]), Checkpoint(tmp_path / "run")]
    result = logreg_c.train([[1.0, 2.0]], [0, 1], 0.1, 30, callback=callbacks)
    assert result.costs.size == 30


@pytest.mark.long
def test_command_line():
    run = [sys.executable, "-m", "logreg_c", "--help"]
    done = subprocess.run(
        run, check=False, capture_output=True, text=True, cwd=Path(__file__).parent
    )
    if needs["click"]:
        assert done.returncode == 2
        assert "pip install 'logreg-c[cli]'" in done.stderr
    else:
        assert done.returncode == 0
