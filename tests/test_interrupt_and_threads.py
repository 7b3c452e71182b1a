# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C, Python threads, fork and multiprocessing."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from oracle import bits, make_data, run_python

import logreg_c

posix = pytest.mark.skipif(os.name != "posix", reason="signals and fork are POSIX")

# ---- Ctrl-C --------------------------------------------------------------------------------------

INTERRUPTED = """
import sys, time, signal
import numpy as np
import logreg_c
signal.signal(signal.SIGINT, signal.default_int_handler)
{setup}
w0 = np.full((X.shape[0], 1), 1e-3)
logreg_c.train([[1.0]], [1], 0.1, 1)  # loads what the first call loads
print("ready", flush=True)
try:
    {call}
except logreg_c.TrainingInterrupted as error:
    caught = time.monotonic()
    assert isinstance(error, KeyboardInterrupt)
    assert np.isfinite(error.w).all() and np.isfinite(error.costs).all()
    iters = error.costs.size
    assert f"after {{iters}} iterations" in str(error)
    if iters < 10**6:
        again = logreg_c.train(X, Y, 1e-4, iters, w=w0, standardize={standardize})
        assert again.w.tobytes() == error.w.tobytes()
        assert again.costs.tobytes() == error.costs.tobytes()
    print("TrainingInterrupted", caught, iters)
except KeyboardInterrupt as error:
    print("KeyboardInterrupt", time.monotonic(), -1)
"""
# 1 GB that takes none: pages of zeros nobody has written to
GIGABYTE = "X = np.zeros((28, 4_500_000)); Y = np.zeros(4_500_000)"
# one pass takes many seconds: 320 GB by strides of 0
LONG = "X = np.broadcast_to(np.ones(1_000_000), (40_000, 1_000_000)); Y = np.zeros(1_000_000)"
TINY = "X = np.array([[-1.0, 1.0, 2.0]]); Y = np.array([0.0, 1.0, 0.0])"
TRAIN = "logreg_c.train(X, Y, 1e-4, 10**8, w=w0, standardize={standardize}{more})"


def interrupt(setup, call, standardize=False, after=0.7):
    """Name of the exception, seconds it took, iterations done. A busy machine gets three tries."""
    for delay in after, after, 4 * after:
        name, seconds, iters = interrupt_once(setup, call, standardize, delay)
        if seconds < 0.2 and (iters > 0 or setup != GIGABYTE):
            break
    return name, seconds, iters


def interrupt_once(setup, call, standardize, after):
    code = INTERRUPTED.format(setup=setup, call=call, standardize=standardize)
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout.readline() == "ready\n", child.stderr.read()
        time.sleep(after)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 0, err
    name, caught, iters = out.split()
    return name, float(caught) - sent, int(iters)


@posix
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("more", ["", ", callback=lambda *_: None", ", n_threads=1"])
@pytest.mark.parametrize("setup", [GIGABYTE, TINY])
def test_ctrl_c_answers_with_what_was_reached(setup, more, standardize):
    call = TRAIN.format(standardize=standardize, more=more)
    name, seconds, iters = interrupt(setup, call, standardize)
    assert name == "TrainingInterrupted"
    assert seconds < 0.2
    assert iters > 0 or standardize


@posix
@pytest.mark.parametrize("standardize", [False, True])
def test_ctrl_c_inside_one_long_pass(standardize):
    call = TRAIN.format(standardize=standardize, more="")
    name, seconds, iters = interrupt(LONG, call, standardize)
    assert (name, iters) == ("TrainingInterrupted", 0)
    assert seconds < 0.2


@posix
@pytest.mark.parametrize(
    "call",
    [
        "cost_and_gradient(X, Y, w0, 0.0)",
        "predict_proba(X, w0, 0.0)",
        "_kernel.Problem(X, None, None, 1, False).first_nonfinite()",
        "_kernel.first_outside(np.broadcast_to(1.0, 10**12), 0.0, 1.0)",
    ],
)
def test_ctrl_c_elsewhere_is_a_keyboard_interrupt(call):
    name, seconds, _ = interrupt(LONG, f"logreg_c.{call}", after=0.3)
    assert name == "KeyboardInterrupt"
    assert seconds < 0.2


@posix
def test_what_another_signal_handler_raises_propagates():
    code = """
import signal, logreg_c
class Alarm(Exception): pass
def ring(*_): raise Alarm
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    logreg_c.train([[1.0, 2.0]], [0, 1], 0.1, 10**8)
except Alarm:
    print("rang")
"""
    assert run_python(code) == "rang"


@posix
def test_a_signal_whose_handler_returns_changes_nothing():
    code = """
import signal, numpy as np, logreg_c
rung = []
signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
X, Y = np.linspace(-1, 1, 3000).reshape(3, 1000), np.arange(1000) % 2
quiet = logreg_c.train(X, Y, 0.1, 20_000)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
noisy = logreg_c.train(X, Y, 0.1, 20_000)
signal.setitimer(signal.ITIMER_REAL, 0)
assert rung
print(noisy.w.tobytes() == quiet.w.tobytes() and noisy.costs.tobytes() == quiet.costs.tobytes())
"""
    assert run_python(code) == "True"


# ---- Python threads ------------------------------------------------------------------------------


def test_eight_python_threads_at_once():
    problems = [make_data(5 + k, 20_000, seed=k) for k in range(8)]
    expected = [bits(logreg_c.train(X, Y, 0.1, 20)) for X, Y in problems]

    def train(problem):
        X, Y = problem
        return bits(logreg_c.train(X, Y, 0.1, 20, n_threads=4))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(train, problems)) == expected


def test_other_threads_run_while_one_trains():
    X, Y = make_data(10, 100_000)
    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(logreg_c.train, X, Y, 0.1, 10**5)
        for _ in range(1000):
            time.sleep(0)
        assert not training.done()
        X[0, 0] = np.nan
        with pytest.raises(ValueError, match="X"):
            training.result()


# ---- Processes -----------------------------------------------------------------------------------


@posix
def test_fork_after_training():
    code = """
import os, sys, numpy as np, logreg_c
from oracle import bits, make_data
X, Y = make_data(30, 100_000)
def train():
    return bits(logreg_c.train(X, Y, 0.1, 5, n_threads=4))
expected = train()
child = os.fork()
if child == 0:
    os._exit(0 if train() == expected and train() == expected else 1)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), train() == expected)
"""
    assert run_python(code, PYTHONWARNINGS="ignore") == "0 True"


WORKERS = """
import multiprocessing, sys
import numpy as np
import logreg_c

def data(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, 50_000))
    return X, (X[0] > 0).astype(float)

def train(seed):
    w, b, costs = logreg_c.train(*data(seed), 0.1, 5, n_threads=4)
    return w.tobytes() + costs.tobytes()

def diverge(_):
    logreg_c.train([[1.0, -1.0]], [1, 0], 10.0, 10**4, l2=1.0)

if __name__ == "__main__":
    expected = [train(seed) for seed in range(4)]
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map(train, range(4)) == expected)
        try:
            pool.map(diverge, [0])
        except logreg_c.DivergenceError as error:
            print(error.iteration > 0 and np.isfinite(error.w).all())
"""


@pytest.mark.parametrize(
    "method", [pytest.param("fork", marks=posix), pytest.param("forkserver", marks=posix), "spawn"]
)
def test_multiprocessing(method, tmp_path):
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, method],
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.split() == ["True", "True"]


def test_results_of_a_thread_are_its_own():
    X, Y = make_data(3, 1000)
    with ThreadPoolExecutor(2) as pool:
        a, b = pool.map(lambda _: logreg_c.train(X, Y, 0.1, 3), range(2))
    assert not np.shares_memory(a.w, b.w)
