# SPDX-License-Identifier: BSD-3-Clause
"""`train` as it is by default: where it ends, what its options mean, and those it does not take."""

import json

import numpy as np
import pytest

import logreg_c

pl = pytest.importorskip("polars")

from logreg_c._cli import splitting  # noqa: E402


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
    start = ["train", file, "--target", "y", "--json"]
    code, out, err = run(*start, "--test-fraction", "0", *options)
    assert (code, err) == (0, "")
    found = json.loads(out)
    table = pl.read_csv(file)
    w = np.array([weight["weight"] for weight in found["weights"]])
    return table.drop("y").to_numpy().T, table["y"].to_numpy(), w, found["bias"], found


def test_it_finds_the_minimum(run, noisy):
    X, Y, w, b, found = trained(run, noisy, "--no-standardize")
    assert found["settings"]["l2"] == 1 / 60
    J, dw, db = logreg_c.cost_and_gradient(X, Y, w, b, l2=1 / 60)
    assert max(np.abs(dw).max(), abs(db)) <= 1e-4
    best = logreg_c.fit(X, Y, l2=1 / 60, tol=0.0)
    assert J <= best.costs[-1] * (1 + 1e-8)
    assert found["stopped"] == "tol"
    assert found["cost"]["last"] == pytest.approx(J)
    assert found["settings"]["alpha"] is None


def test_it_ends_where_descent_does_in_far_fewer_iterations(run, noisy):
    _, _, w, b, found = trained(run, noisy, "--l2", "0.1")
    descent = ["--solver", "gd", "--l2", "0.1", "--tol", "1e-7", "--iters", "100000"]
    _, _, other_w, other_b, other = trained(run, noisy, *descent)
    np.testing.assert_allclose(w, other_w, rtol=1e-3, atol=1e-5)
    assert b == pytest.approx(other_b, rel=1e-3)
    assert found["iterations"] < other["iterations"] / 2


def test_the_types_of_columns_do_not_show_in_the_model(run, tmp_path, frame):
    whole = frame.with_columns((pl.col("height", "weight") * 10).round())
    narrow = whole.cast({"height": pl.Float32, "weight": pl.Int16})
    models = []
    for k, table in enumerate((whole, narrow)):
        table.write_parquet(tmp_path / f"{k}.parquet")
        start = ["train", tmp_path / f"{k}.parquet", "--target", "sick"]
        code, out, _ = run(*start, "--early-stopping", "5", "--json")
        assert code == 0
        found = json.loads(out)
        models.append((found["weights"], found["bias"], found["validation"]))
    assert models[0] == models[1]


def test_iters_ends_it(run, noisy):
    start = ["train", noisy, "--target", "y"]
    code, out, err = run(*start, "--iters", "3")
    assert code == 1
    assert "--tol 1e-09 was not reached in 3 passes; give a larger --iters" in err
    assert "passes" in out
    assert "3 (reached --iters 3), gap " in out


def test_early_stopping_keeps_what_is_best_on_rows_it_does_not_train_on(run, noisy, tmp_path):
    model = tmp_path / "model.npz"
    options = ["--early-stopping", "2", "--validation-fraction", "0.25", "--l2", "0", "-o", model]
    start = ["train", noisy, "--target", "y", "--test-fraction", "0"]
    code, out, err = run(*start, *options, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["stopped"] == "callback"
    assert found["iterations"] >= found["validation"]["iterations"] + 2
    table = pl.read_csv(noisy)
    X, Y = table.drop("y").to_numpy().T, table["y"].to_numpy()
    rows = splitting.split(Y, None, splitting.Splitting(0.0, 0.25, 0, None, None), noisy).validation
    w = [weight["weight"] for weight in found["weights"]]
    cost, _, _ = logreg_c.cost_and_gradient(X[:, rows], Y[rows], w, found["bias"])
    assert found["validation"]["cost"] == pytest.approx(cost, rel=1e-12)


def test_a_learning_rate_is_refused(fails, noisy):
    start = ["train", noisy, "--target", "y"]
    fails(*start, "--alpha", "0.5", match="--alpha is for --solver gd: give that too")


def test_it_resumes_from_a_checkpoint(run, noisy, tmp_path):
    start = ["train", noisy, "--target", "y", "--json"]
    _, whole, _ = run(*start)
    path = tmp_path / "run.npz"
    assert run(*start, "--resume", path, "--iters", "4")[0] == 1
    code, resumed, _ = run(*start, "--resume", path)
    assert code == 0
    whole, resumed = json.loads(whole), json.loads(resumed)
    for key in "weights", "bias", "iterations", "cost":
        assert resumed[key] == whole[key]


def test_separated_classes_are_told(run, tmp_path):
    path = tmp_path / "separated.csv"
    path.write_text("x,y\n" + "".join(f"{k},{int(k > 9)}\n" for k in range(20)))
    start = ["train", path, "--target", "y", "--test-fraction", "0"]
    code, _, err = run(*start, "--l2", "0")
    assert code == 1
    assert "a plane separates the classes" in err
    assert "--l2 1e-4" in err
    assert run(*start)[0] == 0


@pytest.mark.parametrize("option", ["--standardize", "--no-standardize", "--inference"])
def test_a_weight_that_runs_away_is_named(run, tmp_path, option):
    rng = np.random.default_rng(3)
    age = rng.standard_normal(400)
    y = (age + rng.logistic(size=400) > 0).astype(int)
    town = np.zeros(400)
    town[np.flatnonzero(y)[:9]] = 1.0
    path = tmp_path / "quasi.csv"
    pl.DataFrame({"age": age, "town": town, "y": y}).write_csv(path)
    start = ["train", path, "--target", "y", "--test-fraction", "0", option]
    code, _, err = run(*start, "--l2", "0")
    assert code == 0
    assert "weights of town grow without bound" in err
    assert "certain of 9 examples" in err
    assert "--l2 1e-4" in err
    code, _, err = run(*start, "--l2", "1e-4")
    assert (code, err) == (0, "")


def test_a_weight_of_several_classes_that_runs_away_is_named(run, tmp_path):
    rng = np.random.default_rng(3)
    age = rng.standard_normal(400)
    y = np.argmax(np.array([0.0 * age, age, -age]) + rng.gumbel(size=(3, 400)), axis=0)
    town = np.zeros(400)
    town[np.flatnonzero(y == 1)[:9]] = 1.0
    path = tmp_path / "classes.csv"
    pl.DataFrame({"age": age, "town": town, "y": y}).write_csv(path)
    start = ["train", path, "--target", "y", "--test-fraction", "0"]
    code, _, err = run(*start, "--l2", "0")
    assert code == 0
    assert "weights of town grow without bound" in err
    assert "certain of 9 examples" in err
    assert run(*start, "--l2", "1e-4")[2] == ""


def test_a_weight_that_runs_away_in_a_fold_is_named(run, tmp_path):
    rng = np.random.default_rng(3)
    age = rng.standard_normal(400)
    y = (age + rng.logistic(size=400) > 0).astype(int)
    town = np.zeros(400)
    town[np.flatnonzero(y)[:9]] = town[np.flatnonzero(y == 0)[0]] = 1.0
    path = tmp_path / "folds.csv"
    pl.DataFrame({"age": age, "town": town, "y": y}).write_csv(path)
    start = ["train", path, "--target", "y", "--test-fraction", "0", "--l2", "0"]
    assert run(*start)[2] == ""
    err = run(*start, "--cv", "4")[2]
    assert "of 4 J has no minimum: as the weights of town grow without bound" in err


def test_a_solver_that_there_is_not(run, noisy):
    code, out, err = run("train", noisy, "--target", "y", "--solver", "newton")
    assert (code, out) == (2, "")
    assert "'auto', 'gd'" in err


def test_an_interrupt_writes_nothing(run, monkeypatch, noisy, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("logreg_c._solvers.minimum.Searching._advance", interrupted)
    model = tmp_path / "model.npz"
    code, out, err = run("train", noisy, "--target", "y", "-o", model)
    assert (code, out, err) == (130, "", "logreg-c: interrupted; no file was written\n")
    assert not model.exists()
