# SPDX-License-Identifier: BSD-3-Clause
"""What must come of `fit_many`: the bits of each fit on its own."""

import warnings

import numpy as np
from exact import Disagreement
from expect import ARGUMENTS, Refused, as_integer, as_number, as_switch
from values import Lie

import logreg_c


def is_plain(value, *axes):
    """Whether this is an array of numbers with so many axes, and no subclass."""
    return type(value) is np.ndarray and value.ndim in axes and value.dtype.kind in "fiub"


STRUCTURE = ("X", "Y", "groups", "l2", "sample_weight", "dtype")


def each(given):
    """Return the X, Y, sample_weight and l2 of each fit, or None if they are not plain to see."""
    X, Y, l2 = given["X"], given["Y"], given.get("l2", 0.0)
    weights = given.get("sample_weight")
    if given.get("groups") is not None:
        return None
    if is_plain(X, 3):
        X = list(X)
    elif type(X) is list and X and all(is_plain(x, 2) for x in X):
        pass
    elif is_plain(X, 2):
        X = [X]
    else:
        return None
    rows = []
    for value in (Y, weights):
        if type(value) is list and value and all(is_plain(row, 1) for row in value):
            rows.append(value)
        elif is_plain(value, 2):
            rows.append(list(value))
        elif is_plain(value, 1) or value is None:
            rows.append([value])
        else:
            return None
    if not (is_plain(l2, 1) or type(l2) in {int, float}):
        return None
    penalties = list(l2) if is_plain(l2, 1) else [l2]
    columns = [X, *rows, penalties]
    k = max(map(len, columns))
    if any(len(c) not in {1, k} for c in columns) or not all(columns):
        return None
    return list(zip(*(c if len(c) == k else c * k for c in columns), strict=True))


def faults_of(given):
    """Return the faults of the settings that all fits share."""
    readers = {
        "intercept": as_switch,
        "tol": lambda v, name: as_number(v, name, 0),
        "max_passes": lambda v, name: v if v is None else as_integer(v, name, 1),
        "n_threads": lambda v, name: v if v is None else as_integer(v, name, 1),
    }
    faults = []
    for name, read in readers.items():
        if name in given:
            try:
                read(given[name], name)
            except Refused as refused:
                faults.append(refused)
    return faults


def check_many(given, result, error, *, warned):
    faults = faults_of(given)
    if faults:
        named = isinstance(error, Lie) or any(f"{a}" in str(error) for a in STRUCTURE)
        return faults if error is None or not named else []
    if isinstance(error, Lie):
        return []
    if error is not None and not any(name in str(error) for name in ARGUMENTS["fit_many"]):
        raise Disagreement(f"{error!r} names no argument") from error
    if result is not None:
        check_result(result, warned=warned)
    fits = each(given)
    if fits is None:
        return []
    shared = {k: given[k] for k in ("intercept", "tol", "max_passes", "dtype", "n_threads")
              if k in given}  # fmt: skip
    for k, (X, Y, sample_weight, l2) in enumerate(fits):
        settings = shared | {"sample_weight": sample_weight, "l2": l2}
        alone = failed = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)
            try:
                alone = logreg_c.fit(X, Y, **settings)
            except Exception as raised:
                failed = raised
        compare(k, result, error, alone, failed)
        if result is None and failed is not None:
            return []
    if result is None:
        raise Disagreement(f"{error!r}, but each fit works") from error
    return []


def compare(k, result, error, alone, failed):
    if isinstance(failed, OverflowError) and result is not None:
        if result.stopped[k] != "overflow" or not np.isnan(result.w[k]).all():
            raise Disagreement(f"fit {k} alone: {failed!r}, of many {result!r}")
    elif failed is not None:
        if result is not None:
            raise Disagreement(f"fit {k} alone: {failed!r}, of many {result!r}")
        if not isinstance(error, type(failed)):
            raise Disagreement(f"fit {k} alone: {failed!r}, of many {error!r}")
    elif result is not None:
        ours = (result.w[k].tobytes(), result.b[k], result.gap[k], result.passes[k],
                result.stopped[k], result.converged[k])  # fmt: skip
        theirs = (alone.w.tobytes(), alone.b, alone.gap, alone.passes, alone.stopped,
                  alone.converged)  # fmt: skip
        cost = alone.costs[-1] if alone.costs.size else np.nan
        if ours != theirs or np.float64(cost).tobytes() != result.cost[k].tobytes():
            raise Disagreement(f"fit {k}: {ours}, {result.cost[k]}; alone {theirs}, {cost}")


def check_result(result, *, warned):
    k = len(result)
    shapes = [getattr(result, name).shape for name in ("b", "cost", "gap", "passes", "stopped")]
    if k < 1 or set(shapes) != {(k,)} or result.w.shape[0] != k:
        raise Disagreement(f"{result!r} has shapes {result.w.shape}, {shapes}")
    if warned == result.converged.all():
        raise Disagreement(f"{result!r} with warning: {warned}")
    lost = np.isnan(result.b)
    if ((result.stopped == "overflow") != lost).any() or not np.isfinite(result.w[~lost]).all():
        raise Disagreement(f"{result!r}: {result.stopped}, {result.b}")
