# SPDX-License-Identifier: BSD-3-Clause
"""Early stopping and resuming from the command line: the validation rows, and the same bits."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import logreg_c

pl = pytest.importorskip("polars")


@pytest.fixture
def noisy(tmp_path):
    """A table on which training soon overfits: 30 features, 60 rows."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(30, 60))
    path = tmp_path / "noisy.csv"
    columns = {f"x{j}": x for j, x in enumerate(X)}
    pl.DataFrame(columns | {"y": X[0] + rng.normal(size=60) > 0}).write_csv(path)
    return path


def arrays(path):
    with np.load(path, allow_pickle=False) as stored:
        return {name: array for name, array in dict(stored).items() if name != "settings"}


def assert_same(one, other):
    one, other = arrays(one), arrays(other)
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_early_stopping_keeps_what_is_best_on_rows_it_does_not_train_on(run, tmp_path, noisy):
    model = tmp_path / "model.npz"
    options = ["--early-stopping", "4", "--validation-fraction", "0.25", "--seed", "3"]
    code, out, err = run("train", noisy, "--target", "y", "--solver", "gd", "-o", model, *options)
    assert (code, err) == (0, "")
    assert "60: 33 to train on, 15 for early stopping, 12 held out (seed 3)" in out
    done = int(re.search(r"iterations +(\d+) \(--early-stopping 4\)", out)[1])
    best = int(re.search(r"after iteration (\d+); its w and b are kept", out)[1])
    assert done == best + 4 < 1000

    table = pl.read_csv(noisy)
    order = np.random.default_rng(3).permutation(60)
    X, Y = table.drop("y").to_numpy().T, table["y"].to_numpy()
    fit, validation = np.sort(order[27:]), np.sort(order[12:27])
    w, b, _ = logreg_c.train(list(X[:, fit]), Y[fit], "auto", best, standardize=True)
    found = arrays(model)
    np.testing.assert_array_equal(found["weights"], w[:, 0])
    assert found["bias"] == b
    cost, _, _ = logreg_c.cost_and_gradient(list(X[:, validation]), Y[validation], w, b)
    assert f"{cost:.6g} after iteration {best}" in out


def test_validation_rows_are_for_early_stopping(fails, noisy):
    for options in (["--validation-fraction", "0.2"], ["--early-stopping", "3"]):
        if "--early-stopping" in options:
            options += ["--validation-fraction", "0"]
        fails("train", noisy, "--target", "y", *options, match="--validation-fraction needs")


@pytest.mark.parametrize("options", [[], ["--early-stopping", "40"], ["--no-standardize"]])
@pytest.mark.long
def test_resuming_gives_the_bits_of_one_run(run, tmp_path, noisy, options):
    once, twice, checkpoint = (tmp_path / f"{name}.npz" for name in ("once", "twice", "run"))
    start = ["train", noisy, "--target", "y", "--solver", "gd", *options]
    assert run(*start, "--iters", "60", "-o", once)[0] == 0
    for iters in ("1", "23", "60", "60"):
        code, _, err = run(*start, "--iters", iters, "--resume", checkpoint, "-o", twice)
        assert (code, err) == (0, "")
    assert_same(once, twice)


@pytest.mark.long
def test_a_killed_training_resumes(tmp_path, noisy, monkeypatch, run):
    checkpoint, model, once = (tmp_path / f"{name}.npz" for name in ("run", "model", "once"))
    start = ["train", noisy, "--target", "y", "--solver", "gd", "--iters", "200000"]
    eager = (
        "import sys, logreg_c._cli.training as t; t.CHECKPOINT_SECONDS = 0.01;"
        "from logreg_c._cli import main; main()"
    )
    command = [sys.executable, "-P", "-c", eager, *map(str, start)]
    killed = 0
    for delay in (0.1, 0.3, 0.2):
        with subprocess.Popen([*command, "--resume", checkpoint], stdout=subprocess.PIPE) as run_:
            while not checkpoint.exists() and run_.poll() is None:
                time.sleep(0.01)
            time.sleep(delay)
            run_.kill()
            killed += run_.wait() == (1 if os.name == "nt" else -signal.SIGKILL)
    assert killed
    done = subprocess.run([*command, "--resume", checkpoint, "-o", model], check=True, text=True)
    assert done.returncode == 0
    assert run(*start, "-o", once)[0] == 0
    assert_same(once, model)


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
@pytest.mark.long
def test_ctrl_c_says_how_to_go_on(tmp_path, noisy):
    checkpoint = tmp_path / "run.npz"
    code = (
        "import sys, logreg_c._cli as cli, logreg_c._cli.training as t; t.CHECKPOINT_SECONDS = 0.1;"
        "sys.exit(cli.main())"
    )
    command = ["train", noisy, "--target", "y", "--solver", "gd", "--iters", str(10**9)]
    command += ["--resume", checkpoint]
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == f"logreg-c: interrupted; the same command continues from {checkpoint}\n"
    assert checkpoint.exists()


def test_an_interrupt_within_the_training_names_the_checkpoint(fails, monkeypatch, noisy, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("logreg_c.train", interrupted)
    start = ["train", noisy, "--target", "y", "--solver", "gd"]
    checkpoint = tmp_path / "run.npz"
    fails(
        *start,
        "--resume",
        checkpoint,
        code=130,
        match=f"continues from {re.escape(str(checkpoint))}",
    )
    fails(*start, code=130, match="no file was written")


def test_a_checkpoint_of_something_else(run, fails, tmp_path, noisy, data):
    checkpoint, model = tmp_path / "run.npz", tmp_path / "model.npz"
    start = ["--target", "y", "--solver", "gd", "--iters", "20", "--resume", checkpoint]
    assert run("train", noisy, *start)[0] == 0
    fails("train", noisy, *start, "--alpha", "0.1", match="--resume .*alpha = 0.2.*has 0.1")
    fails(
        "train",
        noisy,
        *start,
        "--seed",
        "5",
        "--iters",
        "30",
        match=r"--resume .*\(--alpha auto depends on the data\)",
    )
    other = ["--target", "sick", "--solver", "gd", "--resume"]
    fails("train", data, *other, checkpoint, "-o", model, match="--resume .*expected the same")
    before = noisy.read_bytes()
    fails("train", data, *other, noisy, match="--resume .*damaged, or was not written by")
    assert noisy.read_bytes() == before
    fails("train", data, *other, tmp_path, match="not a file that can be replaced")
    fails("train", data, *other, tmp_path / "no" / "run.npz", match="cannot be written: the folder")
    assert not model.exists()


def test_an_interrupt_after_the_model_is_written_says_so(run, monkeypatch, data, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("logreg_c._cli.training._print", interrupted)
    model = tmp_path / "model.npz"
    start = ("train", data, "--target", "sick")
    expected = f"logreg-c: interrupted; {model} is written\n"
    assert run(*start, "-o", model) == (130, "", expected)
    assert run("inspect", model)[0] == 0
    assert run(*start) == (130, "", "logreg-c: interrupted; no file was written\n")
