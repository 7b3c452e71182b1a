# SPDX-License-Identifier: BSD-3-Clause
"""Values, arrays of them, and objects of every Python type."""

import array
import ctypes
import datetime as dt
import decimal
import fractions
import itertools
import math
import numbers
import warnings
from pathlib import Path

import numpy as np

WIDE = ["f8", "i8", "i4"]
NARROW = ["f4", "f2", "?", "i1", "u1", "i2", "u2"]
CONVERTED = ["u4", "u8", "g", ">f8", ">f4", ">i4", ">i2", ">f2", ">u8"]


class Lie(Exception):  # noqa: N818
    """Raised by the arguments themselves; it may come out as it is."""


# ---- Arrays --------------------------------------------------------------------------------------


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
