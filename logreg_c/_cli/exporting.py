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
from .errors import refuse
from .models import Model
from .output import written_whole
from .recipes import DATE_PARTS, Column

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


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
    missing, or text, in which the empty text is. A date is a number, too: microseconds since 1970.
    """
    sources = model.recipe.sources
    graph, terms = Graph(set(sources)), []
    numbers: list[tuple[str, float | None, NDArray[np.float64]]] = []  # column, fill, weights
    w = model.weights.reshape(len(model.features), -1)
    compares, start = False, 0
    for name, made in sources.items():
        _check(name)
        sizes = [1 if column.categories is None else len(column.categories) for column in made]
        weights = np.split(w[start : start + sum(sizes)], np.cumsum(sizes)[:-1])
        start += sum(sizes)
        if any(column.part == "rare" for column in made) or (
            made[0].part == "value" and made[0].categories is not None
        ):
            compares = True
            terms += _terms_of_text(graph, name, made, weights)
            continue
        graph.input(name, TensorProto.DOUBLE, 1)
        parts = Moments(graph, name)
        for column, weight in zip(made, weights, strict=True):
            if column.part == "missing":
                terms.append(_weighted(graph, graph.add("IsNaN", name), weight))
            elif column.categories is not None:
                compares = True
                terms.append(_weighted(graph, parts.equal(column), weight))
            elif column.part in DATE_PARTS:
                numbers.append((parts.part(column.part), column.fill, weight[0]))
            else:
                numbers.append((name, column.fill, weight[0]))
    if numbers:
        terms.append(_term_of_numbers(graph, numbers))
    bias = np.atleast_1d(model.bias)
    classes = as_classes(model.classes, len(bias))
    return finished(graph, terms, bias, classes, threshold=model.threshold, compares=compares)


def _check(name: str) -> None:
    if name in {*OUT, ""}:
        msg = f"a feature is named {name!r}, as an output is, or nothing; rename it"
        raise ValueError(msg)


def _weighted(graph: Graph, where: str, weights: NDArray[np.float64]) -> str:
    """Add a term: bools (rows, k) times weights, (k, outputs)."""
    ones = graph.add("Cast", where, to=TensorProto.DOUBLE)
    return graph.add("MatMul", ones, graph.constant(weights))


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
            others = _weighted(graph, equals([*known, ""]), -np.repeat(w, len(known) + 1, axis=0))
            terms += [others, graph.constant(w)]
    return terms


def _term_of_numbers(
    graph: Graph, numbers: list[tuple[str, float | None, NDArray[np.float64]]]
) -> str:
    names, fills, weights = zip(*numbers, strict=True)
    X: str = graph.add("Concat", *names, axis=1)
    if any(fill is not None for fill in fills):
        values: Any = [[np.nan if fill is None else fill for fill in fills]]
        X = graph.add("Where", graph.add("IsNaN", X), graph.constant(np.array(values)), X)
    return graph.add("MatMul", X, graph.constant(np.array(weights)))


class Moments:
    """Parts of the moments in an input, which are microseconds since 1970, from the year 0 on.

    The calendar is that of Howard Hinnant's `civil_from_days`: years begin in March, and 400 of
    them have 146,097 days. All numbers are integers in float64, and exact; NaN stays NaN.
    """

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    def equal(self, column: Column) -> str:
        """Add a comparison with each category, (rows, k)."""
        categories = column.categories or []
        of_text = WEEKDAYS.index if column.part == "weekday" else int
        known = np.array([[float(of_text(text)) for text in categories]])
        return self.graph.add("Equal", self.part(column.part), self.graph.constant(known))

    def part(self, part: str) -> str:
        """Add the month, the weekday (0 is Monday), the hour, the year or the days since 1970."""
        days = self._do("Div", self.name, 86_400e6)
        day = self.graph.add("Floor", days)
        if part == "days":
            return days
        if part == "hour":
            time = self._do("Sub", self.name, self._do("Mul", day, 86_400e6))
            return self._quotient(time, 3600e6)
        if part == "weekday":
            return self._remainder(self._do("Add", day, 3.0), 7.0)  # 1970-01-01 was a Thursday
        since_0 = self._do("Add", day, 719_468.0)  # days since 0000-03-01
        of_era = self._remainder(since_0, 146_097.0)
        leaps = [self._quotient(of_era, n) for n in (1460.0, 36_524.0, 146_096.0)]
        signed = self._do(
            "Add", self._do("Sub", self._do("Sub", of_era, leaps[0]), leaps[2]), leaps[1]
        )
        year = self._quotient(signed, 365.0)  # of the era
        before = self._do("Add", self._do("Mul", year, 365.0), self._quotient(year, 4.0))
        of_year = self._do("Sub", of_era, self._do("Sub", before, self._quotient(year, 100.0)))
        from_march = self._quotient(self._do("Add", self._do("Mul", of_year, 5.0), 2.0), 153.0)
        month = self._do("Add", self._remainder(self._do("Add", from_march, 2.0), 12.0), 1.0)
        if part == "month":
            return month
        eras = self._do("Mul", self._quotient(since_0, 146_097.0), 400.0)
        # January and February, months 10 and 11 from March on, belong to the next year
        late = self._quotient(from_march, 10.0)
        return self._do("Add", self._do("Add", year, eras), late)

    def _do(self, operation: str, left: str, right: str | float) -> str:
        if isinstance(right, float):
            right = self.graph.constant(np.array([[right]]))
        return self.graph.add(operation, left, right)

    def _quotient(self, left: str, right: float) -> str:
        return self.graph.add("Floor", self._do("Div", left, right))

    def _remainder(self, left: str, right: float) -> str:
        return self._do("Sub", left, self._do("Mul", self._quotient(left, right), right))
