# SPDX-License-Identifier: BSD-3-Clause
"""One iteration of gradient descent, cost included, in other libraries, each at its best.

A peer gets the data in the dtype and order it prefers, converted beforehand and not timed; numba
reads the types as stored. A peer that cannot handle a case raises an exception with the reason.
"""

import importlib
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

import logreg_c
from benchmarks import THREADS
from benchmarks.cases import Case
from benchmarks.timing import Competitor
from logreg_c import reference

Array = NDArray[np.float64]


def ours(case: Case) -> dict[str, Competitor]:
    """Return `train` on the data as stored."""
    return {"ours": ours_with(case, THREADS)}


def ours_with(case: Case, threads: int) -> Competitor:
    """Return `train` with a given number of threads."""
    return partial(logreg_c.train, case.X, case.Y, case.alpha, n_threads=threads)


def our_prediction(case: Case) -> dict[str, Competitor]:
    """Return `predict_proba`."""
    w = np.full((case.n_x, 1), 1e-3)

    def predict(times: int) -> None:
        for _ in range(times):
            logreg_c.predict_proba(case.X, w, 0.1, n_threads=THREADS)

    return {"ours": predict}


def converted(case: Case, order: str) -> Array:
    """Return X (n_x, m) in the arithmetic type, in C or F order."""
    return np.asarray(case.X).astype(case.arithmetic, order=order, copy=False)


def numpy_(case: Case) -> dict[str, Competitor]:
    """Return the textbook vectorized form, in the dtype of X throughout, for both orders of X."""

    def descend(X: Array, iters: int) -> object:
        Y, m = case.Y.astype(X.dtype).reshape(1, -1), X.shape[1]
        w, b = np.zeros((len(X), 1), X.dtype), X.dtype.type(0)
        for _ in range(iters):
            A = reference.sigmoid(np.dot(w.T, X) + b)
            J = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
            dZ = A - Y
            w -= X.dtype.type(1e-6) * np.dot(X, dZ.T) / m
            b -= X.dtype.type(1e-6) * dZ.mean()
        return J

    return {f"numpy, {order}": partial(descend, converted(case, order)) for order in "CF"}


def numba_(case: Case) -> dict[str, Competitor]:
    """Return a hand-fused parallel loop with fastmath that widens values in registers."""
    from benchmarks import numba_loops  # noqa: PLC0415 (compiles)

    if case.dtype in {"float16", "mixed"}:
        msg = f"numba has no {case.dtype} on CPUs"
        raise NotImplementedError(msg)
    X = case.X.view(np.uint8) if case.dtype == "bool" else case.X
    descend = numba_loops.by_features if case.layout == "feature-major" else numba_loops.by_examples
    data = X if case.layout == "feature-major" else X.T
    Y = case.Y.astype(case.arithmetic)
    return {"numba": partial(descend, data, Y, 1e-6, THREADS)}


def jax_(case: Case) -> dict[str, Competitor]:
    """Return jit(value_and_grad) of the stable cost, over (samples, features)."""
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", val=True)
    jnp = jax.numpy
    X, Y = jnp.asarray(converted(case, "F").T), jnp.asarray(case.Y.astype(case.arithmetic))

    def cost(parameters: tuple[object, object]) -> object:
        w, b = parameters
        Z = X @ w + b
        return jnp.mean(jnp.logaddexp(0, Z) - Y * Z)

    slopes = jax.jit(jax.value_and_grad(cost))

    def descend(iters: int) -> object:
        parameters = jnp.zeros(X.shape[1], X.dtype), jnp.zeros((), X.dtype)
        for _ in range(iters):
            J, gradient = slopes(parameters)
            parameters = jax.tree.map(lambda p, g: p - 1e-6 * g, parameters, gradient)
        return J.block_until_ready()

    return {"jax": descend}


def torch_(case: Case) -> dict[str, Competitor]:
    """Return the formulas over (samples, features); autograd is slower."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(THREADS)
    X = torch.from_numpy(np.ascontiguousarray(converted(case, "F").T))
    Y = torch.from_numpy(case.Y.astype(case.arithmetic))

    def descend(iters: int) -> object:
        w, b = torch.zeros(X.shape[1], dtype=X.dtype), 0.0
        for _ in range(iters):
            Z = torch.mv(X, w) + b
            J = torch.nn.functional.binary_cross_entropy_with_logits(Z, Y)
            dZ = torch.sigmoid(Z) - Y
            w -= 1e-6 * torch.mv(X.T, dZ) / len(Y)
            b -= 1e-6 * float(dZ.mean())
        return float(J)

    return {"torch": descend}


def sklearn_(case: Case) -> dict[str, Competitor]:
    """Return the loss and gradient that scikit-learn's own solvers evaluate."""
    from sklearn._loss import HalfBinomialLoss  # noqa: PLC0415
    from sklearn.linear_model._linear_loss import LinearModelLoss  # noqa: PLC0415

    loss = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)
    X, Y = np.ascontiguousarray(converted(case, "F").T), case.Y.astype(case.arithmetic)

    def descend(iters: int) -> object:
        coefficients = np.zeros(X.shape[1] + 1, dtype=X.dtype)
        for _ in range(iters):
            J, gradient = loss.loss_gradient(coefficients, X, Y, n_threads=THREADS)
            coefficients -= X.dtype.type(1e-6) * gradient
        return J

    return {"sklearn": descend}


def sklearnex_(case: Case) -> dict[str, Competitor]:
    """Return an iteration of its L-BFGS, which makes at least one evaluation."""
    from sklearnex.linear_model import LogisticRegression  # noqa: PLC0415

    if case.n_x * case.m < 10**6:
        msg = "a fit of small data ends before max_iter iterations"
        raise NotImplementedError(msg)
    X, Y = np.ascontiguousarray(converted(case, "F").T), case.Y

    def descend(iters: int) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few iterations, so it does not converge
            return LogisticRegression(C=1e-3, tol=1e-30, max_iter=iters).fit(X, Y)

    return {"sklearnex": descend}


PEERS: dict[str, tuple[str, Callable[[Case], dict[str, Competitor]]]] = {
    "numpy": ("numpy", numpy_),
    "numba": ("numba", numba_),
    "jax": ("jax", jax_),
    "torch": ("torch", torch_),
    "sklearn": ("sklearn", sklearn_),
    "sklearnex": ("sklearnex", sklearnex_),
}


def missing(name: str) -> str | None:
    """Return why a peer cannot take part at all, or None."""
    try:
        importlib.import_module(PEERS[name][0])
    except ImportError as error:
        return f"not installed ({error})"
    return None
