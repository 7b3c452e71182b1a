# SPDX-License-Identifier: BSD-3-Clause
"""`train --solver lbfgs`: where it ends, what its options mean, and those it does not take."""

import json
import subprocess
import sys

import numpy as np
import pytest

import logreg_c

pl = pytest.importorskip("polars")
pytest.importorskip("scipy")

from logreg_c._solvers.result import Solution  # noqa: E402


@pytest.fixture
def noisy(tmp_path):
    """A table that is learned by heart before it is learned: 30 features, 60 rows."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(30, 60)) * np.logspace(-1, 1, 30)[:, None]
    path = tmp_path / "noisy.csv"
    columns = {f"x{j}": x for j, x in enumerate(X)}
    pl.DataFrame(columns | {"y": X[0] + rng.normal(size=60) > 0}).write_csv(path)
    return path


def trained(run, file, *options):
    """Train on all rows; return X, Y, w, b and what was printed."""
    start = ["train", file, "--target", "y", "--solver", "lbfgs", "--json"]
    code, out, err = run(*start, "--test-fraction", "0", *options)
    assert (code, err) == (0, "")
    found = json.loads(out)
    table = pl.read_csv(file)
    w = np.array([weight["weight"] for weight in found["weights"]])
    return table.drop("y").to_numpy().T, table["y"].to_numpy(), w, found["bias"], found


@pytest.mark.parametrize("tol", [None, "1e-7"])
def test_the_gradient_of_what_it_finds_is_below_tol(run, noisy, tol):
    options = [] if tol is None else ["--tol", tol]
    X, Y, w, b, found = trained(run, noisy, "--no-standardize", *options)
    assert found["settings"]["l2"] == 1 / 60
    J, dw, db = logreg_c.cost_and_gradient(X, Y, w, b, l2=1 / 60)
    assert max(np.abs(dw).max(), abs(db)) <= float(tol or 1e-4)
    assert found["stopped"] == "tol"
    assert found["cost"] == {"first": pytest.approx(np.log(2)), "last": pytest.approx(J)}
    assert found["settings"]["alpha"] is None


def test_it_ends_where_descent_does_in_far_fewer_iterations(run, noisy):
    options = ["--l2", "0.1", "--tol", "1e-6"]
    _, _, w, b, found = trained(run, noisy, *options)
    _, _, other_w, other_b, other = trained(run, noisy, *options, "--solver", "gd")
    np.testing.assert_allclose(w, other_w, rtol=1e-3, atol=1e-5)
    assert b == pytest.approx(other_b, rel=1e-3)
    assert found["iterations"] < other["iterations"] / 5


def test_the_types_of_columns_do_not_show_in_the_model(run, tmp_path, frame):
    whole = frame.with_columns((pl.col("height", "weight") * 10).round())
    narrow = whole.cast({"height": pl.Float32, "weight": pl.Int16})
    models = []
    for k, table in enumerate((whole, narrow)):
        table.write_parquet(tmp_path / f"{k}.parquet")
        start = ["train", tmp_path / f"{k}.parquet", "--target", "sick", "--solver", "lbfgs"]
        code, out, _ = run(*start, "--early-stopping", "5", "--json")
        assert code == 0
        found = json.loads(out)
        models.append((found["weights"], found["bias"], found["validation"]))
    assert models[0] == models[1]


def test_iters_ends_it(run, noisy):
    start = ["train", noisy, "--target", "y", "--solver", "lbfgs"]
    code, out, err = run(*start, "--iters", "3")
    assert code == 1
    assert "--tol 0.0001 is not reached in 3 iterations; give a larger --iters" in err
    assert "3 (all of --iters 3), L-BFGS, l2 0.0208333" in out


def test_early_stopping_keeps_what_is_best_on_rows_it_does_not_train_on(run, noisy, tmp_path):
    model = tmp_path / "model.npz"
    options = ["--early-stopping", "2", "--validation-fraction", "0.25", "--l2", "0", "-o", model]
    start = ["train", noisy, "--target", "y", "--solver", "lbfgs", "--test-fraction", "0"]
    code, out, err = run(*start, *options, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["stopped"] == "callback"
    assert found["iterations"] == found["validation"]["iterations"] + 2
    table = pl.read_csv(noisy)
    X, Y = table.drop("y").to_numpy().T, table["y"].to_numpy()
    rows = np.sort(np.random.default_rng(0).permutation(60)[:15])
    w = [weight["weight"] for weight in found["weights"]]
    cost, _, _ = logreg_c.cost_and_gradient(X[:, rows], Y[rows], w, found["bias"])
    assert found["validation"]["cost"] == pytest.approx(cost, rel=1e-12)


def test_a_start_that_is_good_enough_is_left_as_it_is(run, noisy):
    start = ["train", noisy, "--target", "y", "--tol", "100", "--early-stopping", "3"]
    for solver in "gd", "lbfgs":
        code, out, err = run(*start, "--solver", solver)
        assert (code, err) == (0, "")
        assert "not looked at, for there was no iteration" in out


def test_a_tol_of_rounding_is_reached(run, noisy):
    options = ["--l2", "0.01", "--tol", "1e-14", "--iters", "100000", "--no-standardize"]
    X, Y, w, b, found = trained(run, noisy, *options)
    assert found["stopped"] == "tol"
    _, dw, db = logreg_c.cost_and_gradient(X, Y, w, b, l2=0.01)
    assert max(np.abs(dw).max(), abs(db)) <= 1e-14


def test_features_too_large_for_tol_are_warned_of(run, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "large.parquet"
    columns = {"a": 1e30 * rng.normal(size=60), "b": rng.normal(size=60)}
    pl.DataFrame(columns | {"y": rng.random(60) < 0.5}).write_parquet(path)
    start = ["train", path, "--target", "y", "--solver", "lbfgs"]
    code, _, err = run(*start, "--no-standardize")
    assert code == (1 if err else 0)
    if err:
        assert "--tol 0.0001 is not reached; rescale the features: --standardize does" in err
    code, out, err = run(*start)
    assert (code, err) == (0, "")
    assert "reached --tol 0.0001" in out


def test_options_of_descent_are_refused(fails, noisy, tmp_path):
    start = ["train", noisy, "--target", "y", "--solver", "lbfgs"]
    fails(*start, "--alpha", "0.5", match="--alpha is for --solver gd: .*leave it out")
    fails(*start, "--resume", tmp_path / "run.npz", match="--resume is for --solver gd: .*leave it")
    assert not (tmp_path / "run.npz").exists()


def test_a_solver_that_there_is_not(run, noisy):
    code, out, err = run("train", noisy, "--target", "y", "--solver", "newton")
    assert (code, out) == (2, "")
    assert "'gd', 'lbfgs'" in err


def test_where_no_step_lowers_the_cost_the_warning_says_so(run, monkeypatch, noisy):
    def stuck(*_, w, b, **__):
        return Solution(w, b, np.array([0.7, 0.6]), 1, "rounding")

    monkeypatch.setattr("logreg_c._solvers.lbfgs.lbfgs", stuck)
    start = ["train", noisy, "--target", "y", "--solver", "lbfgs", "--tol", "1e-9"]
    warning = (
        "logreg-c: no step lowers the cost, and --tol 1e-09 is not reached; rescale the features"
    )
    for more, remedy in ([], ""), (["--no-standardize"], ": --standardize does"):
        code, _, err = run(*start, *more)
        assert (code, err) == (1, f"{warning}{remedy}\n")


def test_an_interrupt_within_scipy_writes_nothing(run, monkeypatch, noisy, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("logreg_c._solvers.lbfgs._Log.tell", interrupted)
    model = tmp_path / "model.npz"
    code, out, err = run("train", noisy, "--target", "y", "--solver", "lbfgs", "-o", model)
    assert (code, out, err) == (130, "", "logreg-c: interrupted; no file was written\n")
    assert not model.exists()


def test_without_scipy_one_line_says_how_to_get_it(noisy):
    code = "import sys; sys.modules['scipy'] = None; from logreg_c._cli import main; main()"
    command = [sys.executable, "-P", "-c", code, "train", noisy, "--target", "y"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    command += ["--solver", "lbfgs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "logreg-c: this needs scipy: pip install 'logreg-c[cli]'\n"
