# SPDX-License-Identifier: BSD-3-Clause
"""How close to the minimum a fit of the estimators comes, and what it says where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _input
from logreg_c._objective import SoftmaxObjective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logreg_c._input import Examples
    from logreg_c._solvers.result import Solution

# A fit stops within this relative gap of the minimum, for any `tol`. Data of at most SMALL_SIZE
# values get a tighter gap, which costs them a pass and makes probabilities accurate to 1e-7.
GAP, SMALL_GAP, SMALL_SIZE = 1e-9, 1e-18, 1 << 17
# A score feels an error of the weights at first order, times the slope of the loss of what is held
# out, which is about sqrt(5 N / m) of N weights, m samples and 5 folds. So the gap of a fold may
# grow with m / N: scores stay right to 1e-6.
FOLD_GAP, FOLD_GAP_PER_SHARE, CLASSES_GAP = 1e-11, 1e-14, 1e-14
# Solvers of scikit-learn whose coef_ is float32 where X is.
NARROW = {"lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"}
# How the warnings of scikit-learn's solvers begin, as filters of warnings know them.
WORDS = {
    "liblinear": "Liblinear failed to converge, increase the number of iterations.\n",
    "newton-cg": "newton-cg failed to converge. Increase the number of iterations.\n",
    "newton-cholesky": "Newton solver did not converge after {} iterations.\n",
    "sag": "The max_iter was reached which means the coef_ did not converge\n",
    "saga": "The max_iter was reached which means the coef_ did not converge\n",
}


def gap_for(examples: Examples) -> float:
    """Return the relative gap of the minimum to stop at."""
    n_x, m = examples.shape
    return SMALL_GAP if n_x * m <= SMALL_SIZE else GAP


def gap_for_fold(examples: Examples, outputs: int) -> float:
    """Return the same for a fit whose predictions for other samples are scored.

    With several outputs the last digits take small data as many passes as all before.
    """
    n_x, m = examples.shape
    gap = max(FOLD_GAP, FOLD_GAP_PER_SHARE * m / (n_x + 1))
    return min(gap, max(gap_for(examples), 0.0 if outputs == 1 else CLASSES_GAP))


def several_classes(
    examples: Examples, codes: NDArray[np.int32], weights: Any, n_threads: int | None
) -> SoftmaxObjective:
    """Return the objective of more than two classes, which is computed in float64."""
    return SoftmaxObjective(
        examples._replace(float32=False),
        codes,
        _input.weights(weights, examples),
        _input.threads(n_threads),
    )


def rounded(found: Solution, examples: Examples, solver: str) -> Solution:
    """Return w and b in float32 where scikit-learn's solver of that name does: X is float32."""
    X: Any = examples.values
    if isinstance(X, list):
        kinds = {x.dtype for x in X}
    else:
        kinds = {getattr(X.values if examples.is_sparse else X, "dtype", None)}
    if solver not in NARROW or kinds != {np.dtype(np.float32)}:
        return found
    return found._replace(w=found.w.astype(np.float32), b=np.atleast_1d(found.b).astype(np.float32))


def reached(found: Solution, tol: float) -> bool:
    """Return whether a fit reached `tol`."""
    if found.stopped == "rounding":
        return found.slope is not None and found.slope <= tol
    return found.stopped == "tol"


def shortfall(
    found: Solution, solver: str, *, tol: float, max_iter: int, can_standardize: bool
) -> str:
    """Say why a fit did not reach `tol`, and what to do."""
    if found.stopped == "separated":
        return (
            "A plane separates the classes and there is no penalty, so there is no minimum: "
            "coef_ grows without bound.\nPass a finite C, such as C=1e4."
        )
    msg = "" if found.stopped == "rounding" else WORDS.get(solver, "").format(found.n_iter)
    msg += f"{solver} failed to converge after {found.n_iter} iteration(s)"
    if found.slope is not None:
        msg += f": the largest component of the gradient is {found.slope:.2g}, above tol={tol:g}"
    if found.stopped == "rounding":
        msg += ".\nNo step lowers the cost by more than rounding. Choose a larger tol."
    else:
        msg += (
            ".\nIncrease the number of iterations to improve the convergence "
            f"(max_iter={max_iter})."
        )
    if can_standardize:
        msg += "\nYou might also want to scale the data, which standardize=True does in place."
    return msg
