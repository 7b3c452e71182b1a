# SPDX-License-Identifier: BSD-3-Clause
"""What the commands print on stdout: lines for people, or JSON for programs."""

import errno
import json
import math
import os
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .errors import visible
from .models import Model


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise, so that `errors.ending` decides how the command ends."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(*, stderr: bool = False) -> Console:
    """Return a console that does not interpret markup."""
    made = _Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:  # do not wrap lines in a file or a pipe
        made.width = 10_000
    return made


def print_line(line: str) -> None:
    """Print a line."""
    console().print(visible(line), soft_wrap=True)


def print_facts(facts: dict[str, str]) -> None:
    """Print one line per fact."""
    out, width = console(), max(map(len, facts)) + 2
    for key, value in facts.items():
        out.print(
            Text.assemble((f"{visible(key):<{width}}", "bold"), visible(value)), soft_wrap=True
        )


def print_json(content: dict[str, Any]) -> None:
    """Print one object, with null for numbers that JSON cannot hold."""
    print(json.dumps(_finite(content), indent=2, ensure_ascii=True, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decimal(value: float, sign: str = "-") -> str:
    """Return the value with four decimal places, or six significant digits if it is huge."""
    return format(value, f"{sign}.4f" if abs(value) < 1e9 else f"{sign}.6g")


def weights_as_json(model: Model) -> dict[str, Any]:
    """Return the bias and the weights of a model."""
    return {
        "bias": np.asarray(model.bias).tolist(),
        "weights": [
            {"column": column, "category": category, "weight": w, "deviation": sd}
            for (column, category), w, sd in zip(
                model.features, model.weights.tolist(), model.deviations.tolist(), strict=True
            )
        ],
    }


def print_weights(model: Model, at_most: int) -> None:
    """Print the weights, the largest per standard deviation first, and what they mean."""
    per_sd, weights = model.per_deviation.ravel(), model.weights.ravel()
    some = len(weights) > at_most
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("largest weights" if some else "weights", overflow="fold")
    table.add_column("w x sd", justify="right")
    table.add_column("w", justify="right")
    for j in model.ranking[:at_most]:
        table.add_row(Text(model.weight_name(j)), decimal(per_sd[j]), f"{weights[j]:.6g}")
    for name, b in zip(model.class_names, np.ravel(model.bias).tolist(), strict=False):
        table.add_row(Text("bias b" if model.of_two else f"bias b for {name}"), "", f"{b:.6g}")
    out = console()
    out.print()
    out.print(table)
    out.print()
    of = f"the log-odds of {model.class_names[1]}" if model.of_two else "Z of the class"
    print_line(f"(w x sd: change in {of} per standard deviation of the feature)")
