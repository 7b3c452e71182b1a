# SPDX-License-Identifier: BSD-3-Clause
"""`--inference`: standard errors of the weights, which the model keeps, and their table."""

import re
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import logreg_c

from .console import print_line
from .errors import Failure, say
from .models import INFERENCE, MOST_ERRORS, Model
from .tables import Labels


def with_errors(
    model: Model,
    X: Any,
    Y: Labels,
    weight: NDArray[np.float64] | None,
    *,
    l2: float,
    standardize: bool,
) -> Model:
    """Return the model with the standard errors of its weights in the rows trained on."""
    if model.n_errors > MOST_ERRORS:
        msg = f"--inference takes at most {MOST_ERRORS} parameters, and there are {model.n_errors}"
        raise Failure(msg)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", logreg_c.ConvergenceWarning)
            found = logreg_c.inference(
                *(X, Y, model.weights, model.bias),
                l2=l2,
                standardize=standardize,
                sample_weight=weight,
            )
    except ValueError as error:
        reason = _named(str(error), model).partition("; leave")[0]
        msg = f"--inference: {reason}; leave them out, or give --l2 1e-4"
        raise Failure(msg) from None
    told = [str(one.message) for one in said if one.category is logreg_c.ConvergenceWarning]
    if any("no minimum" in message for message in told):
        say_running_away(told[0].partition(", so")[0], model)
    elif told:
        say("warning: the weights are not yet at the minimum; give a smaller --tol")
    inference = {name: getattr(found, name) for name in INFERENCE}
    return replace(model, inference=inference | {"standard_errors": found.standard_errors.tolist()})


def say_running_away(told: str, model: Model) -> None:
    """Warn that some weights depend on where the search stopped, with the names of the model."""
    say(
        f"warning: {_named(told, model)}, so these weights depend on where the search stopped; "
        "give a penalty, such as --l2 1e-4, leave these columns out, or merge rare categories"
    )


def _named(message: str, model: Model) -> str:
    """Return a message with names in place of the numbers of features."""
    names = [feature.name for feature in model.features]
    return re.sub(r"feature (\d+)", lambda number: names[int(number[1])], message)


def restored(model: Model) -> logreg_c.Inference:
    """Return what `with_errors` has stored; it holds no covariances."""
    stored = dict(model.inference)
    errors = np.array(stored.pop("standard_errors"))
    names = (*(feature.name for feature in model.features), "intercept")
    theta = np.vstack([model.weights.reshape(len(names) - 1, -1), model.bias])
    of_classes: dict[str, Any] = {}
    if not model.of_two:  # each class less the first
        theta = theta[:, 1:] - theta[:, :1]
        first, *others = model.class_names
        of_classes = {"reference": first, "classes": tuple(others)}
    return logreg_c.Inference(
        theta.T.ravel(),
        np.diag(errors**2),
        kind="classical",
        firth=False,
        names=names * theta.shape[1],
        **stored,
        **of_classes,
    )


def print_inference(model: Model) -> None:
    """Print the table, if there is one."""
    if model.inference:
        print_line("")
        for line in str(restored(model)).splitlines():
            print_line(line)


def inference_as_json(model: Model) -> dict[str, Any] | None:
    """Return the table, if there is one."""
    if not model.inference:
        return None
    table = restored(model).table()
    columns = [np.asarray(values).tolist() for values in table.values()]
    rows = [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]
    return {**model.inference, "standard_errors": rows}
