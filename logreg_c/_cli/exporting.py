# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c export`: a model file as ONNX."""

from pathlib import Path

from logreg_c.onnx import to_onnx

from . import models
from .console import print_line
from .errors import refuse
from .output import written_whole


def run(model_file: Path, output: Path) -> None:
    """Write the ONNX model, and describe its inputs and outputs."""
    model = models.load(model_file)
    if not all(column.is_plain for column in model.recipe.columns):
        refuse(
            f"{model_file} cannot be written as ONNX: it fills in missing values, takes dates"
            " apart, or merges rare categories; use logreg-c predict, or train without these"
            " options"
        )
    columns = [feature.column for feature in model.features]
    categories = [feature.category for feature in model.features]
    try:
        made = to_onnx(
            model.weights, model.bias, columns, categories=categories, classes=model.classes
        )
    except (ValueError, TypeError) as error:
        refuse(f"{model_file} cannot be written as ONNX: {error}")
    with written_whole(output) as part:
        part.write(made.SerializeToString())
    inputs = len(made.graph.input)
    print_line(
        f"ONNX model written to {output}: {inputs} input{'s' * (inputs > 1)} named after the"
        " columns; outputs probability and prediction"
    )
