# SPDX-License-Identifier: BSD-3-Clause
"""A trained w and b as an ONNX model, for other programs and languages (extra ``onnx``)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ModuleNotFoundError as error:
    msg = f"logreg_c.onnx needs {error.name}: pip install 'logreg-c[onnx]'"
    raise ModuleNotFoundError(msg, name=error.name) from error

from . import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# The oldest that compares texts; and the oldest file format that has it.
OPSET = 19
IR_VERSION = 9
OUT = "probability", "prediction"


def to_onnx(
    w: ArrayLike,
    b: float,
    feature_names: Sequence[str] | None = None,
    *,
    categories: Sequence[str | None] | None = None,
    classes: ArrayLike = (0, 1),
) -> onnx.ModelProto:
    """Make an ONNX model of a trained w and b.

    The model computes in float64. Its outputs are `probability`, (rows,), that of the second class,
    and `prediction`, (rows,), a class: the second where the probability is above 0.5.

    Parameters
    ----------
    w : array_like of shape (n_x, 1) or (n_x,)
        Weights.
    b : float
        Bias.
    feature_names : sequence of n_x str, optional
        The model then has an input (rows, 1) for each different name: float64, or text where it has
        categories. Without names it has one input, `X`, float64 of shape (rows, n_x).
    categories : sequence of n_x (str or None), optional
        Where it is a text, the feature is 1 for rows whose input, named `feature_names`, is that
        text, and otherwise 0.
    classes : array_like of shape (2,), optional
        What is predicted: integers, floats, bools or texts.

    Returns
    -------
    onnx.ModelProto
        Checked; ``onnx.save(model, path)`` writes it.

    Raises
    ------
    ValueError
        Shapes and lengths that do not fit, a name twice, a weight that is not finite, a feature
        with the name of an output, a class that int64 does not hold.
    TypeError
        Not two classes, or of another type.

    Examples
    --------
    >>> import logreg_c
    >>> import logreg_c.onnx
    >>> w, b, _ = logreg_c.train([[1.0, 2.0, 3.0, 4.0]], [0, 1, 0, 1], alpha=0.1, iters=10)
    >>> model = logreg_c.onnx.to_onnx(w, b, ["height"], classes=["short", "tall"])
    >>> [value.name for value in model.graph.input]
    ['height']
    >>> [value.name for value in model.graph.output]
    ['probability', 'prediction']
    """
    weights = np.asarray(w, dtype=np.float64)
    if weights.shape not in ((weights.size,), (weights.size, 1)):
        msg = (
            f"w has shape {weights.shape}; expected (n_x, 1) or (n_x,), the weights of one model:"
            " of scikit-learn's coef_ pass one row, coef_[0]"
        )
        raise ValueError(msg)
    weights = weights.reshape(-1)
    names = None if feature_names is None else list(feature_names)
    texts: list[str | None] = [None] * len(weights) if categories is None else list(categories)
    _check(weights, b, names, texts)

    graph = _Graph(set(names or ()))
    if names is None:
        X = graph.input("X", TensorProto.DOUBLE, len(weights))
        terms = [graph.add("MatMul", X, graph.constant(weights[:, None]))]
    else:
        terms = _terms(graph, weights, names, texts)
    Z = graph.add("Sum", *terms, graph.constant(np.array([[float(b)]])))
    A = graph.add("Reshape", graph.add("Sigmoid", Z), graph.constant(np.array([-1])), name=OUT[0])
    is_second = graph.add("Greater", A, graph.constant(np.array(0.5)))
    two = _as_classes(np.asarray(classes))
    which = graph.add("Cast", is_second, to=TensorProto.INT64)
    graph.add("Gather", graph.constant(two), which, name=OUT[1])

    types = TensorProto.DOUBLE, helper.np_dtype_to_tensor_dtype(two.dtype)
    outputs = [
        helper.make_tensor_value_info(name, kind, ["rows"])
        for name, kind in zip(OUT, types, strict=True)
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "logreg_c", graph.inputs, outputs, graph.constants),
        producer_name="logreg_c",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Nodes under numbers, which no feature has for a name."""

    def __init__(self, taken: set[str]) -> None:
        self.names = (name for k in itertools.count() if (name := str(k)) not in taken)
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.constants: list[onnx.TensorProto] = []

    def input(self, name: str, kind: int, width: int) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["rows", width]))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(value, next(self.names)))
        return self.constants[-1].name

    def add(self, operation: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        name = next(self.names) if name is None else name
        self.nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name


def _terms(
    graph: _Graph, weights: NDArray[np.float64], names: list[str], texts: list[str | None]
) -> list[str]:
    """Add the inputs, and what adds up to Z - b: one term for all numbers, one a text column."""
    columns: dict[str, list[int]] = {}
    for j, name in enumerate(names):
        columns.setdefault(name, []).append(j)
    terms, numbers = [], []
    for name, features in columns.items():
        if texts[features[0]] is None:
            numbers += features
            graph.input(name, TensorProto.DOUBLE, 1)
            continue
        graph.input(name, TensorProto.STRING, 1)
        known = graph.constant(np.array([[texts[j] for j in features]], dtype=object))
        one_hot = graph.add("Cast", graph.add("Equal", name, known), to=TensorProto.DOUBLE)
        terms.append(graph.add("MatMul", one_hot, graph.constant(weights[features, None])))
    if numbers:
        X = graph.add("Concat", *[names[j] for j in numbers], axis=1)
        terms.append(graph.add("MatMul", X, graph.constant(weights[numbers, None])))
    return terms


def _check(
    weights: NDArray[np.float64], b: float, names: list[str] | None, texts: list[str | None]
) -> None:
    n_x = len(weights)
    if n_x == 0 or not (np.isfinite(weights).all() and np.isfinite(b)):
        msg = "w and b are empty, NaN or infinite; expected what train returns"
        raise ValueError(msg)
    if names is None:
        if any(text is not None for text in texts):
            msg = "categories without feature_names; expected the names of the text columns too"
            raise ValueError(msg)
        return
    if not len(names) == len(texts) == n_x:
        msg = (
            f"w has {n_x} weights, feature_names {len(names)} and categories {len(texts)} entries;"
            " expected as many of each"
        )
        raise ValueError(msg)
    for name in names:
        kinds = [text for other, text in zip(names, texts, strict=True) if other == name]
        if len(set(kinds)) < len(kinds) or (None in kinds and len(kinds) > 1):
            msg = f"feature_names holds {name!r} twice; expected a name for each, or categories"
            raise ValueError(msg)
        if name in {*OUT, ""}:
            msg = f"a feature is named {name!r}, as an output is, or nothing; rename it"
            raise ValueError(msg)


def _as_classes(classes: NDArray[Any]) -> NDArray[Any]:
    kinds = {"b": np.bool_, "i": np.int64, "u": np.int64, "f": np.float64, "U": object}
    if classes.shape != (2,) or classes.dtype.kind not in kinds:
        msg = (
            f"classes have shape {classes.shape} and dtype {classes.dtype}; expected two integers,"
            " floats, bools or texts"
        )
        raise TypeError(msg)
    if classes.dtype.kind == "u" and classes.max() >= 2**63:
        msg = (
            f"classes are {classes[0]} and {classes[1]}; expected integers below 2**63, as ONNX's"
            " are int64: pass them as text, or smaller ones"
        )
        raise ValueError(msg)
    return classes.astype(kinds[classes.dtype.kind])
