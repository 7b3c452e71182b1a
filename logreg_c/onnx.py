# SPDX-License-Identifier: BSD-3-Clause
"""A trained w and b as an ONNX model, for other programs and languages (extra ``onnx``)."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ModuleNotFoundError as error:
    msg = f"logreg_c.onnx needs {error.name}: pip install 'logreg-c[onnx]'"
    raise ModuleNotFoundError(msg, name=error.name) from error

from ._input import contiguous, several_outputs
from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

# The oldest operators that do, and the oldest file format that has them, so that old runtimes load
# the model; where no text is compared, and where one is.
OPSET, IR_VERSION = 9, 4
OPSET_OF_TEXTS, IR_VERSION_OF_TEXTS = 19, 9
OUT = "probability", "prediction"


def to_onnx(
    w: ArrayLike,
    b: ArrayLike,
    feature_names: Sequence[str] | None = None,
    *,
    categories: Sequence[str | None] | None = None,
    classes: ArrayLike | None = None,
    dtype: DTypeLike = np.float64,
) -> onnx.ModelProto:
    """Make an ONNX model of a trained w and b.

    The model computes in float64. Its outputs are `probability`, (rows,), that of the second class,
    and `prediction`, (rows,), a class: the second where the probability is above 0.5. With K
    classes, `probability` is (rows, K), and the class with the largest is predicted.

    Parameters
    ----------
    w : array_like of shape (n_x, 1), (n_x,) or (1, n_x), or (n_x, K)
        Weights; scikit-learn's ``coef_`` of two classes too, and ``coef_.T`` of more.
    b : float or array_like of shape (1,), or (K, 1) or (K,)
        Bias; scikit-learn's ``intercept_`` too.
    feature_names : sequence of n_x str, optional
        The model then has an input (rows, 1) for each different name: numbers, or text where it has
        categories. Without names it has one input, `X`, of shape (rows, n_x).
    categories : sequence of n_x (str or None), optional
        Where it is a text, the feature is 1 for rows whose input, named `feature_names`, is that
        text, and otherwise 0.
    classes : array_like of shape (2,) or (K,), optional
        What is predicted: integers, floats, bools or texts, such as scikit-learn's ``classes_``; by
        default 0, 1, ...
    dtype : float64 or float32, optional
        The type of inputs that are numbers.

    Returns
    -------
    onnx.ModelProto
        Checked; ``onnx.save(model, path)`` writes it.

    Raises
    ------
    ValueError
        Shapes and lengths that do not fit, a name twice, a weight that is not finite, a feature
        with the name of an output, a text that is not Unicode, classes that are equal, a class that
        int64 does not hold.
    TypeError
        Names or categories that are no texts, another number of classes, or of another type,
        another dtype.

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
    weights, bias = _parameters(w, b)
    names = _texts(feature_names, "feature_names")
    texts = _texts(categories, "categories") or [None] * len(weights)
    _check(weights, names, texts)
    known = as_classes(range(max(2, len(bias))) if classes is None else classes, len(bias))
    number = _type_of_numbers(dtype)

    graph = Graph(set(names or ()))
    if names is None:
        X = graph.as_double(graph.input("X", number, len(weights)), number)
        terms = [graph.add("MatMul", X, graph.constant(weights))]
    else:
        terms = _terms(graph, weights, names, texts, number)
    compares = any(text is not None for text in texts)
    return finished(graph, terms, bias, known, threshold=0.5, compares=compares)


def finished(
    graph: Graph,
    terms: Sequence[str],
    bias: NDArray[np.float64],
    classes: NDArray[Any],
    *,
    threshold: float,
    compares: bool,
) -> onnx.ModelProto:
    """Return the model of a graph and the terms of Z.

    `bias` is (1,), or (K,) for K classes, which need no threshold; `compares` is whether the graph
    compares texts.
    """
    Z = graph.add("Sum", *terms, graph.constant(bias[np.newaxis]))
    shape: list[str | int] = ["rows"]
    if len(bias) > 1:
        shape.append(len(bias))
        graph.add("Softmax", Z, axis=1, name=OUT[0])
        which = graph.add("ArgMax", Z, axis=1, keepdims=0)
    else:
        rows = graph.constant(np.array([-1]))
        A = graph.add("Reshape", graph.add("Sigmoid", Z), rows, name=OUT[0])
        is_second = graph.add("Greater", A, graph.constant(np.array(threshold)))
        which = graph.add("Cast", is_second, to=TensorProto.INT64)
    graph.add("Gather", graph.constant(classes), which, name=OUT[1])

    of_classes = helper.np_dtype_to_tensor_dtype(classes.dtype)
    outputs = [
        helper.make_tensor_value_info(OUT[0], TensorProto.DOUBLE, shape),
        helper.make_tensor_value_info(OUT[1], of_classes, ["rows"]),
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "logreg_c", graph.inputs, outputs, graph.constants),
        producer_name="logreg_c",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", OPSET_OF_TEXTS if compares else OPSET)],
        ir_version=IR_VERSION_OF_TEXTS if compares else IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


class Graph:
    """Nodes under numbers, which no feature has for a name; `finished` makes a model of them."""

    def __init__(self, taken: set[str]) -> None:
        self.names = (name for k in itertools.count() if (name := str(k)) not in taken)
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.constants: list[onnx.TensorProto] = []

    def input(self, name: str, kind: int, width: int) -> str:
        """Add an input, (rows, width); return its name."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["rows", width]))
        return name

    def as_double(self, name: str, kind: int) -> str:
        """Add a conversion to float64 unless it is that; return its name."""
        double = TensorProto.DOUBLE
        return name if kind == double else self.add("Cast", name, to=double)

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        self.constants.append(numpy_helper.from_array(value, next(self.names)))
        return self.constants[-1].name

    def add(self, operation: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add an operation; return the name of its output."""
        name = next(self.names) if name is None else name
        self.nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name


def _terms(
    graph: Graph,
    weights: NDArray[np.float64],
    names: list[str],
    texts: list[str | None],
    number: int,
) -> list[str]:
    """Add the inputs, and what sums to Z - b: a term for all numbers, and one per text column."""
    columns: dict[str, list[int]] = {}
    for j, name in enumerate(names):
        columns.setdefault(name, []).append(j)
    terms, numbers = [], []
    for name, features in columns.items():
        if texts[features[0]] is None:
            numbers += features
            graph.input(name, number, 1)
            continue
        graph.input(name, TensorProto.STRING, 1)
        known = graph.constant(np.array([[texts[j] for j in features]], dtype=object))
        one_hot = graph.add("Cast", graph.add("Equal", name, known), to=TensorProto.DOUBLE)
        terms.append(graph.add("MatMul", one_hot, graph.constant(weights[features])))
    if numbers:
        X = graph.as_double(graph.add("Concat", *[names[j] for j in numbers], axis=1), number)
        terms.append(graph.add("MatMul", X, graph.constant(weights[numbers])))
    return terms


def _parameters(w: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return w (n_x, 1) and b (1,), or w (n_x, K) and b (K,)."""
    weights, bias = contiguous(w, "w"), contiguous(b, "b")
    k = bias.size if several_outputs(weights, bias) else 1
    n_x = weights.size // k
    one_model = weights.shape in ((n_x,), (n_x, 1), (1, n_x))
    if k == 1 and not one_model:
        msg = (
            f"w has shape {weights.shape} and b {bias.shape}; expected w (n_x, 1), (n_x,) or "
            "(1, n_x) and one b, or for K classes w (n_x, K), such as scikit-learn's coef_.T, and "
            "b (K,)"
        )
        raise ValueError(msg)
    if weights.size == 0 or not np.isfinite(weights).all():
        msg = "w is empty, or holds NaN or infinity; expected finite weights, as train returns"
        raise ValueError(msg)
    if bias.shape not in ((k,), (k, 1), (1, k)) and bias.shape != ():
        msg = f"b has shape {bias.shape}; expected one number, or (K,) or (K, 1) for K classes"
        raise ValueError(msg)
    if not np.isfinite(bias).all():
        msg = f"b is {bias.tolist()}; expected finite numbers, as train returns"
        raise ValueError(msg)
    return weights.reshape(n_x, k), bias.reshape(k)


def _type_of_numbers(dtype: DTypeLike) -> int:
    types: dict[str, int] = {"float64": TensorProto.DOUBLE, "float32": TensorProto.FLOAT}
    try:
        return types[np.dtype(dtype).name]
    except (KeyError, TypeError):
        msg = f"dtype is {dtype!r}; expected float64 or float32, the type of the inputs"
        raise TypeError(msg) from None


def _texts(given: Any, name: str) -> list[Any] | None:
    """Return a list of texts, among which categories may be None."""
    if given is None:
        return None
    expected = "texts" if name == "feature_names" else "texts and None"
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        msg = f"{name} is {given!r} of type {type(given).__name__}; expected a list of {expected}"
        raise TypeError(msg)
    texts = list(given)
    for text in texts:
        if not isinstance(text, str) and (text is not None or name == "feature_names"):
            msg = f"{name} holds {text!r} of type {type(text).__name__}; expected {expected}"
            raise TypeError(msg)
        if text is not None:
            _check_unicode(text, name)
    return [None if text is None else str(text) for text in texts]


def _check_unicode(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = f"{name} holds {text!r}, which is not Unicode; expected what UTF-8 can write"
        raise ValueError(msg) from None


def _check(weights: NDArray[np.float64], names: list[str] | None, texts: list[str | None]) -> None:
    n_x = len(weights)
    if names is None:
        if any(text is not None for text in texts):
            msg = "categories without feature_names; expected the names of the text columns too"
            raise ValueError(msg)
        return
    if not len(names) == len(texts) == n_x:
        msg = (
            f"w has {n_x} weights, feature_names {len(names)} entries and categories "
            f"{len(texts)}; expected a name for each weight, and a text or None where there are "
            "categories"
        )
        raise ValueError(msg)
    kinds: dict[str, set[str | None]] = {}
    for name, text in zip(names, texts, strict=True):
        if name in {*OUT, ""}:
            msg = f"a feature is named {name!r}, as an output is, or nothing; rename it"
            raise ValueError(msg)
        found = kinds.setdefault(name, set())
        if text in found or (found and None in {text, *found}):
            msg = f"feature_names holds {name!r} twice; expected a name for each, or categories"
            raise ValueError(msg)
        found.add(text)


def as_classes(classes: ArrayLike, outputs: int) -> NDArray[Any]:
    """Return the classes of so many outputs in a type that ONNX has, told by their values."""
    count = max(2, outputs)
    found = np.asarray(classes, dtype=object)
    if found.shape == (count,):
        known = [value.item() if isinstance(value, np.generic) else value for value in found]
        kinds: tuple[tuple[type | tuple[type, ...], Any], ...] = (
            (str, object),
            (bool, np.bool_),
            (numbers.Integral, np.int64),
            (numbers.Real, np.float64),
        )
        for kind, dtype in kinds:
            if all(isinstance(value, kind) for value in known):
                return np.array(_told_apart(known), dtype=dtype)
    msg = (
        f"classes are {classes!r}; expected {'two' if count == 2 else count} integers, floats, "
        "bools or texts: decode bytes, and write others as text"
    )
    raise TypeError(msg)


def _told_apart(known: list[Any]) -> list[Any]:
    for value in known:
        if isinstance(value, str):
            _check_unicode(value, "classes")
        elif isinstance(value, numbers.Integral) and not -(2**63) <= int(value) < 2**63:
            msg = (
                f"classes hold {value}; expected integers below 2**63, as ONNX's are int64: pass "
                "them as text, or smaller ones"
            )
            raise ValueError(msg)
    is_nan = (isinstance(value, numbers.Real) and math.isnan(value) for value in known)
    if len({*known}) < len(known) or any(is_nan):
        msg = f"classes are {known}; expected {len(known)} that differ, and no NaN"
        raise ValueError(msg)
    return known
