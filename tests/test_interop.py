# SPDX-License-Identifier: BSD-3-Clause
"""Work with torch, scikit-learn and numba in a process, under joblib, in threads and in cgroups.

`nox -s others` installs all of these. Elsewhere, tests of missing libraries are skipped.
"""

import importlib.util
import numbers
import os
import sys
import sysconfig
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from oracle import bits, make_data, run_python

import logreg_c

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

# ---- Libraries with their own threads ------------------------------------------------------------

# Each loads an OpenMP runtime or starts a thread pool, and uses it.
OTHERS = {
    "torch": """
import torch
torch.set_num_threads(2)
def other():
    M = torch.ones(400, 400, requires_grad=True)
    (M @ M).sigmoid().sum().backward()
    assert torch.isfinite(M.grad).all()
""",
    "sklearn": """
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
def other():
    HistGradientBoostingClassifier(max_iter=3).fit(X.T, Y[0])
    assert LogisticRegression().fit(X.T, Y[0]).score(X.T, Y[0]) > 0.5
""",
    "numba": """
import numba
@numba.njit(parallel=True)
def total(values):
    result = 0.0
    for i in numba.prange(values.size):
        result += values[i]
    return result
def other():
    assert abs(total(X[0]) - X[0].sum()) < 1e-6
""",
}

TOGETHER = """
import warnings
warnings.simplefilter("ignore")
from oracle import bits, make_data
X, Y = make_data(20, 30_000)
{first}
{second}
def train():
    return bits(*(logreg_c.train(X, Y, 0.1, 5, n_threads=n) for n in (1, 2, 3)))
print(train())
other()
print(train())
other()
"""


def missing(*names):
    gone = [name for name in names if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(gone), reason=f"not installed: {', '.join(gone)}")


def trained_alone():
    X, Y = make_data(20, 30_000)
    return bits(*(logreg_c.train(X, Y, 0.1, 5, n_threads=n) for n in (1, 2, 3)))


@pytest.mark.parametrize("order", ["ours first", "theirs first"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=missing(name)) for name in OTHERS])
@pytest.mark.long
def test_together_with_another_library(name, order):
    imports = ["import logreg_c", OTHERS[name]]
    first, second = imports if order == "ours first" else reversed(imports)
    printed = run_python(TOGETHER.format(first=first, second=second))
    assert printed.split() == [trained_alone()] * 2


@missing(*OTHERS)
@pytest.mark.parametrize("order", ["ours first", "theirs first"])
def test_together_with_all_of_them(order):
    theirs = "".join(
        code.replace("def other", f"def other_{name}") for name, code in OTHERS.items()
    )
    theirs += "\ndef other():\n    other_numba(); other_sklearn(); other_torch()\n"
    imports = ["import logreg_c", theirs]
    first, second = imports if order == "ours first" else reversed(imports)
    printed = run_python(TOGETHER.format(first=first, second=second))
    assert printed.split() == [trained_alone()] * 2


@missing("joblib")
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
@pytest.mark.long
def test_under_joblib(tmp_path, backend):
    # In a file, so that processes that are not forked can import it; from Python 3.14 on, none are.
    (tmp_path / "trained.py").write_text("""
import logreg_c
from oracle import bits, make_data
def train(n_threads):
    X, Y = make_data(20, 30_000)
    return bits(logreg_c.train(X, Y, 0.1, 5, n_threads=n_threads))
""")
    code = f"""
import sys, warnings
warnings.simplefilter("ignore")
sys.path.append({str(tmp_path)!r})
from joblib import Parallel, delayed
from trained import train
if __name__ == "__main__":
    print(train(2))
    print(*Parallel(n_jobs=2, backend="{backend}")(delayed(train)(n) for n in (1, 2, 3, None)))
"""
    printed = run_python(code).split()
    assert len(printed) == 5
    assert len(set(printed)) == 1


# ---- Limits --------------------------------------------------------------------------------------

# A new process has one thread; all threads it has after training are ours.
THREADS_OF = """
import os
os.environ["OPENBLAS_NUM_THREADS"] = "1"
{before}
import numpy as np, logreg_c
X, Y = np.ones((10, 200_000)), np.ones(200_000)
def threads():
    return len(os.listdir("/proc/self/task"))
before = threads()
{call}
print(threads() - before + 1)
"""


def threads_of(call, before="", **environment):
    code = THREADS_OF.format(call=call, before=before)
    return int(run_python(code, **environment))


@linux
@pytest.mark.long
def test_the_requested_number_of_threads_runs():
    assert threads_of("logreg_c.train(X, Y, 0.1, 2, n_threads=3)") == 3
    assert threads_of("logreg_c.train(X, Y, 0.1, 2, n_threads=1)") == 1
    assert threads_of("logreg_c.train(X, Y, 0.1, 2)", OMP_NUM_THREADS="3") == 3
    assert threads_of("logreg_c.train(X, Y, 0.1, 2)", OMP_NUM_THREADS="1") == 1


@linux
@pytest.mark.long
def test_one_cpu_is_one_thread():
    cpu = min(os.sched_getaffinity(0))
    before = f"os.sched_setaffinity(0, {{{cpu}}})"
    assert threads_of("logreg_c.train(X, Y, 0.1, 2)", before) == 1


@linux
@missing("threadpoolctl")
@pytest.mark.long
def test_threadpool_limits_holds_while_training():
    limited = "import threadpoolctl\nwith threadpoolctl.threadpool_limits(1):\n    "
    assert threads_of(f"{limited}logreg_c.train(X, Y, 0.1, 2)") == 1


@linux
@pytest.mark.parametrize("quota", [1, 2])
@pytest.mark.long
def test_the_quota_of_a_real_control_group(quota, monkeypatch):
    mount = Path("/sys/fs/cgroup")
    limits = {"cpu.max": f"{quota * 100_000} 100000"}
    if not (mount / "cgroup.controllers").exists():  # version 1
        mount /= "cpu"
        limits = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": f"{quota * 100_000}"}
    group = mount / f"logreg-c-{uuid.uuid4()}"
    try:
        group.mkdir()
    except OSError:
        pytest.skip("not allowed to make a control group here")
    try:
        if not all((group / name).exists() for name in limits):
            pytest.skip("the control group has no CPU controller")
        for name, value in limits.items():
            (group / name).write_text(value)
        code = (
            f"import os; open('{group}/cgroup.procs', 'w').write(str(os.getpid()))\n"
            "import logreg_c; print(logreg_c.show_config()['threads'])"
        )
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert int(run_python(code)) == min(quota, len(os.sched_getaffinity(0)))
    finally:
        group.rmdir()


# ---- One X, many threads -------------------------------------------------------------------------


def test_many_threads_train_on_one_x():
    X, Y = make_data(20, 30_000)
    expected = bits(logreg_c.train(X, Y, 0.1, 10))
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: bits(logreg_c.train(X, Y, 0.1, 10, n_threads=n)), [1, 2] * 8)
        assert set(found) == {expected}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8"])
def test_x_changed_by_another_thread_crashes_nothing(dtype, order):
    """The call gives a result, or an error, that matches some state of X."""
    rng = np.random.default_rng(0)
    X = np.asarray(rng.integers(-3, 4, (12, 20_000)), dtype=dtype, order=order)
    Y = rng.integers(0, 2, X.shape[1]).astype(float)
    wild = [0, 1, -1, 3] if dtype == "int8" else [0, 1, np.nan, np.inf, -6e4, 6e-8]
    done = threading.Event()

    def disturb():
        k = 0
        while not done.is_set():
            X[:, k % 7 :: 7] = wild[k % len(wild)]
            Y[k % 5 :: 5] = [0.0, 1.0, 0.5, np.nan, 1e300][k % 5]
            k += 1

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        for k in range(60):
            try:
                w, b, costs = logreg_c.train(
                    X, Y, 0.1, 4, n_threads=2, standardize=bool(k % 2), sample_weight=Y * 0 + 1
                )
            except (ValueError, logreg_c.DivergenceError):
                continue
            else:
                assert np.isfinite(w).all()
                assert np.isfinite(b)
                assert np.isfinite(costs).all()
    finally:
        done.set()
        disturber.join()


class Saboteur:
    """Changes an array when asked for its own value: as an array, a number or an index."""

    def __init__(self, target, change, value):
        self.target, self.change, self.value = target, change, value

    def __array__(self, dtype=None, copy=None):
        setattr(self.target, *self.change)
        return self.value

    def __float__(self):
        setattr(self.target, *self.change)
        return float(self.value)

    def __index__(self):
        setattr(self.target, *self.change)
        return self.value


numbers.Real.register(Saboteur)
SHAPES = [("shape", (20, 1)), ("shape", (1, 20)), ("shape", (2, 10)), ("strides", (0,))]
DTYPES = [("dtype", np.dtype(name)) for name in ("f8", ">f4", "i4", ">i4", "u1", "?", "c8", "V4")]


@pytest.mark.filterwarnings("ignore:Setting the")
@pytest.mark.parametrize("change", SHAPES + DTYPES, ids=str)
@pytest.mark.parametrize("target", ["column", "X", "Y", "sample_weight"])
@pytest.mark.parametrize("by", ["Y", "sample_weight", "w", "alpha", "iters", "n_threads"])
@pytest.mark.sampled(100)
def test_changes_during_the_call_have_no_effect(target, by, change):
    if by == target or (by, target) == ("Y", "sample_weight"):
        pytest.skip("read before the other is asked for")
    rng = np.random.default_rng(0)
    columns = [rng.random(20, dtype="f4") for _ in range(3)]
    settings = {
        "X": np.array(columns[:1]) if target == "X" else columns,
        "Y": (np.arange(20) % 2).astype("f4"),
        "sample_weight": rng.random(20, dtype="f4"),
        "w": np.zeros(1 if target == "X" else 3),
        "alpha": 0.5,
        "iters": 3,
        "n_threads": 2,
    }
    expected = bits(logreg_c.train(**settings))
    changed = columns[1] if target == "column" else settings[target]
    if target == "X" and change[0] == "strides":
        change = ("strides", (4, 0))
    settings[by] = Saboteur(changed, change, settings[by])
    assert bits(logreg_c.train(**settings)) == expected
    assert change[0] == "strides" or np.array_equal(getattr(changed, change[0]), change[1])


@pytest.mark.filterwarnings("ignore:Setting the")
def test_columns_of_one_example_that_lose_their_axis_are_read_as_they_were():
    columns = [np.array([k + 0.5]) for k in range(3)]
    expected = bits(logreg_c.train(columns, [1], 0.1, 3))
    Y = Saboteur(columns[1], ("shape", ()), np.ones(1))
    assert bits(logreg_c.train(columns, Y, 0.1, 3)) == expected
    assert columns[1].shape == ()


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="without a GIL NumPy itself reads half-written shapes",
)
@pytest.mark.filterwarnings("ignore:Setting the")
@pytest.mark.long
def test_arrays_that_another_thread_reshapes_crash_nothing():
    """Each call reads one consistent state of the arrays, or reports a mismatch."""
    X, column, Y = np.ones((4, 60), "f4"), np.ones(60, "f4"), np.zeros(60, "f4")
    done = threading.Event()

    def disturb():
        k = 0
        while not done.is_set():
            X.shape = [(4, 60), (60, 4), (240,), (2, 120)][k % 4]
            column.shape = [(60,), (1, 60), (60, 1)][k % 3]
            Y.dtype = ["f4", "i4", ">f4", "u1", "f8", "c8"][k % 6]
            column.dtype = ["f4", "i4"][k % 2]
            k += 1

    disturber = threading.Thread(target=disturb)
    disturber.start()
    outcomes = set()
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for given in X, [column] * 4, [X[0], column]:
                try:
                    logreg_c.train(given, Y, 0.1, 2, sample_weight=np.ones(60), n_threads=2)
                    logreg_c.predict(given, np.zeros(len(given)), 0.0)
                    outcomes.add("read")
                except (ValueError, TypeError, IndexError) as error:
                    outcomes.add(type(error).__name__)
    finally:
        done.set()
        disturber.join()
    assert "read" in outcomes


# ---- Floating-point state ------------------------------------------------------------------------


@pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64",
    reason="knows only the floating-point environment of x86-64 Linux",
)
@pytest.mark.parametrize("mode", [0x1F80, 0x9FC0, 0x5F80])  # default; flush to zero; round up
@pytest.mark.long
def test_import_and_training_leave_the_floating_point_state(mode):
    code = f"""
import ctypes
import numpy as np
libm = ctypes.CDLL("libm.so.6")
def sse_register():
    env = (ctypes.c_uint32 * 8)()
    libm.fegetenv(env)
    return env
env = sse_register()
env[7] = {mode}
libm.fesetenv(env)
import logreg_c
print(hex(sse_register()[7] & ~0x3F))
logreg_c.train(np.ones((3, 50_000)), np.ones(50_000), 0.1, 2, n_threads=2)
print(hex(sse_register()[7] & ~0x3F))
"""
    assert run_python(code).split() == [hex(mode)] * 2


# ---- Fork ----------------------------------------------------------------------------------------


@linux
@pytest.mark.long
def test_a_child_forked_while_another_thread_trains_does_not_hang():
    code = """
import os, threading, warnings
warnings.simplefilter("ignore")
import logreg_c
from oracle import bits, make_data
X, Y = make_data(20, 50_000)
expected = bits(logreg_c.train(X, Y, 0.1, 5, n_threads=2))
thread = threading.Thread(target=logreg_c.train, args=(X, Y, 0.1, 300))
thread.start()
child = os.fork()
if child == 0:
    os._exit(0 if bits(logreg_c.train(X, Y, 0.1, 5, n_threads=2)) == expected else 1)
status = os.waitpid(child, 0)[1]
thread.join()
print(os.waitstatus_to_exitcode(status))
"""
    assert run_python(code) == "0"
