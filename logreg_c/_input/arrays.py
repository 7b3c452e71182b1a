# SPDX-License-Identifier: BSD-3-Clause
"""Arrays of real numbers, in a type and a layout that the kernel reads: in place, or copied once.

Small calls take microseconds, so clean input takes a short path.
"""

from __future__ import annotations

import numbers
import reprlib
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import ArrayLike, NDArray

    Order = Literal["C", "K"]

FLOAT64 = np.dtype(np.float64)
# The types that the kernel reads in place. It computes in float64 if a feature has one of the
# first three, and otherwise in float32 within a block of examples. These are kinds and sizes, not
# dtypes, because NumPy crashes if it has no memory to hash a dtype.
WIDE = frozenset(("f8", "i8", "i4"))
NARROW = frozenset(("f4", "f2", "b1", "i1", "u1", "i2", "u2"))
IN_PLACE = WIDE | NARROW
# Values per piece of a copy: about 20 ms of copying.
COPIED_AT_ONCE = 1 << 20

# The deepest nesting of lists: the number of axes that a NumPy array may have. NumPy visits a list
# that contains itself twice 2^64 times.
MAX_DEPTH = 32


class _Short(reprlib.Repr):
    """Keeps messages short for a list of a million values, or an object whose repr fails."""

    def __init__(self) -> None:
        super().__init__()
        self.maxother = self.maxstring = 100

    def repr_int(self, x: int, level: int) -> str:
        """Show an integer, of which Python refuses to write more than 4300 digits."""
        try:
            return super().repr_int(x, level)
        except ValueError:
            return f"an integer of {x.bit_length()} bits"


SHORT = _Short()

_REMEDIES = {
    "c": "take its real part, {0}.real",
    "V": "pass {0}.astype(np.float32) if these are numbers",  # as those of ml_dtypes
    "records": "numpy.lib.recfunctions.structured_to_unstructured makes a plain array of records",
    "M": "turn dates into numbers first",
    "m": "turn time differences into numbers first",
}


def own_array(value: ArrayLike, name: str) -> NDArray[Any]:
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
            msg = (
                f"{name} cannot be read as an array of numbers: {error}; expected an array, or "
                "lists of one length"
            )
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
    # NumPy loads this module when it is first used: where it is not, nothing is masked.
    masked = (np.ma.MaskedArray,) if "numpy.ma" in sys.modules else ()
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
                kinds = {k for k in set(map(type, item)) if issubclass(k, (list, tuple, *masked))}
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
                f"{name} has dtype object and holds {SHORT.repr(values[index])} of type "
                f"{kind.__name__}{f' at {place}' if place else ''}; expected real numbers: {remedy}"
            )
            raise TypeError(msg)
    try:
        return array.astype(np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        msg = (
            f"{name} has dtype object and a number that is no float64: {error}; expected numbers "
            "within float64"
        )
        raise (TypeError if isinstance(error, TypeError) else ValueError)(msg) from None


def as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Make the dtype one that the kernel reads: itself, or one copy in the nearest layout."""
    if is_stored(array):
        return array
    in_place = kind_and_size(array.dtype) in IN_PLACE
    return copied(array, array.dtype.newbyteorder("=") if in_place else FLOAT64)


def is_stored(array: NDArray[Any]) -> bool:
    """Whether the kernel reads values of this dtype where they are."""
    dtype = array.dtype
    return kind_and_size(dtype) in IN_PLACE and dtype.isnative and array.flags.aligned


def copied(array: NDArray[Any], dtype: np.dtype[Any], order: Order = "K") -> NDArray[Any]:
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


def kind_and_size(dtype: np.dtype[Any]) -> str:
    return dtype.str[1:]


def contiguous(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Any shape, float64 and in C order: itself, or one copy."""
    array = own_array(value, name)
    if array.dtype != FLOAT64 or not (array.flags.aligned and array.flags.c_contiguous):
        return copied(array, FLOAT64, "C")
    return array


def with_a_unit_stride(array: NDArray[Any]) -> NDArray[Any]:
    n_x, m = array.shape
    by_feature, by_example = array.strides
    size = array.itemsize
    in_place = (
        n_x <= 1
        or m <= 1
        or (by_example == size and by_feature % size == 0)
        or (by_feature == size and by_example % size == 0)
    )
    return array if in_place else copied(array, array.dtype)
