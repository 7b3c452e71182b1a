# SPDX-License-Identifier: BSD-3-Clause
"""Call k, from (seed, k) alone."""

import contextlib
import math
import warnings

import numpy as np
from expect import ARGUMENTS
from values import (
    CONVERTED,
    NARROW,
    WIDE,
    dressed,
    numbers_of,
    oddity,
    pick,
    relaid,
    saboteur,
    size,
)

import logreg_c


def go_on(*_):
    return False


def stop(*_):
    return True


def any_dtype(rng):
    return pick(rng, *pick(rng, WIDE, WIDE, NARROW, NARROW, CONVERTED))


def any_X(rng, n_x, m):  # noqa: N802
    if rng.random() < 0.25 and n_x:
        common = any_dtype(rng)
        columns = [
            relaid(rng, numbers_of(rng, m, any_dtype(rng) if rng.random() < 0.5 else common))
            for _ in range(n_x)
        ]
        return columns if rng.random() < 0.8 else tuple(columns)
    X = numbers_of(rng, (n_x, m), any_dtype(rng))
    if rng.random() < 0.5 and X.dtype.kind == "f":
        with np.errstate(all="ignore"):
            X = (X / math.sqrt(max(n_x, 1))).astype(X.dtype)
    return dressed(rng, relaid(rng, X))


def any_Y(rng, m):  # noqa: N802
    dtype = any_dtype(rng)
    if np.dtype(dtype).kind == "f" and rng.random() < 0.4:
        Y = (rng.random(m) * pick(rng, 1, 1, 1, 1e-6, 1e-13, 1e-200)).astype(dtype)
    else:
        Y = rng.integers(0, 2, m).astype(dtype)
    Y = relaid(rng, Y)
    return dressed(rng, Y if rng.random() < 0.5 else Y[None])


def any_weights(rng, m):
    dtype = any_dtype(rng)
    with np.errstate(all="ignore"):
        values = rng.integers(0, 5, m).astype(dtype)
        if values.dtype.kind == "f" and rng.random() < 0.1:
            values = (values * 10.0 ** pick(rng, -310, -30, 5, 30, 300)).astype(dtype)
    return dressed(rng, relaid(rng, values))


def any_groups(rng, m):
    """Numbers, strings or others of each example."""
    groups = rng.integers(0, pick(rng, 1, 2, 3, m + 1), m)
    made = groups.astype(pick(rng, "i8", "u1", "f8", "f2", "?", "S3", "U3", "O", ">i4", "M8[s]"))
    made = made if rng.random() < 0.7 else made[None]
    if made.dtype.kind == "O" or rng.random() < 0.2:
        return made if rng.random() < 0.5 else made.tolist()
    return relaid(rng, made)


def settings_of(rng, n_x, m):
    """Return what makes each argument but X, Y, alpha and iters."""
    return {
        "w": lambda: dressed(rng, rng.standard_normal((n_x, 1) if rng.random() < 0.5 else n_x)
                             * 10.0 ** pick(rng, 0, 0, 0, -1, 1, -30, -200, 20, 200)),
        "b": lambda: float(rng.standard_normal() * 10.0 ** pick(rng, 0, 0, 0, 2, -5, 15, 200)),
        "l2": lambda: float(rng.random() * pick(rng, 1, 1, 0, 1e-3, 1e3, 1e-9, 1e200)),
        "sample_weight": lambda: any_weights(rng, m),
        "standardize": lambda: bool(rng.random() < 0.5),
        "firth": lambda: bool(rng.random() < 0.8),
        "intercept": lambda: pick(rng, True, False, False, np.False_),
        "robust": lambda: pick(rng, True, False, "HC0", "HC1", "HC3"),
        "clusters": lambda: any_groups(rng, m),
        "groups": lambda: any_groups(rng, m),
        "tol": lambda: pick(rng, 0.0, 1e-3, 0.1, 1e300, 0, 1e-12),
        "max_passes": lambda: pick(rng, None, 1, 2, 3, 10, 100, 2**70),
        "callback": lambda: go_on,
        "dtype": lambda: pick(rng, None, "f8", np.float64, "float32", np.float32),
        "n_threads": lambda: int(rng.integers(1, 5)),
        "threshold": lambda: float(rng.random()),
    }  # fmt: skip


def many(rng, given, n_x, m):
    """Turn the arguments of one fit into those of many."""
    k, way = int(rng.integers(1, 6)), rng.integers(5)
    if way == 0:
        given["groups"] = any_groups(rng, m)
    elif way == 1:
        given["X"] = relaid(rng, numbers_of(rng, (k, n_x, m), any_dtype(rng)))
    elif way == 2:
        sizes = [size(rng) for _ in range(k)]
        given["X"] = [relaid(rng, numbers_of(rng, (n_x, n), any_dtype(rng))) for n in sizes]
        given["Y"] = [any_Y(rng, n) for n in sizes]
        given.pop("sample_weight", None)
        if rng.random() < 0.4:
            given["sample_weight"] = [any_weights(rng, n) for n in sizes]
    if way != 2 and rng.random() < 0.5 and "groups" not in given:
        given["Y"] = relaid(rng, rng.integers(0, 2, (k, m)).astype(any_dtype(rng)))
    if way != 2 and rng.random() < 0.3 and "groups" not in given:
        given["sample_weight"] = relaid(rng, rng.integers(0, 5, (k, m)).astype(any_dtype(rng)))
    if way == 4 or rng.random() < 0.2:
        given["l2"] = relaid(rng, rng.random(k) * pick(rng, 1, 1e-3, 0, 10))


def at_the_minimum(given):
    """Return the w and b of a fit with the arguments of inference, if there is one."""
    names = ("X", "Y", "l2", "firth", "sample_weight", "intercept")
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        found = logreg_c.fit(**{name: given[name] for name in names if name in given})
        return {"w": found.w, "b": found.b}
    return {}


def of_sigmoid(rng):
    shape = tuple(int(n) for n in rng.integers(0, 6, rng.integers(0, 4)))
    Z = numbers_of(rng, shape, any_dtype(rng)) * (1 if rng.random() < 0.5 else 9)
    if rng.random() < 0.2:
        return "sigmoid", {"Z": oddity(rng)}, False
    return "sigmoid", {"Z": dressed(rng, relaid(rng, np.asarray(Z)))}, False


def spoiled(rng, name, given):
    """Replace an argument by one that does not belong there; whether one changes in the call."""
    wrong = rng.random()
    arrays = [v for v in given.values() if type(v) is np.ndarray and v.size]
    if wrong < 0.15:
        given[pick(rng, *ARGUMENTS[name])] = oddity(rng)
    elif wrong < 0.18 and arrays:  # an array of another argument, or a part of one
        other = pick(rng, *arrays)
        given[pick(rng, *ARGUMENTS[name])] = pick(
            rng, other, other[..., -1], other[..., :-1], other.T
        )
    elif wrong < 0.21 and arrays:
        target = pick(rng, *arrays)
        if target.flags.owndata:
            others = [a for a in ARGUMENTS[name] if given.get(a) is not target and a != "dtype"]
            given[pick(rng, *others)] = saboteur(target, rng)
            return True
    return False


@np.errstate(all="ignore")
def generate(seed, index):
    """Return (function name, arguments, whether an argument is changed while the call runs)."""
    rng = np.random.default_rng([seed, index])
    name = pick(rng, "train", "train", "cost_and_gradient", "predict_proba", "predict", "sigmoid",
                "fit", "fit", "fit", "fit_many", "inference", "inference")  # fmt: skip
    if name == "sigmoid":
        return of_sigmoid(rng)
    n_x, m = size(rng), size(rng)
    if rng.random() < 0.01:
        n_x, m = pick(rng, (2, 5000), (30, 3000), (700, 60), (2500, 9), (16, 1024), (64, 256))
    given = {"X": any_X(rng, n_x, m)}
    may = settings_of(rng, n_x, m)
    if "Y" in ARGUMENTS[name]:
        given["Y"] = any_Y(rng, m)
    if name == "train":
        given["alpha"] = pick(rng, 0.1, 1.0, 1, 1e-3, 30.0, 1e-300, 1e300, np.float32(0.5))
        given["iters"] = int(rng.integers(0, 5))
    elif not name.startswith("fit"):
        given["w"], given["b"] = may["w"](), may["b"]()
    for argument in ARGUMENTS[name]:
        often = 0.1 if argument in {"w", "b", "groups"} else 0.3
        if argument not in given and rng.random() < often:
            given[argument] = may[argument]()
    far_or_exact = "w" in given or "b" in given or given.get("tol") == 0
    if far_or_exact and given.get("max_passes") == 2**70:  # which the search may use up
        given["max_passes"] = 1000
    if n_x > 40:  # a step with Firth's penalty takes the time of n_x^3
        given.pop("firth", None)
    if given.get("firth") and rng.random() < 0.9:
        for excluded in "l2", "robust", "clusters":
            given.pop(excluded, None)
    if name == "fit_many" and "groups" not in given:
        many(rng, given, n_x, m)
    if name == "inference" and rng.random() < 0.7:
        given |= at_the_minimum(given)
    changed = spoiled(rng, name, given)
    if name == "train" and hasattr(given["iters"], "__index__"):
        with contextlib.suppress(Exception):
            if given["iters"].__index__() > 1000:  # the fuzzer has not that much time
                given["callback"] = stop
    return name, given, changed
