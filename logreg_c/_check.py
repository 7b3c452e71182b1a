# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes, turned into what the kernel reads; and every message about why it cannot be.

Small calls take microseconds, so the way for clean input is short, and checks over values are one
call of the kernel each.
"""

from __future__ import annotations

import math
import numbers
import operator
import reprlib
import sys
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _kernel
from ._cpus import MAX_THREADS, default_threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Literal

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Order = Literal["C", "K"]

FLOAT64 = np.dtype(np.float64)
# What the kernel reads in place. Features of the first three are computed with in float64; where
# all are of the others, arithmetic is in float32 within a block of examples. Kinds and sizes rather
# than dtypes, as NumPy crashes where it finds no memory to hash one of those.
WIDE = frozenset(("f8", "i8", "i4"))
NARROW = frozenset(("f4", "f2", "b1", "i1", "u1", "i2", "u2"))
IN_PLACE = WIDE | NARROW
LARGEST = sys.float_info.max
# Where data frames and their columns come from. Told by name: nothing is imported to ask.
FRAME_LIBRARIES = frozenset((
    "pandas", "polars", "pyarrow", "narwhals", "modin", "cudf", "dask", "duckdb", "_duckdb", "ibis",
    "pyspark", "sqlframe",
))  # fmt: skip
# Values: some 20 ms of copying.
COPIED_AT_ONCE = 1 << 20

# Of nested lists: the axes that NumPy's arrays may have. It looks at a list that holds itself twice
# 2^64 times.
MAX_DEPTH = 32

# Between which powers of two the largest weight is left as it is, in float64 and in float32.
LARGEST_WEIGHT = {False: (-32, 512), True: (-32, 32)}

# A list of a million values, and an object that cannot show itself, in a message.
_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = 100

_REMEDIES = {
    "c": "take its real part, {0}.real",
    "V": "pass {0}.astype(np.float32) if these are numbers",  # as those of ml_dtypes
    "records": "numpy.lib.recfunctions.structured_to_unstructured makes a plain array of records",
    "M": "turn dates into numbers first",
    "m": "turn time differences into numbers first",
}


def _own_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """Make a plain array of real numbers, of any dtype and layout, that nobody else can see.

    It is a view, taken before it is looked at: what a later argument, or another thread, does to
    the shape, the strides or the dtype of the caller's array changes nothing that was checked.
    """
    if type(value) is np.ndarray:
        array = value.view()
    else:
        refuse_masked(value, name)
        if hasattr(value, "toarray"):  # as those of SciPy, which NumPy takes for one object
            msg = (
                f"{name} is a sparse {type(value).__name__}; expected a dense array: pass "
                f"{name}.toarray()"
            )
            raise TypeError(msg)
        try:
            value = np.asanyarray(value)
        except (TypeError, ValueError, OverflowError) as error:
            msg = f"{name} cannot be read as an array of numbers: {error}"
            raise (TypeError if isinstance(error, TypeError) else ValueError)(msg) from None
        refuse_masked(value, name)  # what its __array__ returned
        array = np.asarray(value).view()
    if array.dtype.kind == "O":
        array = numbers_of_objects(array, name)
    if array.dtype.kind not in "fiub":
        kind = "records" if array.dtype.names else array.dtype.kind
        remedy = _REMEDIES.get(kind, "encode text as numbers first").format(name)
        msg = f"{name} has dtype {array.dtype}; expected real numbers: {remedy}"
        raise TypeError(msg)
    return array


def refuse_masked(value: object, name: str) -> None:
    """Refuse masked values, in an array or in lists of them: NumPy takes these for values."""
    masked = np.ma.MaskedArray
    level = [value]
    for _ in range(MAX_DEPTH):
        nested: dict[int, Any] = {}  # each once, as one row may stand in many places
        for item in level:
            if isinstance(item, masked) and item.dtype.names is None and np.ma.is_masked(item):
                msg = (
                    f"{name} holds masked values; expected a value everywhere: fill them with "
                    ".filled(...) or leave those examples out"
                )
                raise ValueError(msg)
            if isinstance(item, (list, tuple)):
                kinds = {k for k in set(map(type, item)) if issubclass(k, (list, tuple, masked))}
                if kinds:
                    nested |= {id(part): part for part in item if type(part) in kinds}
        if not nested:
            return
        level = list(nested.values())
    msg = f"{name} is nested more than {MAX_DEPTH} lists deep, or holds itself; expected numbers"
    raise ValueError(msg)


def numbers_of_objects(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Convert an array of objects, if each is a real number: an int, a float, a Decimal ..."""
    values = array.ravel().tolist()
    for kind in set(map(type, values)):
        if not issubclass(kind, (numbers.Real, Decimal, np.bool_)):
            index = next(i for i, value in enumerate(values) if type(value) is kind)
            place = [int(i) for i in np.unravel_index(index, array.shape)]
            remedy = "pass one number for each value"
            if issubclass(kind, (str, bytes)):
                remedy = "encode text as numbers first"
            elif values[index] is None or kind.__name__ in {"NAType", "NaTType", "MaskedConstant"}:
                remedy = "fill in what is missing, or leave it out"
            msg = (
                f"{name} has dtype object and holds {_SHORT.repr(values[index])} of type "
                f"{kind.__name__}{f' at {place}' if place else ''}; expected real numbers: {remedy}"
            )
            raise TypeError(msg)
    try:
        return array.astype(np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        msg = f"{name} has dtype object and a number that is no float64: {error}"
        raise ValueError(msg) from None


def _as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Make the dtype one that the kernel reads: itself, or one copy in the nearest layout."""
    dtype = array.dtype
    in_place = _kind_and_size(dtype) in IN_PLACE
    if in_place and dtype.isnative and array.flags.aligned:
        return array
    return _copied(array, dtype.newbyteorder("=") if in_place else FLOAT64)


def _copied(array: NDArray[Any], dtype: np.dtype[Any], order: Order = "K") -> NDArray[Any]:
    """Copy in pieces, between which Python answers signals: a whole copy may take seconds."""
    if array.size <= COPIED_AT_ONCE:
        return array.astype(dtype, order=order)
    copy = np.empty_like(array, dtype=dtype, order=order)
    pieces = [(copy, array)]
    while pieces:
        to, values = pieces.pop()
        if values.size <= COPIED_AT_ONCE:
            to[...] = values
            continue
        shape = values.shape
        axis = shape.index(max(shape))
        middle = shape[axis] // 2
        for half in slice(middle, None), slice(middle):
            place = (*(slice(None),) * axis, half)
            pieces.append((to[place], values[place]))
    return copy


def _kind_and_size(dtype: np.dtype[Any]) -> str:
    return dtype.str[1:]


def contiguous(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Any shape, float64 and in C order: itself, or one copy."""
    array = _own_array(value, name)
    if array.dtype != FLOAT64 or not (array.flags.aligned and array.flags.c_contiguous):
        return _copied(array, FLOAT64, "C")
    return array


def _comes_from_frames(value: object) -> bool:
    return hasattr(value, "__narwhals_dataframe__") or _is_of_frames(type(value))


def _is_of_frames(kind: type) -> bool:
    return not FRAME_LIBRARIES.isdisjoint(map(_library, kind.__mro__))


def _library(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def is_frame(X: object) -> bool:
    """Whether `examples` reads X as a data frame."""
    return type(X) is not np.ndarray and _comes_from_frames(X) and _frames() is not None


def _frames() -> ModuleType | None:
    """Return what reads data frames, if the extra is installed."""
    try:
        from . import _frames as module  # noqa: PLC0415 (not before a frame is passed)
    except ModuleNotFoundError as error:
        if error.name != "narwhals":
            raise
        return None
    return module


class Examples(NamedTuple):
    """X as the kernel reads it."""

    values: NDArray[Any] | list[NDArray[Any]]  # (n_x, m), or n_x columns (m,)
    shape: tuple[int, int]
    float32: bool  # the arithmetic; else float64
    names: tuple[Any, ...] | None  # of the features: the columns of a data frame

    @property
    def feature(self) -> str:
        """What a feature is to the user."""
        return "row" if self.names is None else "column"

    @property
    def example(self) -> str:
        """What an example is to the user."""
        return "column" if self.names is None else "row"

    def __str__(self) -> str:
        n_x, m = self.shape
        return f"X {self.shape}" if self.names is None else f"X {n_x} columns and {m} rows"


def examples(X: ArrayLike, dtype: DTypeLike | None, w: ArrayLike | None = None) -> Examples:
    """X as it is stored, where the kernel can read that; what it cannot is copied once.

    Of a data frame all columns, or those whose names `w` has.
    """
    values: NDArray[Any] | list[NDArray[Any]]
    names = None
    if type(X) is not np.ndarray and _comes_from_frames(X):
        frames = _frames()
        if frames is None:
            library, kind = _library(type(X)), type(X).__name__
            msg = (
                f"X is a {library} {kind}; reading it needs narwhals: "
                "pip install 'logreg-c[frames]'"
            )
            raise ModuleNotFoundError(msg, name="narwhals")
        X, names = frames.columns(X, getattr(w, "feature_names", None))
    if isinstance(X, (list, tuple)):
        X = _series_as_arrays(X)
    if isinstance(X, (list, tuple)) and X and all(map(_is_column, X)):
        values = [_as_stored(_own_array(x, f"X[{j}]")) for j, x in enumerate(X)]
        shape = len(values), values[0].size
        for j, x in enumerate(values):
            if x.shape != shape[1:]:  # nor need it still have one axis
                msg = (
                    f"X[{j}] has {x.size} values and X[0] {shape[1]}; expected columns of one "
                    "length, a value for each example"
                )
                raise ValueError(msg)
    else:
        array = _own_array(X, "X")
        if array.ndim != 2:
            msg = (
                f"X has shape {array.shape}; expected two dimensions, (n_x, m): one column an "
                "example"
            )
            if array.ndim == 1:
                msg += ". Use X.reshape(1, -1) for one feature, X.reshape(-1, 1) for one example"
            raise ValueError(msg)
        values = _with_a_unit_stride(_as_stored(array))
        shape = values.shape
    if shape[1] == 0:
        example = Examples(values, shape, float32=False, names=names).example
        msg = f"X has shape {shape}; expected at least one example, that is one {example}"
        raise ValueError(msg)
    return Examples(values, shape, _in_float32(values, dtype), names)


def _series_as_arrays(X: Sequence[Any]) -> Sequence[Any]:
    """Return the items of a list, and of those that are series the values."""
    if not any(map(_is_of_frames, set(map(type, X)))):
        return X
    return [_values_of(x, f"X[{j}]") for j, x in enumerate(X)]


def _values_of(value: Any, name: str) -> Any:
    """Return the values of a series, wherever its library has them; anything else as it is."""
    if type(value) is np.ndarray or not _comes_from_frames(value):
        return value
    frames = _frames()
    # Without, NumPy reads a series well enough.
    return value if frames is None else frames.column(value, name)


def _is_column(x: object) -> bool:
    return isinstance(x, np.ndarray) and x.ndim == 1


def _with_a_unit_stride(array: NDArray[Any]) -> NDArray[Any]:
    n_x, m = array.shape
    by_feature, by_example = array.strides
    size = array.itemsize
    in_place = (
        n_x <= 1
        or m <= 1
        or (by_example == size and by_feature % size == 0)
        or (by_feature == size and by_example % size == 0)
    )
    return array if in_place else _copied(array, array.dtype)


def _in_float32(values: NDArray[Any] | list[NDArray[Any]], dtype: DTypeLike | None) -> bool:
    """Whether to compute in float32: the choice `dtype` of the caller, or what X is stored in."""
    stored = {_kind_and_size(x.dtype) for x in (values if isinstance(values, list) else [values])}
    wide = stored - NARROW
    if dtype is None:
        return not wide
    try:
        chosen = _kind_and_size(np.dtype(dtype))
    except (TypeError, ValueError):
        chosen = ""
    if chosen == "f8":
        return False
    if chosen != "f4":
        msg = (
            f"dtype is {_SHORT.repr(dtype)}; expected None, float64 or float32: the type to"
            " compute in"
        )
        raise TypeError(msg)
    if wide:
        msg = (
            f"dtype is float32 and X {', '.join(sorted(np.dtype(name).name for name in wide))}, "
            "whose values float32 may not hold; expected None or float64: convert X if they fit, "
            "X.astype(np.float32)"
        )
        raise TypeError(msg)
    return True


def column(value: ArrayLike, name: str, X: Examples) -> NDArray[Any]:
    """Y or sample_weight as m values, (m,), of a dtype that the kernel reads."""
    array = _own_array(_values_of(value, name), name)
    m = X.shape[1]
    if array.shape not in ((1, m), (m,)):
        msg = (
            f"{name} has shape {array.shape} and {X}; expected (1, m) or (m,) with m = {m},"
            f" one value for each {X.example} of X"
        )
        if array.size == X.shape[0] and array.size == max(array.shape, default=0):
            msg += (
                ". Did you pass (samples, features)? Use X.T"
                if X.names is None
                else ". The rows of a data frame are the examples: pass it, not its transpose"
            )
        elif array.shape == (m, 1):
            msg += f". Use {name}.T or {name}.ravel()"
        raise ValueError(msg)
    return _as_stored(array[0] if array.ndim == 2 else array)


def labels(value: ArrayLike, X: Examples) -> NDArray[Any]:
    """Check Y: (1, m) or (m,), within [0, 1]."""
    Y = column(value, "Y", X)
    bad = _kernel.first_outside(Y, 0.0, 1.0)
    if bad >= 0:
        msg = f"Y is {Y.item(bad)} at example {bad}; expected 0, 1 or a probability within [0, 1]"
        if _are_minus_1_and_1(Y):
            msg += ". For labels -1 and 1 pass (Y + 1) / 2"
        elif not math.isfinite(Y.item(bad)):
            msg += ". Leave out examples without a label"
        else:
            msg += ". For labels of one class and another pass Y == one_of_them"
        raise ValueError(msg)
    return Y


def _are_minus_1_and_1(Y: NDArray[Any]) -> bool:
    pieces = (Y[k : k + COPIED_AT_ONCE] for k in range(0, Y.size, COPIED_AT_ONCE))
    return all(_kernel.first_outside(np.abs(piece), 1.0, 1.0) < 0 for piece in pieces)


def weights(value: ArrayLike | None, X: Examples) -> NDArray[Any] | None:
    """Check sample_weight: None, or (m,) or (1, m), finite, >= 0, not all 0.

    Weights so small that their products with X could underflow, or so large that a sum could
    overflow, are multiplied by a power of two: it cancels in every mean, and changes no bit.
    """
    if value is None:
        return None
    sample_weight = column(value, "sample_weight", X)
    low, high = LARGEST_WEIGHT[X.float32]
    if _kernel.first_outside(sample_weight, 0.0, 2.0**high) >= 0:
        bad = _kernel.first_outside(sample_weight, 0.0, LARGEST)
        if bad >= 0:
            msg = (
                f"sample_weight is {sample_weight.item(bad)} at example {bad}; expected finite "
                "weights >= 0. Weight 0 leaves an example out"
            )
            raise ValueError(msg)
    elif _kernel.first_outside(sample_weight, 0.0, 2.0**low) >= 0:
        return sample_weight
    largest = float(sample_weight.max())
    if largest == 0.0:
        msg = "sample_weight is zero at every example; expected a positive sum"
        raise ValueError(msg)
    exponent = math.frexp(largest)[1]
    return np.ldexp(sample_weight.astype(np.float64), min(max(exponent, low), high) - exponent)


def coefficients(value: ArrayLike, X: Examples) -> NDArray[np.float64]:
    """Check w: (n_x, 1) or (n_x,), finite. A new array (n_x, 1), that may be written to."""
    array = _own_array(value, "w")
    n_x = X.shape[0]
    if array.shape not in ((n_x, 1), (n_x,)):
        msg = (
            f"w has shape {array.shape} and {X}; expected (n_x, 1) or (n_x,) with"
            f" n_x = {n_x}, one weight for each {X.feature} of X"
        )
        if X.names is None and array.shape in ((X.shape[1], 1), (X.shape[1],)):
            msg += ". Did you pass (samples, features)? Use X.T"
        elif array.shape == (1, n_x):
            msg += ". Use w.T"
        raise ValueError(msg)
    w = _copied(array, FLOAT64, "C").reshape(n_x, 1)
    bad = _kernel.first_outside(w, -LARGEST, LARGEST)
    if bad >= 0:
        msg = f"w is {w.item(bad)} at feature {bad}; expected finite weights"
        raise ValueError(msg)
    return w


def warn_of_lost_names(w: ArrayLike, X: Examples, stacklevel: int) -> None:
    """Warn where w has no names for the columns that X has names for, as scikit-learn does."""
    has_names = getattr(w, "feature_names", None) is not None
    if X.names is None or has_names or not all(map(_is_text, X.names)):
        return
    msg = (
        "X has column names, and w has none: the columns are taken in their order. The w of a "
        "training on a data frame keeps its names in copies and pickles; "
        "logreg_c.with_names(w, names) gives them back. Pass an array if the order is right"
    )
    warnings.warn(msg, UserWarning, stacklevel=stacklevel)


def _is_text(name: object) -> bool:
    return isinstance(name, str)


def number(value: object, name: str, expected: str = "a finite number") -> float:
    """Check one finite real number; no bool, no string."""
    if type(value) is not float:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
            raise TypeError(_wrong_type(value, name, expected))
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        except (TypeError, ValueError):
            raise TypeError(_wrong_type(value, name, expected)) from None
    if not math.isfinite(value):
        raise ValueError(_out_of_range(value, name, expected))
    return value


def positive(value: object, name: str, expected: str = "a finite number > 0") -> float:
    """Check a finite number above 0."""
    result = number(value, name, expected)
    if result <= 0.0:
        raise ValueError(_out_of_range(result, name, expected))
    return result


def not_negative(value: object, name: str) -> float:
    """Check a finite number from 0 up."""
    result = number(value, name, "a finite number >= 0")
    if result < 0.0:
        raise ValueError(_out_of_range(result, name, "a finite number >= 0"))
    return result


def integer(value: Any, name: str, least: int) -> int:
    """Check an integer from `least` up; no bool, no float."""
    expected = f"an integer >= {least}"
    try:
        result = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        result = None
    if result is None:
        raise TypeError(_wrong_type(value, name, expected))
    if result < least:
        raise ValueError(_out_of_range(result, name, expected))
    return result


def boolean(value: object, name: str) -> bool:
    """Check True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(_wrong_type(value, name, "True or False"))
    return bool(value)


def threads(n_threads: int | None) -> int:
    """Check n_threads: None for what the machine offers."""
    if n_threads is None:
        return default_threads()
    return min(integer(n_threads, "n_threads", 1), MAX_THREADS)


def _wrong_type(value: object, name: str, expected: str) -> str:
    return f"{name} is {_SHORT.repr(value)} of type {type(value).__name__}; expected {expected}"


def _out_of_range(value: float, name: str, expected: str) -> str:
    return f"{name} is {value!r}; expected {expected}"


def overflow(X: Examples) -> str:
    """Say which range was left, and what to do."""
    if X.float32:
        return "overflows float32: pass dtype=np.float64, or rescale X"
    return "overflows float64: rescale X"


def raise_if_nonfinite(problem: _kernel.Problem, X: Examples) -> None:
    """Name the first NaN or infinity in X, now that a pass has come out as one."""
    place = problem.first_nonfinite()
    if place is not None:
        feature, example = place
        where = f"that is X[{feature}, {example}]"
        if X.names is not None:
            where = f"that is column {X.names[feature]!r}, row {example} (counted from 0)"
        msg = (
            f"X holds NaN or infinity, first at (feature, example) = ({feature}, {example}), "
            f"{where}; expected finite values. Fill it in, or leave out the example or the feature"
        )
        raise ValueError(msg)
