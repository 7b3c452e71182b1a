# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks: progress, early stopping, checkpoints that survive SIGKILL, and how they combine."""

import doctest
import gc
import io
import pickle
import subprocess
import sys
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from oracle import bits, make_data, run_python

import logreg_c
from logreg_c import _kernel, callbacks
from logreg_c.callbacks import Checkpoint, EarlyStopping, Progress

X, Y = make_data(5, 800)
HELD_OUT = make_data(5, 90, seed=1)
RAISED = X.copy()
RAISED[1] = 1e9 + X[1] / 100  # makes b so large that a float64 loses digits of it


class Odd(Exception):  # noqa: N818
    pass


def through(callback):
    def call(*args):
        return callback(*args)

    return call


def fail_at(*iterations):
    left = list(iterations)

    def callback(k, *_):
        if left and k == left[0]:
            left.pop(0)
            raise Odd

    return callback


def train(callback=None, **changes):
    settings = {"X": X, "Y": Y, "alpha": 0.5, "iters": 60, "l2": 0.01} | changes
    return logreg_c.train(**settings, callback=callback)


@pytest.mark.thread_unsafe(reason="doctest replaces a function of linecache")
def test_examples_in_docstrings_are_true(tmp_path):
    failed, tried = doctest.testmod(callbacks, extraglobs={"tmp": tmp_path})
    assert tried > 0
    assert failed == 0


# ---- Lists of callbacks --------------------------------------------------------------------------


def test_all_callbacks_of_a_list_are_called_in_order_each_with_its_own_copy():
    seen = []

    def spoil(k, _cost, w, _b):
        seen.append(("spoil", k, w.copy().tolist()))
        w[...] = np.nan
        return k == 4

    def see(k, _cost, w, _b):
        seen.append(("see", k, w.tolist()))

    result = train([spoil, see])
    assert result.stopped == "callback"
    assert result.costs.size == 5
    assert bits(result) == bits(train(iters=5))
    assert [name for name, *_ in seen] == ["spoil", "see"] * 5
    for (_, *first), (_, *second) in zip(seen[::2], seen[1::2], strict=True):
        assert first == second


def test_an_empty_list_means_no_callback():
    assert bits(train([])) == bits(train())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(3, "is an object of type int"), ([print, 3], "holds an object of type int")],
)
def test_a_callback_that_is_not_callable_is_named(wrong, said):
    with pytest.raises(TypeError, match=rf"callback {said}; .* list of such"):
        train(wrong)


class Recorder:
    def __init__(self, name, events):
        self.name, self.events = name, events

    def begin(self, training):
        self.events.append(f"{self.name} begins {training.done} of {training.iters}")

    def __call__(self, k, *_):
        self.events.append(f"{self.name} {k}")

    def end(self):
        self.events.append(f"{self.name} ends")


def test_begin_and_end_frame_the_calls():
    events = []
    train([Recorder("a", events), Recorder("b", events)], iters=2)
    assert events == [
        "a begins 0 of 2", "b begins 0 of 2", "a 0", "b 0", "a 1", "b 1", "b ends", "a ends",
    ]  # fmt: skip


def test_end_is_called_after_an_exception_too():
    events = []
    with pytest.raises(Odd):
        train([Recorder("a", events), fail_at(1)])
    assert events[-1] == "a ends"
    with pytest.raises(logreg_c.DivergenceError):
        train(Recorder("a", events), alpha=1e308, l2=1e5)
    assert events[-1] == "a ends"


# ---- Progress ------------------------------------------------------------------------------------


def test_progress_counts_to_the_end_and_shows_the_cost():
    out = io.StringIO()
    result = train(Progress(file=out, mininterval=0))
    last = out.getvalue().rstrip().rpartition("\r")[2]
    assert "60/60" in last
    assert f"cost {result.costs[-1]:.6g}" in last


def test_progress_stays_where_training_ends_early():
    out = io.StringIO()
    with pytest.raises(Odd):
        train([Progress(file=out, mininterval=0), fail_at(6)])
    assert "7/60" in out.getvalue()
    assert out.getvalue().endswith("\n")


def test_progress_continues_from_a_checkpoint(tmp_path):
    out = io.StringIO()
    with pytest.raises(Odd):
        train([fail_at(41), Checkpoint(tmp_path / "run")])
    train([Progress(file=out, mininterval=0), Checkpoint(tmp_path / "run")])
    assert "41/60" in out.getvalue().split("\r")[1]
    assert "60/60" in out.getvalue()


def test_progress_of_a_search_counts_passes_and_shows_the_gap():
    out = io.StringIO()
    X = np.random.default_rng(0).normal(size=(5, 300))
    Y = X[0] + X[1] ** 2 > 0.5
    result = logreg_c.fit(X, Y, callback=Progress(file=out, mininterval=0))
    last = out.getvalue().rstrip().rpartition("\r")[2]
    assert f"{result.passes}pass" in last
    assert f"cost {result.costs[-1]:.6g}, gap {result.gap:.1e}" in last


@pytest.mark.long
def test_a_notebook_without_its_widgets_gets_a_bar_without_a_warning():
    code = """
import sys, types, warnings
import logreg_c
warnings.simplefilter("error")
sys.modules["ipykernel.zmqshell"] = types.ModuleType("ipykernel.zmqshell")
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = object
sys.modules["ipywidgets"] = None
from logreg_c.callbacks import Progress
Progress(disable=True)
"""
    assert run_python(code) == ""


def test_a_module_missing_in_tqdm_is_not_called_tqdm(monkeypatch):
    class Broken:
        def find_spec(self, name, *_):
            if name.startswith("tqdm"):
                raise ModuleNotFoundError(name="of_tqdm")

    for name in [name for name in sys.modules if name.startswith("tqdm")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError) as caught:
        Progress()
    assert caught.value.name == "of_tqdm"


@pytest.mark.long
def test_progress_without_tqdm_says_what_to_install():
    code = """
import sys
sys.modules["tqdm"] = sys.modules["tqdm.auto"] = None
import logreg_c.callbacks
try:
    logreg_c.callbacks.Progress()
except ModuleNotFoundError as error:
    print(error)
"""
    assert run_python(code) == (
        "logreg_c.callbacks.Progress needs tqdm: pip install 'logreg-c[progress]'"
    )


@pytest.mark.long
def test_the_other_callbacks_load_no_extra():
    code = """
import sys, logreg_c
before = set(sys.modules)
from logreg_c.callbacks import Checkpoint, EarlyStopping
print({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
"""
    assert run_python(code) == "{'logreg_c'}"


# ---- Early stopping ------------------------------------------------------------------------------


def held_out_costs(result_of, **settings):
    """Return the held-out cost after each iteration, one training at a time."""
    results = [result_of(iters) for iters in range(1, 61)]
    return [logreg_c.cost_and_gradient(*HELD_OUT, r.w, r.b, **settings)[0] for r in results]


def noisy_labels():
    rng = np.random.default_rng(2)
    return (rng.random(800) < 0.5).astype(float)


def test_early_stopping_keeps_the_best_and_stops_when_patience_ends():
    labels = noisy_labels()  # nothing to learn: the held-out cost rises soon
    costs = held_out_costs(lambda iters: train(Y=labels, iters=iters))
    best = int(np.argmin(costs))
    stopping = EarlyStopping(*HELD_OUT, patience=3)
    result = train(stopping, Y=labels)
    assert (stopping.cost, stopping.iteration) == (costs[best], best)
    assert result.stopped == "callback"
    assert result.costs.size == best + 1 + 3
    expected = train(Y=labels, iters=best + 1)
    assert bits(stopping.w, stopping.b) == bits(expected.w, expected.b)


def test_early_stopping_every_so_many_iterations():
    costs = held_out_costs(lambda iters: train(iters=iters))
    stopping = EarlyStopping(*HELD_OUT, every=7)
    train(stopping)
    assert stopping.cost == min(costs[6::7])
    assert stopping.iteration == 6 + 7 * int(np.argmin(costs[6::7]))


def test_min_delta_stops_slow_improvement_and_keeps_the_best():
    stopping = EarlyStopping(*HELD_OUT, patience=2, min_delta=10.0)
    result = train(stopping)
    assert result.costs.size == 3  # the first evaluation is always an improvement
    assert stopping.iteration == 2
    assert stopping.cost == held_out_costs(lambda iters: train(iters=iters))[2]


def test_early_stopping_weighs_its_examples():
    weight = np.arange(90.0)
    stopping = EarlyStopping(*HELD_OUT, sample_weight=weight)
    result = train(stopping, iters=1)
    J, _, _ = logreg_c.cost_and_gradient(*HELD_OUT, result.w, result.b, sample_weight=weight)
    assert stopping.cost == J


def test_early_stopping_restarts_with_each_training():
    stopping = EarlyStopping(*HELD_OUT)
    train(stopping)
    first = stopping.cost
    train(stopping, iters=2)
    assert stopping.iteration == 1
    assert stopping.cost > first


def test_early_stopping_computes_in_the_arithmetic_of_the_training():
    small, held_out = X.astype(np.float32), HELD_OUT[0].astype(np.float32)
    for dtype in None, np.float64:
        stopping = EarlyStopping(held_out, HELD_OUT[1])
        result = train(stopping, X=small, dtype=dtype, iters=1)
        J, _, _ = logreg_c.cost_and_gradient(held_out, HELD_OUT[1], result.w, result.b, dtype=dtype)
        assert stopping.cost == J


@pytest.mark.parametrize("of_X", [np.float64, np.float32])
def test_early_stopping_computes_in_a_type_of_its_own(of_X):
    X, Y = np.array([[0.1, 0.2, 0.3]], dtype=np.float32), [0, 1, 1]
    for dtype in np.float64, np.float32:
        stopping = EarlyStopping(X, Y, dtype=dtype)
        w, b, _ = logreg_c.train(X.astype(of_X), Y, 0.1, 1, callback=stopping)
        assert stopping.cost == logreg_c.cost_and_gradient(X, Y, w, b, dtype=dtype)[0]


def test_early_stopping_may_be_called_by_another_callback():
    stopping, other = EarlyStopping(*HELD_OUT), EarlyStopping(*HELD_OUT)
    train(through(stopping))
    train(other)
    assert (stopping.cost, stopping.iteration) == (other.cost, other.iteration)


def test_held_out_columns_are_found_by_name():
    pl = pytest.importorskip("polars")
    names = [f"x{j}" for j in range(5)]
    frame = pl.DataFrame(dict(zip(names, X, strict=True)))
    held_out = pl.DataFrame(dict(zip(names[::-1], HELD_OUT[0][::-1], strict=True)))
    stopping, expected = EarlyStopping(held_out, HELD_OUT[1]), EarlyStopping(*HELD_OUT)
    train(stopping, X=frame)
    train(expected)
    assert stopping.cost == expected.cost
    assert stopping.w.feature_names == tuple(names)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patience": 0}, r"patience is 0; expected an integer >= 1"),
        ({"every": 0}, r"every is 0; expected an integer >= 1"),
        ({"min_delta": -1}, r"min_delta is -1\.0; expected a finite number >= 0"),
    ],
)
def test_early_stopping_says_what_is_wrong(wrong, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(*HELD_OUT, **wrong)


WITH_NAN = HELD_OUT[0].copy()
WITH_NAN[2, 7] = np.nan
FAULTS = {
    "too few examples": ((HELD_OUT[0][:, 1:], HELD_OUT[1]), {}, ValueError, r"Y has shape \(1, 90"),
    "too few features": (
        (HELD_OUT[0][:4], HELD_OUT[1]),
        {},
        ValueError,
        r"X has 4 features, and the training 5; expected the same features",
    ),
    "labels": ((HELD_OUT[0], 3 + HELD_OUT[1]), {}, ValueError, r"Y is [34]\.0 at example 0"),
    "text": ((np.full((5, 90), "a"), HELD_OUT[1]), {}, TypeError, r"X has dtype <U1"),
    "NaN": ((WITH_NAN, HELD_OUT[1]), {}, ValueError, r"X holds NaN .*X\[2, 7\]"),
    "huge": ((np.sign(HELD_OUT[0]) * 1.7e308, HELD_OUT[1]), {}, OverflowError, r"Z = w\.T X \+ b"),
    "weights": (HELD_OUT, {"sample_weight": -np.ones(90)}, ValueError, r"sample_weight is -1"),
    "dtype": (HELD_OUT, {"dtype": "f4"}, TypeError, r"dtype is float32 and X float64"),
}


@pytest.mark.parametrize(("data", "settings", "kind", "message"), FAULTS.values(), ids=FAULTS)
def test_errors_in_held_out_data_say_so(data, settings, kind, message):
    with pytest.raises(kind, match=f"^the held-out data of EarlyStopping: {message}"):
        train(EarlyStopping(*data, **settings), alpha=5.0)


def test_early_stopping_uses_the_threads_of_the_training(monkeypatch):
    used = []
    problem = _kernel.Problem

    def record(*args):
        used.append(args[3])
        return problem(*args)

    monkeypatch.setattr(_kernel, "Problem", record)
    train(EarlyStopping(*HELD_OUT), n_threads=1)
    assert used == [1, 1]  # one for each data set, however many iterations there are


def test_an_early_stopping_serves_one_training_at_a_time():
    stopping = EarlyStopping(*HELD_OUT)
    with pytest.raises(ValueError, match="the EarlyStopping is at work already"):
        train([stopping, stopping])
    with pytest.raises(ValueError, match="the EarlyStopping is at work already"):
        train([stopping, lambda *_: train(stopping)])
    assert bits(train(stopping)) == bits(train(EarlyStopping(*HELD_OUT)))
    assert bits(train(stopping)) == bits(train(EarlyStopping(*HELD_OUT)))


def test_early_stopping_can_be_pickled():
    stopping = pickle.loads(pickle.dumps(EarlyStopping(*HELD_OUT)))
    train(stopping)
    assert pickle.loads(pickle.dumps(stopping)).cost == stopping.cost


@pytest.mark.parametrize("kind", [EarlyStopping, Progress, Checkpoint, dict])
def test_a_class_is_not_a_callback(kind):
    for given in kind, [print, kind]:
        with pytest.raises(TypeError, match=rf"callback is the class {kind.__name__}; expected on"):
            train(given)


# ---- Checkpoints ---------------------------------------------------------------------------------

VARIANTS = {
    "plain": {},
    "standardized": {"standardize": True},
    "a bias that one number does not hold": {"X": RAISED, "standardize": True, "alpha": 0.1},
    "float32": {"X": X.astype(np.float32)},
    "tol": {"tol": 0.02, "iters": 10**6},
    "a start": {"w": np.arange(5.0), "b": -1.0},
    "weights": {"sample_weight": np.arange(800.0)},
    "more than the first room for costs": {"iters": 2100},
}


@pytest.mark.parametrize("seconds", [0, 1e6])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.sampled(2)
def test_a_training_that_failed_twice_resumes_to_the_same_bits(tmp_path, variant, seconds):
    settings = VARIANTS[variant]
    whole = train(**settings)
    if variant.startswith("a bias"):
        assert abs(whole.b) > 4096
    failing = fail_at(13, 14)
    for _ in range(2):
        with pytest.raises(Odd):
            train([failing, Checkpoint(tmp_path / "run", seconds=seconds)], **settings)
    for _ in range(2):  # a finished training resumes to the same result
        result = train([Checkpoint(tmp_path / "run", seconds=seconds)], **settings)
        assert bits(result) == bits(whole)
        assert result.stopped == whole.stopped
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_early_stopping_resumes_with_what_it_had_seen(tmp_path):
    labels = noisy_labels()

    def run(*others):
        stopping = EarlyStopping(*HELD_OUT, patience=20)
        return train([stopping, *others], Y=labels), stopping

    (whole, expected) = run()
    with pytest.raises(Odd):
        run(fail_at(whole.costs.size - 3), Checkpoint(tmp_path / "run"))
    (result, stopping) = run(Checkpoint(tmp_path / "run"))
    assert bits(result) == bits(whole)
    assert result.stopped == "callback"
    assert bits(stopping.w, stopping.b, stopping.cost) == bits(
        expected.w, expected.b, expected.cost
    )
    assert stopping.iteration == expected.iteration


OTHER_X, OTHER_Y = HELD_OUT[0] + 1, 1 - HELD_OUT[1]
DIFFERENCES = [
    ({"patience": 21}, r"patience=20.*patience=21"),
    ({"min_delta": 1e-9}, r"min_delta=0\.0.*min_delta=1e-09"),
    ({"every": 2}, r"every=1.*every=2"),
    (
        {"X": OTHER_X},
        r"other held-out data: the lowest cost on them was 0\.\d+, and those",
    ),
    ({"Y": OTHER_Y}, r"other held-out data"),
    ({"sample_weight": np.arange(90.0)}, r"other held-out data"),
    ({"X": HELD_OUT[0][:, 1:], "Y": HELD_OUT[1][:, 1:]}, r"other held-out data"),
]


@pytest.mark.parametrize(("changes", "message"), DIFFERENCES)
def test_early_stopping_does_not_resume_as_another(tmp_path, changes, message):
    given = {"X": HELD_OUT[0], "Y": HELD_OUT[1], "patience": 20}
    path = tmp_path / "run.npz"
    train([EarlyStopping(**given), Checkpoint(path)], iters=9)
    content = path.read_bytes()
    with pytest.raises(ValueError, match=rf"run\.npz is of a training with .*{message}"):
        train([EarlyStopping(**given | changes), Checkpoint(path)])
    assert path.read_bytes() == content
    train([EarlyStopping(**given), Checkpoint(path)])


@pytest.mark.parametrize(
    "state",
    [
        {"b": "zero"},
        {"b": np.ones(3)},
        {"w": np.ones((4, 1))},
        {"w": np.ones((5, 1), dtype=np.float32)},
        {"iteration": np.ones(2, dtype=np.int64)},
        {"failed": "x"},
        {"to_beat": np.ones(2)},
    ],
)
def test_a_damaged_state_of_early_stopping_is_refused(tmp_path, state):
    path = tmp_path / "run.npz"
    train([EarlyStopping(*HELD_OUT), Checkpoint(path)])
    changes = {f"callback 0 {name}": value for name, value in state.items()}
    path.write_bytes(with_others(path.read_bytes(), **changes))
    with pytest.raises(ValueError, match=r"run\.npz is (damaged|of a training with)"):
        train([EarlyStopping(*HELD_OUT), Checkpoint(path)], iters=99)


def test_more_iterations_continue_where_fewer_ended(tmp_path):
    train([Checkpoint(tmp_path / "run")])
    assert bits(train([Checkpoint(tmp_path / "run")], iters=99)) == bits(train(iters=99))


def test_an_interrupted_training_resumes(tmp_path):
    def press_ctrl_c(k, *_):
        if k == 20:
            raise KeyboardInterrupt

    with pytest.raises(logreg_c.TrainingInterrupted):
        train([press_ctrl_c, Checkpoint(tmp_path / "run")])
    assert bits(train([Checkpoint(tmp_path / "run")])) == bits(train())


KILLED = """
import sys, time
from oracle import bits, make_data
import logreg_c
from logreg_c.callbacks import Checkpoint, EarlyStopping

X, Y = make_data(5, 800)
X[1] = 1e9 + X[1] / 100
stopping = EarlyStopping(*make_data(5, 90, seed=1), every=2, patience=1000)
callback = [stopping, lambda *_: time.sleep(0.005)]
if sys.argv[1:]:
    callback.append(Checkpoint(sys.argv[1], seconds=0))
print("ready", flush=True)
result = logreg_c.train(X, Y, 0.1, 200, standardize=True, callback=callback)
print(bits(result), bits(stopping.cost), result.costs.size, flush=True)
"""


@pytest.mark.long
def test_a_training_killed_repeatedly_ends_with_the_same_bits(tmp_path):
    run = [sys.executable, "-c", KILLED]
    folder = Path(__file__).parent
    whole = subprocess.run(run, capture_output=True, cwd=folder, check=True, timeout=120)
    expected = whole.stdout.splitlines()[1]
    rng = np.random.default_rng(0)
    kills = 0
    for _ in range(200):
        with subprocess.Popen(
            [*run, str(tmp_path / "run.npz")], stdout=subprocess.PIPE, cwd=folder
        ) as process:
            assert process.stdout.readline().strip() == b"ready"
            time.sleep(rng.uniform(0, 0.3))
            process.kill()  # SIGKILL
            last = process.stdout.read().strip()
        if last:
            break
        kills += 1
    assert kills >= 1  # several on an idle machine
    assert last == expected
    left = {path.name for path in tmp_path.iterdir()}
    assert {name for name in left if not name.endswith(".part")} == {"run.npz"}


def test_a_training_of_one_iteration_resumes(tmp_path):
    path = tmp_path / "run.npz"
    assert train([Checkpoint(path)], iters=1).costs.size == 1
    assert bits(*train([Checkpoint(path)], iters=9)) == bits(*train(iters=9))


def test_a_checkpoint_before_the_first_evaluation_holds_no_best_weights(tmp_path):
    for iters in 3, 6:
        stopping = EarlyStopping(*HELD_OUT, every=50)
        train([stopping, Checkpoint(tmp_path / "run.npz")], iters=iters)
        assert stopping.w is None
        assert stopping.iteration == -1


def test_the_first_weights_may_be_the_best(tmp_path):
    for iters in 3, 6:
        stopping = EarlyStopping(HELD_OUT[0], 1 - HELD_OUT[1], patience=1000)
        train([stopping, Checkpoint(tmp_path / "run.npz")], iters=iters)
        assert stopping.iteration == 0
        assert bits(stopping.w) == bits(train(iters=1).w)


CHANGES = [
    (
        {"alpha": 0.4},
        r"alpha = 0\.5, and this one has 0\.4; expected the same\. To begin anew, del",
    ),
    ({"l2": 0.0}, r"l2 = 0\.01, and this one has 0\.0"),
    ({"tol": 1e-9}, r"tol = None, and this one has 1e-09"),
    ({"standardize": True}, r"standardize = False, and this one has True"),
    ({"X": X[:4]}, r"n_x = 5, and this one has 4"),
    ({"X": X[:, 1:], "Y": Y[:, 1:]}, r"m = 800, and this one has 799"),
    ({"X": X.astype(np.float32)}, r"arithmetic = 'float64', and this one has 'float32'"),
    ({"w": np.ones(5)}, r"another w or b to start from"),
    ({"b": 1e-300}, r"another w or b to start from"),
    ({"iters": 30}, r"60 iterations, and this one has iters = 30"),
    ({"X": X[::-1]}, r"other data: the next cost was 0\.\d+, and X, Y and sample_weight now"),
    ({"X": X * 1.0001}, r"other data"),
    ({"Y": 1 - Y}, r"other data"),
    ({"sample_weight": np.arange(800.0)}, r"other data"),
]


@pytest.mark.parametrize(("changes", "message"), CHANGES)
def test_a_checkpoint_of_another_training_is_refused_and_unchanged(tmp_path, changes, message):
    path = tmp_path / "run.npz"
    train([Checkpoint(path)])
    content = path.read_bytes()
    with pytest.raises(ValueError, match=f"run.npz is of a training with {message}"):
        train([Checkpoint(path, seconds=0)], **changes)
    assert path.read_bytes() == content


def test_with_other_callbacks_it_is_another_training(tmp_path):
    train([Checkpoint(tmp_path / "run")])
    wanted = r"callbacks = \[\], and this one has \['EarlyStopping\(patience=10, min_delta=0\.0, ev"
    with pytest.raises(ValueError, match=wanted):
        train([EarlyStopping(*HELD_OUT), Checkpoint(tmp_path / "run")])


def test_other_data_are_detected_even_if_tol_ends_the_first_iteration(tmp_path):
    settings = {"tol": 0.02, "iters": 10**6}
    train([Checkpoint(tmp_path / "run")], **settings)
    content = (tmp_path / "run").read_bytes()
    with pytest.raises(ValueError, match="other data"):
        train([Checkpoint(tmp_path / "run")], X=X * (1 + 1e-9), **settings)
    assert (tmp_path / "run").read_bytes() == content


FOREIGN = {
    "empty": lambda content: content[:0],
    "text": lambda content: content[:0] + b"hello",
    "cut short": lambda content: content[: len(content) // 2],
    "a byte changed": lambda content: content.replace(b"fortran", b"portran", 1),
    "another .npz": lambda _: npz(w=np.zeros(3)),
    "a pickle inside": lambda _: npz(settings=np.array([{}], dtype=object)),
    "costs of integers": lambda content: with_others(content, costs=[1]),
    "costs of two axes": lambda content: with_others(content, costs=np.ones((3, 1))),
    "no costs": lambda content: with_others(content, costs=np.zeros(0)),
    "a shorter w": lambda content: with_others(content, w=np.ones((4, 1))),
    "settings that are a list": lambda content: with_others(content, settings="[]"),
    "settings a thousand deep": lambda content: with_others(content, settings="[" * 10**5),
    "a b of text": lambda content: with_others(content, **{"solver b": "0"}),
    "two b": lambda content: with_others(content, **{"solver b": [1.0, 2.0]}),
    "a b that is NaN": lambda content: with_others(content, **{"solver b": np.nan}),
    "costs that are infinite": lambda content: with_others(content, costs=[np.inf]),
    "compressed": lambda content: npz(np.savez_compressed, **dict(np.load(io.BytesIO(content)))),
    "members that share their bytes": lambda content: shared_members(content, 1000),
    "a shape that is not there": lambda content: content.replace(b"(5, 1)", b"(5,10)"),
    "a w of one axis": lambda content: with_others(content, w=np.ones(5), start_w=np.zeros(5)),
}


def npz(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def with_others(content, **arrays):
    return npz(**dict(np.load(io.BytesIO(content))) | arrays)


def shared_members(content, count):
    """Make the file's directory list its last member many times."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.filelist += [archive.filelist[-1]] * count
        archive._didModify = True
    return file.getvalue()


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_a_damaged_file_is_refused_and_unchanged(tmp_path, change):
    path = tmp_path / "run.npz"
    train([Checkpoint(path)])
    content = change(path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.npz is damaged, or was not written by a Checkpoin"):
        train([Checkpoint(path, seconds=0)])
    assert path.read_bytes() == content


@pytest.mark.long
def test_simultaneous_trainings_leave_a_complete_checkpoint(tmp_path):
    path = tmp_path / "run.npz"

    def run(_):
        return bits(train([Checkpoint(path, seconds=0)]))

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(run, range(4))) == {bits(train())}
    assert bits(train([Checkpoint(path)])) == bits(train())
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.parametrize("missing", ["folder", "folder/inner"])
def test_a_missing_folder_is_named(tmp_path, missing):
    path = tmp_path / missing / "run.npz"
    with pytest.raises(FileNotFoundError, match=rf"the folder '.*{missing}' does not exist"):
        train([Checkpoint(path)])


@pytest.mark.thread_unsafe(reason="tracemalloc sees every thread")
@pytest.mark.long
def test_a_bomb_is_refused_in_memory_proportional_to_its_size(tmp_path):
    """The memory depends on the size of the file, not on the sizes that it states."""
    path = tmp_path / "run.npz"
    train([Checkpoint(path)])
    content = with_others(path.read_bytes(), costs=np.zeros(10**7))
    file = io.BytesIO()
    np.savez_compressed(file, **dict(np.load(io.BytesIO(content))))
    path.write_bytes(file.getvalue())
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="damaged"):
            train([Checkpoint(path)], iters=10**8)
        assert tracemalloc.get_traced_memory()[1] < 140_000_000  # memory for the costs
    finally:
        tracemalloc.stop()


def test_a_file_that_cannot_be_written_is_an_error_before_the_first_iteration(tmp_path):
    called = []
    for path in tmp_path / "missing" / "run", tmp_path:
        with pytest.raises(OSError, match=r"missing|directory|Permission"):
            train([lambda *a: called.append(a), Checkpoint(path)])
    assert not called


@pytest.mark.thread_unsafe(reason="limits the files of the process")
# savez in NumPy 1.25 leaves its ZipFile open, which tries to write again when it is deleted.
@pytest.mark.filterwarnings("ignore:.*ZipFile:pytest.PytestUnraisableExceptionWarning")
def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "run"
    train([Checkpoint(path)])
    content = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        with pytest.raises(OSError, match="File too large") as caught:
            train([Checkpoint(path)], iters=99)
        gc.collect()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(path)
    assert path.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_checkpoint_must_be_last():
    with pytest.raises(ValueError, match=r"followed by another callback; expected it last"):
        train([Checkpoint("run"), print])


def test_a_checkpoint_must_be_called_by_train():
    checkpoint = Checkpoint("run")
    with pytest.raises(ValueError, match=r"called by something else than train"):
        train(through(checkpoint))


def test_a_user_s_own_callback_is_kept_too(tmp_path):
    class Counter:
        def __init__(self):
            self.calls = 0

        def __call__(self, *_):
            self.calls += 1

        def state(self):
            return {"calls": self.calls}

        def restore(self, state):
            self.calls = state["calls"].item()

    with pytest.raises(Odd):
        train([Counter(), fail_at(30), Checkpoint(tmp_path / "run")])
    counter = Counter()
    train([counter, Checkpoint(tmp_path / "run")])
    assert counter.calls == 60


# ---- How a result is displayed -------------------------------------------------------------------


def test_a_result_is_summarized_in_one_line():
    assert repr(train()).startswith(
        "<TrainResult features: 5, iterations: 60 (all done), cost: 0.6"
    )
    assert "(tol reached)" in repr(train(tol=0.1))
    assert "(stopped by callback)" in repr(train(lambda *_: True))
    assert repr(train(iters=0)) == "<TrainResult features: 5, iterations: 0 (all done), b: 0>"
    assert len(repr(logreg_c.train(np.zeros((10_000, 2)), [0, 1], 0.1, 3))) < 100


@pytest.mark.parametrize("iters", [0, 1, 2, 60, 100_000])
def test_the_drawn_cost_curve_is_well_formed_and_small(iters):
    from xml.etree import ElementTree as ET

    html = logreg_c.train(X[:1, :9], Y[:, :9], 0.5, iters)._repr_html_()
    tree = ET.fromstring(html.replace("&rarr;", "->"))  # noqa: S314
    lines = tree.findall(".//polyline")
    assert len(lines) == (iters >= 2)
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        assert len(points) == min(iters, 160)
        x, y = zip(*points, strict=True)
        assert (x[0], x[-1], y[0], y[-1]) == (2, 318, 2, 94)  # the edges of the picture
        assert (np.diff(x) > 0).all()
        assert (np.diff(y) >= 0).all()
        assert line.get("stroke") == "currentColor"  # suits light and dark pages
    assert len(html) < 5000


def test_costs_as_large_as_float64_has_them_are_drawn():
    costs = np.array([1.7e308, -1.7e308, 0.0])
    html = logreg_c.TrainResult(np.zeros((1, 1)), 0.0, costs, "iters")._repr_html_()
    assert "points='2.0,2.0 160.0,94.0 318.0,48.0'" in html


def test_constant_costs_are_drawn_at_the_bottom():
    for cost in 0.0, 3.0:
        result = logreg_c.TrainResult(np.zeros((1, 1)), 0.0, np.full(2, cost), "iters")
        assert "points='2.0,94.0 318.0,94.0'" in result._repr_html_()


def test_early_stopping_shows_its_parameters():
    stopping = EarlyStopping([[1.0, 2.0]], [0, 1], patience=3)
    assert repr(stopping) == "EarlyStopping(patience=3, min_delta=0.0, every=1)"
