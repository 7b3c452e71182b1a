# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c export`: a model file as ONNX."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from logreg_c.onnx import OUT, Graph, as_classes, finished

from . import models
from .console import print_line
from .errors import brief, refuse
from .models import Model
from .output import written_whole
from .recipes import Column


def run(model_file: Path, output: Path) -> None:
    """Write the ONNX model, and describe its inputs and outputs."""
    model = models.load(model_file)
    try:
        made = whole(model)
    except (ValueError, TypeError) as error:
        refuse(f"{model_file} cannot be written as ONNX: {error}")
    with written_whole(output) as part:
        part.write(made.SerializeToString())
    inputs = len(made.graph.input)
    print_line(
        f"ONNX model written to {output}: {inputs} input{'s' * (inputs > 1)} named after the"
        " columns; outputs probability and prediction"
    )


def whole(model: Model) -> onnx.ModelProto:
    """Return a model with its categories, missing values and threshold as ONNX.

    It has an input of shape (rows, 1) for each column of the table: numbers, in which NaN is
    missing, or text, in which the empty text is.
    """
    sources = model.recipe.sources
    graph, terms = Graph(set(sources)), []
    numbers: list[tuple[str, float | None, float]] = []  # column, fill, weight
    w, compares, start = model.weights, False, 0
    for name, made in sources.items():
        _check(name, made)
        sizes = [1 if column.categories is None else len(column.categories) for column in made]
        weights = np.split(w[start : start + sum(sizes)], np.cumsum(sizes)[:-1])
        start += sum(sizes)
        if made[0].categories is not None or made[0].part == "rare":
            compares = True
            terms += _terms_of_text(graph, name, made, weights)
            continue
        graph.input(name, TensorProto.DOUBLE, 1)
        for column, weight in zip(made, weights, strict=True):
            if column.part == "missing":
                terms.append(_weighted(graph, graph.add("IsNaN", name), weight))
            else:
                numbers.append((name, column.fill, weight[0]))
    if numbers:
        terms.append(_term_of_numbers(graph, numbers))
    classes = as_classes(model.classes)
    return finished(graph, terms, model.bias, classes, threshold=model.threshold, compares=compares)


def _check(name: str, made: list[Column]) -> None:
    if name in {*OUT, ""}:
        msg = f"a feature is named {name!r}, as an output is, or nothing; rename it"
        raise ValueError(msg)
    if any(column.part not in {"value", "missing", "rare"} for column in made):
        msg = f"column {brief(name)} is a date, which ONNX does not know; train without it"
        raise ValueError(msg)


def _weighted(graph: Graph, where: str, weights: NDArray[np.float64]) -> str:
    """Add a term: bools (rows, k) times k weights."""
    ones = graph.add("Cast", where, to=TensorProto.DOUBLE)
    return graph.add("MatMul", ones, graph.constant(weights[:, None]))


def _terms_of_text(
    graph: Graph, name: str, made: list[Column], weights: list[NDArray[np.float64]]
) -> list[str]:
    graph.input(name, TensorProto.STRING, 1)

    def equals(texts: list[str]) -> str:
        return graph.add("Equal", name, graph.constant(np.array([texts], dtype=object)))

    terms = []
    known: list[str] = []
    for column, w in zip(made, weights, strict=True):
        if column.categories is not None:
            known = [category.strip() for category in column.categories]
            terms.append(_weighted(graph, equals(known), w))
        elif column.part == "missing":
            terms.append(_weighted(graph, equals([""]), w))
        else:  # rare: the text is neither known nor missing
            others = _weighted(graph, equals([*known, ""]), -np.repeat(w, len(known) + 1))
            terms += [others, graph.constant(w[:, None])]
    return terms


def _term_of_numbers(graph: Graph, numbers: list[tuple[str, float | None, float]]) -> str:
    names, fills, weights = zip(*numbers, strict=True)
    X: str = graph.add("Concat", *names, axis=1)
    if any(fill is not None for fill in fills):
        values: Any = [[np.nan if fill is None else fill for fill in fills]]
        X = graph.add("Where", graph.add("IsNaN", X), graph.constant(np.array(values)), X)
    return graph.add("MatMul", X, graph.constant(np.array(weights)[:, None]))
