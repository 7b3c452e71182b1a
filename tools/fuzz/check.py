# SPDX-License-Identifier: BSD-3-Clause
"""What must come of a call."""

import warnings

import numpy as np
from check_fit import check_fit, check_inference
from check_many import check_many
from exact import LD, Disagreement, Exact, check_error, check_nonfinite, close
from expect import Expected, Refused, as_numbers
from generate import generate, stop
from values import Lie

import logreg_c


def check_sigmoid(given, result, error):
    try:
        array = as_numbers(given["Z"], "Z")
    except Refused as refused:
        return [refused]
    if error is not None:
        raise Disagreement(f"valid Z: {error!r}") from error
    Z = array.astype(np.float64).astype(LD)
    A = 1 / (1 + np.exp(-Z))
    if result.shape != array.shape or result.dtype != np.float64:
        raise Disagreement(f"sigmoid has shape {result.shape} of {result.dtype}")
    if not (np.isnan(Z) == np.isnan(result)).all():
        raise Disagreement("NaN where there is none, or none where there is")
    there = ~np.isnan(Z)
    close("sigmoid", result[there], A[there], 2.01 * np.spacing(A[there].astype(np.float64)))
    return []


def check_probabilities(e, _given, result, error):
    if check_nonfinite(e, error):
        return
    exact = Exact(e, e.w, e.b)
    if check_error(error, OverflowError, exact):
        return
    if result.shape != (1, e.m) or result.dtype != np.float64:
        raise Disagreement(f"predict_proba has shape {result.shape} of {result.dtype}")
    blur = np.minimum(exact.blur, 700)
    off = np.minimum(blur / 4, exact.A * np.expm1(blur)) + 8 * 2.0**-53 * exact.A + 2.0**-1074
    close("A", result, exact.A, off)


def check_prediction(e, given, result, error):
    if check_nonfinite(e, error) or check_error(error, OverflowError, Exact(e, e.w, e.b)):
        return
    settings = {k: v for k, v in given.items() if k != "threshold"}
    A = logreg_c.predict_proba(**settings)
    if result.dtype != np.int64 or not np.array_equal(result, A > e.threshold):
        raise Disagreement("predict is not predict_proba > threshold")


def check_gradient(e, _given, result, error):
    if check_nonfinite(e, error):
        return
    exact = Exact(e, e.w, e.b)
    if check_error(error, OverflowError, exact):
        return
    J, dw, db = result
    if dw.shape != (exact.n_x, 1) or type(J) is not float or type(db) is not float:
        raise Disagreement(f"cost_and_gradient returned {result!r}")
    close("J", J, exact.J, exact.J_off)
    close("dw", dw, exact.dw, exact.dw_off)
    close("db", db, exact.db, exact.db_off)


def check_train(e, given, result, error):
    """Train again with a callback that keeps every w and b, and check each step by itself."""
    if given.get("callback") is stop:
        if result is not None and result.costs.size > 1:
            raise Disagreement(f"{result!r} is not stopped by a callback's true return")
        return
    callback = given.get("callback")
    none = callback is None or (isinstance(callback, (list, tuple)) and not callback)
    odd = not none and getattr(callback, "__name__", "") != "go_on"
    if odd and error is not None and not isinstance(error, logreg_c.DivergenceError):
        return  # of the callback's own
    if check_nonfinite(e, error, iterations=e.iters > 0):
        return
    steps = [(None, e.w.reshape(-1, 1), e.b)]
    limited = given | {"callback": lambda _k, cost, w, b: steps.append((cost, w, b))}
    again = second = None
    try:
        again = logreg_c.train(**limited)
    except logreg_c.DivergenceError as failed:
        second = failed
    if not (odd and result is not None and result.stopped == "callback"):
        if type(error) is not type(second) or str(error) != str(second):
            raise Disagreement(f"{error!r}, but with a callback {second!r}")
        if result is not None:
            same = all(
                np.asarray(x).tobytes() == np.asarray(y).tobytes()
                for x, y in zip(result, again, strict=True)
            )
            if not same or result.stopped != again.stopped:
                raise Disagreement(f"{result!r}, but with a callback {again!r}")
    last = again if second is None else second
    if not np.isfinite(last.w).all() or not np.isfinite(last.costs).all():
        raise Disagreement(f"not finite: {last!r}")
    done = len(steps) - 1
    ended_by_tol = second is None and again.stopped == "tol"
    if last.costs.size != done + ended_by_tol and not (second and last.costs.size - done == 1):
        raise Disagreement(f"{last.costs.size} costs, {done} updates")
    if second is None and not ended_by_tol and done != e.iters:
        raise Disagreement(f"{done} of {e.iters} iterations")
    if last.w.tobytes() != steps[-1][1].tobytes() or last.b != steps[-1][2]:
        raise Disagreement("w, b of the result are not those of the last step")

    for k, (_cost, w, b) in enumerate(steps):
        if k == last.costs.size == e.iters:
            break
        exact = Exact(e, w.ravel(), b, e.standardize)
        scale = exact.scale
        step = e.alpha * np.abs(exact.dw) * scale
        large = max(float(np.max(step, initial=0)), e.alpha * float(abs(exact.db)))
        large = max(large, *(float(abs(x)) for x in (*w.ravel(), b)), e.alpha)
        if e.standardize:
            large = max(large, float(np.abs(exact.mu) @ step))
        if not large < 1e290:
            exact.may_overflow = True
        if k == done and second is not None:
            check_error(second, logreg_c.DivergenceError, exact)
            break
        if exact.may_overflow:
            continue
        close(f"costs[{k}]", last.costs[k], exact.J, exact.J_off)
        biggest = max(float(np.abs(exact.dw).max(initial=0)), float(abs(exact.db)))
        off = max(float(np.max(exact.dw_off, initial=0)), float(exact.db_off))
        if e.tol is not None and abs(biggest - e.tol) > off and (
            (biggest <= e.tol) != (ended_by_tol and k == done)
        ):  # fmt: skip
            raise Disagreement(f"max(|dw|, |db|) = {biggest} of step {k}, tol {e.tol}: {last!r}")
        if k == done:
            break
        u = 2.0**-53
        next_w, next_b = steps[k + 1][1].ravel(), steps[k + 1][2]
        off_w = e.alpha * exact.dw_off * scale + 2 * u * (np.abs(w.ravel()) + step) + 2.0**-1073
        close(f"w after {k}", next_w, w.ravel() - LD(e.alpha) * exact.dw * scale, off_w)
        off_b = e.alpha * exact.db_off + 4 * u * (abs(b) + e.alpha * abs(exact.db)) + 2.0**-1073
        true_b = LD(b) - LD(e.alpha) * exact.db
        if e.standardize:
            true_b += LD(e.alpha) * (exact.dw * scale) @ exact.mu
            off_b += off_w @ np.abs(exact.mu) + 8 * u * np.abs(w.ravel()) @ np.abs(exact.mu)
            off_b += 64 * u * step @ exact.sd  # how far off a mean is
            off_b += 8 * u * abs(b) * (k + 1)  # b_lo is not in b
        close(f"b after {k}", next_b, true_b, off_b)


def attempt(name, given):
    """Call; return (result, exception, whether there was a ConvergenceWarning).

    One of weights that run away does not count where `fit`, or every fit of `fit_many`, has
    converged: `check_models` knows where it would be wrong.
    """
    result = error = None
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", logreg_c.ConvergenceWarning)
        try:
            result = getattr(logreg_c, name)(**given)
        except Exception as raised:
            error = raised
    converged = np.all(getattr(result, "converged", True))
    counts = ["quasi-separation" not in str(one.message) or not converged for one in seen]
    return result, error, any(counts)


DOCUMENTED = (TypeError, ValueError, logreg_c.DivergenceError, OverflowError, MemoryError, Lie)
CHECKS = {
    "train": check_train,
    "cost_and_gradient": check_gradient,
    "predict_proba": check_probabilities,
    "predict": check_prediction,
}
CHECKS_OF_MINIMA = {"fit": check_fit, "inference": check_inference}


def faults_of(name, given, result, error, warned):
    """Return the reasons why the arguments cannot be taken, after checks if there are none."""
    if name == "sigmoid":
        return check_sigmoid(given, result, error)
    if name == "fit_many":
        return check_many(given, result, error, warned=warned)
    e = Expected(name, given)
    if e.several:  # softmax: other formulas, and all arguments mean something else
        return []
    if not e.faults:
        if name in CHECKS:
            CHECKS[name](e, given, result, error)
        else:
            CHECKS_OF_MINIMA[name](e, given, result, error, warned=warned)
    return e.faults


def check_call(seed, index):
    """Make call `index`; raise Disagreement where something is wrong with what comes of it."""
    name, given, changed = generate(seed, index)
    arrays = [v for v in given.values() if type(v) is np.ndarray and v.dtype.kind != "O"]
    before = [] if changed else [a.tobytes() for a in arrays]
    result, error, warned = attempt(name, given)
    if error is not None and not isinstance(error, DOCUMENTED):
        raise Disagreement(f"{error!r} is not documented") from error
    if error is not None and not str(error) and not isinstance(error, Lie):
        raise Disagreement(f"{error!r} has no message") from error
    if changed:
        return name, error
    if before != [a.tobytes() for a in arrays]:
        raise Disagreement("an argument was modified")
    with np.errstate(all="ignore"):
        faults = faults_of(name, given, result, error, warned)
    if faults and error is None:
        raise Disagreement(f"taken, in spite of {faults!r}: {result!r}")
    if faults and not any(fault.is_met_by(error) for fault in faults):
        raise Disagreement(f"{error!r}, where one of {faults!r} was due") from error
    return name, error
