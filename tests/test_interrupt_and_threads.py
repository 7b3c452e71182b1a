# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C, Python threads, fork and multiprocessing."""

import os
import shutil
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
# 1 GB that takes no memory: pages of zeros that were never written to
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
@pytest.mark.long
def test_ctrl_c_raises_with_the_state_reached(setup, more, standardize):
    call = TRAIN.format(standardize=standardize, more=more)
    name, seconds, iters = interrupt(setup, call, standardize)
    assert name == "TrainingInterrupted"
    assert seconds < 0.2
    assert iters > 0 or standardize


@posix
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.long
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
@pytest.mark.long
def test_ctrl_c_elsewhere_is_a_keyboard_interrupt(call):
    name, seconds, _ = interrupt(LONG, f"logreg_c.{call}", after=0.3)
    assert name == "KeyboardInterrupt"
    assert seconds < 0.2


# Work before and after the pass, at sizes where it takes long: conversions, and loops over all
# values or all features.
WIDE = "n = 8_000_000; X = np.broadcast_to(np.uint8(1), (n, 2)); Y = [0, 1]; w = np.zeros(n)"
CALLS_OF_LONG_SETUPS = {
    "uint32": ("X = np.zeros((4, 30_000_000), 'u4')", "train(X, np.zeros(30_000_000), 0.1, 0)"),
    "uint64": ("X = np.zeros((30_000_000, 4), 'u8').T", "train(X, np.zeros(30_000_000), 0.1, 0)"),
    "longdouble": ("X = np.zeros((2, 30_000_000), 'g')", "predict(X, [0.0, 0.0], 0.0)"),
    "byte-swapped": ("X = np.zeros((4, 20_000_000), '>f8')", "predict(X, np.zeros(4), 0.0)"),
    "strided": ("X = np.zeros((4, 60_000_000), 'f4')[::2, ::2]", "predict(X, np.zeros(2), 0.0)"),
    "misaligned": (
        "X = np.zeros(640_000_001, 'u1')[1:].view('f8').reshape(4, -1)",
        "predict(X, np.zeros(4), 0.0)",
    ),
    "Y": ("X = np.zeros((1, 60_000_000), 'u1'); Y = np.zeros(60_000_000, 'u4')",
          "train(X, Y, 0.1, 0)"),
    "w": ("w = np.zeros(60_000_000, 'f4'); X = np.broadcast_to(np.uint8(1), (w.size, 1))",
          "predict(X, w, 0.0)"),
    "sigmoid": ("Z = np.zeros(60_000_000)", "sigmoid(Z)"),
    "sigmoid of integers": ("Z = np.zeros((6, 10_000_000), 'i8').T", "sigmoid(Z)"),
    "labels": ("X = np.zeros((1, 60_000_000), 'u1')", "predict(X, [1.0], 0.0)"),
    "columns": ("X = [np.zeros(2)] * 500_000", "train(X, [0, 1], 0.1, 0)"),
    "features": (WIDE, "train(X, Y, 1e-9, 50)"),
    "features standardized": (WIDE, "train(X, Y, 1e-9, 50, standardize=True)"),
    "features in float64": (WIDE, "train(X, Y, 1e-9, 50, dtype='f8')"),
    "gradient of features": (WIDE, "cost_and_gradient(X, Y, w, 0.0)"),
    "prediction of features": (WIDE, "predict(X, w, 0.0)"),
    "many fits": (
        "X = np.broadcast_to(np.arange(1000.0).reshape(5, 200) % 7, (40_000, 5, 200))",
        "fit_many(X, np.arange(200) % 2)",
    ),
    "features of many examples": (
        "n = 8_000_000; X = np.zeros((n, 64), 'u1'); Y = np.zeros(64)", "train(X, Y, 1e-9, 50)",
    ),
}  # fmt: skip
LATENCY = """
import os, signal, sys, threading, time
import numpy as np
import logreg_c
signal.signal(signal.SIGINT, signal.default_int_handler)
logreg_c.train([[1.0, 2.0]], [0, 1], 0.1, 1)
{setup}

def interrupted_after(seconds):
    sent = []
    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        logreg_c.{call}
        timer.cancel()
        timer.join()
        time.sleep(0.01)
    except KeyboardInterrupt:
        timer.join()
        return time.monotonic() - sent[0]
    return 0.0

print(max(min(interrupted_after(seconds) for _ in range(3)) for seconds in (0.05, 0.15, 0.4)))
"""


@posix
@pytest.mark.memory
@pytest.mark.thread_unsafe(reason="measures time")
@pytest.mark.parametrize("name", CALLS_OF_LONG_SETUPS)
@pytest.mark.long
def test_ctrl_c_before_and_after_the_pass(name):
    setup, call = CALLS_OF_LONG_SETUPS[name]
    assert float(run_python(LATENCY.format(setup=setup, call=call))) < 0.2


@posix
@pytest.mark.long
def test_exceptions_of_other_signal_handlers_propagate():
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
@pytest.mark.long
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


@pytest.mark.long
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
@pytest.mark.long
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


# Together with another library that uses the same libgomp.
ANOTHER = """
int work(int n)
{
    int sum = 0;
#pragma omp parallel num_threads(4) reduction(+ : sum)
    sum += n;
    return sum;
}
"""
FORKED = """
import ctypes, os, signal, sys, threading, warnings
warnings.simplefilter("ignore")
signal.alarm(60)  # a signal ends a hang, in children too: see `fork`

def other():
    assert ctypes.CDLL({library!r}).work(1) == 4

def train():
    import logreg_c
    from oracle import bits, make_data
    X, Y = make_data(30, 100_000)
    return bits(logreg_c.train(X, Y, 0.1, 5, n_threads=4))

def fork(child):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        os._exit(0 if child() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

{code}
"""
HISTORIES = {
    "nobody's threads": "import logreg_c; done = fork(train)",
    "our threads": "train(); done = fork(train)",
    "theirs": "import logreg_c; other(); done = fork(train)",
    "theirs, then ours": "import logreg_c; other(); train(); done = fork(train)",
    "theirs, before the import": "other(); import logreg_c; done = fork(train)",
    "theirs, the import in the child": "other(); done = fork(train)",
    "none, the import in the child": "done = fork(train)",
    "a grandchild": "import logreg_c; other(); done = fork(lambda: fork(train))",
    "a grandchild that imports": "other(); done = fork(lambda: fork(train))",
    "a grandchild of one that trained": "other(); done = fork(lambda: train() and fork(train))",
    "a fork in a thread": """
import logreg_c
found = []
thread = threading.Thread(target=lambda: (other(), found.append(fork(train))))
thread.start()
thread.join()
done = found[0]
""",
    "multiprocessing": """
import logreg_c, multiprocessing
other()
with multiprocessing.get_context("fork").Pool(2) as pool:
    done = len(set(pool.starmap(train, [()] * 4))) == 1
""",
}


@pytest.fixture(scope="module")
def another(tmp_path_factory):
    if sys.platform != "linux" or not shutil.which("gcc"):
        pytest.skip("libgomp is Linux's, and its other user is built by gcc")
    folder = tmp_path_factory.mktemp("another")
    (folder / "another.c").write_text(ANOTHER)
    command = ["gcc", "-fopenmp", "-shared", "-fPIC", "-o", "another.so", "another.c"]
    subprocess.run(command, check=True, cwd=folder)
    return str(folder / "another.so")


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.long
def test_a_forked_child_trains_whoever_ran_threads(another, history):
    code = FORKED.format(library=another, code=HISTORIES[history])
    assert run_python(f"{code}\nprint(done and bool(train()))") == "True"


# ---- Limits of the system ------------------------------------------------------------------------

# The remaining address space, or number of processes, is too small for the threads.
LIMITED = """
import os, resource, sys
import numpy as np
import logreg_c
from oracle import bits, make_data
X, Y = make_data(30, 200_000)
expected = bits(logreg_c.train(X, Y, 0.1, 3, n_threads=1))
{limit}
for n_threads in (8, 64, 2, 300, None):
    assert bits(logreg_c.train(X, Y, 0.1, 3, n_threads=n_threads)) == expected
    logreg_c.predict(X, np.zeros(30), 0.0, n_threads=n_threads)
print("trained")
"""
ADDRESS_SPACE = """
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {megabytes} * 2**20,) * 2)
"""
PROCESSES = """
if os.getuid() == 0:
    os.setuid(65534)  # root has no such limit
resource.setrlimit(resource.RLIMIT_NPROC, ({processes},) * 2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
@pytest.mark.parametrize("stack", [None, "64M", "131072", "256 k"])
@pytest.mark.parametrize("megabytes", [pytest.param(20, marks=pytest.mark.memory), 100, 600, 2000])
@pytest.mark.long
def test_no_thread_is_started_that_has_no_room(megabytes, stack):
    code = LIMITED.format(limit=ADDRESS_SPACE.format(megabytes=megabytes))
    environment = {"OPENBLAS_NUM_THREADS": "1"} | ({"OMP_STACKSIZE": stack} if stack else {})
    assert run_python(code, **environment) == "trained"


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
@pytest.mark.parametrize("processes", [1, 4, 20])
@pytest.mark.long
def test_no_thread_is_started_beyond_the_limit_of_processes(processes):
    code = LIMITED.format(limit=PROCESSES.format(processes=processes))
    assert run_python(code, OPENBLAS_NUM_THREADS="1") == "trained"


@pytest.mark.long
def test_threads_beyond_any_machine_are_as_many_as_can_run():
    code = """
import logreg_c
from oracle import bits, make_data
X, Y = make_data(5, 100_000)
print(bits(logreg_c.train(X, Y, 0.1, 2)) == bits(logreg_c.train(X, Y, 0.1, 2, n_threads=1)))
"""
    assert run_python(code, OMP_NUM_THREADS="2147483647") == "True"


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
@pytest.mark.long
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


def test_each_thread_gets_its_own_results():
    X, Y = make_data(3, 1000)
    with ThreadPoolExecutor(2) as pool:
        a, b = pool.map(lambda _: logreg_c.train(X, Y, 0.1, 3), range(2))
    assert not np.shares_memory(a.w, b.w)
