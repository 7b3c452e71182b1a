# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c inspect`: the contents of a model file."""

from pathlib import Path

from . import models
from .console import print_facts, print_json, print_line, print_weights, weights_as_json
from .errors import shown
from .inference import inference_as_json, print_inference

MOST_WEIGHTS = 1000  # more than a person reads


def run(model_file: Path, *, as_json: bool) -> None:
    """Print the contents of the model."""
    model = models.load(model_file)
    costs = model.costs.tolist()
    if as_json:
        print_json(
            {
                "target": model.target,
                "classes": model.classes.tolist(),
                "settings": model.settings,
                "threshold": model.threshold,
                "trained_on": model.trained_on,
                "cost": {"first": costs[0], "last": costs[-1]},
                **weights_as_json(model),
                "inference": inference_as_json(model),
            }
        )
        return
    print_facts(
        {
            "model": str(model_file),
            "target": f"{shown(model.target)}: {model.listed_classes}",
            "features": f"{len(model.weights)}, from {len(model.columns)} columns",
            "trained on": f"{shown(model.trained_on['file'])}, {model.trained_on['rows']} rows, of"
            f" which {model.is_held_out.sum()} were held out",
            "cost": f"{costs[-1]:.6g}, initially {costs[0]:.6g}",
            **{shown(key).replace("_", " "): shown(value) for key, value in model.settings.items()},
            "threshold": f"{model.threshold:.6g}",
        }
    )
    print_weights(model, MOST_WEIGHTS)
    if model.weights.size > MOST_WEIGHTS:
        print_line(f"(the {MOST_WEIGHTS} largest of {model.weights.size}; --json prints all)")
    print_inference(model)
