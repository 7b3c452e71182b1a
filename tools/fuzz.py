# SPDX-License-Identifier: BSD-3-Clause
"""Generated calls of every function: none may crash, hang, or disagree with the formulas.

    python tools/fuzz.py --calls 1000000        all of them, over the machine's CPUs
    python tools/fuzz.py --seconds 20           as many as that allows
    python tools/fuzz.py --only 123             call 123 alone, in this process, to see it fail

Call k is made from (seed, k) alone, so that it can be had again. It may have anything in any place:
every dtype, byte order, stride and alignment, sizes from 0 on, NaN, infinities, subnormals and
numbers near the ends of the range, arrays that overlap or cannot be written to, columns of mixed
types, objects of every Python type, and objects that lie about what they are. What must come of it
is worked out by `expect`, a second reading of the documentation that shares nothing with the
package: either an exception of a documented type, whose message names the argument, or results
within the error bounds of `Exact`, the formulas in long double.
"""

import argparse
import array
import contextlib
import ctypes
import datetime as dt
import decimal
import faulthandler
import fractions
import itertools
import math
import multiprocessing
import numbers
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np

sys.path[:] = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parents[1]]

import logreg_c  # noqa: E402 (not the source folder)

WIDE = ["f8", "i8", "i4"]
NARROW = ["f4", "f2", "?", "i1", "u1", "i2", "u2"]
CONVERTED = ["u4", "u8", "g", ">f8", ">f4", ">i4", ">i2", ">f2", ">u8"]
LD = np.longdouble
SECONDS_A_CALL = 60  # more is a hang


class Lie(Exception):  # noqa: N818
    """Raised by the arguments themselves; it may come out as it is."""


class Disagreement(Exception):  # noqa: N818
    """What the package did is not what was expected."""


# ---- What a call is made of ----------------------------------------------------------------------


def pick(rng, *choices):
    return choices[rng.integers(len(choices))]


def size(rng):
    most = pick(rng, 1, 3, 9, 9, 20, 20, 70, 300)
    return int(rng.integers(0 if rng.random() < 0.02 else 1, most + 1))


def numbers_of(rng, shape, dtype):
    """Values that suit the dtype: mostly tame, sometimes at the ends of its range."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":  # of bytes 0 and 1, or of any
        most = pick(rng, 1, 255)
        return np.asarray(rng.integers(0, most, shape, np.uint8, endpoint=True)).view(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        low, high = (info.min, info.max) if rng.random() < 0.1 else (max(info.min, -9), 9)
        native = dtype.newbyteorder("=")
        return rng.integers(low, high, shape, dtype=native, endpoint=True).astype(dtype)
    values = rng.standard_normal(shape)
    wild = rng.random()
    with np.errstate(all="ignore"):
        if wild < 0.08:
            values *= 10.0 ** pick(rng, -310, -160, -40, -8, 4, 30, 38, 150, 160, 305)
        elif wild < 0.14:
            values *= 10.0 ** rng.integers(-8, 8, shape)
        elif wild < 0.18:
            values += 10.0 ** pick(rng, 3, 6, 9)
        elif wild < 0.22:
            values = np.round(values)
        if rng.random() < 0.02 and values.size:
            values.flat[rng.integers(values.size)] = pick(rng, np.nan, np.inf, -np.inf)
        return values.astype(dtype)


def relaid(rng, values):
    """Lay the values out in memory in one of many ways: equal, but for the strides."""
    way = rng.integers(12)
    if way < 3 or values.ndim == 0 or values.size == 0:
        return values
    if way < 5:
        return np.asfortranarray(values)
    if way < 9:  # every second, backwards, or in the midst of something larger
        steps = [int(pick(rng, 1, 1, 2, 3, -1, -2)) for _ in values.shape]
        margins = [int(pick(rng, 0, 0, 1, 5)) for _ in values.shape]
        shape = [n * abs(s) + k for n, s, k in zip(values.shape, steps, margins, strict=True)]
        whole = np.ones(shape, values.dtype, order=pick(rng, "C", "F"))
        inside = whole[
            tuple(
                slice(k, k + n * s, s) if s > 0 else slice(k + n * -s - 1, k - 1 if k else None, s)
                for n, s, k in zip(values.shape, steps, margins, strict=True)
            )
        ]
        inside[...] = values
        return inside
    if way == 9:  # misaligned
        raw = np.empty(values.nbytes + 1, "u1")
        odd = raw[1:].view(values.dtype).reshape(values.shape)
        odd[...] = values
        return odd
    if way == 10:  # one line again and again
        return np.broadcast_to(values[:1], values.shape)
    fixed = values.copy()
    fixed.flags.writeable = False
    return fixed


class Subclass(np.ndarray):
    """An array by another name, which says that it has one axis."""

    ndim = 1


class Wrapped:
    """What pandas, xarray and others are to NumPy."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


class Interface:
    def __init__(self, values, **changes):
        self.values = values
        self.__array_interface__ = dict(values.__array_interface__) | changes


def dressed(rng, values):
    """Hand an array over as another object with the same values."""
    way = rng.integers(40)
    if way == 0:
        return values.tolist()
    if way == 1:
        return Wrapped(values)
    if way == 2:
        return Interface(values)
    if way == 3:
        return values.view(Subclass)
    if way == 4:
        return np.ma.masked_array(values)
    if way == 5 and values.ndim == 2:
        return np.asmatrix(values)
    if way == 6 and values.dtype.isnative and values.dtype.char not in "eg":
        return memoryview(values)
    if way == 7 and values.ndim:
        return [list(row) for row in values] if values.ndim == 2 else tuple(values)
    if way == 8 and values.dtype == "f8" and values.ndim == 1:
        return array.array("d", values)
    if way == 9 and values.dtype == "f8" and values.size:
        kind = ctypes.c_double
        for n in reversed(values.shape):
            kind = kind * n
        return kind.from_buffer_copy(np.ascontiguousarray(values))
    if way == 10:
        return np.ma.masked_array(values, rng.integers(0, 2, values.shape, dtype=bool))
    return values


# ---- Objects of every type, and lies -------------------------------------------------------------


class Liar:
    """Answers every question that NumPy may ask, wrongly."""

    def __init__(self, **answers):
        self.__dict__.update(answers)


def lying_class(**methods):
    return type("Lying", (), methods)()


def refuse(*_args, **_settings):
    raise Lie


@numbers.Real.register
class NotReal:
    def __init__(self, value):
        self.value = value

    def __float__(self):
        return self.value


def recursive():
    inner = []
    inner.append(inner)
    return inner


def oddity(rng):
    """Make one object that has no business here, or little."""
    ten = np.arange(10.0)
    raw = bytes(80)
    makers = [
        *(lambda v=v: v for v in (None, True, False, 0, 1, -1, 7, 2**31, 2**63, -(2**63), 10**400)),
        *(lambda v=v: v for v in (0.0, -0.0, 0.25, 1e-320, 1e308, math.nan, math.inf, -math.inf)),
        *(lambda v=v: v for v in (1j, "", "x", "1.0", "float32", "float64", b"", b"abc", "\ud800")),
        *(lambda v=v: v for v in (..., NotImplemented, int, float, object, np, len, math.pi)),
        *(lambda v=v: v for v in ([], (), {}, set(), frozenset({1}), range(3), range(0), slice(3))),
        lambda: bytearray(b"12345678"),
        lambda: memoryview(raw),
        lambda: memoryview(raw).cast("d"),
        lambda: memoryview(raw).cast("d", (2, 5)),
        lambda: memoryview(raw).cast("c"),
        lambda: memoryview(raw)[::-1],
        lambda: array.array("u", "abc"),
        lambda: array.array("d"),
        lambda: (ctypes.c_char * 8)(),
        lambda: (ctypes.c_double * 0)(),
        lambda: ctypes.c_double(1.0),
        lambda: type("S", (ctypes.Structure,), {"_fields_": [("a", ctypes.c_int8 * 3)]})(),
        lambda: type("B", (ctypes.BigEndianStructure,), {"_fields_": [("a", ctypes.c_int)]})(),
        object,
        Lie,
        recursive,
        lambda: [[1.0, 2.0], [3.0]],
        lambda: [[]] * 3,
        lambda: [ten, ten[:4]],
        lambda: [ten, "x"],
        lambda: [ten, None],
        lambda: [ten.astype(object)],
        lambda: [np.array(1.0).view(Subclass)],
        lambda: [np.ones((2, 3)).view(Subclass)],
        lambda: [ten.view(Subclass), ten.astype("i1")],
        lambda: np.ones((2, 3)).view(Subclass),
        lambda: (x for x in (1.0, 2.0)),
        lambda: itertools.count(),
        lambda: iter([1.0]),
        lambda: lambda *_: None,
        lambda: decimal.Decimal("0.5"),
        lambda: decimal.Decimal("sNaN"),
        lambda: fractions.Fraction(1, 3),
        lambda: fractions.Fraction(10**400),
        lambda: dt.date(2000, 1, 1),
        lambda: Path("x"),
        lambda: np.float16(0.5),
        lambda: np.int8(-3),
        lambda: np.uint64(2**64 - 1),
        lambda: np.bool_(True),
        lambda: np.longdouble(1) / 3,
        lambda: np.complex64(1),
        lambda: np.str_("s"),
        lambda: np.datetime64("2000"),
        lambda: np.timedelta64(1, "D"),
        lambda: np.void(b"1234"),
        lambda: np.array(0.5),
        lambda: np.array([0.5]),
        lambda: np.array([[0.5]]),
        lambda: np.array(None),
        lambda: np.array(["a"]),
        lambda: np.empty((0, 0)),
        lambda: np.empty((3, 0, 2)),
        lambda: np.zeros(3, "f8,i4"),
        lambda: np.zeros(3, "V5"),
        lambda: np.zeros((2, 2), "M8[s]"),
        lambda: np.ones((1,) * 32),
        lambda: np.dtype("f4"),
        lambda: np.ma.masked,
        lambda: np.random.default_rng,
        lambda: lying_class(__array__=refuse),
        lambda: lying_class(__array__=lambda *_a, **_k: None),
        lambda: lying_class(__array__=lambda *_a, **_k: "array"),
        lambda: lying_class(__array__=lambda *_a, **_k: np.array("text")),
        lambda: lying_class(__array__=lambda *_a, **_k: ten),
        lambda: lying_class(__len__=lambda _: 3, __getitem__=refuse),
        lambda: lying_class(__len__=lambda _: -3, __getitem__=ten.__class__.__getitem__),
        lambda: lying_class(__len__=lambda _: 3, __getitem__=lambda _s, i: [0.0, 1.0][i]),
        lambda: lying_class(__len__=lambda _: 2, __getitem__=lambda _s, i: [0.0, 1.0, 2.0][i]),
        lambda: lying_class(__len__=refuse, __getitem__=lambda _s, i: [0.0, 1.0, 2.0][i]),
        lambda: lying_class(__len__="3", __getitem__=3),
        lambda: lying_class(__index__=refuse, __float__=refuse),
        lambda: lying_class(__index__=lambda _: 2.0, __float__=lambda _: 2),
        lambda: lying_class(__index__=lambda _: 2),
        lambda: lying_class(__float__=lambda _: 2.0),
        lambda: lying_class(__bool__=refuse),
        lambda: lying_class(__repr__=refuse),
        lambda: lying_class(__array_interface__=None),
        lambda: lying_class(__array_interface__={}),
        lambda: lying_class(__array_interface__=property(refuse)),
        lambda: lying_class(__array_struct__=3),
        lambda: lying_class(__array_struct__=property(refuse)),
        lambda: lying_class(dtype="f8"),
        lambda: NotReal(0.5),
        lambda: NotReal("0.5"),
        lambda: NotReal(math.nan),
        lambda: Interface(ten, typestr="<f3"),
        lambda: Interface(ten, typestr="<f4"),
        lambda: Interface(ten, typestr="<c16", shape=(2,)),
        lambda: Interface(ten, typestr=8),
        lambda: Interface(ten, shape=(-1,)),
        lambda: Interface(ten, shape=(2**62, 2**62)),
        lambda: Interface(ten, shape="10"),
        lambda: Interface(ten, shape=(10.0,)),
        lambda: Interface(ten, strides=(8, 8)),
        lambda: Interface(ten, strides=("8",)),
        lambda: Interface(ten, data=None),
        lambda: Interface(ten, data="nothing"),
        lambda: Interface(ten, data=raw, shape=(11,)),
        lambda: Interface(ten, data=raw, shape=(2, 5), strides=(8, 16)),
        lambda: Interface(ten, data=raw, offset=79, shape=(1,)),
        lambda: Interface(ten, data=raw, offset=-8, shape=(1,)),
        lambda: Interface(ten, version=99),
        lambda: Interface(ten, descr=[("", "<f4")]),
        lambda: Interface(ten, mask=ten),
    ]
    return makers[rng.integers(len(makers))]()


def saboteur(target, rng):
    """Make an object that changes the array `target` in place while the call is under way."""
    shapes = [(target.size,), (1, target.size), (target.size, 1), target.shape[::-1]]
    shape = pick(rng, *shapes)
    dtype = pick(rng, "u1", "f4", "i8", "c16", "f8", ">f8", "S1", None)

    def sabotage(*_args, **_settings):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if dtype is not None:
                    target.dtype = dtype
                else:
                    target.shape = shape
            except (ValueError, TypeError, AttributeError):
                pass
        return 1

    def sabotage_float(*_args):
        return float(sabotage())

    @numbers.Real.register
    class Saboteur:
        __index__ = sabotage
        __float__ = sabotage_float

        def __array__(self, dtype=None, copy=None):
            sabotage()
            return target

    return Saboteur()


def go_on(*_):
    return False


def stop(*_):
    return True


# ---- A call --------------------------------------------------------------------------------------

ARGUMENTS = {
    "train": ["X", "Y", "alpha", "iters", "w", "b", "l2", "sample_weight", "standardize", "tol",
              "callback", "dtype", "n_threads"],
    "cost_and_gradient": ["X", "Y", "w", "b", "l2", "sample_weight", "dtype", "n_threads"],
    "predict_proba": ["X", "w", "b", "dtype", "n_threads"],
    "predict": ["X", "w", "b", "threshold", "dtype", "n_threads"],
    "sigmoid": ["Z"],
}  # fmt: skip


def any_dtype(rng):
    return pick(rng, *pick(rng, WIDE, WIDE, NARROW, NARROW, CONVERTED))


def any_X(rng, n_x, m):  # noqa: N802
    if rng.random() < 0.25 and n_x:
        common = any_dtype(rng)
        columns = [
            relaid(rng, numbers_of(rng, m, any_dtype(rng) if rng.random() < 0.5 else common))
            for _ in range(n_x)
        ]
        return columns if rng.random() < 0.8 else tuple(columns)
    X = numbers_of(rng, (n_x, m), any_dtype(rng))
    if rng.random() < 0.5 and X.dtype.kind == "f":
        with np.errstate(all="ignore"):
            X = (X / math.sqrt(max(n_x, 1))).astype(X.dtype)
    return dressed(rng, relaid(rng, X))


def any_Y(rng, m):  # noqa: N802
    dtype = any_dtype(rng)
    if np.dtype(dtype).kind == "f" and rng.random() < 0.4:
        Y = rng.random(m).astype(dtype)
    else:
        Y = rng.integers(0, 2, m).astype(dtype)
    Y = relaid(rng, Y)
    return dressed(rng, Y if rng.random() < 0.5 else Y[None])


def any_weights(rng, m):
    dtype = any_dtype(rng)
    with np.errstate(all="ignore"):
        values = rng.integers(0, 5, m).astype(dtype)
        if values.dtype.kind == "f" and rng.random() < 0.1:
            values = (values * 10.0 ** pick(rng, -310, -30, 5, 30, 300)).astype(dtype)
    return dressed(rng, relaid(rng, values))


@np.errstate(all="ignore")
def generate(seed, index):
    """Return (function name, arguments, whether an argument is changed while the call runs)."""
    rng = np.random.default_rng([seed, index])
    name = pick(rng, "train", "train", "cost_and_gradient", "cost_and_gradient", "predict_proba",
                "predict", "sigmoid")  # fmt: skip
    if name == "sigmoid":
        shape = tuple(int(n) for n in rng.integers(0, 6, rng.integers(0, 4)))
        Z = numbers_of(rng, shape, any_dtype(rng)) * (1 if rng.random() < 0.5 else 9)
        if rng.random() < 0.2:
            return name, {"Z": oddity(rng)}, False
        return name, {"Z": dressed(rng, relaid(rng, np.asarray(Z)))}, False

    n_x, m = size(rng), size(rng)
    if rng.random() < 0.01:
        n_x, m = pick(rng, (2, 5000), (30, 3000), (700, 60), (2500, 9), (16, 1024), (64, 256))
    given = {"X": any_X(rng, n_x, m)}
    may = {
        "w": lambda: dressed(rng, rng.standard_normal((n_x, 1) if rng.random() < 0.5 else n_x)
                             * 10.0 ** pick(rng, 0, 0, 0, -1, 1, -30, -200, 20, 200)),
        "b": lambda: float(rng.standard_normal() * 10.0 ** pick(rng, 0, 0, 0, 2, -5, 15, 200)),
        "l2": lambda: float(rng.random() * pick(rng, 1, 1, 0, 1e-3, 1e3, 1e200)),
        "sample_weight": lambda: any_weights(rng, m),
        "standardize": lambda: bool(rng.random() < 0.5),
        "tol": lambda: pick(rng, 0.0, 1e-3, 0.1, 1e300, 0),
        "callback": lambda: go_on,
        "dtype": lambda: pick(rng, None, "f8", np.float64, "float32", np.float32),
        "n_threads": lambda: int(rng.integers(1, 5)),
        "threshold": lambda: float(rng.random()),
    }  # fmt: skip
    if "Y" in ARGUMENTS[name]:
        given["Y"] = any_Y(rng, m)
    if name == "train":
        given["alpha"] = pick(rng, 0.1, 1.0, 1, 1e-3, 30.0, 1e-300, 1e300, np.float32(0.5))
        given["iters"] = int(rng.integers(0, 5))
    else:
        given["w"], given["b"] = may["w"](), may["b"]()
    for argument in ARGUMENTS[name]:
        if argument not in given and rng.random() < 0.3:
            given[argument] = may[argument]()

    wrong = rng.random()
    changed = False
    arrays = [v for v in given.values() if type(v) is np.ndarray and v.size]
    if wrong < 0.15:
        given[pick(rng, *ARGUMENTS[name])] = oddity(rng)
    elif wrong < 0.18 and arrays:  # an array of another argument, or a part of one
        other = pick(rng, *arrays)
        given[pick(rng, *ARGUMENTS[name])] = pick(
            rng, other, other[..., -1], other[..., :-1], other.T
        )
    elif wrong < 0.21 and arrays:
        target = pick(rng, *arrays)
        if target.flags.owndata:
            others = [a for a in ARGUMENTS[name] if given.get(a) is not target and a != "dtype"]
            given[pick(rng, *others)] = saboteur(target, rng)
            changed = True
    if name == "train" and hasattr(given["iters"], "__index__"):
        with contextlib.suppress(Exception):
            if given["iters"].__index__() > 1000:  # the fuzzer has not that much time
                given["callback"] = stop
    return name, given, changed


# ---- What must come of it ------------------------------------------------------------------------


class Refused(Exception):  # noqa: N818
    """An argument is not to be taken: one of `kinds` is due, with a message that holds `word`."""

    def __init__(self, kinds, word):
        super().__init__(kinds, word)
        self.kinds = kinds
        self.word = word

    def is_met_by(self, error):
        return isinstance(error, Lie) or (isinstance(error, self.kinds) and self.word in str(error))


def as_numbers(value, name):
    """Return what NumPy makes of a value, if that is real numbers."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise Refused(ValueError, name)
    try:
        result = np.asarray(value)
    except Lie:
        raise Refused(Lie, "") from None
    except ValueError:
        raise Refused(ValueError, name) from None
    except Exception:
        raise Refused((TypeError, ValueError), name) from None
    if result.dtype.kind == "O":
        result = as_floats(result, name)
    if result.dtype.kind not in "fiub":
        raise Refused(TypeError, name)
    return result


def as_floats(objects, name):
    """Return an array of objects that are real numbers as float64."""
    if not all(isinstance(v, (numbers.Real, decimal.Decimal, np.bool_)) for v in objects.flat):
        raise Refused((TypeError, Lie), name)
    try:
        return objects.astype(np.float64)
    except (OverflowError, ValueError):
        raise Refused(ValueError, name) from None
    except TypeError:
        raise Refused(TypeError, name) from None
    except Lie:
        raise Refused(Lie, "") from None


def as_number(value, name, low=-math.inf, above=False, high=math.inf):
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise Refused((TypeError, Lie), name)
    try:
        value = float(value)
    except OverflowError:
        raise Refused(ValueError, name) from None
    except (TypeError, ValueError):
        raise Refused(TypeError, name) from None
    if not (math.isfinite(value) and low <= value <= high) or (above and value == low):
        raise Refused(ValueError, name)
    return value


def as_integer(value, name, low):
    if isinstance(value, (bool, np.bool_)):
        raise Refused(TypeError, name)
    try:
        value = value.__index__()
        if not isinstance(value, int):
            raise TypeError
    except Lie:
        raise Refused(Lie, "") from None
    except (AttributeError, TypeError):
        raise Refused((TypeError, Lie), name) from None
    if value < low:
        raise Refused(ValueError, name)
    return value


def as_column(value, name, m):
    result = as_numbers(value, name)
    if result.shape not in ((m,), (1, m)):
        raise Refused(ValueError, name)
    with np.errstate(all="ignore"):
        return result.astype(np.float64).ravel()


def is_columns(X):
    return isinstance(X, (list, tuple)) and bool(X) and all(
        isinstance(x, np.ndarray) and np.ndarray.ndim.__get__(x) == 1 for x in X
    )  # fmt: skip


class Expected:
    """The arguments as they are to be understood, and `faults`, the reasons why they cannot be."""

    def __init__(self, name, given):
        self.faults = []
        self.w_may_be_none = name == "train"
        self.predicts = name.startswith("predict")
        with self.noting():
            self.read_X(given["X"])
        if self.faults:
            self.m = self.n_x = -1  # what must fit X is at fault as well
        readers = {
            "dtype": self.read_dtype,
            "Y": self.read_Y,
            "sample_weight": self.read_weights,
            "w": self.read_w,
            "tol": lambda tol: tol if tol is None else as_number(tol, "tol", 0),
            "b": lambda b: as_number(b, "b"),
            "l2": lambda l2: as_number(l2, "l2", 0),
            "alpha": lambda alpha: as_number(alpha, "alpha", 0, above=True),
            "iters": lambda iters: as_integer(iters, "iters", 0),
            "callback": self.read_callback,
            "standardize": self.read_standardize,
            "threshold": lambda t: as_number(t, "threshold", 0, high=1),
            "n_threads": lambda n: n if n is None else as_integer(n, "n_threads", 1),
        }
        defaults = {"b": 0.0, "l2": 0.0, "threshold": 0.5, "standardize": False}
        for argument, read in readers.items():
            value = given.get(argument, defaults.get(argument))
            setattr(self, argument, None)
            if argument in given or argument not in {"Y", "alpha", "iters"}:
                with self.noting():
                    setattr(self, argument, read(value))

    @contextlib.contextmanager
    def noting(self):
        try:
            yield
        except Refused as refused:
            self.faults.append(refused)

    def read_X(self, X):  # noqa: N802
        if is_columns(X):
            columns = [as_numbers(x, "X") for x in X]
            if len({len(x) for x in columns}) > 1:
                raise Refused(ValueError, "X")
            self.dtypes = {x.dtype for x in columns}
            self.m = len(columns[0])
        else:
            columns = as_numbers(X, "X")
            if columns.ndim != 2:
                raise Refused(ValueError, "X")
            self.dtypes = {columns.dtype}
            self.m = columns.shape[1]
        if self.m == 0:
            raise Refused(ValueError, "X")
        self.n_x = len(columns)
        self.X = np.array([np.asarray(x, np.float64) for x in columns]).reshape(self.n_x, self.m)

    def read_dtype(self, dtype):
        if self.m < 0:
            return
        narrow = all(d.str.lstrip("<|=>") in _NARROW_NAMES for d in self.dtypes)
        self.float32 = narrow and not self.predicts
        if dtype is None:
            return
        try:
            chosen = np.dtype(dtype).newbyteorder("=")
        except Exception:
            raise Refused(TypeError, "dtype") from None
        self.float32 = chosen == np.float32
        if chosen not in (np.float64, np.float32) or (self.float32 and not narrow):
            raise Refused(TypeError, "dtype")

    def read_Y(self, value):  # noqa: N802
        Y = as_column(value, "Y", self.m)
        if not ((Y >= 0) & (Y <= 1)).all():
            raise Refused(ValueError, "Y")
        return Y

    def read_weights(self, value):
        self.v = np.ones(max(self.m, 0))
        if value is None:
            return
        self.v = as_column(value, "sample_weight", self.m)
        if not (np.isfinite(self.v) & (self.v >= 0)).all() or not self.v.any():
            raise Refused(ValueError, "sample_weight")

    def read_w(self, value):
        if value is None and self.w_may_be_none:
            return np.zeros(max(self.n_x, 0))
        w = as_numbers(value, "w")
        if w.shape not in ((self.n_x,), (self.n_x, 1)):
            raise Refused(ValueError, "w")
        w = w.astype(np.float64).ravel()
        if not np.isfinite(w).all():
            raise Refused(ValueError, "w")
        return w

    def read_callback(self, callback):
        several = isinstance(callback, (list, tuple)) and all(map(callable, callback))
        if not (callback is None or callable(callback) or several):
            raise Refused(TypeError, "callback")

    def read_standardize(self, standardize):
        if not isinstance(standardize, (bool, np.bool_)):
            raise Refused(TypeError, "standardize")
        return standardize


_NARROW_NAMES = {np.dtype(name).str.lstrip("<|=>") for name in NARROW}


class Exact:
    """One pass in long double, and how far off the package may be.

    The bounds are those of docs/architecture.md: the rounding of a z is at most (n_x + 8) u
    (sum |w_j x_j| + |b|), and what depends on z inherits that; sums add some u of the sum of
    magnitudes.
    """

    def __init__(self, e, w, b, standardize=False):
        self.u = u = 2.0**-24 if e.float32 else 2.0**-53
        tiny = 2.0**-149 if e.float32 else 2.0**-1074
        # beyond these, a sum or a square may leave the range of the arithmetic
        self.most, self.least = (1e36, 1e-36) if e.float32 else (1e300, 1e-300)
        X, w, b, v = e.X.astype(LD), w.astype(LD), LD(b), e.v.astype(LD)
        total = v.sum()
        self.mu = self.sd = None
        rest = LD(0)
        sizes = [np.abs(X).max(initial=0), total, np.abs(X @ v).max(initial=0)]
        self.lost = total < self.least or total > self.most
        if standardize:
            counted = X[:, v > 0]
            self.mu = mu = X @ v / total
            varies = counted.min(axis=1) < counted.max(axis=1)
            sd = np.sqrt((X - mu[:, None]) ** 2 @ v / total)
            self.sd = sd = np.where(varies, sd, 0)
            mu = np.where(varies, mu, counted[:, :1].ravel())
            self.mu = mu
            X = X - mu[:, None]
            small = np.abs(X[varies])
            small = small[small > 0]
            deviation = sd[sd > 0]
            root = math.sqrt(self.least)
            self.lost |= bool(deviation.size and deviation.min() < root)
            self.lost |= bool(np.abs(e.X).max(initial=0) > math.sqrt(self.most))
            sizes += [1 / deviation.min() if deviation.size else 0]
            rest = np.abs(w) @ np.abs(mu) * 2.0**-52 + abs(b) * 2.0**-52
            b = b + w @ mu
        self.n_x = len(w)
        Z = w @ X + b
        magnitudes = np.abs(w) @ np.abs(X) + abs(b)
        if standardize:
            magnitudes = magnitudes + np.abs(w) @ np.abs(self.mu) * u * 2
        blur = (
            (self.n_x + 8) * u * magnitudes + rest + tiny * (np.abs(X).sum(axis=0) + self.n_x + 1)
        )
        blur = blur + tiny * np.abs(w).sum()
        sizes += [magnitudes.max(), np.abs(w).max(initial=0)]
        self.Z, self.blur = Z, blur
        self.t = t = np.exp(-np.abs(Z))
        self.A = np.where(Z > 0, 1 / (1 + t), t / (1 + t))
        if e.Y is not None:
            Y = e.Y.astype(LD)
            c = np.where(Z > 0, 1 - Y, Y)
            cost = np.abs(Z) * c + np.log1p(t)
            dZ = np.where(Z > 0, c - t / (1 + t), t / (1 + t) - c)
            soft = ((Y != 0) & (Y != 1)) * u
            cost_off = blur * np.minimum(1, np.abs(dZ) + blur) + (np.abs(Z) + 1) * soft
            cost_off = cost_off + 16 * u * (np.abs(Z) * c + 1)
            dZ_off = np.minimum(2, blur / 4 + 2 * soft + 16 * u * (np.abs(dZ) + soft)) + tiny
            self.scale = scale = 1 / np.where(self.sd > 0, self.sd, np.inf) if standardize else 1
            w_std = w * self.sd if standardize else w
            mean = v / total
            self.J = mean @ cost + LD(e.l2) / 2 * (w_std**2).sum()
            self.dw = X @ (dZ * mean) * scale + LD(e.l2) * w_std
            self.db = mean @ dZ
            self.db_off = mean @ dZ_off + 64 * u * (mean @ np.abs(dZ)) + tiny
            self.J_off = mean @ cost_off + 64 * u * self.J + tiny
            self.dw_off = (
                np.abs(X) @ (mean * (dZ_off + 64 * u * np.abs(dZ))) + tiny * (1 + 1 / total)
            ) * scale + 4 * u * LD(e.l2) * np.abs(w_std)
            if standardize:  # the part of the mean that the arithmetic cannot hold
                self.dw_off += np.abs(self.mu) * scale * 2 * u * (np.abs(self.db) + self.db_off)
                worse = 1 + np.abs(self.mu) * scale  # how much sd has canceled
                self.dw_off += np.abs(self.dw) * worse * 2.0**-46
                self.J_off += LD(e.l2) * (w_std**2 * worse).sum() * 2.0**-46
            sizes += [self.J * total, np.abs(self.dw).max(initial=0), np.abs(X) @ v]
            sizes += [e.l2, e.l2 * np.abs(w_std).max(initial=0), (w_std**2).sum() * (e.l2 > 0)]
        self.large = max(float(np.max(s, initial=0)) for s in sizes)
        self.may_overflow = bool(self.lost or not self.large < self.most)


def close(what, value, exact, off):
    value = np.ravel(value).astype(LD)
    exact, off = np.ravel(exact), np.ravel(off)
    if not np.isfinite(value.astype(np.float64)).all():
        raise Disagreement(f"{what} is not finite: {value}")
    worst = np.abs(value - exact) - off * (1 + 1e-9)
    if (worst > 0).any():
        k = int(np.argmax(worst))
        raise Disagreement(f"{what}[{k}] = {value[k]}, exactly {exact[k]} +- {off[k]}")


def check_nonfinite(e, error, *, iterations=True):
    """X holds NaN or infinity: the error must name the first."""
    bad = np.argwhere(~np.isfinite(e.X.T))
    if not bad.size or not iterations:
        return False
    example, feature = bad[0]
    if not isinstance(error, ValueError) or f"({feature}, {example})" not in str(error):
        raise Disagreement(f"X[{feature}, {example}] is not finite, but: {error!r}")
    return True


def check_error(error, kind, exact):
    """An overflow must be one."""
    if error is not None:
        if not isinstance(error, kind) or len(str(error)) < 40:
            raise Disagreement(f"valid arguments: {error!r}") from error
        if not exact.may_overflow:
            raise Disagreement(f"nothing overflows: {error!r}") from error
    return error is not None


def check_sigmoid(given, result, error):
    try:
        array = as_numbers(given["Z"], "Z")
    except Refused as refused:
        return [refused]
    if error is not None:
        raise Disagreement(f"valid Z: {error!r}") from error
    Z = array.astype(np.float64).astype(LD)
    A = 1 / (1 + np.exp(-Z))
    if result.shape != array.shape or result.dtype != np.float64:
        raise Disagreement(f"sigmoid has shape {result.shape} of {result.dtype}")
    if not (np.isnan(Z) == np.isnan(result)).all():
        raise Disagreement("NaN where there is none, or none where there is")
    there = ~np.isnan(Z)
    close("sigmoid", result[there], A[there], 2.01 * np.spacing(A[there].astype(np.float64)))
    return []


def check_probabilities(e, _given, result, error):
    if check_nonfinite(e, error):
        return
    exact = Exact(e, e.w, e.b)
    if check_error(error, OverflowError, exact):
        return
    if result.shape != (1, e.m) or result.dtype != np.float64:
        raise Disagreement(f"predict_proba has shape {result.shape} of {result.dtype}")
    blur = np.minimum(exact.blur, 700)
    off = np.minimum(blur / 4, exact.A * np.expm1(blur)) + 8 * 2.0**-53 * exact.A + 2.0**-1074
    close("A", result, exact.A, off)


def check_prediction(e, given, result, error):
    if check_nonfinite(e, error) or check_error(error, OverflowError, Exact(e, e.w, e.b)):
        return
    settings = {k: v for k, v in given.items() if k != "threshold"}
    A = logreg_c.predict_proba(**settings)
    if result.dtype != np.int64 or not np.array_equal(result, A > e.threshold):
        raise Disagreement("predict is not predict_proba > threshold")


def check_gradient(e, _given, result, error):
    if check_nonfinite(e, error):
        return
    exact = Exact(e, e.w, e.b)
    if check_error(error, OverflowError, exact):
        return
    J, dw, db = result
    if dw.shape != (exact.n_x, 1) or type(J) is not float or type(db) is not float:
        raise Disagreement(f"cost_and_gradient returned {result!r}")
    close("J", J, exact.J, exact.J_off)
    close("dw", dw, exact.dw, exact.dw_off)
    close("db", db, exact.db, exact.db_off)


def check_train(e, given, result, error):
    """Train again with a callback that keeps every w and b, and check each step by itself."""
    if given.get("callback") is stop:
        if result is not None and result.costs.size > 1:
            raise Disagreement(f"{result!r} is not stopped by a callback's true return")
        return
    callback = given.get("callback")
    none = callback is None or (isinstance(callback, (list, tuple)) and not callback)
    odd = not none and getattr(callback, "__name__", "") != "go_on"
    if odd and error is not None and not isinstance(error, logreg_c.DivergenceError):
        return  # of the callback's own
    if check_nonfinite(e, error, iterations=e.iters > 0):
        return
    steps = [(None, e.w.reshape(-1, 1), e.b)]
    limited = given | {"callback": lambda _k, cost, w, b: steps.append((cost, w, b))}
    again = second = None
    try:
        again = logreg_c.train(**limited)
    except logreg_c.DivergenceError as failed:
        second = failed
    if not (odd and result is not None and result.stopped == "callback"):
        if type(error) is not type(second) or str(error) != str(second):
            raise Disagreement(f"{error!r}, but with a callback {second!r}")
        if result is not None:
            same = all(
                np.asarray(x).tobytes() == np.asarray(y).tobytes()
                for x, y in zip(result, again, strict=True)
            )
            if not same or result.stopped != again.stopped:
                raise Disagreement(f"{result!r}, but with a callback {again!r}")
    last = again if second is None else second
    if not np.isfinite(last.w).all() or not np.isfinite(last.costs).all():
        raise Disagreement(f"not finite: {last!r}")
    done = len(steps) - 1
    ended_by_tol = second is None and again.stopped == "tol"
    if last.costs.size != done + ended_by_tol and not (second and last.costs.size - done == 1):
        raise Disagreement(f"{last.costs.size} costs, {done} updates")
    if second is None and not ended_by_tol and done != e.iters:
        raise Disagreement(f"{done} of {e.iters} iterations")
    if last.w.tobytes() != steps[-1][1].tobytes() or last.b != steps[-1][2]:
        raise Disagreement("w, b of the result are not those of the last step")

    for k, (_cost, w, b) in enumerate(steps):
        if k == last.costs.size == e.iters:
            break
        exact = Exact(e, w.ravel(), b, e.standardize)
        scale = exact.scale
        step = e.alpha * np.abs(exact.dw) * scale
        large = max(float(np.max(step, initial=0)), e.alpha * float(abs(exact.db)))
        large = max(large, *(float(abs(x)) for x in (*w.ravel(), b)), e.alpha)
        if e.standardize:
            large = max(large, float(np.abs(exact.mu) @ step))
        if not large < 1e290:
            exact.may_overflow = True
        if k == done and second is not None:
            check_error(second, logreg_c.DivergenceError, exact)
            break
        if exact.may_overflow:
            continue
        close(f"costs[{k}]", last.costs[k], exact.J, exact.J_off)
        biggest = max(float(np.abs(exact.dw).max(initial=0)), float(abs(exact.db)))
        off = max(float(np.max(exact.dw_off, initial=0)), float(exact.db_off))
        if e.tol is not None and abs(biggest - e.tol) > off and (
            (biggest <= e.tol) != (ended_by_tol and k == done)
        ):  # fmt: skip
            raise Disagreement(f"max(|dw|, |db|) = {biggest} of step {k}, tol {e.tol}: {last!r}")
        if k == done:
            break
        u = 2.0**-53
        next_w, next_b = steps[k + 1][1].ravel(), steps[k + 1][2]
        off_w = e.alpha * exact.dw_off * scale + 2 * u * (np.abs(w.ravel()) + step) + 2.0**-1073
        close(f"w after {k}", next_w, w.ravel() - LD(e.alpha) * exact.dw * scale, off_w)
        off_b = e.alpha * exact.db_off + 4 * u * (abs(b) + e.alpha * abs(exact.db)) + 2.0**-1073
        true_b = LD(b) - LD(e.alpha) * exact.db
        if e.standardize:
            true_b += LD(e.alpha) * (exact.dw * scale) @ exact.mu
            off_b += off_w @ np.abs(exact.mu) + 8 * u * np.abs(w.ravel()) @ np.abs(exact.mu)
            off_b += 64 * u * step @ exact.sd  # how far off a mean is
            off_b += 8 * u * abs(b) * (k + 1)  # b_lo is not in b
        close(f"b after {k}", next_b, true_b, off_b)


def attempt(name, given):
    """Call; return (result, exception)."""
    try:
        return getattr(logreg_c, name)(**given), None
    except Exception as raised:
        return None, raised


DOCUMENTED = (TypeError, ValueError, logreg_c.DivergenceError, OverflowError, MemoryError, Lie)


def check_call(seed, index):
    """Make call `index`; raise Disagreement where something is wrong with what comes of it."""
    name, given, changed = generate(seed, index)
    arrays = [v for v in given.values() if type(v) is np.ndarray]
    before = [] if changed else [a.tobytes() for a in arrays]
    result, error = attempt(name, given)
    if error is not None and not isinstance(error, DOCUMENTED):
        raise Disagreement(f"{error!r} is not documented") from error
    if error is not None and not str(error) and not isinstance(error, Lie):
        raise Disagreement(f"{error!r} has no message") from error
    if changed:
        return name, error
    if before != [a.tobytes() for a in arrays]:
        raise Disagreement("an argument was modified")
    with np.errstate(all="ignore"):
        check = {
            "train": check_train,
            "cost_and_gradient": check_gradient,
            "predict_proba": check_probabilities,
            "predict": check_prediction,
        }
        if name == "sigmoid":
            faults = check_sigmoid(given, result, error)
        else:
            e = Expected(name, given)
            faults = e.faults
            if not faults:
                check[name](e, given, result, error)
    if faults and error is None:
        raise Disagreement(f"taken, in spite of {faults!r}: {result!r}")
    if faults and not any(fault.is_met_by(error) for fault in faults):
        raise Disagreement(f"{error!r}, where one of {faults!r} was due") from error
    return name, error


# ---- Many of them --------------------------------------------------------------------------------


def show(seed, index):
    """Tell what call `index` is, as far as it can be told."""
    name, given, changed = generate(seed, index)
    lines = [f"call {index} of seed {seed}: {name}, changed while it runs: {changed}"]
    for argument, value in given.items():
        try:
            text = repr(value)
        except Exception:
            text = f"a {type(value).__name__} without a repr"
        if type(value) is np.ndarray:
            text = f"{value.dtype} {value.shape} strides {value.strides}\n{text}"
        lines.append(f"  {argument} = {text[:600]}")
    return "\n".join(lines)


def warn_as_errors():
    """No warning but the documented one may come; np.matrix announces its own end."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", logreg_c.DivergenceWarning)
    warnings.simplefilter("ignore", PendingDeprecationWarning)


def work(seed, first, step, calls, until, place, tallies):
    """Make calls first, first + step ...; `place` always holds the one under way."""
    faulthandler.enable()
    warn_as_errors()
    failed = 0
    for index in range(first, calls, step):
        if time.monotonic() > until:
            break
        place.value = index
        try:
            _, error = check_call(seed, index)
            tallies[0] += 1
            tallies[1] += error is not None
        except Exception:  # a Disagreement, or a fault of this script
            print(f"{show(seed, index)}\n{traceback.format_exc()}", flush=True)
            failed += 1
            if failed == 5:
                break
    place.value = -1
    sys.exit(1 if failed else 0)


def main():
    parser = argparse.ArgumentParser(description="Make generated calls, and check what comes.")
    parser.add_argument("--calls", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=int)
    chosen = parser.parse_args()
    if chosen.only is not None:
        warn_as_errors()
        print(show(chosen.seed, chosen.only), flush=True)
        print(check_call(chosen.seed, chosen.only))
        return

    context = multiprocessing.get_context("spawn")
    began = time.monotonic()
    until = began + chosen.seconds
    workers = []
    for k in range(chosen.processes):
        place, tallies = context.Value("q", -1), context.Array("q", 2)
        arguments = (chosen.seed, k, chosen.processes, chosen.calls, until, place, tallies)
        workers.append((context.Process(target=work, args=arguments), place, tallies))
        workers[-1][0].start()
    failures = 0
    seen = {}
    for process, place, _ in itertools.cycle(workers):
        process.join(0.5)
        index, now = place.value, time.monotonic()
        if process.exitcode is None and index >= 0:
            if seen.get(process, (None,))[0] != index:
                seen[process] = index, now
            elif now - seen[process][1] > SECONDS_A_CALL:
                print(f"hangs: {show(chosen.seed, index)}", flush=True)
                process.kill()
                process.join()
        if all(p.exitcode is not None for p, _, _ in workers):
            break
    for process, place, _ in workers:
        if process.exitcode:
            failures += 1
        if process.exitcode and process.exitcode < 0:
            print(f"died by signal {-process.exitcode}: {show(chosen.seed, place.value)}")
    made = sum(t[0] for _, _, t in workers)
    refused = sum(t[1] for _, _, t in workers)
    print(
        f"{made} calls as expected, {refused} of them exceptions, {failures} processes failed; "
        f"seed {chosen.seed}, {time.monotonic() - began:.0f} s"
    )
    sys.exit(1 if failures or not made else 0)


if __name__ == "__main__":
    main()
