# SPDX-License-Identifier: BSD-3-Clause
"""How arguments are to be understood: a second reading of the documentation."""

import contextlib
import decimal
import math
import numbers

import numpy as np
from values import NARROW, Lie


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


def as_switch(value, name):
    if not isinstance(value, (bool, np.bool_)):
        raise Refused(TypeError, name)
    return bool(value)


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


def has_several_outputs(given, n_x, m):
    """Whether Y holds classes, or w and b are those of classes."""
    Y, w = given.get("Y"), given.get("w")
    of_w = getattr(w, "shape", ())
    if "Y" not in given:
        return len(of_w) == 2 and of_w[1] > 1 and np.size(given.get("b")) == of_w[1]
    if len(of_w) == 2 and of_w[0] == n_x and of_w[1] > 1:
        return True
    shape = np.shape(Y) if isinstance(Y, (list, tuple)) else getattr(Y, "shape", ())
    if len(shape) == 2 and shape[0] > 1 and shape[1] == m != 1:
        return True
    try:
        Y = as_numbers(Y, "Y")
    except Refused:
        return False
    return Y.dtype.kind in "iu" and Y.size == m and Y.size > 0 and int(Y.max()) > 1


def as_groups(value, name, m):
    """Return the number of each example's group, from 0."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise Refused(ValueError, name)
    try:
        groups = np.asarray(value)
    except Lie:
        raise Refused(Lie, "") from None
    except Exception:
        raise Refused((TypeError, ValueError), name) from None
    if groups.shape not in ((m,), (1, m)):
        raise Refused(ValueError, name)
    try:
        found, codes = np.unique(groups.ravel(), return_inverse=True)
    except Exception:
        raise Refused((TypeError, ValueError), name) from None
    if (found != found).any():  # noqa: PLR0124 (NaN and NaT are not themselves)
        raise Refused(ValueError, name)
    return codes


ARGUMENTS = {
    "train": ["X", "Y", "alpha", "iters", "w", "b", "l2", "sample_weight", "standardize", "tol",
              "callback", "dtype", "n_threads"],
    "fit": ["X", "Y", "l2", "firth", "sample_weight", "w", "b", "intercept", "tol", "max_passes",
            "callback", "dtype", "n_threads"],
    "fit_many": ["X", "Y", "groups", "l2", "sample_weight", "intercept", "tol", "max_passes",
                 "dtype", "n_threads"],
    "inference": ["X", "Y", "w", "b", "l2", "standardize", "firth", "sample_weight",
                  "intercept", "robust", "clusters", "n_threads"],
    "cost_and_gradient": ["X", "Y", "w", "b", "l2", "sample_weight", "dtype", "n_threads"],
    "predict_proba": ["X", "w", "b", "dtype", "n_threads"],
    "predict": ["X", "w", "b", "threshold", "dtype", "n_threads"],
    "sigmoid": ["Z"],
}  # fmt: skip
DEFAULTS = {"b": 0.0, "l2": 0.0, "threshold": 0.5, "standardize": False, "firth": False,
            "intercept": True, "robust": False}  # fmt: skip
OF_FIT = {"tol": 1e-9, "b": None}


class Expected:
    """The arguments as they are to be understood, and `faults`, the reasons why they cannot be."""

    def __init__(self, name, given):
        self.name = name
        self.several = False
        self.faults = []
        with self.noting():
            self.read_X(given["X"])
        if self.faults:
            self.m = self.n_x = -1  # what must fit X is at fault as well
        with contextlib.suppress(Exception):
            self.several = has_several_outputs(given, self.n_x, self.m)
        defaults = DEFAULTS | (OF_FIT if name == "fit" else {})
        readers = {
            "dtype": self.read_dtype,
            "Y": self.read_Y,
            "sample_weight": self.read_weights,
            "w": self.read_w,
            "tol": lambda tol: tol if tol is None and name == "train" else as_number(tol, "tol", 0),
            "b": lambda b: as_number(0.0 if b is None and name == "fit" else b, "b"),
            "l2": lambda l2: as_number(l2, "l2", 0),
            "alpha": lambda alpha: as_number(alpha, "alpha", 0, above=True),
            "iters": lambda iters: as_integer(iters, "iters", 0),
            "max_passes": lambda n: 1000 if n is None else as_integer(n, "max_passes", 1),
            "callback": self.read_callback,
            "standardize": lambda s: as_switch(s, "standardize"),
            "firth": lambda f: as_switch(f, "firth"),
            "intercept": lambda i: as_switch(i, "intercept"),
            "robust": self.read_robust,
            "clusters": self.read_clusters,
            "threshold": lambda t: as_number(t, "threshold", 0, high=1),
            "n_threads": lambda n: n if n is None else as_integer(n, "n_threads", 1),
        }
        self.Y = self.w = None
        for argument, read in readers.items():
            setattr(self, argument, None)
            if argument in ARGUMENTS[name] or argument in {"dtype", "sample_weight"}:
                with self.noting():
                    setattr(self, argument, read(given.get(argument, defaults.get(argument))))
        with self.noting(), contextlib.suppress(TypeError, ValueError):  # of what is at fault
            self.read_together()

    def read_together(self):
        """Refuse arguments that exclude each other."""
        if self.name not in {"fit", "inference"}:
            return
        if self.name == "inference" and self.clusters is not None and self.robust_is_named:
            raise Refused(ValueError, "robust")
        if self.firth:
            self.float32 = False
            if self.l2 > 0:
                raise Refused(ValueError, "l2")
        if (self.firth or self.name == "inference") and not 1e-9 < self.v.max() < 1e9:
            raise Refused(ValueError, "sample_weight")
        robust = self.name == "inference" and (self.robust or self.clusters is not None)
        if self.firth and robust:
            raise Refused(ValueError, "firth")

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
        self.float32 = narrow and not self.name.startswith(("predict", "inference"))
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
        if value is None and self.name in {"train", "fit"}:
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

    def read_robust(self, robust):
        self.robust_is_named = isinstance(robust, str)
        if not self.robust_is_named:
            return "HC1" if as_switch(robust, "robust") else False
        if robust not in {"HC0", "HC1"}:
            raise Refused(ValueError, "robust")
        return robust

    def read_clusters(self, clusters):
        if clusters is None:
            return None
        codes = as_groups(clusters, "clusters", self.m)
        if codes.max() < 1:
            raise Refused(ValueError, "clusters")
        return codes


_NARROW_NAMES = {np.dtype(name).str.lstrip("<|=>") for name in NARROW}
