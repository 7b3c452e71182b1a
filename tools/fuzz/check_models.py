# SPDX-License-Identifier: BSD-3-Clause
"""What must come of a model: the minimum, the steps and the covariance of the formulas."""

import warnings

import numpy as np
from exact import LD, Disagreement, close
from models import model
from truth import Truth, U, separation

import logreg_c

MOST_PARAMETERS = 260  # of a Hessian
ROUNDING_GAP = 1e-8


def called(name, given):
    """Call a function; return what it returns, and its warnings of no minimum."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("error")
        warnings.simplefilter("always", logreg_c.ConvergenceWarning)
        warnings.simplefilter("ignore", logreg_c.DivergenceWarning)
        return getattr(logreg_c, name)(**given), [str(one.message) for one in seen]


# ---- Minima --------------------------------------------------------------------------------------


def check_ending(truth, result, tol, *, most_passes=1000):
    """Where there is a minimum, it has to be found; where there is none, that has to be said.

    A search that need not come close may end before it sees a plane.
    """
    verdict = separation(truth)
    if result.stopped == "separated" and verdict in {"none", "quasi"}:
        raise Disagreement(f"no plane separates the classes ({verdict}): {result!r}")
    if result.converged and verdict == "complete" and tol <= 1e-6:
        raise Disagreement(f"a plane separates the classes: {result!r}")
    if result.stopped == "passes" and verdict == "none" and result.passes >= most_passes:
        raise Disagreement(f"not found: {result!r}")
    return verdict


def check_point(truth, w, b, cost):
    """The cost is that of w and b, and w keeps its bounds."""
    model = truth.model
    at = truth.at(w, b)
    close("the cost", cost, at.J, at.off)
    flat = np.ravel(w)
    if truth.k == 1 and not ((model.lower <= flat) & (flat <= model.upper)).all():
        raise Disagreement(f"w = {flat} is outside of {model.lower} ... {model.upper}")
    if not model.intercept and np.any(b != np.asarray(model.given.get("b", 0.0)).reshape(-1, 1)):
        raise Disagreement(f"b is {b}, and was to stay")
    return at


def check_minimum(truth, at, result, tol, verdict):
    """What `fit` calls a minimum is not far above what Newton's method finds from there."""
    if truth.k * len(truth.X1) > MOST_PARAMETERS or at.curved < 1e-8:
        return
    hidden = at.hidden()
    if not result.converged:
        if result.stopped == "rounding" and verdict == "none" and hidden < 1e-10 * at.J:
            raise Disagreement(f"rounding hides {hidden / at.J} of J: {result!r}")
        return
    if result.gap > (tol if result.stopped == "tol" else ROUNDING_GAP) * (1 + 1e-9):
        raise Disagreement(f"tol is {tol}: {result!r}")
    allowed = max(tol, ROUNDING_GAP) if result.stopped == "rounding" else tol
    low = at.lower()
    slack = 16 * (allowed * at.J + hidden) + at.off + low.off
    if at.J - low.J > slack:
        raise Disagreement(
            f"J is {at.J}, but {low.J} at {low.theta.T}: {at.J - low.J} lower, {slack} allowed "
            f"({verdict}); {result!r}"
        )


def check_fit(m, *, given=None, l1=None, l2=None, Y=None, v=None):
    """Fit, and return the result."""
    given = m.given if given is None else given
    steps = []
    result, said = called("fit", given)
    keeping = given | {"callback": lambda _k, cost, w, b: steps.append((cost, w, b))}
    again, _ = called("fit", keeping | {"n_threads": 3})
    if (again.w.tobytes(), again.costs.tobytes()) != (result.w.tobytes(), result.costs.tobytes()):
        raise Disagreement(f"{result!r}, but with 3 threads and a callback {again!r}")
    runs_away = any("quasi-separation" in message for message in said)
    if bool(said) == result.converged and not runs_away:
        raise Disagreement(f"{result!r} with warnings: {said}")
    if not np.array_equal(result.costs, [cost for cost, _, _ in steps]):
        raise Disagreement(f"costs {result.costs}, {len(steps)} of the callback's")
    truth = Truth(m, m.l1 if l1 is None else l1, m.l2 if l2 is None else l2, Y=Y, v=v)
    rough = Truth(m, truth.l1, truth.l2, Y=Y, v=v, u=2.0**-24 if m.is_narrow else U)
    before = None
    for cost, w, b in steps[:3] + steps[max(3, len(steps) - 3) :]:
        point = rough.at(w, b)
        close("a cost", cost, point.J, point.off)
        if before is not None and cost > before[0] + float(before[1] + point.off):
            raise Disagreement(f"J rises from {before[0]} to {cost}")
        before = cost, point.off
    final = truth if result.stopped in {"tol", "rounding"} else rough
    verdict = check_ending(truth, result, given["tol"])
    if runs_away and verdict == "none":
        raise Disagreement(f"no plane leaves weights without bound: {said}")
    at = check_point(final, result.w, result.b, result.costs[-1])
    check_minimum(truth, at, result, given["tol"], verdict)
    check_predictions(m, at, result)
    return result


def check_predictions(m, at, result):
    A = logreg_c.predict_proba(m.given["X"], result.w, result.b)
    blur = np.minimum(2 * at.blur, 700)
    near = at.A.T * np.expm1(blur)
    off = (np.minimum(near, blur / 4) if m.k == 1 else near) + 16 * U * at.A.T + 2.0**-1074
    close("A", A, at.A.T, off)
    chosen = logreg_c.predict(m.given["X"], result.w, result.b)
    if m.k == 1:
        is_chosen = chosen == (A > 0.5)
    else:  # which of several that are equal but for rounding is left open
        is_chosen = np.take_along_axis(A, chosen.reshape(1, -1), 0) >= A.max(axis=0) * (1 - 4 * U)
    if not is_chosen.all():
        raise Disagreement(f"predict says {chosen}, and the probabilities are {A}")


def check_many(m):
    """Each of many fits has the bits of its own, and the warning that its weights run away."""
    result, said = called("fit_many", m.given)
    of_runaways = [message for message in said if "quasi-separation" in message]
    if (len(said) > len(of_runaways)) == result.converged.all():
        raise Disagreement(f"{result!r} with warnings: {said}")
    given, runaways = m.given, 0
    for i in range(len(result)):
        l2 = given.get("l2", 0.0)
        one = {"l2": float(l2[i]) if np.ndim(l2) else l2,
               "Y": given["Y"][i] if np.ndim(given["Y"]) == 2 else given["Y"]}  # fmt: skip
        v = given.get("sample_weight")
        if v is not None:
            one["sample_weight"] = v = v[i] if isinstance(v, list) else v
        alone = check_fit(
            m, given=given | one, l2=one["l2"] * m.factors, l1=np.zeros(len(m.X)), Y=one["Y"], v=v
        )
        _, alone_said = called("fit", given | one)
        runaways += any("quasi-separation" in message for message in alone_said)
        same = (result.w[i].tobytes(), result.b[i]) == (alone.w.tobytes(), alone.b)
        if not same or result.stopped[i] != alone.stopped or result.cost[i] != alone.costs[-1]:
            raise Disagreement(f"fit {i} of {result!r}, alone {alone!r}")
    expected = f"weights run away in {runaways} of {len(result)} fits. "
    if len(of_runaways) != (runaways > 0) or not all(expected in one for one in of_runaways):
        raise Disagreement(f"{runaways} fits have no minimum, with warnings: {of_runaways}")


class One:
    """One fit of a path, with the attributes of a result."""

    def __init__(self, result, i):
        self.stopped, self.gap = str(result.stopped[i]), result.gap[i]
        self.passes, self.converged = result.passes[i], bool(result.converged[i])

    def __repr__(self):
        return f"{self.stopped}, gap {self.gap}, {self.passes} passes"


def check_path(m):
    """Each point of a path is a minimum."""
    result, said = called("fit_path", m.given)
    if bool(said) == result.converged.all():
        raise Disagreement(f"{result!r} with warnings: {said}")
    strengths = [np.broadcast_to(m.given.get(name, 0.0), len(result)) for name in ("l1", "l2")]
    for i, (l1, l2) in enumerate(zip(*strengths, strict=True)):
        one = One(result, i)
        truth = Truth(m, l1 * m.factors, l2 * m.factors)
        narrow = m.is_narrow and one.stopped not in {"tol", "rounding"}
        rough = Truth(m, truth.l1, truth.l2, u=2.0**-24 if narrow else U)
        verdict = check_ending(truth, one, m.given["tol"])
        at = check_point(rough, result.w[i], result.b[i], result.cost[i])
        check_minimum(truth, at, one, m.given["tol"], verdict)


# ---- Descent -------------------------------------------------------------------------------------


def check_train(m):
    """Each step goes along the gradient."""
    given, alpha = m.given, m.given["alpha"]
    u = 2.0**-24 if m.is_narrow else U
    truth = Truth(m, np.zeros(len(m.X)), np.full(len(m.X), given["l2"]), u=u)
    w, b = np.zeros((len(m.X), m.k)), np.zeros((m.k, 1))
    for done in range(given["iters"]):
        at = truth.at(w, b)
        result, _ = called("train", given | {"iters": done + 1})
        close(f"costs[{done}]", result.costs[done], at.J, at.off)
        end = np.vstack([np.asarray(result.w), np.reshape(result.b, (1, m.k))])
        off = alpha * at.gradient_off[:, None] + 4 * u * np.abs(at.theta)
        off = off + 4 * u * alpha * np.abs(at.gradient)
        close(f"theta after {done + 1}", end, at.theta - LD(alpha) * at.gradient, off)
        w, b = end[:-1], end[-1:].T


# ---- Inference -----------------------------------------------------------------------------------


def differences(m, features):
    """Return the matrix that turns the parameters that have errors into all of theta."""
    n, each = len(m.X) + 1, len(features) + m.intercept
    kept = [*features, n - 1][:each]
    others = range(1, m.k) if m.k > 1 else [0]  # class 0 is the one compared with
    T = np.zeros((m.k, n, len(others), each))
    for i, k in enumerate(others):
        T[k, kept, i, np.arange(each)] = 1
    return T.reshape(m.k * n, len(others) * each).astype(LD)


def check_inference(m):
    """H C H is H, or the meat of the sandwich, in units of the parameters."""
    fitted = {k: v for k, v in m.given.items() if k not in {"robust", "clusters"}}
    found, _ = called("fit", fitted | {"tol": 1e-13})
    truth = Truth(m, np.zeros(len(m.X)), m.l2)
    at = truth.at(found.w, found.b)
    if not found.converged or at.curved < 1e-8:
        return
    if separation(truth) != "none":
        return
    try:
        result, warned = called("inference", m.given | {"w": found.w, "b": found.b})
    except ValueError as error:
        check_refusal(m, at, error)
        return
    if warned and at.hidden() * truth.total < 1e-6:
        raise Disagreement(f"{found!r} is called far from the minimum, or without one")
    names = list(dict.fromkeys(result.names))
    of_frame = [m.features.index(name) for name in names if name != "intercept"] \
        if m.features else range(len(m.X))  # fmt: skip
    T = differences(m, list(of_frame))
    if not T.size:
        return
    if result.covariance.shape != (T.shape[1], T.shape[1]):
        raise Disagreement(f"the covariance has shape {result.covariance.shape}")
    plain = Truth(m, truth.l1, 0 * truth.l2).at(found.w, found.b)
    close("log-likelihood", result.log_likelihood, -plain.J * truth.total,
          plain.off * truth.total + 1e-14)  # fmt: skip
    check_covariance(m, at, T, result)


def of_penalty(m, at):
    """Return the Hessian by theta, with the penalty of weights that sum to 0 over the classes."""
    H = at.hessian(LD) * at.truth.total
    if m.k > 1:
        n = len(m.X) + 1
        blocks = H.reshape(m.k, n, m.k, n)
        j = np.arange(n - 1)
        blocks[:, j, :, j] -= at.truth.total * m.l2.astype(LD)[:, None, None] / m.k
    return H


def check_refusal(m, at, error):
    """Inference refuses what it says: collinear features, or more parameters than examples."""
    text = str(error)
    if "parameters" in text or "no example has class" in text or "one cluster" in text:
        return
    if "no weight is determined" in text and m.features:
        return
    if "rounding hides the robust errors" in text and m.k == 1:
        return
    T = differences(m, range(len(m.X))) @ centring(m)
    H = T.T @ of_penalty(m, at) @ T
    raw = differences(m, range(len(m.X)))
    rounding = 1e-15 * np.diagonal(raw.T @ of_penalty(m, at) @ raw)
    unit = 1 / np.sqrt(np.where(np.diagonal(H) > rounding, np.diagonal(H), np.inf))
    H = H * unit * unit[:, None]
    least = np.linalg.eigvalsh(H.astype(float)).min(initial=1)
    if least > 1e-9 and m.features is None:
        raise Disagreement(f"{least} is the least eigenvalue: {error!r}")


def centring(m):
    """Return the change from w and b + mu'w to w and b, for each class less the reference."""
    n = len(m.X)
    each = np.eye(n + m.intercept, dtype=LD)
    if m.intercept:
        each[n, :n] = -(m.X.astype(LD) @ m.v.astype(LD)) / m.v.sum()
    return np.kron(np.eye(max(m.k - 1, 1), dtype=LD), each)


def check_covariance(m, at, T, result):
    total = at.truth.total
    if len(T) > MOST_PARAMETERS:
        return
    H = T.T @ of_penalty(m, at) @ T
    meat = H
    if result.kind != "classical":
        meat = T.T @ meat_of(m, at) @ T * correction(m, result, total, T.shape[1])
    # b + mu'w in place of b: both matrices lose fewer digits
    each = T.shape[1] // max(m.k - 1, 1)
    X = m.X[T.reshape(m.k, len(m.X) + 1, -1)[-1, :-1].any(axis=1)].astype(LD)
    h = (at.A * (1 - at.A)).max(axis=1) * at.truth.v
    mean = X @ h / h.sum() if m.intercept else np.zeros(len(X), LD)
    B = np.eye(each, dtype=LD)
    if m.intercept:
        B[-1, :-1] = -mean
    B = np.kron(np.eye(T.shape[1] // each, dtype=LD), B)
    H, meat = B.T @ H @ B, B.T @ meat @ B
    inverse = 2 * np.eye(len(B), dtype=LD) - B  # B is the identity and rows of b
    C = inverse @ result.covariance.astype(LD) @ inverse.T
    moved = np.abs(inverse) @ np.abs(result.covariance).astype(LD) @ np.abs(inverse).T
    diagonal = np.diagonal(H)
    if not (diagonal > 0).all():
        raise Disagreement(f"a parameter without information has {result!r}")
    unit = 1 / np.sqrt(diagonal)
    H, meat = H * unit * unit[:, None], meat * unit * unit[:, None]
    C, moved = C / unit / unit[:, None], moved / unit / unit[:, None]
    p = len(H)
    sd = np.sqrt((X - mean[:, None]) ** 2 @ h / h.sum())
    sd = np.where(sd > 0, sd, np.inf)
    away = (X @ m.v.astype(LD) / m.v.sum() - mean) / sd  # from what the package subtracts first
    unsure = 256 * (p + 40) * U * (1 + (away**2).max(initial=0))
    unsure += 4 * np.minimum(at.blur, 1).max() + 4 * U * (np.abs(X).max(axis=1) / sd).max(initial=0)
    size = np.abs(H)
    off = unsure * (size @ np.abs(C) @ size) + size @ moved @ size * (p + 8) * 2.0**-50
    off = off + unsure * np.sqrt(np.outer(np.diagonal(meat), np.diagonal(meat)))
    if result.kind != "classical":
        least = np.linalg.eigvalsh(H.astype(float)).min()
        unsure += 8 * p * U / max(least, 1e-12)  # of the second solution of equations
        off = off + unsure * (np.abs(meat).max() + np.sqrt(np.abs(meat).max() * total))
    close("H C H", H @ C @ H, meat, np.maximum(off, off.T))


def correction(m, result, total, parameters):
    if result.kind == "HC0":
        return LD(1)
    if result.kind == "HC1":
        return total / (total - parameters)
    c = LD(np.unique(m.given["clusters"]).size)
    return (total - 1) / (total - parameters) * c / (c - 1)


def meat_of(m, at):
    """Return the sum of the outer products of gradients by theta, of examples or clusters."""
    truth = at.truth
    R = at.R * truth.v[:, None]
    X1 = truth.X1.copy()
    if not m.intercept:
        X1[-1] = 0
    g = np.vstack([X1 * r for r in R.T])
    clusters = m.given.get("clusters")
    if clusters is not None:
        g = np.array([g[:, clusters == c].sum(axis=1) for c in np.unique(clusters)]).T
    return g @ g.T


CHECKS = {
    "fit": check_fit,
    "fit_many": check_many,
    "fit_path": check_path,
    "train": check_train,
    "inference": check_inference,
}


def check_model(seed, index):
    """Make model `index`; raise Disagreement where something is wrong with what comes of it."""
    m = model(seed, index)
    with np.errstate(all="ignore"):
        CHECKS[m.name](m)
    return m.name, None
